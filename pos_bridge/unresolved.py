"""Codes that nobody knew: once somebody says what they are, all their waiting lines are posted, each once."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from app import catalog, stock
from app.core import actor, clock
from app.core.audit import COMPANY
from app.core.db import ask_one, db, later, use_case
from app.core.ids import is_id, new_id
from app.core.sql import Sql

from .errors import AlreadyResolved, UnknownUnresolved
from .models import PosUnresolved
from .states import UNRESOLVED, UnresolvedState
from .writing import REFERENCE

_LOCK = Sql(
    "SELECT id, location_id FROM pos_unresolved WHERE source = :source AND code = :code AND state = 'waiting' "
    "ORDER BY id {for_update}"
)
_RESOLVE = Sql(
    "UPDATE pos_unresolved SET state = :state, sku = :sku, version = version + 1, updated_at = :now "
    "WHERE source = :source AND code = :code AND state = 'waiting' "
    "RETURNING id, location_id, receipt_id, quantity, occurred_at"
)
_LEARN = Sql(
    "INSERT INTO pos_alias (id, location_id, source, code, sku, updated_at) VALUES (:id, :location_id, :source, :code, "
    ":sku, :now) ON CONFLICT (source, code) DO UPDATE SET sku = excluded.sku, updated_at = excluded.updated_at"
)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a code was found to be, and how many lines and pieces that posted."""

    id: str
    source: str
    code: str
    sku: str
    lines: int
    quantity: int


@use_case
def resolve(line_id: str, *, sku: str) -> Resolved:
    """Say which SKU a code is: its waiting lines, of all stores of that source, go to the ledger as of when they were
    sold. The code is remembered. Again, or by two at once: the second one posts nothing.

    Raises UnknownUnresolved, UnknownSku, AlreadyResolved.
    """
    row = db.session.get(PosUnresolved, line_id, populate_existing=True) if is_id(line_id) else None
    if row is None or not actor.current().sees_location(row.location_id):
        raise UnknownUnresolved
    catalog.require([sku])
    key = {"source": row.source, "code": row.code}
    waiting = ask_one(_LOCK, key).rows
    if any(not actor.current().sees_location(place) for _, place in waiting):
        # What it is holds for every store of the source, so one store's key cannot say it.
        raise UnknownUnresolved
    db.session.refresh(row)
    if row.state != UnresolvedState.WAITING and (row.state != UnresolvedState.RESOLVED or row.sku != sku):
        raise AlreadyResolved(state=row.state, sku=row.sku)
    state = UNRESOLVED[UnresolvedState.WAITING, "resolve"]
    now = clock.text(clock.now())
    lines = ask_one(_RESOLVE, {**key, "sku": sku, "state": str(state), "now": now}).rows
    documents: dict[tuple[str, dt.datetime | None], list[stock.Goods]] = defaultdict(list)
    for _, location_id, receipt_id, quantity, occurred_at in sorted(lines, key=lambda line: str(line[0])):
        documents[str(receipt_id), clock.parse(occurred_at)].append(stock.Goods(location_id, sku, quantity))
    if documents:
        later(_LEARN, {**key, "id": new_id(), "location_id": COMPANY, "sku": sku, "now": now})
        stock.record_all(
            [
                (goods, stock.Cause("return" if goods[0].quantity > 0 else "sale", REFERENCE, receipt_id, occurred_at))
                for (receipt_id, occurred_at), goods in documents.items()
            ]
        )
    return Resolved(row.id, row.source, row.code, sku, len(lines), sum(line[3] for line in lines))
