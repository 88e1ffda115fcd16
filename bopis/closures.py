"""A store changed its hours after goods were promised there: deadlines only ever move later, and a time to come that
now falls on closed doors is a question to the customer.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from app import stores
from app.core import actor, clock
from app.core.db import db, use_case
from app.core.outbox import Event
from app.core.states import touch

from . import asking, pickups
from .models import Pickup
from .states import PickupState

# Doors are open until their closing moment, which is none of that day any more.
_MOMENT = dt.timedelta(seconds=1)
_COMING = tuple(state.value for state in (PickupState.REQUESTED, PickupState.ACCEPTED, PickupState.PICKING))


def hear(event: Event) -> None:
    """A location's hours changed: look at every pickup there that has a date."""
    code, now = str(event.payload["code"]), clock.now()
    here = select(Pickup.id).where(Pickup.location_id == code).order_by(Pickup.id)
    for pickup_id in db.session.scalars(here.where(Pickup.state == PickupState.READY, Pickup.expires_at > now)).all():
        keep_longer(pickup_id=pickup_id)
    for pickup_id in db.session.scalars(here.where(Pickup.state.in_(_COMING), Pickup.pickup_at > now)).all():
        ask_anew(pickup_id=pickup_id)


@use_case
def keep_longer(*, pickup_id: str) -> None:
    """A deadline on a day that is closed now moves to the closing of the next open one."""
    actor.act_as(actor.SYSTEM)
    row = pickups.locked(pickup_id)
    if row.state_at(clock.now()) != PickupState.READY or row.expires_at is None:
        return
    place = stores.get(row.location_id)
    if place.calendar.is_open(row.expires_at - _MOMENT):
        return
    until = _closing_from(place, row.expires_at)
    if until is not None and until > row.expires_at:
        row.expires_at = until
        touch(row, "pickup.extended", expires_at=clock.public(until), reason="closed", **pickups.facts(row))


@use_case
def ask_anew(*, pickup_id: str) -> None:
    """The customer wanted to come when the doors will be closed."""
    actor.act_as(actor.SYSTEM)
    row = pickups.locked(pickup_id)
    place = stores.get(row.location_id)
    if row.state not in _COMING or row.pickup_at is None or row.choice_reason is not None:
        return
    if not place.calendar.is_open(row.pickup_at):
        asking.ask(row, asking.CLOSED)


def _closing_from(place: stores.Place, at: dt.datetime) -> dt.datetime | None:
    """The first closing of the doors at `at` or later, beginning with that local day."""
    days = place.calendar
    day = days.next_open_day(stores.business_date(place, at - _MOMENT))
    closing = days.closing_on(day) if day is not None else None
    if day is None or closing is None or closing >= at:
        return closing
    day = days.next_open_day(day + dt.timedelta(days=1))
    return days.closing_on(day) if day is not None else None
