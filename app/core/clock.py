"""What time it is. The database decides: several web servers never agree to the millisecond.

Inside a use case the answer is read once and stays the same for the whole transaction. SQLite has no clock of
its own, so there the machine's is the database's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

UTC = dt.UTC
_source: list[Callable[[], dt.datetime]] = []
_frozen: list[dt.datetime] = []


def machine() -> dt.datetime:
    """The machine's own clock; for log lines and for databases that have none."""
    return dt.datetime.now(UTC)


def now() -> dt.datetime:
    """The moment, aware and in UTC, as the database of the current transaction sees it."""
    if _frozen:
        return _frozen[0]
    return _source[0]() if _source else machine()


def use(source: Callable[[], dt.datetime]) -> None:
    """Let `source` answer from now on; `app.core.db` sets the database's clock here."""
    _source[:] = [source]


def freeze(at: dt.datetime | None) -> None:
    """Stand still at `at` for the whole process; None lets time run again. For tests and for drills."""
    _frozen[:] = [] if at is None else [at.astimezone(UTC)]


def frozen() -> dt.datetime | None:
    """The moment time stands still at, if it does; reads that let the database tell the time ask this first."""
    return _frozen[0] if _frozen else None


def text(at: dt.datetime) -> str:
    """RFC 3339 in UTC with microseconds: sorts as text, and both databases read it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def parse(value: object) -> dt.datetime | None:
    """A stored timestamp as the drivers return it: a datetime, text, or nothing."""
    if value is None:
        return None
    at = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def public(at: dt.datetime | None) -> str | None:
    """As the API answers: UTC with a `Z`, to the millisecond."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
