"""What a place promises, computed from its hours and settings: when goods are ready, and how long they wait.

Nothing here reads a table or the clock. A promise that also knows the work at hand is in `bookings`.
"""

from __future__ import annotations

import datetime as dt

from .calendar import minutes_of
from .places import Place


def promise(place: Place, at: dt.datetime) -> dt.datetime | None:
    """When goods ordered at `at` can be collected: its lead time of open hours later. None: it never opens."""
    cut_off = None if place.pickup_cut_off is None else minutes_of(place.pickup_cut_off)
    start = place.calendar.counts_from(at, cut_off)
    return None if start is None else place.calendar.ready_by(start, place.pickup_lead_minutes)


def accept_by(place: Place, at: dt.datetime) -> dt.datetime:
    """Until when the place has to take on work that came at `at`, in its open time."""
    by = place.calendar.ready_by(at, place.pickup_accept_minutes)
    return by or at + dt.timedelta(minutes=place.pickup_accept_minutes)


def hold_days(place: Place, kind: str) -> int:
    """How many days ready goods wait: paid ones (`pickup`), unpaid ones (`hold`), ones sent here (`transfer`)."""
    days = {
        "pickup": place.pickup_hold_days, "hold": place.pickup_reserve_days, "transfer": place.pickup_transfer_hold_days
    }  # fmt: skip
    return days[kind]


def arrival(place: Place, shipped_at: dt.datetime) -> dt.datetime:
    """When goods sent here at `shipped_at` are on hand: some days later, as the doors open."""
    calendar = place.calendar
    day = calendar.business_date(shipped_at) + dt.timedelta(days=place.pickup_transfer_days)
    open_day = calendar.next_open_day(day)
    if open_day is not None:
        opening = calendar.ready_by(max(calendar.opening_on(open_day)[0][0], shipped_at), 0)
        if opening is not None:
            return opening
    return max(_midnight(place, day), shipped_at)


def deadline(place: Place, ready_at: dt.datetime, days: int) -> dt.datetime:
    """Until when ready goods wait: closing time `days` days on, or of the next open day.

    A place that never opens keeps them until midnight of that day.
    """
    closing = place.calendar.pickup_deadline(ready_at, days)
    return closing or _midnight(place, business_date(place, ready_at) + dt.timedelta(days=days + 1))


def business_date(place: Place, at: dt.datetime) -> dt.date:
    """The place's date at that moment."""
    return place.calendar.business_date(at)


def _midnight(place: Place, day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), place.calendar.zone).astimezone(dt.UTC)
