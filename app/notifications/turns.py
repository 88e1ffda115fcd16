"""Whose turn it is among the unfinished notices of one subject: pure rules over rows that are locked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from .models import Notice
from .states import NoticeState


@dataclass(slots=True)
class Turn:
    """What is to be done now: rows whose sender died, the row to send, and what it leaves behind for ever."""

    lost: list[Notice] = field(default_factory=list)
    next: Notice | None = None
    outrun: list[Notice] = field(default_factory=list)


def of(rows: Sequence[Notice], now: dt.datetime) -> Turn:
    """Decide over all unfinished notices of a subject.

    One is sent at a time, in order of sequence. A notice that waits after trouble holds up the later ones; one that
    only waits for the morning is outrun by a later one that may go now; one planned for later is not its turn yet.
    """
    turn = Turn()
    waiting: list[Notice] = []
    for row in sorted(rows, key=lambda row: (row.sequence, row.id)):
        if row.state == NoticeState.SENDING:
            if row.lease_until is not None and row.lease_until >= now:
                return Turn()
            turn.lost.append(row)
        if row.state == NoticeState.QUEUED and row.due_at > now:
            if row.tries:
                return turn if turn.lost else Turn()
            if row.planned_at is None or row.planned_at <= now:
                waiting.append(row)
            continue
        turn.next = row
        turn.outrun = waiting
        return turn
    return turn
