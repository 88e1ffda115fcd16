"""Levels: the only writer of `stock_level`, by set-based statements.

Promises are taken by a conditional UPDATE whose row count is the answer (`take`); facts are never refused (`change`).
Rows are taken in one order, (location, sku). After every change the figures are looked at once: fewer pieces than
promised opens an incident, enough again closes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import clock
from app.core.db import ask, ask_one
from app.core.sql import Rowset, Sql, json_param


@dataclass(frozen=True, slots=True)
class Level:
    """A level after a change."""

    location_id: str
    sku: str
    on_hand: int
    reserved: int
    oversold: bool

    @property
    def shortage(self) -> int:
        """Pieces promised and not there."""
        return max(0, self.reserved - self.on_hand)


@dataclass(frozen=True, slots=True)
class Take:
    """Pieces asked for, under what a channel may sell: share in percent, and pieces kept back."""

    sku: str
    quantity: int
    share: int = 100
    keep: int = 0


_COLUMNS = "location_id, sku, on_hand, reserved, oversold"
_TAKE_ROWS = Rowset("wanted", "rows", {"sku": "text", "quantity": "int", "share": "bigint", "keep": "int"})
_DELTA_ROWS = Rowset("delta", "rows", {"location_id": "text", "sku": "text", "on_hand": "bigint", "reserved": "bigint"})

_LOCK = Sql(
    "SELECT s.sku FROM stock_level s JOIN {delta} ON s.location_id = delta.location_id AND s.sku = delta.sku "
    "ORDER BY s.location_id, s.sku {for_update}",
    _DELTA_ROWS,
)
_LOCK.postgresql += " OF s"
_TAKE_ONE = Sql(
    "UPDATE stock_level SET reserved = reserved + :quantity, changed_at = :now WHERE location_id = :location_id "
    "AND sku = :sku AND (on_hand - reserved) * CAST(:share AS bigint) / 100 - :keep >= :quantity"
)
_TAKE = Sql(
    "UPDATE stock_level SET reserved = stock_level.reserved + wanted.quantity, changed_at = :now FROM {wanted} "
    "WHERE stock_level.location_id = :location_id AND stock_level.sku = wanted.sku "
    "AND (stock_level.on_hand - stock_level.reserved) * wanted.share / 100 - wanted.keep >= wanted.quantity",
    _TAKE_ROWS,
)
_CHANGE_ONE = Sql(  # our own column names
    "UPDATE stock_level SET on_hand = on_hand + :on_hand, reserved = reserved + :reserved, changed_at = :now "  # noqa: S608
    f"WHERE location_id = :location_id AND sku = :sku RETURNING {_COLUMNS}"
)
_CHANGE = Sql(
    "UPDATE stock_level SET on_hand = stock_level.on_hand + delta.on_hand, "
    "reserved = stock_level.reserved + delta.reserved, changed_at = :now FROM {delta} "
    "WHERE stock_level.location_id = delta.location_id AND stock_level.sku = delta.sku "
    "RETURNING stock_level.location_id, stock_level.sku, stock_level.on_hand, stock_level.reserved, "
    "stock_level.oversold",
    _DELTA_ROWS,
    sqlite="UPDATE stock_level SET on_hand = stock_level.on_hand + delta.on_hand, "  # noqa: S608
    "reserved = stock_level.reserved + delta.reserved, changed_at = :now FROM {delta} "
    "WHERE stock_level.location_id = delta.location_id AND stock_level.sku = delta.sku "
    f"RETURNING {_COLUMNS}",
)
_ADD = Sql(
    "INSERT INTO stock_level (location_id, sku, on_hand, reserved, oversold, changed_at) "  # noqa: S608
    "SELECT delta.location_id, delta.sku, delta.on_hand, 0, FALSE, CAST(:now AS timestamptz) FROM {delta} "
    "ORDER BY delta.location_id, delta.sku "
    "ON CONFLICT (location_id, sku) DO UPDATE SET on_hand = stock_level.on_hand + excluded.on_hand, "
    f"changed_at = excluded.changed_at RETURNING {_COLUMNS}",
    _DELTA_ROWS,
    sqlite="INSERT INTO stock_level (location_id, sku, on_hand, reserved, oversold, changed_at) "  # noqa: S608
    "SELECT delta.location_id, delta.sku, delta.on_hand, 0, FALSE, :now FROM {delta} WHERE TRUE "
    "ON CONFLICT (location_id, sku) DO UPDATE SET on_hand = stock_level.on_hand + excluded.on_hand, "
    f"changed_at = excluded.changed_at RETURNING {_COLUMNS}",
)


def take(*, location_id: str, wanted: Sequence[Take]) -> bool:
    """Promise the pieces, all SKUs or none; each SKU appears once. False when one of them is not available.

    On False some rows may have been taken: the caller rolls its savepoint back.
    """
    now = clock.text(clock.now())
    if len(wanted) == 1:
        one = wanted[0]
        params = {
            "location_id": location_id, "sku": one.sku, "quantity": one.quantity, "share": one.share,
            "keep": one.keep, "now": now,
        }  # fmt: skip
        return ask_one(_TAKE_ONE, params).count == 1
    rows = json_param(
        [{"location_id": location_id, "sku": w.sku, "quantity": w.quantity, "share": w.share, "keep": w.keep}
         for w in sorted(wanted, key=lambda w: w.sku)]
    )  # fmt: skip
    _, taken = ask((_LOCK, {"rows": rows}), (_TAKE, {"rows": rows, "location_id": location_id, "now": now}))
    return taken.count == len(wanted)


def lock(places: Sequence[tuple[str, str]]) -> None:
    """Hold these levels, in the one order, before a use case touches them place by place."""
    rows = _rows(dict.fromkeys(places, (0, 0)))
    ask_one(_LOCK, {"rows": json_param(rows)})


def change(deltas: Mapping[tuple[str, str], tuple[int, int]]) -> list[Level]:
    """Change (on hand, reserved) of levels that exist: {(location, sku): (on_hand, reserved)}."""
    now = clock.text(clock.now())
    rows = _rows(deltas)
    if not rows:
        return []
    if len(rows) == 1:
        return [Level(*r) for r in _levels(ask_one(_CHANGE_ONE, {**rows[0], "now": now}).rows)]
    param = json_param(rows)
    _, changed = ask((_LOCK, {"rows": param}), (_CHANGE, {"rows": param, "now": now}))
    return [Level(*r) for r in _levels(changed.rows)]


def add(deltas: Mapping[tuple[str, str], int]) -> list[Level]:
    """Add to (or take from) on hand, making levels that do not exist yet; never refused."""
    rows = _rows({place: (quantity, 0) for place, quantity in deltas.items()})
    if not rows:
        return []
    answer = ask_one(_ADD, {"rows": json_param(rows), "now": clock.text(clock.now())})
    return [Level(*r) for r in _levels(answer.rows)]


def _rows(deltas: Mapping[tuple[str, str], tuple[int, int]]) -> list[dict[str, Any]]:
    return [
        {"location_id": place, "sku": sku, "on_hand": on_hand, "reserved": reserved}
        for (place, sku), (on_hand, reserved) in sorted(deltas.items())
    ]


def _levels(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(*row[:4], bool(row[4])) for row in rows]
