"""店舗取り寄せ: goods sent to the store for a pickup. What arrived is promised to it already; what did not is asked.

The transfer and the claim that it becomes are `stock`'s. Here a pickup learns of it: from the transfer's event, or on
the way, when somebody moves the pickup before the event was handled.
"""

from __future__ import annotations

from sqlalchemy import select

from app import stock, stores
from app.core import actor, clock
from app.core.db import db, use_case
from app.core.outbox import Event
from app.core.states import move

from . import asking, pickups
from .models import Pickup
from .states import PICKUP, PickupState

_OVER = frozenset({"received", "cancelled"})


def take_in(row: Pickup) -> None:
    """Let a locked pickup that waits for its goods stand where they are; nothing while they are on their way."""
    if row.state != PickupState.AWAITING_TRANSFER or row.transfer_id is None:
        return
    sent = stock.transfer(row.transfer_id)
    if sent.state not in _OVER:
        return
    arrived = {line.sku: line.claimed for line in sent.lines} if sent.arrived_claim_id is not None else {}
    lines = pickups.lines_of(row)
    for line in lines:
        here = min(line.open, arrived.get(line.sku, 0))
        arrived[line.sku] = arrived.get(line.sku, 0) - here
        missing = line.open - here
        line.short += missing
        line.undecided += missing
    if sent.arrived_claim_id is not None:
        row.claim_id = sent.arrived_claim_id
    if not any(line.open for line in lines):
        asking.wait_for_customer(row, asking.TRANSFER)
        return
    place = stores.get(row.location_id)
    row.accept_by = stores.accept_by(place, clock.now())
    move(row, "receive", PICKUP, event="pickup.transferred", **pickups.facts(row))
    if any(line.undecided for line in lines):
        asking.ask(row, asking.TRANSFER)


@use_case
def hear(event: Event) -> None:
    """A transfer came to its end: the pickup that waits for it goes on."""
    actor.act_as(actor.SYSTEM)
    waiting = select(Pickup.id).where(Pickup.transfer_id == event.payload["id"])
    for pickup_id in db.session.scalars(waiting).all():
        take_in(pickups.locked(pickup_id))
