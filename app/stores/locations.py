"""Adding and changing places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.core import actor, clock, outbox
from app.core.db import ask_one, db, use_case
from app.core.sql import Sql

from .errors import UnknownLocation
from .models import Location

# Changes of places are rare and wait for each other here, so that two calls for one new code never collide.
_STAMP = Sql(
    "INSERT INTO location_stamp (id, version) VALUES (1, 1) "
    "ON CONFLICT (id) DO UPDATE SET version = location_stamp.version + 1"
)
_CALENDAR = ("hours", "closures", "timezone")


@use_case
def put_location(
    *, code: str, settings: Mapping[str, Any], expect: Callable[[Location | None], None] = lambda _present: None
) -> tuple[Location, bool]:
    """Add or change a place; says whether anything changed.

    `settings` holds every column; `expect` is shown the present row under lock and may refuse. A place that opens at
    other times tells of it, for what it has promised may move. Raises UnknownLocation outside the actor's bounds.
    """
    actor.within(location=code, missing=UnknownLocation)
    ask_one(_STAMP, {})
    row = db.session.get(Location, code, populate_existing=True)
    expect(row)
    now = clock.now()
    if row is None:
        row = Location(code=code, version=1, calendar_version=0, created_at=now, updated_at=now, **settings)
        db.session.add(row)
        db.session.flush()
        return row, True
    if all(getattr(row, column) == value for column, value in settings.items()):
        return row, False
    calendar_changed = any(getattr(row, column) != settings[column] for column in _CALENDAR)
    for column, value in settings.items():
        setattr(row, column, value)
    row.version += 1
    row.updated_at = now
    if calendar_changed:
        row.calendar_version += 1
        sequence = row.calendar_version
        outbox.emit("location.changed", aggregate=("location", code), sequence=sequence, location=code, code=code)
    db.session.flush()
    return row, True
