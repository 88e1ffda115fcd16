"""HTTP for reservations. Claiming for a cart is the product's hottest call: parse, one claim, a plain answer."""

from __future__ import annotations

from typing import Any

from app import catalog, customers, stock, stores
from app.core import texts
from app.core.http import Api, about

from . import queries, reservations
from .errors import PickupNotOffered, TooManyHolds
from .reservation_schemas import ExtensionIn, ReservationIn, ReservationOut

bp = Api("reservations", __name__)
_SCOPE = "reservations:write"


@bp.operation(
    "POST",
    "/reservations",
    scope=_SCOPE,
    body=ReservationIn,
    reply=ReservationOut,
    status=201,
    key="required",
    problems=[
        stores.UnknownLocation,
        catalog.UnknownSku,
        customers.UnknownCustomer,
        stock.InsufficientStock,
        PickupNotOffered,
        TooManyHolds,
    ],
    example={"location": "SHIBUYA", "kind": "cart", "lines": [{"sku": "TEE-NAVY-M", "quantity": 1}]},
)  # fmt: skip
def create_reservation(body: dict[str, Any]) -> dict[str, Any]:
    """Keep stock for a cart, for an order about to come, or for somebody who pays in the store (`hold`)."""
    customer = body.pop("customer")
    body["lines"] = [(line["sku"], line["quantity"]) for line in body["lines"]]
    if body["kind"] != "hold":
        claim = reservations.claim(**body)
        about("claim", claim.id, claim.location_id)
        return _show(claim)
    del body["kind"]
    claim, pickup = reservations.hold(customer=customer, language=texts.language(), **body)
    about("claim", claim.id, claim.location_id)
    return {**_show(claim), "pickup": queries.for_order(pickup)}


@bp.operation(
    "GET", "/reservations/<reservation_id>", scope=_SCOPE, reply=ReservationOut, problems=[stock.UnknownReservation]
)
def get_reservation(reservation_id: str) -> dict[str, Any]:
    """One reservation as it stands; a past-due one is expired."""
    return _show(reservations.find(reservation_id))


@bp.operation(
    "POST",
    "/reservations/<reservation_id>/release",
    scope=_SCOPE,
    reply=ReservationOut,
    key="required",
    problems=[stock.UnknownReservation, stock.ReservationEnded, stock.ReservationAttached],
)
def release_reservation(reservation_id: str) -> dict[str, Any]:
    """Free the stock; a hold's pickup is cancelled with it."""
    claim = reservations.release(reservation_id=reservation_id)
    about("claim", claim.id, claim.location_id)
    return _show(claim)


@bp.operation(
    "POST",
    "/reservations/<reservation_id>/extend",
    scope=_SCOPE,
    body=ExtensionIn,
    reply=ReservationOut,
    key="required",
    problems=[stock.UnknownReservation, stock.ReservationEnded, stock.ReservationAttached],
    example={"expires_in": 900},
)
def extend_reservation(body: dict[str, Any], reservation_id: str) -> dict[str, Any]:
    """Keep the stock for so many seconds from now."""
    claim = reservations.extend(reservation_id=reservation_id, expires_in=body["expires_in"])
    about("claim", claim.id, claim.location_id)
    return _show(claim)


def _show(claim: stock.ClaimView) -> dict[str, Any]:
    open_ = claim.open if claim.state == "reserved" else {}
    return {
        "id": claim.id,
        "state": claim.state,
        "kind": claim.kind,
        "location": claim.location_id,
        "channel": claim.channel,
        "lines": [{"sku": sku, "quantity": q, "open": open_.get(sku, 0)} for sku, q in claim.lines.items()],
        "expires_at": claim.expires_at,
        "external_ref": claim.external_ref,
    }
