"""Imports go on in the background, a few seconds at a time so that nothing else waits for a long file."""

from __future__ import annotations

import datetime as dt

from app.core import clock, settings
from app.core.db import ask, use_case
from app.core.outbox import Event, on
from app.core.sql import Sql

from .runs import TOPIC, give_up, go_on

_OLD = "(SELECT id FROM import_run WHERE finished_at < :before)"
_FORGET_ROWS = Sql(f"DELETE FROM import_bad_row WHERE run_id IN {_OLD}")  # noqa: S608  our own table


@on(TOPIC)
def work(event: Event) -> None:
    """Put in the next rows; after the last try say that it failed."""
    try:
        go_on(event.aggregate_id)
    except Exception:
        if event.attempts >= settings.JOB_MAX_ATTEMPTS:
            give_up(event.aggregate_id)
        raise


@use_case
def forget_bad_rows() -> None:
    """Delete refused rows some weeks after their import: nobody mends them any more."""
    before = clock.now() - dt.timedelta(days=settings.IMPORT_DAYS)
    ask((_FORGET_ROWS, {"before": clock.text(before)}))
