"""Events, written in the same transaction as the change they tell of.

Each row carries its aggregate's own version as `sequence`: gap-free, in order. Rows whose topic has handlers are
`due`; the executor in `jobs` leases, runs and ends them. The database is the memory; bells only wake.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.core.audit import COMPANY
from app.core.db import Base, after_commit, later
from app.core.ids import new_id
from app.core.sql import Rowset, Sql, json_param
from app.core.types import Id


@dataclass(frozen=True, slots=True)
class Event:
    """What a handler is given."""

    id: str
    topic: str
    aggregate_type: str
    aggregate_id: str
    sequence: int
    location_id: str
    payload: dict[str, Any]
    attempts: int


Handler = Callable[[Event], None]
ChannelFinder = Callable[[Sequence[str]], Mapping[str, str]]
_handlers: dict[str, list[Handler]] = defaultdict(list)
_channels: dict[str, ChannelFinder] = {}
_bells: list[Callable[[], None]] = []


class OutboxEvent(Base):
    """One event; `due` → `done`, or `parked` after too many failures."""

    __tablename__ = "outbox_event"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_outbox_location"),
        UniqueConstraint("aggregate_id", "sequence", "aggregate_type", name="ux_outbox_sequence"),
        Index("ix_outbox_feed", "occurred_at", "id"),
        Index("ix_outbox_due", "due_at", sqlite_where=text("state = 'due'"), postgresql_where=text("state = 'due'")),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    topic: Mapped[str] = mapped_column(String(60))
    aggregate_type: Mapped[str] = mapped_column(String(40))
    aggregate_id: Mapped[str] = mapped_column(String(160))
    sequence: Mapped[int]
    payload: Mapped[dict[str, Any]]
    occurred_at: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[dt.datetime]
    lease_until: Mapped[dt.datetime | None]
    attempts: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(String(500))


_INSERT = Sql(
    "INSERT INTO outbox_event (id, location_id, topic, aggregate_type, aggregate_id, sequence, payload, occurred_at, "
    "state, due_at, attempts) VALUES (:id, :location_id, :topic, :aggregate_type, :aggregate_id, :sequence, :payload, "
    ":at, :state, :due_at, 0)"
)
_INSERT_MANY = Sql(
    "INSERT INTO outbox_event (id, location_id, topic, aggregate_type, aggregate_id, sequence, payload, occurred_at, "
    "state, due_at, attempts) SELECT e.id, e.location_id, e.topic, e.aggregate_type, e.aggregate_id, e.sequence, "
    "e.payload, e.at, e.state, e.due_at, 0 FROM {e}",
    Rowset(
        "e",
        "rows",
        {
            "id": "uuid", "location_id": "text", "topic": "text", "aggregate_type": "text", "aggregate_id": "text",
            "sequence": "int", "payload": "jsonb", "at": "timestamptz", "state": "text", "due_at": "timestamptz",
        },
    ),
)  # fmt: skip


def on(topic: str) -> Callable[[Handler], Handler]:
    """Let a function handle `topic`. Handlers are idempotent: an event may come more than once."""

    def keep(handler: Handler) -> Handler:
        _handlers[topic].append(handler)
        return handler

    return keep


def handlers_of(topic: str) -> list[Handler]:
    """The functions that want this topic."""
    return list(_handlers.get(topic, ()))


def channel_of(aggregate_type: str) -> Callable[[ChannelFinder], ChannelFinder]:
    """Let a function say which channels aggregates of this type belong to: ids in, channel by id out.

    A reader who is bounded to channels is told of these aggregates' events by it.
    """

    def keep(find: ChannelFinder) -> ChannelFinder:
        _channels[aggregate_type] = find
        return find

    return keep


def channels_of(aggregate_type: str, ids: Sequence[str]) -> Mapping[str, str]:
    """The channel of each of these aggregates, as far as one is known."""
    find = _channels.get(aggregate_type)
    return find(ids) if find is not None and ids else {}


def on_bell(ring: Callable[[], None]) -> None:
    """Register what wakes an executor after a commit with due events."""
    _bells.append(ring)


def _ring() -> None:
    for bell in _bells:
        bell()


def emit(
    topic: str,
    *,
    aggregate: tuple[str, str],
    sequence: int,
    location: str | None = None,
    due_at: dt.datetime | None = None,
    **payload: Any,
) -> str:
    """Write an event with this transaction; returns its id.

    `aggregate` is (type, id), `sequence` that aggregate's version after the change.
    """
    now = clock.text(clock.now())
    due = clock.text(due_at) if due_at else now
    event = _row(topic, aggregate, sequence, location, payload=payload, now=now, due=due)
    later(_INSERT, {**event, "payload": json_param(payload)})
    if topic in _handlers:
        after_commit(_ring)
    return str(event["id"])


def emit_many(topic: str, changes: Sequence[tuple[tuple[str, str], int, str, dict[str, Any]]]) -> None:
    """Write an event of one topic for each of many aggregates: (aggregate, sequence, location, payload)."""
    if not changes:
        return
    now = clock.text(clock.now())
    rows = [
        _row(topic, aggregate, sequence, place, payload=payload, now=now, due=now)
        for aggregate, sequence, place, payload in changes
    ]
    later(_INSERT_MANY, {"rows": json_param(rows)})
    if topic in _handlers:
        after_commit(_ring)


def _row(
    topic: str, aggregate: tuple[str, str], sequence: int, location: str | None, *,
    payload: dict[str, Any], now: str, due: str,
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": new_id(), "location_id": location or COMPANY, "topic": topic, "aggregate_type": aggregate[0],
        "aggregate_id": aggregate[1], "sequence": sequence, "payload": payload, "at": now,
        "state": "due" if topic in _handlers else "done", "due_at": due,
    }  # fmt: skip
