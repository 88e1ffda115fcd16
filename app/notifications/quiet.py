"""The quiet hours: a phone that rings at night has lost a customer."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from app.core import settings

_DAY = dt.timedelta(days=1)


def until(at: dt.datetime, timezone: str) -> dt.datetime | None:
    """When the quiet hours around `at` end at the store; None outside of them."""
    zone = ZoneInfo(timezone)
    local = at.astimezone(zone)
    if settings.NOTICE_QUIET_UNTIL_HOUR <= local.hour < settings.NOTICE_QUIET_FROM_HOUR:
        return None
    day = local.date() + (_DAY if local.hour >= settings.NOTICE_QUIET_FROM_HOUR else dt.timedelta())
    return dt.datetime.combine(day, dt.time(settings.NOTICE_QUIET_UNTIL_HOUR), zone).astimezone(dt.UTC)
