"""More time to come: by the store as long as it likes, by the customer once, with one tap, within limits."""

from __future__ import annotations

import datetime as dt

from app import stores
from app.core import clock, settings
from app.core.db import use_case
from app.core.errors import invalid
from app.core.states import touch

from . import opening, pickups
from .errors import ExtensionLimit
from .models import Pickup


@use_case
def extend(*, pickup_id: str, until: dt.datetime) -> Pickup:
    """The store keeps ready goods longer, within `MAX_HOLD_DAYS` from now. Raises Invalid."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "extend")
    if row.expires_at is None or until <= row.expires_at:
        raise invalid("/until", "not-later")
    if until > clock.now() + dt.timedelta(days=settings.MAX_HOLD_DAYS):
        raise invalid("/until", "too-late", days=settings.MAX_HOLD_DAYS)
    _set(row, until, by="store")
    return row


@use_case
def extend_once(*, pickup_id: str) -> Pickup:
    """The customer's own extension: some days on top, to closing time, once. Raises ExtensionLimit."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "extend")
    until = offered(row)
    if until is None:
        raise ExtensionLimit(most=clock.public(row.expires_at))
    row.extensions += 1
    _set(row, until, by="customer")
    return row


def offered(row: Pickup) -> dt.datetime | None:
    """The deadline that the customer's tap would bring, None when it is used up or would go too far.

    Goods wait twice as long as usual at most, and never longer than `MAX_HOLD_DAYS`.
    """
    if row.ready_at is None or row.expires_at is None or row.extensions >= settings.MAX_EXTENSIONS:
        return None
    place = stores.get(row.location_id)
    days = opening.days_for(row, place)
    last_day = row.expires_at - dt.timedelta(seconds=1)  # the closing moment itself belongs to the day after
    until = stores.deadline(place, last_day, min(settings.EXTENSION_DAYS, days))
    most = min(stores.deadline(place, row.ready_at, 2 * days), row.ready_at + dt.timedelta(days=settings.MAX_HOLD_DAYS))
    return until if row.expires_at < until <= most else None


def _set(row: Pickup, until: dt.datetime, *, by: str) -> None:
    row.expires_at = until
    touch(row, "pickup.extended", expires_at=clock.public(until), by=by, **pickups.facts(row))
