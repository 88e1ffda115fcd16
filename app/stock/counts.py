"""Opening and counted quantities as a CSV file.

A row says how many pieces are there; the ledger gets the difference to what the books say at that moment. It happened
once: the same row of the same file never counts again, even when sales came between. So a count without a difference
is written down too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from app import catalog, imports, stores
from app.core import actor, clock, http
from app.core.csvfile import CellInvalid, Column, date, integer
from app.core.db import ask
from app.core.errors import invalid
from app.core.sql import Rowset, Sql, json_param

from . import ledger, levels
from .schemas import CountIn

COLUMNS = (
    Column("location", ("店舗", "店舗コード", "拠点", "拠点コード", "倉庫コード"), required=True),
    Column("sku", ("SKU", "SKUコード", "商品コード", "品番", "商品番号"), required=True),
    Column("quantity", ("数量", "在庫数", "在庫", "実棚数", "棚卸数"), required=True),
    Column("date", ("日付", "棚卸日", "基準日")),
)
REFERENCE = "stock_import"

_COUNTED = Sql(
    "SELECT reference_id FROM stock_movement WHERE reference_type = :type AND reference_id IN "
    "(SELECT row_of.id FROM {row_of})",
    Rowset("row_of", "rows", {"id": "text"}),
)
_OPENED = Sql(
    "SELECT place.location_id, place.sku FROM {place} WHERE EXISTS (SELECT 1 FROM stock_movement m "
    "WHERE m.sku = place.sku AND m.location_id = place.location_id)",
    Rowset("place", "places", {"location_id": "text", "sku": "text"}),
)


@dataclass(slots=True)
class Books:
    """What the books say about the places of a batch, whose levels are held."""

    on_hand: dict[tuple[str, str], int]
    opened: set[tuple[str, str]]
    counted: set[str]


def prepare(rows: Sequence[dict[str, str]]) -> Books:
    """Hold the levels of a batch, making those that are new, and see which rows were counted before."""
    places = sorted({(row["location"], row["sku"]) for row in rows})
    known = stores.directory()
    skus = _known_skus({sku for _, sku in places})
    sees = actor.current().sees_location
    real = [(place, sku) for place, sku in places if place in known and sees(place) and sku in skus]
    held = levels.add(dict.fromkeys(real, 0))
    counted, opened = ask(
        (_COUNTED, {"type": REFERENCE, "rows": json_param([{"id": row[imports.ROW_ID]} for row in rows])}),
        (_OPENED, {"places": json_param([{"location_id": place, "sku": sku} for place, sku in real])}),
    )
    return Books(
        on_hand={(level.location_id, level.sku): level.on_hand for level in held},
        opened={(str(place), str(sku)) for place, sku in opened.rows},
        counted={str(row[0]) for row in counted.rows},
    )


def apply(cells: dict[str, str], books: Books) -> bool:
    """Put one row in; says whether it changed anything. Raises UnknownLocation, UnknownSku."""
    row_id = cells[imports.ROW_ID]
    if row_id in books.counted:
        return False
    body = http.load(CountIn, {"location": cells["location"], "sku": cells["sku"], "quantity": _quantity(cells)})
    actor.within(location=body["location"], missing=stores.UnknownLocation)
    catalog.require([body["sku"]])
    place = (body["location"], body["sku"])
    if place not in books.on_hand:
        raise stores.UnknownLocation(location=body["location"])
    difference = body["quantity"] - books.on_hand[place]
    kind = "stocktake" if place in books.opened else "opening"
    at = _occurred_at(body["location"], cells.get("date", ""))
    cause = ledger.Cause(kind=kind, type=REFERENCE, id=row_id, occurred_at=at)
    ledger.record([ledger.Goods(*place, difference)], cause)
    books.on_hand[place] = body["quantity"]
    books.opened.add(place)
    books.counted.add(row_id)
    return difference != 0 or kind == "opening"


def _quantity(cells: dict[str, str]) -> int:
    try:
        return integer(cells["quantity"])
    except CellInvalid as error:
        raise invalid("/quantity", error.code) from error


def _occurred_at(location: str, cell: str) -> dt.datetime | None:
    if not cell:
        return None
    try:
        day = date(cell)
    except CellInvalid as error:
        raise invalid("/date", error.code) from error
    at = dt.datetime.combine(day, dt.time(), stores.directory()[location].calendar.zone).astimezone(dt.UTC)
    return min(at, clock.now())


def _known_skus(skus: set[str]) -> set[str]:
    try:
        catalog.require(sorted(skus))
    except catalog.UnknownSku as error:
        missing = error.facts["skus"]
        return skus - set(missing if isinstance(missing, list) else [])
    return skus
