"""Places: shops and warehouses, their hours, closures, business day and pickup settings.

Front door: `get` and `directory` give `Place`s from memory, proven fresh by `stamp_call`; `promise`, `accept_by`,
`arrival`, `hold_days`, `deadline` and `business_date` tell a place's time without a look at its work, `expect` with one
(`load` reads it for many places at once); `book_work` and `book_slot` take a picking hour and a time to collect, and
`free_work` and `free_slot` give them back; `slots` lists them. `distance_km` says how far; `safety_call` is for the
claim's own trip. A place whose hours change emits `location.changed`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app import imports
from app.core import jobs, settings, texts

from .bookings import (
    Load,
    Slot,
    Work,
    book_slot,
    book_work,
    expect,
    forget_old,
    free_slot,
    free_work,
    load,
    slots,
)
from .errors import (
    SlotClosed,
    SlotFull,
    SlotUnknown,
    UnknownLocation,
)
from .places import (
    Place,
    Point,
    directory,
    distance_km,
    forget,
    get,
    safety_call,
    stamp_call,
)
from .promises import (
    accept_by,
    arrival,
    business_date,
    deadline,
    hold_days,
    promise,
)

__all__ = [
    "Load",
    "Place",
    "Point",
    "Slot",
    "SlotClosed",
    "SlotFull",
    "SlotUnknown",
    "UnknownLocation",
    "Work",
    "accept_by",
    "arrival",
    "book_slot",
    "book_work",
    "business_date",
    "deadline",
    "directory",
    "distance_km",
    "expect",
    "forget",
    "free_slot",
    "free_work",
    "get",
    "hold_days",
    "load",
    "promise",
    "register",
    "safety_call",
    "slots",
    "stamp_call",
]


def register(app: Flask) -> None:
    """Serve places."""
    from . import api, models, sheet  # noqa: F401  tables

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    jobs.every(settings.FORGET_SECONDS, "stores.forget_slots")(forget_old)
    imports.offer("locations", sheet.COLUMNS, sheet.apply, blame={UnknownLocation.code: "code"})
    forget()
