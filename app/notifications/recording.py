"""What became of notices that were on their way: each attempt's row, and where the notice goes from there."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from app.core import clock, settings, states, vault
from app.core.db import db, use_case
from app.core.ids import is_id, new_id

from .models import Notice, NoticeDelivery
from .senders import Message, Outcome
from .states import NOTICE, NoticeState

UNDELIVERED = "undelivered"
_PATIENCE = {"line": dt.timedelta(minutes=settings.NOTICE_LINE_MINUTES)}
_A_DAY = dt.timedelta(hours=settings.NOTICE_GIVE_UP_HOURS)
_REPORTABLE = frozenset({NoticeState.SENDING, NoticeState.SENT, NoticeState.QUEUED, NoticeState.FAILED})


@use_case
def record(channel: str, message: Message, outcome: Outcome) -> None:
    """Keep an attempt and move its notice on."""
    now = clock.now()
    row = db.session.get(Notice, message.notice_id, with_for_update=True, populate_existing=True)
    if row is None:
        return
    reported = row.state == NoticeState.DELIVERED and message.tag == tag_of(row)
    db.session.add(
        NoticeDelivery(
            id=new_id(), location_id=row.location_id, notice_id=row.id, channel=channel,
            state=NoticeState.DELIVERED if reported else outcome.state, code=outcome.code,
            provider_id=outcome.provider_id, recipient=vault.blind("notice-recipient", message.address),
            tag=message.tag, at=now, delivered_at=now if reported else None,
        )
    )  # fmt: skip
    if row.state == NoticeState.SENDING and message.tag == tag_of(row):
        row.lease_until, row.error = None, outcome.code
        if outcome.state == "sent":
            states.move(row, "send", NOTICE)
            row.sent_at, row.tries, row.trying_since = now, 0, None
        elif outcome.state == "refused":
            _pass_on(row, now)
        else:
            _wait(row, now)
    db.session.flush()


@use_case
def put_off(message: Message, code: str | None) -> None:
    """Give back a notice that was not tried: its channel is down, or (without a code) the turn was over."""
    now = clock.now()
    row = db.session.get(Notice, message.notice_id, with_for_update=True, populate_existing=True)
    if row is None or row.state != NoticeState.SENDING or message.tag != tag_of(row):
        return
    row.lease_until = None
    if code is None:
        states.move(row, "wait", NOTICE)
        row.due_at = now
    else:
        row.error = code
        _wait(row, now)
    db.session.flush()


def tag_of(row: Notice) -> str:
    """What names a notice to the channels: itself, and how often a person had it sent."""
    return f"{row.id}.{row.round}"


def _wait(row: Notice, now: dt.datetime) -> None:
    """Try again later, twice as late each time; a channel that stays in trouble too long counts as refused."""
    row.trying_since = row.trying_since or now
    if now - row.trying_since >= _PATIENCE.get(row.channel or "", _A_DAY):
        _pass_on(row, now)
        return
    states.move(row, "wait", NOTICE)
    seconds = min(settings.NOTICE_BACKOFF_SECONDS * 2**row.tries, settings.NOTICE_BACKOFF_MAX_SECONDS)
    row.tries += 1
    row.due_at = now + dt.timedelta(seconds=seconds)


def _pass_on(row: Notice, now: dt.datetime) -> None:
    """To the next channel; where there is none, that is found when it is composed again."""
    states.move(row, "pass-on", NOTICE)
    row.passed = [*row.passed, row.channel]
    row.tries, row.trying_since, row.due_at = 0, None, now


@use_case
def pass_on_undelivered() -> int:
    """Let what LINE took and did not deliver in time go by the next channel; returns how many."""
    now = clock.now()
    rows = db.session.scalars(
        select(Notice)
        .where(
            Notice.state == NoticeState.SENT,
            Notice.channel == "line",
            Notice.sent_at <= now - dt.timedelta(minutes=settings.NOTICE_LINE_MINUTES),
        )
        .order_by(Notice.sent_at)
        .limit(settings.NOTICE_BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.error = UNDELIVERED
        _pass_on(row, now)
        _mark(row, UNDELIVERED, None)
    db.session.flush()
    return len(rows)


@use_case
def delivered(tag: str) -> bool:
    """A channel reports that a notice has arrived. False where the tag is none of ours; once is enough."""
    notice_id, _, _ = tag.partition(".")
    row = db.session.get(Notice, notice_id, with_for_update=True, populate_existing=True) if is_id(notice_id) else None
    if row is None:
        return False
    known = _mark(row, NoticeState.DELIVERED, clock.now(), tag)
    if tag != tag_of(row):
        return known
    if row.state in _REPORTABLE:
        states.move(row, "deliver", NOTICE)
        row.error, row.lease_until = None, None
    db.session.flush()
    return True


def _mark(row: Notice, state: str, at: dt.datetime | None, tag: str | None = None) -> bool:
    """Write into the last attempt by LINE what became of it."""
    attempt = db.session.scalars(
        select(NoticeDelivery)
        .where(NoticeDelivery.tag == (tag or tag_of(row)), NoticeDelivery.channel == "line")
        .order_by(NoticeDelivery.id.desc())
        .limit(1)
    ).first()
    if attempt is None:
        return False
    if attempt.state != NoticeState.DELIVERED:
        attempt.state, attempt.delivered_at = state, at
    return True
