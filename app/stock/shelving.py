"""Shelves (棚): where a SKU lies in a store, so that several orders are picked in one walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select

from app import catalog, stores
from app.core import clock
from app.core.db import ask, ask_one, use_case
from app.core.ids import new_id
from app.core.sql import Rowset, Sql, json_param

from .models import StockShelf

_ROWS = Rowset("line", "rows", {"id": "uuid", "sku": "text", "shelf": "text"})
_PUT = Sql(
    "INSERT INTO stock_shelf (id, location_id, sku, shelf, updated_at) SELECT line.id, CAST(:location_id AS text), "
    "line.sku, line.shelf, CAST(:now AS timestamptz) FROM {line} WHERE line.shelf IS NOT NULL ORDER BY line.sku "
    "ON CONFLICT (location_id, sku) DO UPDATE SET shelf = excluded.shelf, updated_at = excluded.updated_at",
    _ROWS,
    sqlite="INSERT INTO stock_shelf (id, location_id, sku, shelf, updated_at) SELECT line.id, :location_id, line.sku, "
    "line.shelf, :now FROM {line} WHERE line.shelf IS NOT NULL ORDER BY line.sku "
    "ON CONFLICT (location_id, sku) DO UPDATE SET shelf = excluded.shelf, updated_at = excluded.updated_at",
)
_CLEAR = Sql(
    "DELETE FROM stock_shelf WHERE location_id = :location_id "
    "AND sku IN (SELECT line.sku FROM {line} WHERE line.shelf IS NULL)",
    _ROWS,
)
_OF = Sql(
    "SELECT s.sku, s.shelf FROM stock_shelf s JOIN {line} ON line.sku = s.sku WHERE s.location_id = :location_id",
    _ROWS,
)


@use_case
def put(*, location: str, lines: Mapping[str, str | None]) -> None:
    """Say where SKUs lie; None means nowhere in particular. Raises UnknownLocation, UnknownSku."""
    stores.get(location)
    catalog.require(list(lines))
    rows = json_param([{"id": new_id(), "sku": sku, "shelf": shelf} for sku, shelf in lines.items()])
    place = {"rows": rows, "location_id": location}
    ask((_CLEAR, place), (_PUT, {**place, "now": clock.text(clock.now())}))


def of(location: str, skus: Sequence[str]) -> dict[str, str]:
    """The shelves of those SKUs that have one."""
    rows = ask_one(_OF, {"location_id": location, "rows": json_param([{"sku": sku} for sku in skus])}).rows
    return {str(sku): str(shelf) for sku, shelf in rows}


def shelves_query(location: str) -> Select[Any]:
    """The shelves of one place, to be paged. Raises UnknownLocation."""
    return select(StockShelf).where(StockShelf.location_id == stores.get(location).code)
