"""Taking notices to be sent: leased, composed from what is true now and written, a few to a transaction.

A letter is read from many tables, and whoever writes waits meanwhile (on SQLite everybody): so transactions are short.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

import structlog
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from app.core import clock, settings, states
from app.core.db import Again, db, is_passing, use_case
from app.core.errors import Unavailable
from app.core.states import IllegalTransition
from app.customers import Contact

from . import kinds, quiet, templating, turns, versions
from .letters import Letter
from .models import Notice
from .senders import ORDER, Message, Sender
from .states import NOTICE, NoticeState

log = structlog.get_logger("app.notifications")

Senders = dict[str, Sender]
_OPEN = (NoticeState.QUEUED, NoticeState.SENDING)
_BROKEN = "template-broken"


def lease(senders: Senders, busy: Collection[str] = ()) -> list[tuple[str, Message]]:
    """Take what is due, `NOTICE_BATCH` at most: (channel, message) pairs, each for one sender.

    Notices that go by a busy channel are left alone. What is not true any more is superseded; what cannot be written
    or reaches nobody fails here.
    """
    taken: list[tuple[str, Message]] = []
    for _ in range(settings.NOTICE_BATCH // settings.NOTICE_AT_ONCE):
        try:
            seen, some = _lease_some(senders, busy)
        except Unavailable:
            if not taken:
                raise
            break  # what was taken can go
        taken += some
        if not seen:
            break
    return taken


@use_case
def _lease_some(senders: Senders, busy: Collection[str]) -> tuple[int, list[tuple[str, Message]]]:
    """How many subjects had something due, and what of it can go."""
    now = clock.now()
    subjects = list(_subjects(now, busy))
    taken = [found for rows in subjects if (found := _take(rows, senders, busy, now)) is not None]
    db.session.flush()
    return len(subjects), taken


def _take(
    rows: Sequence[Notice], senders: Senders, busy: Collection[str], now: dt.datetime
) -> tuple[str, Message] | None:
    """The next notice of a subject that is true and can go; those before it end here or wait."""
    while (turn := turns.of([row for row in rows if row.state in _OPEN], now)).next is not None:
        if turn.next.state == NoticeState.SENDING:
            _wait(turn.next, "sender-lost", now)
        found = _prepare(turn.next, senders, busy, now)
        if found is not None:
            _supersede(turn.outrun)
            return found
        if turn.next.state == NoticeState.QUEUED and turn.next.due_at <= now:
            return None  # its channel is busy
    return None


def _subjects(now: dt.datetime, busy: Collection[str]) -> Iterable[list[Notice]]:
    """The unfinished notices of every subject that has one due, locked, subject by subject."""
    earlier = aliased(Notice)
    blocked = (
        select(earlier.id)
        .where(
            earlier.subject_id == Notice.subject_id,
            earlier.id != Notice.id,
            or_(
                and_(earlier.state == NoticeState.SENDING, earlier.lease_until >= now),
                and_(earlier.state == NoticeState.QUEUED, earlier.tries > 0, earlier.due_at > now,
                     earlier.sequence < Notice.sequence),
            ),
        )
        .exists()
    )  # fmt: skip
    due = select(Notice.subject_id).where(
        Notice.state.in_(_OPEN),
        Notice.due_at <= now,
        or_(Notice.lease_until.is_(None), Notice.lease_until < now),
        ~blocked,
    )
    if busy:
        due = due.where(or_(Notice.channel.is_(None), Notice.channel.not_in(sorted(busy))))
    chosen = due.order_by(Notice.due_at, Notice.id).limit(settings.NOTICE_AT_ONCE)
    subjects = sorted(set(db.session.scalars(chosen)))
    if not subjects:
        return []
    rows = db.session.scalars(
        select(Notice)
        .where(Notice.subject_id.in_(subjects), Notice.state.in_(_OPEN))
        .order_by(Notice.subject_id, Notice.sequence, Notice.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return [list(group) for _, group in groupby(rows, key=lambda row: row.subject_id)]


def _wait(row: Notice, code: str, now: dt.datetime) -> None:
    """Its sender died: it may have gone out, and goes again under the same Message-ID and tag."""
    states.move(row, "wait", NOTICE)
    row.error, row.lease_until, row.due_at = code, None, now
    row.tries, row.trying_since = row.tries + 1, row.trying_since or now


def _supersede(rows: Iterable[Notice]) -> None:
    for row in rows:
        try:
            states.move(row, "supersede", NOTICE)
        except IllegalTransition as rival:  # somebody took it this moment: look at all of them again
            raise Again from rival


def _prepare(row: Notice, senders: Senders, busy: Collection[str], now: dt.datetime) -> tuple[str, Message] | None:
    kind = kinds.offered(row.kind)
    if kind is None:
        _fail(row, "kind-unknown")
        return None
    try:
        letter = _compose(kind, row.subject_id)
    except Exception as error:
        if is_passing(error):
            raise
        log.warning("notice_not_composed", notice=row.id, kind=row.kind, error=type(error).__name__)
        _fail(row, "compose-failed")
        return None
    if letter is None:
        states.move(row, "supersede", NOTICE)
        return None
    morning = quiet.until(now, letter.timezone) if not kind.urgent and row.round == 1 else None
    if morning is not None:
        row.due_at = morning
        return None
    return _address(row, letter, senders, busy, now)


@use_case
def _compose(kind: kinds.Kind, subject_id: str) -> Letter | None:
    """In a savepoint: one that cannot be composed must not spoil the others."""
    return kind.compose(subject_id)


def _address(
    row: Notice, letter: Letter, senders: Senders, busy: Collection[str], now: dt.datetime
) -> tuple[str, Message] | None:
    found = reach(letter.to, senders, row.passed)
    if found is None:
        _fail(row, row.error or ("no-recipient" if senders else "no-channel"))
        return None
    channel, address = found
    if channel != row.channel:
        row.channel, row.tries, row.trying_since = channel, 0, None
    if channel in busy:
        return None
    language = letter.language
    version = versions.in_force(row.kind, language)
    try:
        words = templating.render(version.words, letter.facts)
    except templating.TemplateBroken:
        row.language, row.template_version = language, version.version
        _fail(row, _BROKEN)
        return None
    states.move(row, "lease", NOTICE)
    row.language, row.template_version = language, version.version
    row.lease_until = now + dt.timedelta(seconds=settings.NOTICE_LEASE_SECONDS)
    return channel, Message(
        notice_id=row.id, kind=row.kind, language=language, tag=f"{row.id}.{row.round}", address=address,
        subject=words.subject, text=words.text, short=words.short, facts=letter.facts,
    )  # fmt: skip


def reach(to: Contact, senders: Senders, passed: Collection[str]) -> tuple[str, str] | None:
    """The first channel that has not failed for good and reaches them, and where."""
    for channel in ORDER:
        address = senders[channel].address(to) if channel in senders and channel not in passed else None
        if address:
            return channel, address
    return None


def _fail(row: Notice, code: str) -> None:
    states.move(row, "fail", NOTICE)
    row.error, row.lease_until = code, None
