"""Notices and templates as the API shows them. Reads only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from app.core import actor, states
from app.core.db import db
from app.core.ids import is_id

from .errors import UnknownNotice
from .models import Notice, NoticeDelivery
from .states import NOTICE, NoticeState
from .versions import Version

# What only the post does; a person can send again.
_BY_HAND = frozenset({"resend"})


def listed(*, subject: str | None, state: str | None, location: str | None) -> Select[Any]:
    """Notices inside the actor's bounds."""
    query = select(Notice)
    bounds = actor.current().locations
    if bounds is not None:
        query = query.where(Notice.location_id.in_(bounds))
    if subject is not None:
        query = query.where(Notice.subject_id == subject)
    if state is not None:
        query = query.where(Notice.state == state)
    if location is not None:
        query = query.where(Notice.location_id == location)
    return query


def find(notice_id: str) -> Notice:
    """One notice. Raises UnknownNotice."""
    row = db.session.get(Notice, notice_id) if is_id(notice_id) else None
    if row is None:
        raise UnknownNotice
    actor.within(location=row.location_id, missing=UnknownNotice)
    return row


def show(row: Notice) -> dict[str, Any]:
    """A notice; `due_at` only while it waits."""
    waits = row.state in {NoticeState.QUEUED, NoticeState.SENDING}
    plain = ("id", "kind", "sequence", "state", "channel", "error", "language", "template_version", "planned_at",
             "sent_at", "created_at", "updated_at")  # fmt: skip
    return {
        **{name: getattr(row, name) for name in plain},
        "subject": {"type": row.subject_type, "id": row.subject_id},
        "location": row.location_id,
        "due_at": row.due_at if waits else None,
        "actions": [action for action in states.allowed(NOTICE, NoticeState(row.state)) if action in _BY_HAND],
    }


def show_whole(row: Notice) -> dict[str, Any]:
    """A notice with its attempts."""
    attempts = db.session.scalars(
        select(NoticeDelivery).where(NoticeDelivery.notice_id == row.id).order_by(NoticeDelivery.id)
    ).all()
    return show(row) | {"attempts": attempts}


def show_template(version: Version) -> dict[str, Any]:
    """A template in force."""
    words = version.words
    return {
        "kind": version.kind, "language": version.language, "version": version.version,
        "subject": words.subject, "text": words.text, "short": words.short,
    }  # fmt: skip
