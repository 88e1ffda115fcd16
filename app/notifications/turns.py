"""Whose turn it is among the unfinished notices of one subject: pure rules over rows that are locked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from .models import Notice
from .states import NoticeState


@dataclass(slots=True)
class Turn:
    """The row to send now, and the earlier ones that may never follow it."""

    next: Notice | None = None
    outrun: list[Notice] = field(default_factory=list)


def of(rows: Sequence[Notice], now: dt.datetime) -> Turn:
    """Decide over all unfinished notices of a subject.

    One is sent at a time, in order of sequence. A notice that waits after trouble holds up the later ones; one that
    only waits for the morning is outrun by a later one that may go now; one planned for later is not its turn yet. One
    whose sender died is due again.
    """
    if any(row.state == NoticeState.SENDING and not is_lost(row, now) for row in rows):
        return Turn()
    waiting: list[Notice] = []
    for row in sorted(rows, key=lambda row: (row.sequence, row.id)):
        if row.state == NoticeState.SENDING or row.due_at <= now:
            return Turn(row, waiting)
        if row.tries:
            return Turn()
        if row.planned_at is None or row.planned_at <= now:
            waiting.append(row)
    return Turn()


def is_lost(row: Notice, now: dt.datetime) -> bool:
    """Whether whoever was sending it has had all the time there was."""
    return row.state == NoticeState.SENDING and (row.lease_until is None or row.lease_until < now)
