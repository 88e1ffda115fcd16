"""How well stores keep their pickup promises: figures per store and local day of the order, and over all of them.

One trip reads everything. A pickup belongs to the day on which it was ordered, by its store's clock; what has not
happened yet counts once it has. Percentiles are by nearest rank: a time that some customer really had.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app import stores
from app.core import actor, clock, settings
from app.core.db import ask
from app.core.errors import invalid
from app.core.sql import Answer, Rowset, Sql, json_param

_TOTAL = 0
_MINUTE = 60
_ONE_DAY = dt.timedelta(days=1)
_DAYS = Rowset("day", "days", {"bucket": "int", "location_id": "text", "since": "timestamptz", "until": "timestamptz"})
_MINE = (
    " FROM {day} JOIN pickup p ON p.location_id = day.location_id AND p.placed_at >= day.since "
    "AND p.placed_at < day.until AND (CAST(:channels AS text) IS NULL OR p.channel IN ([channels]))"
)
_COUNTS = (
    "SELECT day.bucket, count(*), count(p.ready_at), "
    "sum(CASE WHEN p.ready_at IS NOT NULL AND p.ready_by IS NOT NULL THEN 1 ELSE 0 END), "
    "sum(CASE WHEN p.ready_at <= p.ready_by THEN 1 ELSE 0 END), "
    "sum(CASE WHEN p.ready_at IS NOT NULL AND (p.state = 'expired' OR (p.state = 'ready' AND p.expires_at <= [now])) "
    "THEN 1 ELSE 0 END), "
    "sum(CASE WHEN p.state = 'cancelled' THEN 1 ELSE 0 END)" + _MINE + " GROUP BY day.bucket"
)
# A substitute's line stands for pieces that its original line has counted.
_PIECES = (
    "SELECT day.bucket, sum(l.ordered - l.short + l.missed), sum(l.missed)" + _MINE + " "
    "JOIN pickup_line l ON l.pickup_id = p.id AND l.line_ref = l.order_ref GROUP BY day.bucket"
)
_TIMES = (  # our own words
    "SELECT bucket, kind, place, size, seconds FROM (SELECT bucket, kind, seconds, "  # noqa: S608
    "row_number() OVER (PARTITION BY bucket, kind ORDER BY seconds) AS place, "
    "count(*) OVER (PARTITION BY bucket, kind) AS size FROM ("
    "SELECT day.bucket, 'ready' AS kind, [p.ready_at] - [p.placed_at] AS seconds" + _MINE + " "
    "WHERE p.ready_at IS NOT NULL UNION ALL "
    "SELECT day.bucket, 'wait' AS kind, [p.collected_at] - [p.arrived_at] AS seconds" + _MINE + " "
    "WHERE p.arrived_at <= p.collected_at) one) ranked WHERE place IN ((size + 1) / 2, (size * 9 + 9) / 10)"
)
_INCIDENTS = (
    "SELECT day.bucket, count(*) FROM {day} JOIN stock_incident i ON i.location_id = day.location_id "
    "AND i.opened_at >= day.since AND i.opened_at < day.until GROUP BY day.bucket"
)


def _both(text: str) -> Sql:
    """The statement for both databases: what is in brackets is each one's own."""
    known = {
        "channels": (
            "SELECT jsonb_array_elements_text(CAST(:channels AS jsonb))", "SELECT value FROM json_each(:channels)",
        ),
        "now": ("CAST(:now AS timestamptz)", ":now"),
    }  # fmt: skip
    pg = lite = text
    for name, (for_pg, for_lite) in known.items():
        pg, lite = pg.replace(f"[{name}]", for_pg), lite.replace(f"[{name}]", for_lite)
    for column in ("p.ready_at", "p.placed_at", "p.collected_at", "p.arrived_at"):
        pg = pg.replace(f"[{column}]", f"CAST(floor(extract(epoch FROM {column})) AS bigint)")
        lite = lite.replace(f"[{column}]", f"CAST(strftime('%s', {column}) AS integer)")
    return Sql(pg, _DAYS, sqlite=lite)


_CALLS = tuple(_both(text) for text in (_COUNTS, _PIECES, _TIMES, _INCIDENTS))


@dataclass(slots=True)
class Figures:
    """What is known of one day at one store, or of all of them."""

    orders: int = 0
    ready: int = 0
    promised: int = 0
    kept: int = 0
    no_shows: int = 0
    cancelled: int = 0
    pieces: int = 0
    short: int = 0
    incidents: int = 0
    times: dict[str, tuple[int, int]] = field(default_factory=dict)

    def show(self) -> dict[str, Any]:
        """As the API answers; a share of nothing is null."""
        to_ready = self.times.get("ready")
        return {
            "orders": self.orders, "became_ready": self.ready,
            "promise_kept": self.kept, "promise_kept_percent": percent(self.kept, self.promised),
            "ready_minutes": _times(None if to_ready is None else tuple(s // _MINUTE for s in to_ready)),
            "wait_seconds": _times(self.times.get("wait")),
            "no_shows": self.no_shows, "no_show_percent": percent(self.no_shows, self.ready),
            "pieces": self.pieces, "short_pieces": self.short, "short_percent": percent(self.short, self.pieces),
            "cancelled": self.cancelled, "cancelled_percent": percent(self.cancelled, self.orders),
            "incidents": self.incidents,
        }  # fmt: skip


def report(*, since: dt.date, until: dt.date, location: str | None) -> dict[str, Any]:
    """The figures from `since` to `until`, both included, inside the actor's bounds. Raises UnknownLocation."""
    if until < since:
        raise invalid("/until", "before-since")
    count = (until - since).days + 1
    if count > settings.MAX_REPORT_DAYS:
        raise invalid("/until", "too-many-days", days=settings.MAX_REPORT_DAYS)
    places = [stores.get(location)] if location is not None else _places()
    if count * len(places) > settings.MAX_REPORT_ROWS:
        raise invalid("/until", "too-many-days", days=max(1, settings.MAX_REPORT_ROWS // len(places)))
    days = [(place, since + _ONE_DAY * n) for n in range(count) for place in places]
    found = _read(days)
    items = [
        {"location": place.code, "date": day, **found[number].show()}
        for number, (place, day) in enumerate(days, start=1)
        if number in found
    ]
    return {"items": items, "totals": found.get(_TOTAL, Figures()).show()}


def _places() -> list[stores.Place]:
    who = actor.current()
    return [place for code, place in sorted(stores.directory().items()) if who.sees_location(code)]


def _read(days: Sequence[tuple[stores.Place, dt.date]]) -> dict[int, Figures]:
    """Figures by the day's number; 0 is all of them together."""
    rows = []
    for number, (place, day) in enumerate(days, start=1):
        span = {
            "location_id": place.code, "since": clock.text(_midnight(place, day)),
            "until": clock.text(_midnight(place, day + _ONE_DAY)),
        }  # fmt: skip
        rows += [{"bucket": number, **span}, {"bucket": _TOTAL, **span}]
    channels = actor.current().channels
    params = {
        "days": json_param(rows),
        "channels": json_param(sorted(channels)) if channels is not None else None,
        "now": clock.text(clock.now()),
    }
    wanted = [{"days", "channels", "now"}, {"days", "channels"}, {"days", "channels"}, {"days"}]
    return _sum_up(
        *ask(*((call, {n: params[n] for n in sorted(names)}) for call, names in zip(_CALLS, wanted, strict=True)))
    )


def _sum_up(counts: Answer, pieces: Answer, times: Answer, incidents: Answer) -> dict[int, Figures]:
    found: dict[int, Figures] = {}
    for bucket, *sums in counts.rows:
        orders, ready, promised, kept, no_shows, cancelled = map(int, sums)
        found[bucket] = Figures(orders, ready, promised, kept, no_shows, cancelled)
    # Each statement sees what is committed by then: a day's first order may come between two of them.
    for bucket, ordered, short in pieces.rows:
        day = found.setdefault(bucket, Figures())
        day.pieces, day.short = int(ordered), int(short)
    for bucket, kind, place, size, seconds in times.rows:
        day = found.setdefault(bucket, Figures())
        median, ninth = day.times.get(kind, (0, 0))
        if place == (size + 1) // 2:
            median = int(seconds)
        if place == (size * 9 + 9) // 10:
            ninth = int(seconds)
        day.times[kind] = (median, ninth)
    for bucket, count in incidents.rows:
        found.setdefault(bucket, Figures()).incidents = int(count)
    return found


def percent(part: int, whole: int) -> float | None:
    """To one decimal, half up."""
    return (part * 2000 + whole) // (whole * 2) / 10 if whole else None


def _times(found: tuple[int, ...] | None) -> dict[str, int | None]:
    return {"median": found[0] if found else None, "p90": found[1] if found else None}


def _midnight(place: stores.Place, day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), place.calendar.zone)
