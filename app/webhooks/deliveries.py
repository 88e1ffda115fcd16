"""Deliveries: leased to a sender, their outcomes written, tried again, listed.

A delivery goes when no earlier one of the same aggregate is on its way to the same endpoint; what was parked stands in
nobody's way. The endpoint's row is locked first, always: one process at a time leases for it.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from sqlalchemy import Select, select

from app.core import clock, metrics, settings, states
from app.core.db import ask_one, db, use_case
from app.core.ids import is_id
from app.core.sql import Sql

from . import endpoints, feed, signing
from .dialing import Letter, Outcome
from .errors import EndpointEnded, UnknownDelivery
from .models import WebhookDelivery, WebhookEndpoint
from .states import DELIVERY, DeliveryState, EndpointState

log = structlog.get_logger("app.webhooks")
JOB = "webhooks.send"
AGENT = "Hitotsu-Webhooks/1"

_DUE = Sql(
    "SELECT e.id, e.failures FROM webhook_endpoint e WHERE e.state = 'active' AND (e.rest_until IS NULL OR "
    "e.rest_until <= :now) AND EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.endpoint_id = e.id "
    "AND d.state IN ('queued', 'failed', 'sending') AND d.due_at <= :now) ORDER BY e.failures, e.id"
)
_LOCK = Sql("SELECT id FROM webhook_endpoint WHERE id = :endpoint AND state = 'active' {for_update_skip_locked}")
_IN_FLIGHT = Sql(
    "SELECT count(*) FROM webhook_delivery WHERE endpoint_id = :endpoint AND state = 'sending' AND due_at > :now"
)
_LEASE = Sql(
    "UPDATE webhook_delivery SET state = 'sending', due_at = :until, attempts = attempts + 1, version = version + 1, "
    "updated_at = :now WHERE id IN (SELECT d.id FROM webhook_delivery d WHERE d.endpoint_id = :endpoint "
    "AND d.state IN ('queued', 'failed', 'sending') AND d.due_at <= :now AND NOT EXISTS ("
    "SELECT 1 FROM webhook_delivery f WHERE f.endpoint_id = d.endpoint_id AND f.aggregate_id = d.aggregate_id "
    "AND f.aggregate_type = d.aggregate_type "
    "AND f.sequence < d.sequence AND f.state IN ('queued', 'failed', 'sending')) ORDER BY d.due_at, d.id LIMIT :room "
    "{for_update_skip_locked}) RETURNING id, event_id, version"
)
_WAKE = Sql(
    "UPDATE webhook_delivery SET due_at = :now WHERE endpoint_id = :endpoint AND state = 'failed' AND due_at > :now"
)
_PARK_OLD = Sql(
    "UPDATE webhook_delivery SET state = 'parked', version = version + 1, updated_at = :now "
    "WHERE state IN ('queued', 'failed') AND queued_at < :before"
)
_FORGET = Sql("DELETE FROM webhook_delivery WHERE state IN ('delivered', 'cancelled') AND updated_at < :before")


def waiting() -> list[tuple[str, bool]]:
    """Endpoints with something due, and whether they have been failing; those that answer come first."""
    rows = ask_one(_DUE, {"now": clock.text(clock.now())}).rows
    return [(str(id_), int(failures) >= settings.WEBHOOK_FAILING_AFTER) for id_, failures in rows]


@use_case
def lease(endpoint_id: str, room: int) -> list[Letter]:
    """Take an endpoint's next deliveries, at most `room`, and sign them; nobody else sends them for 30 s."""
    if not ask_one(_LOCK, {"endpoint": endpoint_id}).rows:
        return []
    now = clock.now()
    key = {"endpoint": endpoint_id, "now": clock.text(now)}
    room -= int(ask_one(_IN_FLIGHT, key).rows[0][0])
    if room <= 0:
        return []
    until = clock.text(now + dt.timedelta(seconds=settings.WEBHOOK_LEASE_SECONDS))
    taken = ask_one(_LEASE, {**key, "until": until, "room": room}).rows
    if not taken:
        return []
    endpoint = db.session.get_one(WebhookEndpoint, endpoint_id, populate_existing=True)
    events = feed.by_id(str(event_id) for _, event_id, _ in taken)
    return [_letter(endpoint, str(id_), int(version), events[str(event_id)], now) for id_, event_id, version in taken]


def _letter(endpoint: WebhookEndpoint, id_: str, version: int, event: feed.Told, now: dt.datetime) -> Letter:
    body = orjson.dumps(feed.show(event))
    headers = {
        "content-type": "application/json", "user-agent": AGENT, "x-request-id": id_,
        **signing.headers(event.id, now, body, signing.secrets_of(endpoint, now)),
    }  # fmt: skip
    return Letter(id_, endpoint.id, version, endpoint.url, headers, body)


@use_case
def record(letter: Letter, outcome: Outcome) -> None:
    """Write what came of a try; nothing when somebody else has taken the delivery since, or it was cancelled."""
    endpoint = db.session.get_one(WebhookEndpoint, letter.endpoint_id, with_for_update=True, populate_existing=True)
    row = db.session.get_one(WebhookDelivery, letter.delivery_id, with_for_update=True, populate_existing=True)
    if row.version != letter.version or row.state != DeliveryState.SENDING:
        return
    row.last_status, row.last_error = outcome.status, outcome.error
    if outcome.is_delivered:
        _delivered(endpoint, row)
    else:
        _failed(endpoint, row, outcome)
    metrics.JOBS.labels(JOB, row.state).inc()


def _delivered(endpoint: WebhookEndpoint, row: WebhookDelivery) -> None:
    now = clock.now()
    row.delivered_at = row.due_at = now
    states.move(row, "deliver", DELIVERY)
    if endpoint.failures >= settings.WEBHOOK_FAILING_AFTER:  # it is back: what waits for a later try goes now
        ask_one(_WAKE, {"endpoint": endpoint.id, "now": clock.text(now)})
    endpoint.failures, endpoint.rest_until = 0, None


def _failed(endpoint: WebhookEndpoint, row: WebhookDelivery, outcome: Outcome) -> None:
    now = clock.now()
    endpoint.failures += 1
    over = endpoint.failures - settings.WEBHOOK_REST_AFTER
    if over >= 0:
        rest = min(settings.WEBHOOK_REST_SECONDS * 2 ** min(over, 10), settings.WEBHOOK_REST_MAX_SECONDS)
        endpoint.rest_until = now + dt.timedelta(seconds=rest)
    wait = next_wait(row.attempts, outcome.retry_after)
    row.due_at = now if wait is None else now + wait
    states.move(row, "park" if wait is None else "fail", DELIVERY)
    log.warning("webhook_failed", delivery=row.id, endpoint=endpoint.id, attempts=row.attempts, state=row.state,
                status=outcome.status, error=outcome.error)  # fmt: skip
    if outcome.is_gone:
        endpoints.end(endpoint, "disable")


def next_wait(attempts: int, retry_after: int | None = None) -> dt.timedelta | None:
    """How long to wait after so many attempts; None when there were enough. A little more at random: no herds."""
    if attempts > len(settings.WEBHOOK_RETRY_SECONDS):
        return None
    seconds = max(settings.WEBHOOK_RETRY_SECONDS[attempts - 1], retry_after or 0)
    return dt.timedelta(seconds=seconds * random.uniform(1, 1 + settings.WEBHOOK_RETRY_JITTER))  # noqa: S311  no secret


@use_case
def retry(delivery_id: str) -> WebhookDelivery:
    """Send a delivery again now, whatever came of it. Raises UnknownDelivery, EndpointEnded, IllegalTransition."""
    row = find(delivery_id)
    endpoint = db.session.get_one(WebhookEndpoint, row.endpoint_id, with_for_update=True, populate_existing=True)
    if endpoint.state != EndpointState.ACTIVE:
        raise EndpointEnded(state=endpoint.state)
    row = db.session.get_one(WebhookDelivery, row.id, with_for_update=True, populate_existing=True)
    states.move(row, "retry", DELIVERY)
    row.attempts, row.due_at, row.queued_at, row.delivered_at = 0, clock.now(), clock.now(), None
    endpoint.rest_until = None
    db.session.flush()
    return row


def find(delivery_id: str) -> WebhookDelivery:
    """One delivery to an endpoint of the actor's, or UnknownDelivery."""
    query = visible().where(WebhookDelivery.id == delivery_id)
    row: WebhookDelivery | None = db.session.scalars(query).one_or_none() if is_id(delivery_id) else None
    if row is None:
        raise UnknownDelivery
    return row


def visible(endpoint: str | None = None, wanted: Sequence[str] = ()) -> Select[Any]:
    """Deliveries to the actor's endpoints, of one of them and in some states where asked for."""
    mine = endpoints.visible().with_only_columns(WebhookEndpoint.id)
    query = select(WebhookDelivery).where(WebhookDelivery.endpoint_id.in_(mine))
    if endpoint is not None:
        query = query.where(WebhookDelivery.endpoint_id == endpoint)
    return query.where(WebhookDelivery.state.in_(wanted)) if wanted else query


@use_case
def tidy() -> None:
    """Park what has waited for days without its turn, and forget what was delivered a month ago."""
    now = clock.now()
    given_up = now - dt.timedelta(hours=settings.WEBHOOK_GIVE_UP_HOURS)
    ask_one(_PARK_OLD, {"now": clock.text(now), "before": clock.text(given_up)})
    ask_one(_FORGET, {"before": clock.text(now - dt.timedelta(days=settings.WEBHOOK_KEEP_DAYS))})


def show(row: WebhookDelivery) -> dict[str, Any]:
    """A delivery as the API shows it."""
    is_open = row.state in {DeliveryState.QUEUED, DeliveryState.FAILED}
    return {
        "id": row.id, "endpoint": row.endpoint_id, "event": row.event_id, "type": row.topic,
        "aggregate": {"type": row.aggregate_type, "id": row.aggregate_id}, "sequence": row.sequence,
        "state": row.state, "attempts": row.attempts, "next_attempt_at": row.due_at if is_open else None,
        "last_status": row.last_status, "last_error": row.last_error, "delivered_at": row.delivered_at,
        "created_at": row.created_at, "updated_at": row.updated_at,
    }  # fmt: skip
