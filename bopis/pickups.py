"""Finding a pickup and taking its lock: its order's first, then its own. One lock order for all.

Whoever moves a pickup holds its lock, so a check and the write that follows it are one act.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app import orders, stock
from app.core import actor, clock
from app.core.db import db
from app.core.ids import is_id
from app.core.states import IllegalTransition

from .errors import UnknownPickup
from .models import Pickup, PickupLine
from .states import PICKUP, actions


def sees(row: Pickup) -> bool:
    """Whether the pickup is inside the actor's bounds."""
    who = actor.current()
    return who.sees_location(row.location_id) and who.sees_channel(row.channel)


def get(pickup_id: str) -> Pickup:
    """The pickup, to look at. Raises UnknownPickup."""
    row = db.session.get(Pickup, pickup_id) if is_id(pickup_id) else None
    if row is None or not sees(row):
        raise UnknownPickup
    return row


def locked(pickup_id: str) -> Pickup:
    """The pickup, to move. Raises UnknownPickup."""
    row = get(pickup_id)
    if row.order_id is not None:
        orders.lock(row.order_id)
    return db.session.scalars(
        select(Pickup).where(Pickup.id == row.id).with_for_update().execution_options(populate_existing=True)
    ).one()


def lines_of(row: Pickup) -> Sequence[PickupLine]:
    """Its lines, in the order in which they were ordered; read after the lock was taken."""
    return db.session.scalars(
        select(PickupLine)
        .where(PickupLine.pickup_id == row.id)
        .order_by(PickupLine.id)
        .execution_options(populate_existing=True)
    ).all()


def lines_of_all(pickup_ids: Sequence[str]) -> Mapping[str, list[PickupLine]]:
    """The lines of many pickups, to look at."""
    found: dict[str, list[PickupLine]] = {}
    query = select(PickupLine).where(PickupLine.pickup_id.in_(pickup_ids)).order_by(PickupLine.id)
    for line in db.session.scalars(query):
        found.setdefault(line.pickup_id, []).append(line)
    return found


def order_parts(lines: Sequence[PickupLine], parts: Mapping[str, int]) -> dict[str, int]:
    """Pieces by our lines as pieces by the order's: a substitute counts for what it stands for."""
    found: dict[str, int] = {}
    for line in lines:
        if parts.get(line.line_ref):
            found[line.order_ref] = found.get(line.order_ref, 0) + parts[line.line_ref]
    return found


def asked_for(lines: Sequence[PickupLine], parts: Mapping[str, int]) -> dict[str, int]:
    """Pieces by our lines as pieces by the SKU that the customer asked for first: what another place is asked for."""
    skus = {line.line_ref: line.sku for line in lines}
    return stock.merge(
        [(skus.get(line.order_ref, line.sku), parts[line.line_ref]) for line in lines if parts.get(line.line_ref)]
    )


def line_parts(lines: Sequence[PickupLine], parts: Mapping[str, int]) -> dict[str, int]:
    """Pieces by the order's lines as pieces by ours, as far as we still owe them."""
    left, found = dict(parts), {}
    for line in lines:
        pieces = min(line.owed, left.get(line.order_ref, 0))
        if pieces:
            found[line.line_ref] = pieces
            left[line.order_ref] -= pieces
    return found


def require(row: Pickup, action: str) -> None:
    """Refuse what the state does not allow; past its deadline a pickup is expired though nobody swept it."""
    state = row.state_at(clock.now())
    if (state, action) not in PICKUP:
        raise IllegalTransition(state=str(state), allowed=actions(state), action=action)


def facts(row: Pickup) -> dict[str, Any]:
    """What every event of a pickup tells: whose work item it is."""
    return {"kind": row.kind, "channel": row.channel, "order_id": row.order_id, "order_number": row.order_number}
