"""What a place takes on by the hour: orders to pick, and customers to hand over to.

Both are counted in `place_slot` and taken by one conditional UPSERT whose row count is the answer, in the caller's
transaction. Whoever books at several places in one transaction goes through them by their code, work before slot.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.core import clock, settings
from app.core.db import Again, ask_one, later, use_case
from app.core.sql import Sql, json_param

from .errors import SlotClosed, SlotFull, SlotUnknown
from .places import Place
from .promises import promise

PICKING: Final = "picking"
COLLECTING: Final = "collecting"

_TAKE_TEXT = (
    "INSERT INTO place_slot (location_id, purpose, starts_at, taken) "
    "SELECT CAST(:location_id AS text), CAST(:purpose AS text), {at}, 1 WHERE NOT EXISTS (SELECT 1 FROM place_slot "
    "WHERE location_id = :location_id AND purpose = :purpose AND starts_at = {at} AND taken >= CAST(:capacity AS int)) "
    "ON CONFLICT (location_id, purpose, starts_at) DO UPDATE SET taken = place_slot.taken + 1 "
    "WHERE place_slot.taken < CAST(:capacity AS int)"
)
# What is full already is seen without a lock; DO UPDATE would hold the row until the end also where it changes nothing.
_TAKE = Sql(
    _TAKE_TEXT.replace("{at}", "CAST(:starts_at AS timestamptz)"), sqlite=_TAKE_TEXT.replace("{at}", ":starts_at")
)
_FREE = Sql(
    "UPDATE place_slot SET taken = taken - 1 WHERE location_id = :location_id AND purpose = :purpose "
    "AND starts_at = :starts_at AND taken > 0"
)
_TAKEN = Sql(
    "SELECT starts_at, taken FROM place_slot WHERE location_id = :location_id AND purpose = 'collecting' "
    "AND starts_at >= :since AND starts_at < :until"
)
_FORGET = Sql("DELETE FROM place_slot WHERE starts_at < :before")
_FULL = (
    "SELECT s.location_id, s.starts_at FROM place_slot s JOIN location l ON l.code = s.location_id "
    "WHERE s.location_id {codes} AND s.purpose = 'picking' AND s.starts_at >= :since "
    "AND s.taken >= l.pickup_orders_per_hour"
)
_FULL_HOURS = Sql(
    _FULL.format(codes="= ANY(ARRAY(SELECT jsonb_array_elements_text(CAST(:codes AS jsonb))))"),
    sqlite=_FULL.format(codes="IN (SELECT value FROM json_each(:codes))"),
)

Load = Mapping[str, frozenset[dt.datetime]]


@dataclass(frozen=True, slots=True)
class Work:
    """When goods will be ready, and the picking hour that was taken for them; none where a place sets no limit."""

    ready_by: dt.datetime | None
    hour: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A time to collect, and for how many orders more."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    capacity: int
    free: int


def load(places: Iterable[Place], at: dt.datetime) -> Load:
    """Picking hours that are full, from an hour before `at` on, by place: one statement, or none without a limit."""
    codes = sorted({place.code for place in places if place.pickup_orders_per_hour is not None})
    if not codes:
        return {}
    found: dict[str, set[dt.datetime]] = defaultdict(set)
    since = clock.text(at - dt.timedelta(hours=1))
    for code, starts_at in ask_one(_FULL_HOURS, {"codes": json_param(codes), "since": since}).rows:
        found[code].add(_moment(starts_at))
    return {code: frozenset(hours) for code, hours in found.items()}


def expect(place: Place, at: dt.datetime, known: Load | None = None) -> dt.datetime | None:
    """When goods ordered at `at` can be collected, with the work at hand (`known`, or as it is read now).

    None: the place never opens, or has no hour left within the horizon.
    """
    ready_by = promise(place, at)
    if ready_by is None or place.pickup_orders_per_hour is None:
        return ready_by
    full = (load([place], ready_by) if known is None else known).get(place.code)
    if not full:
        return ready_by
    return next((ready for hour, ready in place.calendar.working_hours(ready_by) if hour not in full), None)


@use_case
def book_work(place: Place, at: dt.datetime) -> Work:
    """Take the first picking hour with room for an order of `at`. Without one within the horizon `ready_by` is None."""
    ready_by, capacity = promise(place, at), place.pickup_orders_per_hour
    if ready_by is None or capacity is None:
        return Work(ready_by, None)
    full: frozenset[dt.datetime] | None = None
    tries = 0
    for hour, ready in place.calendar.working_hours(ready_by):
        if full is not None and hour in full:
            continue
        if take(place.code, PICKING, hour, capacity):
            return Work(ready, hour)
        full = full or load([place], ready_by).get(place.code, frozenset())
        tries += 1
        if tries == settings.MAX_HOURS_TRIED:
            raise Again
    return Work(None, None)


@use_case
def free_work(location: str, hour: dt.datetime | None) -> None:
    """Give a picking hour back, as `Work` named it."""
    _free(location, PICKING, hour)


@use_case
def book_slot(place: Place, starts_at: dt.datetime) -> dt.datetime | None:
    """Take a place in the slot in which `starts_at` lies, and say when it begins; None where a place has no slots.

    Raises SlotClosed, SlotUnknown (too short a rest before closing), SlotFull.
    """
    minutes, capacity = place.pickup_slot_minutes, place.pickup_slot_capacity
    if minutes is None or capacity is None:
        return None
    slot = place.calendar.slot_at(starts_at, minutes)
    if slot is None:
        raise SlotUnknown if place.calendar.is_open(starts_at) else SlotClosed
    if not take(place.code, COLLECTING, slot[0], capacity):
        following = slots(place, since=slot[1], days=settings.SLOT_DAYS)
        raise SlotFull(
            location=place.code,
            alternatives=[
                {"starts_at": clock.public(s.starts_at), "ends_at": clock.public(s.ends_at), "free": s.free}
                for s in following
                if s.free
            ][: settings.MAX_ALTERNATIVES],
        )
    return slot[0]


@use_case
def free_slot(location: str, starts_at: dt.datetime | None) -> None:
    """Give a place in a slot back, as `book_slot` named it."""
    _free(location, COLLECTING, starts_at)


def slots(place: Place, *, since: dt.datetime, days: int) -> list[Slot]:
    """The slots that begin at `since` or later, on that day of the place and on those that follow, `days` in all."""
    minutes, capacity = place.pickup_slot_minutes, place.pickup_slot_capacity
    if minutes is None or capacity is None:
        return []
    spans = list(place.calendar.slots(since, days, minutes))
    if not spans:
        return []
    bounds = {"location_id": place.code, "since": clock.text(spans[0][0]), "until": clock.text(spans[-1][1])}
    taken = {_moment(starts_at): int(pieces) for starts_at, pieces in ask_one(_TAKEN, bounds).rows}
    return [Slot(start, end, capacity, max(0, capacity - taken.get(start, 0))) for start, end in spans]


@use_case
def forget_old() -> int:
    """Delete what was taken of hours long gone; returns how many."""
    before = clock.now() - dt.timedelta(days=settings.SLOT_DAYS_KEPT)
    return ask_one(_FORGET, {"before": clock.text(before)}).count


def take(location: str, purpose: str, starts_at: dt.datetime, capacity: int) -> bool:
    """Take one place if there is one: never looked at first."""
    wanted = {"location_id": location, "purpose": purpose, "starts_at": clock.text(starts_at), "capacity": capacity}
    return ask_one(_TAKE, wanted).count == 1


def _free(location: str, purpose: str, starts_at: dt.datetime | None) -> None:
    if starts_at is not None:
        later(_FREE, {"location_id": location, "purpose": purpose, "starts_at": clock.text(starts_at)})


def _moment(value: object) -> dt.datetime:
    at = clock.parse(value)
    if at is None:
        msg = "a slot has a beginning"
        raise ValueError(msg)
    return at
