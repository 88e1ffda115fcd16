"""Asking for notices: written with the change they tell of, once per kind, subject and version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select

from app.core import actor, clock, states
from app.core.db import db, later, use_case
from app.core.ids import is_id, new_id
from app.core.sql import Sql

from . import kinds
from .errors import UnknownNotice
from .models import Notice
from .states import NOTICE, NoticeState

Subject = tuple[str, str]

_INSERT = Sql(
    "INSERT INTO notice (id, location_id, kind, subject_type, subject_id, sequence, state, version, round, planned_at, "
    "due_at, passed, tries, created_at, updated_at) VALUES (:id, :location_id, :kind, :subject_type, :subject_id, "
    ":sequence, 'queued', 1, 1, :planned_at, :due_at, '[]', 0, :now, :now) "
    "ON CONFLICT (subject_id, kind, sequence) DO NOTHING"
)
# What waits after trouble is tried once more now: it must go, or prove untrue, before the later one can.
_HASTEN = Sql(
    "UPDATE notice SET due_at = :now WHERE subject_id = :subject_id AND state = 'queued' AND tries > 0 "
    "AND sequence < :sequence AND due_at > :now"
)


@use_case
def request(kind: str, *, subject: Subject, sequence: int, location: str, at: dt.datetime | None = None) -> None:
    """Ask for a notice in the caller's transaction; it is composed when it is about to be sent.

    `sequence` is the subject's version after the change: notices of one subject go out in that order, and the same
    kind, subject and sequence is one notice however often it is asked for. With `at` it takes its place then.
    """
    if kinds.offered(kind) is None:
        msg = f"nobody offers notices of kind {kind}"
        raise ValueError(msg)
    now = clock.now()
    planned = at if at is not None and at > now else None
    common = {"subject_id": subject[1], "sequence": sequence, "now": clock.text(now)}
    later(
        _INSERT,
        common
        | {
            "id": new_id(), "location_id": location, "kind": kind, "subject_type": subject[0],
            "planned_at": clock.text(planned) if planned else None, "due_at": clock.text(planned or now),
        },
    )  # fmt: skip
    if planned is None:
        later(_HASTEN, common)


@use_case
def cancel_pending(subject: Subject, *, only: Collection[str] | None = None, before: int | None = None) -> int:
    """Take back what is not sent yet (some kinds `only`, of sequences `before` one); returns how many."""
    query = select(Notice).where(
        Notice.subject_id == subject[1], Notice.subject_type == subject[0], Notice.state == NoticeState.QUEUED
    )
    if only is not None:
        query = query.where(Notice.kind.in_(only))
    if before is not None:
        query = query.where(Notice.sequence < before)
    rows = db.session.scalars(query.order_by(Notice.sequence, Notice.id).with_for_update()).all()
    for row in rows:
        states.move(row, "supersede", NOTICE)
    return len(rows)


@use_case
def resend(notice_id: str) -> None:
    """Send a notice again, from the first channel on and whatever the hour, because a person asks for it.

    It is composed anew: what is not true any more is not told again. Raises UnknownNotice, IllegalTransition.
    """
    row = db.session.get(Notice, notice_id, with_for_update=True) if is_id(notice_id) else None
    if row is None:
        raise UnknownNotice
    actor.within(location=row.location_id, missing=UnknownNotice)
    states.move(row, "resend", NOTICE)
    row.round += 1
    row.passed, row.tries, row.trying_since = [], 0, None
    row.channel, row.error, row.due_at = None, None, clock.now()
    db.session.flush()
