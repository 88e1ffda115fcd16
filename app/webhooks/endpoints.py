"""Endpoints: made, rotated, deleted. A bounded key sees those it made itself, another one sees all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from app.core import actor, clock, horizon, settings, states
from app.core.audit import COMPANY
from app.core.db import ask, ask_one, db, later, use_case
from app.core.ids import is_id, new_id
from app.core.sql import Sql

from . import feed, signing
from .bounds import Bounds
from .errors import EndpointEnded, TooManyEndpoints, UnknownEndpoint
from .models import WebhookEndpoint
from .states import ENDPOINT, EndpointState
from .topics import STOCK_CHANGED, wanted

EVENTS, STOCK = "events", "stock"

_ADD_FEED = Sql(
    "INSERT INTO webhook_feed (name, at, after, read_at) VALUES (:name, :at, :after, :at) ON CONFLICT (name) DO NOTHING"
)
_LOCK_FEED = Sql("SELECT name FROM webhook_feed WHERE name = :name {for_update}")
_SET_FEED = Sql("UPDATE webhook_feed SET at = :at, after = :after WHERE name = :name")
_CANCEL = Sql(
    "UPDATE webhook_delivery SET state = 'cancelled', version = version + 1, updated_at = :now "
    "WHERE endpoint_id = :id AND state IN ('queued', 'failed', 'sending', 'parked')"
)


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint and the secret that is told this once."""

    endpoint: WebhookEndpoint
    secret: str


def bounds_of(endpoint: WebhookEndpoint) -> Bounds:
    """What the endpoint may hear of."""
    return Bounds(endpoint.channels, endpoint.locations)


@use_case
def create(*, url: str, events: Sequence[str]) -> Made:
    """Name an address; it hears of what happens from now on. The URL was checked. Raises TooManyEndpoints."""
    before = _lock_feeds()
    live = active()
    if len(live) >= settings.MAX_WEBHOOK_ENDPOINTS:
        raise TooManyEndpoints(limit=settings.MAX_WEBHOOK_ENDPOINTS)
    if not live:
        later(_SET_FEED, {"name": EVENTS, "at": clock.text(before), "after": feed.NO_ID})
    if not any(wanted(STOCK_CHANGED, one.events) for one in live):
        later(_SET_FEED, {"name": STOCK, "at": clock.text(before), "after": ""})
    caller, now, secret = actor.current(), clock.now(), signing.new_secret()
    row = WebhookEndpoint(
        id=new_id(), location_id=COMPANY, client_id=caller.id, url=url, events=list(dict.fromkeys(events)),
        channels=_listed(caller.channels), locations=_listed(caller.locations), secret=signing.seal(secret),
        old_secret=None, old_secret_until=None, state=EndpointState.ACTIVE.value, failures=0, rest_until=None,
        replay_at=None, replay_id=None, replay_end=None, version=1, created_at=now, updated_at=now,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return Made(row, secret)


def _lock_feeds() -> dt.datetime:
    """Let one endpoint be made at a time, and no event be dealt meanwhile; returns where the feeds begin."""
    before = min(horizon.settled(), clock.now())
    for name, after in ((EVENTS, feed.NO_ID), (STOCK, "")):
        ask(
            (_ADD_FEED, {"name": name, "at": clock.text(before), "after": after}),
            (_LOCK_FEED, {"name": name}),
        )
    return before


def _listed(bounds: frozenset[str] | None) -> list[str] | None:
    return None if bounds is None else sorted(bounds)


@use_case
def rotate(endpoint_id: str) -> Made:
    """Give an endpoint a new secret; the old one signs beside it for a day. Raises UnknownEndpoint, EndpointEnded."""
    row = find_active(endpoint_id)
    secret, now = signing.new_secret(), clock.now()
    row.old_secret, row.secret = row.secret, signing.seal(secret)
    row.old_secret_until = now + dt.timedelta(hours=settings.WEBHOOK_SECRET_HOURS)
    _touch(row)
    return Made(row, secret)


@use_case
def delete(endpoint_id: str) -> WebhookEndpoint:
    """Send nothing more to an endpoint; what waited for it is cancelled. Raises UnknownEndpoint."""
    row = find(endpoint_id, lock=True)
    end(row, "delete")
    return row


def end(row: WebhookEndpoint, action: str) -> None:
    """`delete` or `disable` an endpoint whose row is locked."""
    states.move(row, action, ENDPOINT)
    ask_one(_CANCEL, {"id": row.id, "now": clock.text(clock.now())})


@use_case
def replay_since(endpoint_id: str, *, since: dt.datetime) -> WebhookEndpoint:
    """Send again what happened since then, as far as it was dealt already. Raises UnknownEndpoint, EndpointEnded."""
    row = find_active(endpoint_id)
    row.replay_at, row.replay_id, row.replay_end = since, feed.NO_ID, clock.now()
    _touch(row)
    return row


def find(endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
    """One endpoint of the actor's, or UnknownEndpoint."""
    query = visible().where(WebhookEndpoint.id == endpoint_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row: WebhookEndpoint | None = db.session.scalars(query).one_or_none() if is_id(endpoint_id) else None
    if row is None:
        raise UnknownEndpoint
    return row


def find_active(endpoint_id: str) -> WebhookEndpoint:
    """One endpoint that is sent to, locked, or UnknownEndpoint, EndpointEnded."""
    row = find(endpoint_id, lock=True)
    if row.state != EndpointState.ACTIVE:
        raise EndpointEnded(state=row.state)
    return row


def visible() -> Select[Any]:
    """The endpoints that the actor may see, but for deleted ones."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.state != EndpointState.DELETED.value)
    caller = actor.current()
    if caller.channels is not None or caller.locations is not None:
        query = query.where(WebhookEndpoint.client_id == caller.id)
    return query


def active() -> Sequence[WebhookEndpoint]:
    """Every endpoint that is sent to, as the database has it now."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.state == EndpointState.ACTIVE.value)
    return db.session.scalars(query.order_by(WebhookEndpoint.id).execution_options(populate_existing=True)).all()


def _touch(row: WebhookEndpoint) -> None:
    row.version += 1
    row.updated_at = clock.now()
    db.session.flush()


def show(row: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint as the API shows it."""
    return {
        "id": row.id, "url": row.url, "events": row.events, "state": row.state, "channels": row.channels,
        "locations": row.locations, "failures": row.failures, "rests_until": row.rest_until,
        "old_secret_until": row.old_secret_until, "replaying": row.replay_at is not None,
        "created_at": row.created_at, "updated_at": row.updated_at,
    }  # fmt: skip
