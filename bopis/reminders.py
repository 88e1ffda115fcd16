"""A kind deadline: whoever has not come is reminded in the middle of the time, and on the day before its end.

Reminders are asked for when the deadline is set and wait for their day as notices do; a new deadline brings new ones.
"""

from __future__ import annotations

import datetime as dt

from app import notifications, stores
from app.core import clock, settings
from app.core.db import db
from app.core.outbox import Event

from .models import Pickup
from .states import PickupState

KIND = "pickup.reminder"
# Two reminders belong to one version of a pickup, so each version has two turns among its notices.
_TURNS = 2
_ONE_DAY = dt.timedelta(days=1)


def turn_of(event: Event) -> int:
    """The place of an event's notice among all of its pickup."""
    return event.sequence * _TURNS


def days(first: dt.date, last: dt.date) -> list[dt.date]:
    """The days to remind on when goods wait from `first` to `last`: the middle, rounded up, and the day before."""
    middle = first + dt.timedelta(days=((last - first).days + 1) // 2)
    return sorted({day for day in (middle, last - _ONE_DAY) if first < day < last})


def plan(event: Event) -> None:
    """Ask for the reminders of the deadline that now stands; those of an earlier one are taken back.

    They belong to the pickup's version as it is read, not to the event's: events that come late or the wrong way round
    all plan the same reminders.
    """
    row = db.session.get(Pickup, event.aggregate_id)
    if row is None:
        return
    turn = row.version * _TURNS
    _take_back(row.id, turn)
    if row.state != PickupState.READY or row.ready_at is None or row.expires_at is None:
        return
    place = stores.get(row.location_id)
    zone = place.calendar.zone
    first, last = row.ready_at.astimezone(zone).date(), row.expires_at.astimezone(zone).date()
    for number, day in enumerate(days(first, last)):
        at = dt.datetime.combine(day, dt.time(settings.REMINDER_HOUR), zone).astimezone(dt.UTC)
        if at > clock.now():
            notifications.request(
                KIND, subject=("pickup", row.id), sequence=turn + number, location=row.location_id, at=at
            )


def forget(event: Event) -> None:
    """Take back the reminders that were planned before this event."""
    _take_back(event.aggregate_id, turn_of(event))


def _take_back(pickup_id: str, turn: int) -> None:
    notifications.cancel_pending(("pickup", pickup_id), only={KIND}, before=turn)


def is_day_before(row: Pickup, place: stores.Place) -> bool:
    """Whether tomorrow, at the store, is the last day."""
    if row.expires_at is None:
        return False
    zone = place.calendar.zone
    return (row.expires_at.astimezone(zone).date() - clock.now().astimezone(zone).date()).days == 1
