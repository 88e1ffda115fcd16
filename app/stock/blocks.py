"""Pieces kept from sale while a place's book is in doubt: a claim of kind `block` that gives way to every fact.

Whoever comes here holds the level, and so nobody else is at its block. A block found locked is being ended.
"""

from __future__ import annotations

from app.core import clock
from app.core.db import ask_one
from app.core.outbox import emit
from app.core.sql import Sql

from . import levels
from .levels import Level

KIND = "block"

_FIND = Sql(
    "SELECT c.id, l.open_quantity FROM recount_task t JOIN claim c ON c.id = t.claim_id "
    "JOIN claim_line l ON l.claim_id = c.id WHERE t.location_id = :location_id AND t.sku = :sku AND t.state = 'open' "
    "AND c.state = 'reserved' {for_update} OF c SKIP LOCKED",
    sqlite="SELECT c.id, l.open_quantity FROM recount_task t JOIN claim c ON c.id = t.claim_id "
    "JOIN claim_line l ON l.claim_id = c.id WHERE t.location_id = :location_id AND t.sku = :sku AND t.state = 'open' "
    "AND c.state = 'reserved'",
)
_REDUCE_LINE = Sql("UPDATE claim_line SET open_quantity = open_quantity - :pieces WHERE claim_id = :id")
_REDUCE = Sql(
    "UPDATE claim SET state = :state, version = version + 1, updated_at = :now WHERE id = :id RETURNING version"
)


def make_way(level: Level) -> Level:
    """Free as many blocked pieces as are short; the level afterwards."""
    place = {"location_id": level.location_id, "sku": level.sku}
    rows = ask_one(_FIND, place).rows
    if not rows:
        return level
    claim_id, blocked = str(rows[0][0]), int(rows[0][1])
    pieces = min(level.shortage, blocked)
    state = "reserved" if pieces < blocked else "released"
    ask_one(_REDUCE_LINE, {"id": claim_id, "pieces": pieces})
    answer = ask_one(_REDUCE, {"id": claim_id, "state": state, "now": clock.text(clock.now())})
    emit(
        "reservation.changed" if state == "reserved" else "reservation.released", aggregate=("claim", claim_id),
        sequence=answer.rows[0][0], location=level.location_id, id=claim_id, kind=KIND, state=state,
    )  # fmt: skip
    (after,) = levels.change({(level.location_id, level.sku): (0, -pieces)})
    return after
