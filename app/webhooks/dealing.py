"""Deals events out: a delivery for each endpoint that asked, in the background, and only while somebody asks.

One process deals at a time. What it is about to deal was settled before it looks who listens, so whoever was there
when an event was committed is dealt it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from app.core import clock, horizon, settings
from app.core.db import ask, ask_one, db, use_case
from app.core.ids import new_id
from app.core.sql import Rowset, Sql, json_param

from . import endpoints, feed
from .bounds import channels_for, may_hear
from .models import WebhookEndpoint
from .topics import wanted

_TAKE = Sql("SELECT at, after FROM webhook_feed WHERE name = :name {for_update_skip_locked}")
_MOVE = Sql("UPDATE webhook_feed SET at = :at, after = :after, read_at = :now WHERE name = :name")
_IS_NEW = Sql(
    "SELECT 1 FROM webhook_feed f WHERE f.name = :name AND EXISTS (SELECT 1 FROM outbox_event o "
    "WHERE (o.occurred_at, o.id) > (f.at, CAST(f.after AS uuid)))",
    sqlite="SELECT 1 FROM webhook_feed f WHERE f.name = :name AND EXISTS (SELECT 1 FROM outbox_event o "
    "WHERE (o.occurred_at, o.id) > (f.at, f.after))",
)
_ROWS = Rowset(
    "d",
    "rows",
    {
        "id": "uuid", "location_id": "text", "endpoint_id": "uuid", "event_id": "uuid", "topic": "text",
        "aggregate_type": "text", "aggregate_id": "text", "sequence": "int", "at": "timestamptz",
    },
)  # fmt: skip
_INSERT = (
    "INSERT INTO webhook_delivery (id, location_id, endpoint_id, event_id, topic, aggregate_type, aggregate_id, "
    "sequence, state, attempts, due_at, queued_at, version, created_at, updated_at) SELECT d.id, d.location_id, "
    "d.endpoint_id, d.event_id, d.topic, d.aggregate_type, d.aggregate_id, d.sequence, 'queued', 0, d.at, d.at, 1, "
    "d.at, d.at FROM {d} WHERE true ON CONFLICT (endpoint_id, event_id) "
)
_DEAL = Sql(_INSERT + "DO NOTHING", _ROWS)
_DEAL_AGAIN = Sql(
    _INSERT + "DO UPDATE SET state = 'queued', attempts = 0, due_at = excluded.due_at, queued_at = excluded.queued_at, "
    "version = webhook_delivery.version + 1, updated_at = excluded.updated_at "
    "WHERE webhook_delivery.state IN ('delivered', 'parked', 'cancelled')",
    _ROWS,
)


def is_new() -> bool:
    """Whether there may be events that were not dealt; cheap, and takes no lock."""
    return bool(ask_one(_IS_NEW, {"name": endpoints.EVENTS}).rows)


@use_case
def deal() -> bool:
    """Deal the next events; returns whether more are waiting. Does nothing while another process deals."""
    taken = ask_one(_TAKE, {"name": endpoints.EVENTS}).rows
    if not taken:
        return False
    before = horizon.settled()
    listeners = endpoints.active()
    after = feed.Position(clock.parse(taken[0][0]) or clock.now(), str(taken[0][1]))
    found, reached = feed.read(after, settings.WEBHOOK_BATCH, before)
    if not found:
        return False
    _write(_DEAL, found, listeners)
    moved = {"at": clock.text(reached.at), "after": reached.event_id, "now": clock.text(clock.now())}
    ask((_MOVE, {"name": endpoints.EVENTS, **moved}))
    return len(found) >= settings.WEBHOOK_BATCH


@use_case
def deal_again(endpoint_id: str) -> bool:
    """Go on with an endpoint's replay; returns whether there is more of it."""
    before = horizon.settled()
    row = db.session.get(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
    if row is None or row.replay_at is None or row.replay_id is None or row.replay_end is None:
        return False
    end = min(before, row.replay_end)
    found, reached = feed.read(feed.Position(row.replay_at, row.replay_id), settings.WEBHOOK_BATCH, end)
    _write(_DEAL_AGAIN, found, [row])
    if len(found) < settings.WEBHOOK_BATCH and end == row.replay_end:
        row.replay_at = row.replay_id = row.replay_end = None
    else:
        row.replay_at, row.replay_id = reached.at, reached.event_id
    return row.replay_at is not None and bool(found)


@use_case
def deal_story(endpoint_id: str, *, aggregate: tuple[str, str], after_sequence: int) -> WebhookEndpoint:
    """Send an aggregate's events after a number again, at once. Raises UnknownEndpoint, EndpointEnded."""
    row = endpoints.find_active(endpoint_id)
    _write(_DEAL_AGAIN, feed.story(aggregate, after_sequence, settings.WEBHOOK_REPLAY_MAX), [row])
    row.rest_until = None
    return row


def _write(statement: Sql, events: Sequence[feed.Told], listeners: Sequence[WebhookEndpoint]) -> None:
    readers = {listener.id: endpoints.bounds_of(listener) for listener in listeners}
    channels = channels_for(events, readers.values())
    now = clock.now()
    rows = [
        _row(event, listener.id, now)
        for event in events
        for listener in listeners
        if wanted(event.topic, listener.events) and may_hear(readers[listener.id], event, channels)
    ]
    if rows:
        ask_one(statement, {"rows": json_param(rows)})


def _row(event: feed.Told, endpoint_id: str, now: dt.datetime) -> dict[str, object]:
    return {
        "id": new_id(), "location_id": event.location_id, "endpoint_id": endpoint_id, "event_id": event.id,
        "topic": event.topic, "aggregate_type": event.aggregate_type, "aggregate_id": event.aggregate_id,
        "sequence": event.sequence, "at": clock.text(now),
    }  # fmt: skip
