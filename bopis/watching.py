"""What time does while the store or the customer does not answer: alarms first, then a question, never a silent end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import or_, select

from app import stores
from app.core import clock, settings
from app.core.db import db, use_case
from app.core.states import touch

from . import arrivals, asking, pickups
from .models import Pickup
from .states import PickupState

_LATE = tuple(
    state.value
    for state in (
        PickupState.REQUESTED, PickupState.ACCEPTED, PickupState.PICKING, PickupState.AWAITING_TRANSFER,
    )
)  # fmt: skip


def not_accepted(limit: int = settings.SWEEP_BATCH) -> Sequence[str]:
    """The ids of pickups that a store should have accepted by now."""
    query = select(Pickup.id).where(
        Pickup.state == PickupState.REQUESTED.value, Pickup.accept_by <= clock.now(), Pickup.accept_by.is_not(None)
    )
    return db.session.scalars(query.order_by(Pickup.accept_by).limit(limit)).all()


@use_case
def escalate(*, pickup_id: str) -> bool:
    """The store did not answer: first an alarm and the same time again, then the customer is asked.

    A hold has no other place to come from than this shelf, and ends by itself: its store is alarmed only.
    """
    row = pickups.locked(pickup_id)
    late = row.accept_by is not None and row.accept_by <= clock.now()
    if row.state_at(clock.now()) != PickupState.REQUESTED or not late:
        return False
    row.escalated += 1
    row.accept_by = stores.accept_by(stores.get(row.location_id), clock.now()) if row.escalated == 1 else None
    touch(row, "pickup.escalated", times=row.escalated, **pickups.facts(row))
    if row.escalated > 1 and row.order_id is not None:
        asking.wait_for_customer(row, asking.NOT_ACCEPTED)
    return True


def late(limit: int = settings.SWEEP_BATCH) -> Sequence[str]:
    """The ids of pickups whose promised time has passed, and whose customer was not told yet."""
    past = clock.now() - dt.timedelta(minutes=settings.LATE_MINUTES)
    query = select(Pickup.id).where(
        Pickup.ready_by <= past, Pickup.state.in_(_LATE), Pickup.choice_reason.is_(None), Pickup.order_id.is_not(None),
        or_(Pickup.hold_until.is_(None), Pickup.hold_until > clock.now()),
    )  # fmt: skip
    return db.session.scalars(query.order_by(Pickup.ready_by).limit(limit)).all()


@use_case
def tell_late(*, pickup_id: str) -> bool:
    """The promised time has passed: the customer hears it and may choose, or simply wait."""
    row = pickups.locked(pickup_id)
    arrivals.take_in(row)
    past = clock.now() - dt.timedelta(minutes=settings.LATE_MINUTES)
    if row.state not in _LATE or row.choice_reason is not None or row.ready_by is None or row.ready_by > past:
        return False
    asking.ask(row, asking.LATE)
    return True
