"""Reading places for the API."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from app.core import actor
from app.core.db import db

from .calendar import WEEKDAYS
from .errors import UnknownLocation
from .models import Location


def visible() -> Select[Location]:
    """The places inside the actor's bounds."""
    query = select(Location)
    bounds = actor.current().locations
    return query if bounds is None else query.where(Location.code.in_(sorted(bounds)))


def find(code: str) -> Location:
    """One place, or UnknownLocation."""
    actor.within(location=code, missing=UnknownLocation)
    row = db.session.get(Location, code)
    if row is None:
        raise UnknownLocation(location=code)
    return row


def show(row: Location) -> dict[str, Any]:
    """A place as the API answers it."""
    plain = {name: getattr(row, name) for name in _PLAIN}
    return plain | {
        # JSON in PostgreSQL forgets the order of keys; an answer does not change for that.
        "hours": {day: row.hours[day] for day in (*WEEKDAYS, "holiday") if day in row.hours},
        "pickup": {name: getattr(row, f"pickup_{name}") for name in _PICKUP},
        "updated_at": row.updated_at,
    }


_PLAIN = (
    "code", "name", "name_en", "kind", "timezone", "postal_code", "address", "latitude", "longitude", "phone", "hours",
    "closures", "safety_stock",
)  # fmt: skip
_PICKUP = (
    "enabled", "lead_minutes", "hold_days", "orders_per_hour", "cut_off", "accept_minutes", "reserve_days",
    "transfer_hold_days", "transfer_days", "slot_minutes", "slot_capacity",
)  # fmt: skip
