"""The demo's SKUs: groceries, zakka for the web shop, and a little apparel."""

from __future__ import annotations

import csv
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from demo.making import codes, words

GROCERY_LIMIT = 2_100
ZAKKA_LIMIT = 1_250
_YEN_PER_DOLLAR = 150
_YEN_PER_POUND = 190
_MOST_PER_LINE = 30

_FOOD_DEPARTMENTS = {
    "GROCERY", "PRODUCE", "MEAT", "MEAT-PCKGD", "DELI", "PASTRY", "SEAFOOD", "SEAFOOD-PCKGD",
    "SALAD BAR", "NUTRITION", "RESTAURANT",
}  # fmt: skip
_NOT_FOOD = {
    "AIR CARE", "BATH TISSUES", "BATTERIES", "BEERS/ALES", "BLEACH", "BROOMS AND MOPS", "CAT FOOD",
    "CAT LITTER", "CHARCOAL AND LIGHTER FLUID", "CIGARETTES", "COFFEE FILTERS", "DIAPERS & DISPOSABLES",
    "DISHWASH DETERGENTS", "DOG FOODS", "DOMESTIC WINE", "FACIAL TISS/DNR NAPKIN", "FD WRAPS/BAGS/TRSH BG",
    "FRZN ICE", "HOUSEHOLD CLEANG NEEDS", "IMPORTED WINE", "INSECTICIDES", "LAUNDRY ADDITIVES",
    "LAUNDRY DETERGENTS", "LIQUOR", "MISC WINE", "PAPER HOUSEWARES", "PAPER TOWELS", "PET CARE SUPPLIES",
    "SOAP - LIQUID & BAR", "VITAMINS", "NEWSPAPER", "MAGAZINE", "HARDWARE SUPPLIES", "CANDLES/ACCESSORIES",
    "ELECTRICAL SUPPPLIES", "KITCHEN GADGETS", "PLASTIC HOUSEWARES", "DISPOSIBLE FOILWARE",
}  # fmt: skip
_FOOD_ELSEWHERE = {"CANDY - CHECKLANE", "CANDY - PACKAGED", "INFANT FORMULA", "BABY FOODS", "SPICES & EXTRACTS"}
# Age-checked or not goods at all: a demo of click-and-collect leaves them out.
_NOT_SOLD = {
    "", "CIGARETTES", "TOBACCO OTHER", "FUEL", "COUPON/MISC ITEMS", "COUPONS/STORE & MFG", "TICKETS",
    "PREPAID WIRELESS&ACCESSORIES", "LONG DISTANCE CALLING CARDS", "IN-STORE PHOTOFINISHING",
    "DELI SUPPLIES", "FROZEN - SEASONAL", "BOOKSTORE",
}  # fmt: skip

_STYLES = (
    ("TEE", "オーガニックコットンTシャツ", "Organic Cotton T-Shirt", 2_980),
    ("PARKA", "裏毛パーカ", "French Terry Hoodie", 6_980),
    ("KNIT", "ラムウールニット", "Lambswool Sweater", 8_980),
    ("APRON", "帆布ワークエプロン", "Canvas Work Apron", 4_980),
)
_APPAREL_COLORS = (
    ("NVY", "navy", "ネイビー"),
    ("WHT", "white", "ホワイト"),
    ("GRY", "grey", "グレー"),
    ("MUS", "mustard", "マスタード"),
)
_SIZES = ("S", "M", "L", "XL")


@dataclass(frozen=True, slots=True)
class Sku:
    """One row of ``skus.csv``."""

    sku: str
    product: str
    name: str
    name_en: str
    barcode: str
    tax_category: str
    list_price: int
    color: str = ""
    size: str = ""


def price(amount: float) -> int:
    """The nearest shelf price that ends in 8 or 0, at least 28 yen."""
    tens = int(amount) // 10 * 10
    candidates = (tens - 2, tens, tens + 8, tens + 10)
    return max(28, min(candidates, key=lambda yen: (abs(yen - amount), yen)))


def read(path: Path) -> list[dict[str, str]]:
    """The rows of one of the sources' CSV files."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def groceries(products: Iterable[dict[str, str]], sales: list[dict[str, str]]) -> dict[str, Sku]:
    """SKUs of the most sold products, by product id."""
    paid: dict[str, list[float]] = defaultdict(list)
    for row in sales:
        quantity = int(row["quantity"])
        if 0 < quantity <= _MOST_PER_LINE:
            regular = float(row["sales_value"]) + float(row["retail_disc"])
            paid[row["product_id"]].append(regular / quantity)
    sold = [row for row in products if row["product_id"] in paid and row["product_category"] not in _NOT_SOLD]
    sold.sort(key=lambda row: (-len(paid[row["product_id"]]), int(row["product_id"])))
    made = [_grocery(row, paid[row["product_id"]]) for row in sold[:GROCERY_LIMIT]]
    return {_product_id(sku): sku for sku in _told_apart(made)}


def _product_id(sku: Sku) -> str:
    return str(int(sku.sku[1:]))


def _grocery(row: dict[str, str], paid: list[float]) -> Sku:
    kind, code = row["product_category"], f"G{int(row['product_id']):08d}"
    size = words.size(row["package_size"], kind=kind)
    food = (row["department"] in _FOOD_DEPARTMENTS and kind not in _NOT_FOOD) or kind in _FOOD_ELSEWHERE
    return Sku(
        sku=code,
        product=code,
        name=words.grocery_name(
            kind=kind, product_type=row["product_type"], size=size, own_brand=row["brand"] == "Private"
        ),
        name_en=f"{row['product_type']} {row['package_size']}".strip(),
        barcode=codes.grocery_jan(row["product_id"]),
        tax_category="reduced" if food else "standard",
        list_price=price(statistics.median(paid) * _YEN_PER_DOLLAR),
        size=size,
    )


def _told_apart(skus: list[Sku]) -> list[Sku]:
    """Same names get the last digits of their code, as shelf labels do."""
    names = Counter(sku.name for sku in skus)
    return [replace(sku, name=f"{sku.name} #{sku.sku[-4:]}") if names[sku.name] > 1 else sku for sku in skus]


def zakka(rows: list[dict[str, str]]) -> dict[str, Sku]:
    """SKUs of the most ordered stock codes, by stock code."""
    asked: Counter[str] = Counter()
    prices: dict[str, list[float]] = defaultdict(list)
    described: dict[str, str] = {}
    for row in rows:
        code = row["StockCode"].upper()
        if code[:5].isdigit() and float(row["UnitPrice"]) > 0 and row["Description"].isprintable():
            asked[code] += 1
            prices[code].append(float(row["UnitPrice"]))
            described.setdefault(code, " ".join(row["Description"].split()))
    chosen = sorted(asked, key=lambda code: (-asked[code], code))[:ZAKKA_LIMIT]
    return {code: _zakka(code, described[code], prices[code]) for code in chosen}


def _zakka(code: str, description: str, prices: list[float]) -> Sku:
    return Sku(
        sku=f"Z{code}",
        product=f"Z{code[:5]}",
        name=words.zakka_name(description),
        name_en=words.english(description),
        barcode=codes.zakka_jan(code),
        tax_category="standard",
        list_price=price(statistics.median(prices) * _YEN_PER_POUND),
        color=words.color(description),
    )


def apparel() -> list[Sku]:
    """The demo's own apparel: every style in every colour and size."""
    made: list[Sku] = []
    for style, name, name_en, yen in _STYLES:
        for color_code, color, color_ja in _APPAREL_COLORS:
            for size in _SIZES:
                made.append(
                    Sku(
                        sku=f"A-{style}-{color_code}-{size}",
                        product=f"A-{style}",
                        name=f"{name} {color_ja} {size}",
                        name_en=f"{name_en} {color} {size}",
                        barcode=codes.apparel_jan(len(made)),
                        tax_category="standard",
                        list_price=yen,
                        color=color,
                        size=size,
                    )
                )
    return made
