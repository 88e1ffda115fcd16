"""HTTP for what a customer does with a pickup; their channel's server calls it for them."""

from __future__ import annotations

from typing import Any

from app.core.http import about

from . import customer, customer_schemas, errors, extending, proxies, queries
from .api import act, done


@act("arrived", body=customer_schemas.ArrivedIn, example={"note": "駐車場 3番"})
def arrived_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """The customer is here; said again, only the note changes."""
    return done(customer.arrive(pickup_id=pickup_id, note=body.get("note")))


@act(
    "proxy",
    errors.TooManyProxies,
    errors.UnknownProxy,
    body=customer_schemas.ProxyIn,
    reply=customer_schemas.PickupWithProxyOut,
    example={"lend_minutes": 120},
)
def proxy_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """Let somebody else collect, by name or with a pass lent for a while; or take that back."""
    made = None
    if "remove" in body:
        row = proxies.take_back(pickup_id=pickup_id, which=body["remove"])
    elif "name" in body:
        row, made = proxies.name_one(pickup_id=pickup_id, name=body["name"])
    else:
        row, made = proxies.lend(pickup_id=pickup_id, minutes=body["lend_minutes"])
    about("pickup", row.id, row.location_id)
    return {**queries.show(row), "proxy": proxies.view_with_token(made) if made is not None else None}


@act(
    "extend",
    errors.ExtensionLimit,
    body=customer_schemas.ExtendIn,
    example={"until": "2026-12-01T21:00:00+09:00"},
)
def extend_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """Keep ready goods longer: until the store's `until`, or by the customer's one extension without it."""
    if "until" in body:
        return done(extending.extend(pickup_id=pickup_id, until=body["until"]))
    return done(extending.extend_once(pickup_id=pickup_id))


@act("request-cancel", body=customer_schemas.RequestCancelIn, example={"reason": "間違えて注文した"})
def request_cancel_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """The customer's wish: before picking it is cancelled, afterwards the store is asked."""
    return done(customer.request_cancel(pickup_id=pickup_id, reason=body.get("reason")))


@act("decline-cancel", errors.NoCancelAsked, body=customer_schemas.DeclineIn, example={"reason": "梱包済み"})
def decline_cancel_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """The store does not cancel; the pickup goes on."""
    return done(customer.decline_cancel(pickup_id=pickup_id, reason=body["reason"]))
