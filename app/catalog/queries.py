"""Reading SKUs for the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from app.core.db import db

from .barcodes import normalise
from .errors import UnknownSku
from .models import Sku, SkuBarcode
from .skus import barcodes_of
from .words import fold, pattern


def matching(*, barcode: str | None = None, q: str | None = None, product: str | None = None) -> Select[Sku]:
    """The SKUs with that barcode, of that product, with every word of `q` somewhere."""
    query = select(Sku)
    if barcode is not None:
        query = query.where(Sku.code.in_(select(SkuBarcode.sku).where(SkuBarcode.gtin == normalise(barcode))))
    if product is not None:
        query = query.where(Sku.product == product)
    for word in fold(q or "").split():
        query = query.where(Sku.search.like(pattern(word), escape="\\"))
    return query


def find(code: str) -> Sku:
    """One SKU, or UnknownSku."""
    row = db.session.get(Sku, code)
    if row is None:
        raise UnknownSku(skus=[code])
    return row


def show_all(rows: Sequence[Sku]) -> list[dict[str, Any]]:
    """SKUs as the API answers them."""
    barcodes = barcodes_of([row.code for row in rows])
    return [
        {
            "sku": row.code, "product": row.product, "name": row.name, "name_en": row.name_en,
            "barcodes": barcodes[row.code], "tax_category": row.tax_category, "list_price": row.list_price,
            "options": dict(sorted(row.options.items())), "image_url": row.image_url, "updated_at": row.updated_at,
        }
        for row in rows
    ]  # fmt: skip


def show(row: Sku) -> dict[str, Any]:
    """One SKU as the API answers it."""
    return show_all([row])[0]
