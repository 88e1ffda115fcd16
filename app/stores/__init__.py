"""Places: shops and warehouses, their hours, closures, business day and pickup settings.

Front door: `get` and `directory` give `Place`s from memory, proven fresh by `stamp_call`; `promise`, `deadline` and
`business_date` tell a place's time, `distance_km` how far; `safety_call` is for the claim's own trip.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app import imports
from app.core import texts

from .errors import UnknownLocation
from .places import (
    Place,
    Point,
    business_date,
    deadline,
    directory,
    distance_km,
    forget,
    get,
    promise,
    safety_call,
    stamp_call,
)

__all__ = [
    "Place",
    "Point",
    "UnknownLocation",
    "business_date",
    "deadline",
    "directory",
    "distance_km",
    "forget",
    "get",
    "promise",
    "register",
    "safety_call",
    "stamp_call",
]


def register(app: Flask) -> None:
    """Serve places."""
    from . import api, models, sheet  # noqa: F401  tables

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    imports.offer("locations", sheet.COLUMNS, sheet.apply, blame={UnknownLocation.code: "code"})
    forget()
