"""The ledger: goods that came or went, written once and never changed; levels follow in the same transaction.

These are facts. A till's sale, a receipt of goods, a count and a hand-over have happened: nothing here refuses one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core import actor, clock
from app.core.db import ask_one, later, use_case
from app.core.ids import new_id
from app.core.sql import Rowset, Sql, json_param

from . import expiry, incidents, levels

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Goods:
    """Pieces of one SKU that came (+) or went (−) at one location."""

    location_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why: the movement's kind, and the document it belongs to."""

    kind: str
    type: str
    id: str
    occurred_at: dt.datetime | None = None
    note: str | None = None

    @property
    def why(self) -> incidents.Why:
        """As an incident names it."""
        return incidents.Why(self.type, self.id, self.kind)


@dataclass(frozen=True, slots=True)
class Movement:
    """A written line of the ledger."""

    id: str
    location_id: str
    sku: str
    quantity: int
    balance_after: int


_ROWS = Rowset(
    "m",
    "rows",
    {
        "id": "uuid", "location_id": "text", "sku": "text", "quantity": "int", "kind": "text", "reference_type": "text",
        "reference_id": "text", "occurred_at": "timestamptz", "recorded_at": "timestamptz", "actor": "text",
        "balance_after": "bigint", "note": "text",
    },
)  # fmt: skip
_INSERT = Sql(
    "INSERT INTO stock_movement (id, location_id, sku, quantity, kind, reference_type, reference_id, occurred_at, "
    "recorded_at, actor, balance_after, note) SELECT m.id, m.location_id, m.sku, m.quantity, m.kind, m.reference_type, "
    "m.reference_id, m.occurred_at, m.recorded_at, m.actor, m.balance_after, m.note FROM {m}",
    _ROWS,
)
_NET = Sql(
    "SELECT reference_id, location_id, sku, sum(quantity) FROM stock_movement WHERE reference_type = :type "
    "AND reference_id IN (SELECT cause.id FROM {cause}) GROUP BY reference_id, location_id, sku "
    "HAVING sum(quantity) <> 0 ORDER BY reference_id, location_id, sku",
    Rowset("cause", "rows", {"id": "text"}),
)


@use_case
def record(goods: Sequence[Goods], cause: Cause) -> list[Movement]:
    """Write goods that came or went under one cause; never refused. Below zero, or below what is promised, opens an
    incident.
    """
    return record_all([(goods, cause)])


@use_case
def record_all(documents: Sequence[tuple[Sequence[Goods], Cause]]) -> list[Movement]:
    """Write many documents (receipts of a batch) at once: their levels are taken in one order and changed together."""
    deltas: dict[Place, int] = defaultdict(int)
    last: dict[Place, Cause] = {}
    for goods, cause in documents:
        for item in goods:
            deltas[item.location_id, item.sku] += item.quantity
            last[item.location_id, item.sku] = cause
    after = levels.add(deltas)
    final = {(level.location_id, level.sku): level.on_hand for level in after}
    balance = {place: on_hand - deltas[place] for place, on_hand in final.items()}
    written: list[Movement] = []
    for goods, cause in documents:
        lines = [_step(item, balance) for item in goods]
        _insert(lines, cause)
        written += lines
    for level in expiry.without_past_due(after):
        _, any_cause = documents[0]
        cause = last.get((level.location_id, level.sku), any_cause)
        incidents.match([level], cause.why)
    return written


def _step(item: Goods, balance: dict[Place, int]) -> Movement:
    place = (item.location_id, item.sku)
    balance[place] += item.quantity
    return Movement(new_id(), *place, item.quantity, balance[place])


def net_of(cause_type: str, ids: Sequence[str]) -> dict[str, list[Goods]]:
    """What each document has moved in all; taking exactly that back leaves nothing of it. Taken back: an empty list."""
    rows = ask_one(_NET, {"type": cause_type, "rows": json_param([{"id": one} for one in ids])}).rows
    found: dict[str, list[Goods]] = {one: [] for one in ids}
    for reference, location, sku, quantity in rows:
        found[str(reference)].append(Goods(location, sku, int(quantity)))
    return found


def write(goods: Sequence[Goods], cause: Cause, after: Sequence[levels.Level]) -> list[Movement]:
    """Write ledger lines for a change of levels that led to `after`."""
    balance = {(level.location_id, level.sku): level.on_hand for level in after}
    for item in goods:
        balance[item.location_id, item.sku] -= item.quantity
    written = [_step(item, balance) for item in goods]
    _insert(written, cause)
    return written


def _insert(written: Sequence[Movement], cause: Cause) -> None:
    if not written:
        return
    now = clock.text(clock.now())
    occurred = clock.text(cause.occurred_at) if cause.occurred_at else now
    who = actor.current()
    shared: Mapping[str, object] = {
        "kind": cause.kind, "reference_type": cause.type, "reference_id": cause.id, "occurred_at": occurred,
        "recorded_at": now, "actor": f"{who.kind}:{who.name}", "note": cause.note,
    }  # fmt: skip
    later(
        _INSERT,
        {
            "rows": json_param(
                [
                    {
                        "id": m.id, "location_id": m.location_id, "sku": m.sku, "quantity": m.quantity,
                        "balance_after": m.balance_after, **shared,
                    }
                    for m in written
                ]
            )
        },
    )  # fmt: skip
