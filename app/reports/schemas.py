"""Questions and answers of reports."""

from __future__ import annotations

from app.core import settings
from app.core.fields import Code, Day, In, Integer, Items, Number, Out, Part

_HUNDRED = 100


class PickupReportQuery(In):
    """Which days, both included, and which store."""

    since = Day(required=True)
    until = Day(required=True)
    location = Code()


class TimesOut(Out):
    """The middle one, and the one that nine of ten do not exceed."""

    median = Integer(0, settings.MAX_LEVEL)
    p90 = Integer(0, settings.MAX_LEVEL)


class PickupFiguresOut(Out):
    """Counts, shares in percent, and times. A pickup belongs to the local day on which it was ordered."""

    orders = Integer(0, settings.MAX_LEVEL)
    became_ready = Integer(0, settings.MAX_LEVEL)
    promise_kept = Integer(0, settings.MAX_LEVEL)
    promise_kept_percent = Number(0, _HUNDRED)
    ready_minutes = Part(TimesOut)
    wait_seconds = Part(TimesOut)
    no_shows = Integer(0, settings.MAX_LEVEL)
    no_show_percent = Number(0, _HUNDRED)
    pieces = Integer(0, settings.MAX_LEVEL)
    short_pieces = Integer(0, settings.MAX_LEVEL)
    short_percent = Number(0, _HUNDRED)
    cancelled = Integer(0, settings.MAX_LEVEL)
    cancelled_percent = Number(0, _HUNDRED)
    incidents = Integer(0, settings.MAX_LEVEL)


class PickupDayOut(PickupFiguresOut):
    """One store's day."""

    location = Code()
    date = Day()


class PickupReportOut(Out):
    """The days on which something happened, and all of them together."""

    items = Items(Part(PickupDayOut), high=settings.MAX_REPORT_ROWS)
    totals = Part(PickupFiguresOut)
