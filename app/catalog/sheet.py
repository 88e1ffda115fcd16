"""SKUs as a CSV file: columns, and what a cell means.

A column that the file does not have leaves its field as it is, an empty cell empties it; so a list of codes and prices
changes prices alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.core import http
from app.core.csvfile import CellInvalid, Column, integer
from app.core.db import db
from app.core.errors import invalid

from .models import Sku
from .schemas import SkuIn
from .skus import add_sku, barcodes_of, put_sku

OPTION = "option."
COLUMNS = (
    Column("sku", ("SKU", "SKUコード", "商品コード", "品番", "商品番号"), required=True),
    Column("product", ("商品", "代表商品コード", "親商品コード", "商品グループ", "スタイル")),
    Column("name", ("商品名", "品名", "名称")),
    Column("name_en", ("商品名(英語)", "英語名", "英語商品名")),
    Column("barcodes", ("barcode", "JAN", "JANコード", "バーコード", "EAN", "UPC")),
    Column("tax_category", ("税区分", "税率区分", "消費税区分", "税率")),
    Column("list_price", ("price", "定価", "価格", "販売価格", "売価", "税込価格")),
    Column("image_url", ("画像URL", "画像", "商品画像")),
    Column(f"{OPTION}color", ("カラー", "色")),
    Column(f"{OPTION}size", ("サイズ",)),
    Column(OPTION, ("options.", "オプション.", "属性."), open_ended=True),
)
_SPLIT = re.compile(r"[\s,;、|/／]+")
_TAX = {
    "standard": ("標準", "標準税率", "10%", "10", "課税"),
    "reduced": ("軽減", "軽減税率", "8%", "8", "軽減8%"),
    "exempt": ("非課税", "0%", "0"),
}
_TAX_BY_WORD = {word: category for category, words in _TAX.items() for word in words}
_OPTIONAL = {"name_en", "image_url"}
_FACTS = ("product", "name", "name_en", "tax_category", "list_price", "options", "image_url")

Present = dict[str, dict[str, Any]]


def prepare(rows: Sequence[dict[str, str]]) -> Present:
    """The bodies of those SKUs of a batch that exist, locked in the order of their codes."""
    codes = {row["sku"] for row in rows}
    found = db.session.scalars(select(Sku).where(Sku.code.in_(codes)).order_by(Sku.code).with_for_update()).all()
    barcodes = barcodes_of([sku.code for sku in found])
    return {sku.code: {name: getattr(sku, name) for name in _FACTS} | {"barcodes": barcodes[sku.code]} for sku in found}


def apply(cells: dict[str, str], present: Present) -> bool:
    """Put one row in; says whether it changed anything."""
    code = http.path_code(cells["sku"], "/sku")
    before = present.get(code)
    after = _overlaid(before or {}, cells)
    if before == after:
        return False
    body = http.load(SkuIn, after)
    facts, barcodes = {name: body[name] for name in _FACTS}, body["barcodes"]
    changed = (put_sku if before else add_sku)(code=code, facts=facts, barcodes=barcodes)
    present[code] = body
    return changed


def _overlaid(before: dict[str, Any], cells: dict[str, str]) -> dict[str, Any]:
    body = dict(before)
    body["options"] = dict(before.get("options", {}))
    for column, cell in cells.items():
        if column.startswith(OPTION):
            body["options"].pop(column.removeprefix(OPTION), None)
            if cell:
                body["options"][column.removeprefix(OPTION)] = cell
        elif column == "barcodes":
            body["barcodes"] = [code for code in _SPLIT.split(cell) if code]
        elif column != "sku":
            body.pop(column, None)
            if cell:
                body[column] = _value(column, cell)
            elif column in _OPTIONAL:
                body[column] = None
    return body


def _value(column: str, cell: str) -> Any:
    if column == "tax_category":
        return _TAX_BY_WORD.get(cell.replace("％", "%"), cell)
    if column == "list_price":
        try:
            return integer(cell)
        except CellInvalid as error:
            raise invalid(f"/{column}", error.code) from error
    return cell
