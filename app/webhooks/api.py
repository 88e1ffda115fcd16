"""Webhook endpoints, deliveries and events over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app

from app.core import http, paging
from app.core.fields import PageQuery
from app.core.http import Api
from app.core.states import IllegalTransition

from . import dealing, deliveries, endpoints, events, schemas
from .addresses import Rules, check_name
from .errors import EndpointEnded, TooManyEndpoints, UnknownDelivery, UnknownEndpoint
from .models import WebhookDelivery, WebhookEndpoint

bp = Api("webhooks", __name__)
_URL = "https://shop.example.com/hooks/hitotsu"


def rules_of(app: Flask) -> Rules:
    """What this installation allows of addresses."""
    return Rules(
        allow_private=bool(app.config["ALLOW_PRIVATE_WEBHOOKS"]), https_only=app.config["APP_ENV"] == "production"
    )


def _check_name(body: dict[str, Any]) -> None:
    check_name(body["url"], rules_of(current_app))


def _about(row: WebhookEndpoint) -> None:
    http.about("webhook_endpoint", row.id)


def _told(made: endpoints.Made) -> http.Reply:
    _about(made.endpoint)
    return http.Reply({**endpoints.show(made.endpoint), "secret": made.secret})


@bp.operation(
    "POST", "/webhook-endpoints", scope="admin", body=schemas.EndpointIn, reply=schemas.SecretOut, status=201,
    problems=[TooManyEndpoints], prepare=_check_name, example={"url": _URL, "events": ["pickup.*", "order.cancelled"]},
)  # fmt: skip
def create_endpoint(body: dict[str, Any]) -> http.Reply:
    """Name an address that shall hear of events; its secret is told this once."""
    return _told(endpoints.create(url=body["url"], events=body["events"]))


@bp.operation(
    "GET", "/webhook-endpoints", scope="admin", query=PageQuery, reply=schemas.EndpointPage
)  # fmt: skip
def list_endpoints(query: dict[str, Any]) -> dict[str, Any]:
    """The endpoints, ascending by their last change."""
    return paging.page(endpoints.visible(), WebhookEndpoint, query, show=endpoints.show)


@bp.operation(
    "GET", "/webhook-endpoints/<endpoint_id>", scope="admin", reply=schemas.EndpointOut, problems=[UnknownEndpoint]
)  # fmt: skip
def get_endpoint(endpoint_id: str) -> dict[str, Any]:
    """One endpoint."""
    return endpoints.show(endpoints.find(endpoint_id))


@bp.operation(
    "DELETE", "/webhook-endpoints/<endpoint_id>", scope="admin", reply=schemas.EndpointOut,
    problems=[UnknownEndpoint, IllegalTransition],
)  # fmt: skip
def delete_endpoint(endpoint_id: str) -> dict[str, Any]:
    """Send nothing more to an endpoint."""
    row = endpoints.delete(endpoint_id)
    _about(row)
    return endpoints.show(row)


@bp.operation(
    "POST", "/webhook-endpoints/<endpoint_id>/rotate-secret", scope="admin", reply=schemas.SecretOut,
    problems=[UnknownEndpoint, EndpointEnded],
)  # fmt: skip
def rotate_secret(endpoint_id: str) -> http.Reply:
    """Give an endpoint a new secret; both sign for 24 hours."""
    return _told(endpoints.rotate(endpoint_id))


@bp.operation(
    "POST", "/webhook-endpoints/<endpoint_id>/replay", scope="admin", body=schemas.ReplayIn,
    reply=schemas.EndpointOut, status=202, problems=[UnknownEndpoint, EndpointEnded],
    example={"since": "2026-11-22T09:00:00+09:00"},
)  # fmt: skip
def replay_events(body: dict[str, Any], endpoint_id: str) -> dict[str, Any]:
    """Send past events again: all since a time, or those of one thing after a sequence."""
    if "since" in body:
        row = endpoints.replay_since(endpoint_id, since=body["since"])
    else:
        whose = body["aggregate"]["type"], body["aggregate"]["id"]
        row = dealing.deal_story(endpoint_id, aggregate=whose, after_sequence=body["after_sequence"])
    _about(row)
    return endpoints.show(row)


@bp.operation(
    "GET", "/webhook-deliveries", scope="admin", query=schemas.DeliveryQuery, reply=schemas.DeliveryPage
)  # fmt: skip
def list_deliveries(query: dict[str, Any]) -> dict[str, Any]:
    """What was sent, what waits and what was given up, ascending by the last change."""
    wanted = [query["state"]] if "state" in query else []
    rows = deliveries.visible(query.get("endpoint"), wanted)
    return paging.page(rows, WebhookDelivery, query, show=deliveries.show)


@bp.operation(
    "GET", "/webhook-deliveries/<delivery_id>", scope="admin", reply=schemas.DeliveryOut, problems=[UnknownDelivery]
)  # fmt: skip
def get_delivery(delivery_id: str) -> dict[str, Any]:
    """One delivery."""
    return deliveries.show(deliveries.find(delivery_id))


@bp.operation(
    "POST", "/webhook-deliveries/<delivery_id>/retry", scope="admin", reply=schemas.DeliveryOut,
    problems=[UnknownDelivery, EndpointEnded, IllegalTransition],
)  # fmt: skip
def retry_delivery(delivery_id: str) -> dict[str, Any]:
    """Send a delivery again now."""
    row = deliveries.retry(delivery_id)
    http.about("webhook_delivery", row.id, row.location_id)
    return deliveries.show(row)


@bp.operation("GET", "/events", scope="orders:read", query=schemas.EventsQuery, reply=schemas.EventsPage)
def list_events(query: dict[str, Any]) -> dict[str, Any]:
    """Everything that happened, in an order in which nothing is passed over."""
    return events.page(query)
