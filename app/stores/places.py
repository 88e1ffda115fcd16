"""Finding places: a directory kept in memory and checked against the database in the caller's own trip.

Places are few and read by every call, so each process keeps them all. A number in the database rises with every change;
reading it is one cheap statement, and a memory of another number is thrown away. Another process's PUT is thereby seen
by the next read here.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sqlalchemy import select

from app.core import actor
from app.core.db import ask_one, db
from app.core.sql import Answer, Call, Sql

from .calendar import Calendar, Hours, parse_calendar
from .errors import UnknownLocation
from .models import Location

Point = tuple[float, float]

_SAFETY = Sql("SELECT safety_stock FROM location WHERE code = :code")
_STAMP = Sql("SELECT version FROM location_stamp WHERE id = 1")
_EARTH_KM: Final = 6371.0088


@dataclass(frozen=True, slots=True)
class Place:
    """A store or a warehouse, as others may know it."""

    code: str
    name: str
    name_en: str | None
    kind: str
    timezone: str
    postal_code: str | None
    address: str | None
    latitude: float | None
    longitude: float | None
    phone: str | None
    pickup_enabled: bool
    pickup_lead_minutes: int
    pickup_hold_days: int
    pickup_orders_per_hour: int | None
    pickup_cut_off: str | None
    pickup_accept_minutes: int
    pickup_reserve_days: int
    pickup_transfer_hold_days: int
    pickup_transfer_days: int
    pickup_slot_minutes: int | None
    pickup_slot_capacity: int | None
    safety_stock: int
    calendar: Calendar

    @property
    def hours(self) -> Hours:
        """The week of opening hours."""
        return self.calendar.hours

    @property
    def closures(self) -> frozenset[dt.date]:
        """Closed days."""
        return self.calendar.closures

    @property
    def point(self) -> Point | None:
        """Latitude and longitude, where both are known."""
        return None if self.latitude is None or self.longitude is None else (self.latitude, self.longitude)


# At most one: the places as they were under a number of the stamp.
_kept: dict[int, Mapping[str, Place]] = {}


def safety_call(code: str) -> Call:
    """The statement that reads a location's safety stock; no row means that there is no such location."""
    return _SAFETY, {"code": code}


def stamp_call() -> Call:
    """The statement whose answer tells whether the directory in memory is the present one."""
    return _STAMP, {}


def directory(stamp: Answer | None = None) -> Mapping[str, Place]:
    """All places by code, whatever the actor's bounds; `stamp` is the answer to `stamp_call()` where it was read."""
    rows = (stamp or ask_one(*stamp_call())).rows
    version = int(rows[0][0]) if rows else None
    known = _kept.get(version) if version is not None else None
    if known is not None:
        return known
    places = MappingProxyType({row.code: _place(row) for row in db.session.scalars(select(Location))})
    _kept.clear()
    if version is not None:
        _kept[version] = places
    return places


def get(code: str) -> Place:
    """One place. Raises UnknownLocation, also for what is outside the actor's bounds."""
    actor.within(location=code, missing=UnknownLocation)
    place = directory().get(code)
    if place is None:
        raise UnknownLocation(location=code)
    return place


def forget() -> None:
    """Forget everything: another database is behind this process now."""
    _kept.clear()


def distance_km(a: Point, b: Point) -> float:
    """Kilometres as the crow flies, to one decimal."""
    (lat_a, lon_a), (lat_b, lon_b) = ((math.radians(x), math.radians(y)) for x, y in (a, b))
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return round(2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half))), 1)


def _place(row: Location) -> Place:
    plain = {name: getattr(row, name) for name in Place.__slots__ if name != "calendar"}
    return Place(**plain, calendar=parse_calendar(row.hours, row.closures, row.timezone))
