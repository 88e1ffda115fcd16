"""Makes ``demo/data`` from the public data sets; run once by a maintainer.

    python -m demo.prepare --journey DIR --retail FILE --postal FILE

The sources and their licences stand in ``demo/data/SOURCE.txt``.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from demo.making import goods, places, shelves, tills, webshop

DATA = Path(__file__).parent / "data"
_SKU_COLUMNS = (
    "sku", "product", "name", "name_en", "barcodes", "tax_category", "list_price", "option.color", "option.size",
)  # fmt: skip


def prepare(*, journey: Path, retail: Path, postal: Path, out: Path) -> None:
    """Reads the sources and writes the five files."""
    sales = goods.read(journey / "transactions.csv")
    groceries = goods.groceries(goods.read(journey / "products.csv"), sales)
    rows = goods.read(retail)
    zakka = goods.zakka(rows)
    skus = [*groceries.values(), *zakka.values(), *goods.apparel()]
    codes = places.postal(postal)
    baskets = tills.with_incidents_of_a_week(
        tills.receipts(tills.grocery_baskets(sales, groceries) + tills.zakka_baskets(rows, zakka))
    )
    orders = webshop.orders(rows, zakka, places.homes(codes.values()))
    stock = shelves.opening(sales=baskets, orders=orders, skus=skus)
    _write_json(out / "locations.json", places.locations(codes))
    _write_csv(out / "skus.csv", _SKU_COLUMNS, (_columns(sku) for sku in skus))
    lines = ((location, sku, pieces) for (location, sku), pieces in sorted(stock.items()))
    _write_csv(out / "opening.csv", ("location", "sku", "quantity"), lines)
    _write_lines(out / "baskets.jsonl", baskets)
    _write_lines(out / "orders.jsonl", orders)


def _columns(sku: goods.Sku) -> tuple[str | int, ...]:
    return (
        sku.sku, sku.product, sku.name, sku.name_en, sku.barcode, sku.tax_category, sku.list_price, sku.color, sku.size,
    )  # fmt: skip


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_csv(path: Path, head: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


def _write_lines(path: Path, values: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for value in values:
            file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journey", type=Path, required=True, help="folder of products.csv and transactions.csv")
    parser.add_argument("--retail", type=Path, required=True, help="online retail CSV")
    parser.add_argument("--postal", type=Path, required=True, help="postal codes, one JSON a line")
    parser.add_argument("--out", type=Path, default=DATA)
    args = parser.parse_args()
    prepare(journey=args.journey, retail=args.retail, postal=args.postal, out=args.out)


if __name__ == "__main__":
    main()
