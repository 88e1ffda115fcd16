"""Claims by request: a cart's, one awaiting its order, or a hold (取り置き) that opens a pickup at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from app import catalog, customers, stock, stores
from app.core import actor, clock, settings
from app.core.db import use_case
from app.core.errors import NotFound, invalid
from app.core.ids import new_id
from app.core.states import touch

from . import ending, opening, pickups
from .models import Pickup
from .states import PickupState

_SECONDS = {"cart": settings.CART_SECONDS, "pickup": settings.PICKUP_CLAIM_SECONDS}
Lines = Sequence[tuple[str, int]]


def claim(
    *, location: str, lines: Lines, kind: str, channel: str, expires_in: int | None, external_ref: str | None
) -> stock.ClaimView:
    """Promise the pieces to a cart, or to an order that is about to come.

    Raises UnknownLocation, UnknownSku, InsufficientStock; PickupNotOffered where an order could not be collected.
    """
    actor.within(channel=channel, missing=NotFound)
    if kind == "pickup":
        opening.place_for_pickup(location)
    until = clock.now() + dt.timedelta(seconds=expires_in or _SECONDS[kind])
    return stock.reserve(
        location=location, lines=lines, kind=kind, channel=channel, expires_at=until, external_ref=external_ref
    )


@use_case
def hold(
    *,
    location: str,
    lines: Lines,
    channel: str,
    expires_in: int | None,
    external_ref: str | None,
    customer: Mapping[str, Any] | None,
    language: str,
) -> tuple[stock.ClaimView, Pickup]:
    """Keep goods for somebody who pays in the store: a claim, and its pickup in the same transaction.

    Raises UnknownLocation, PickupNotOffered, UnknownSku, InsufficientStock, UnknownCustomer.
    """
    actor.within(channel=channel, missing=NotFound)
    place = opening.place_for_pickup(location)
    now = clock.now()
    until = now + dt.timedelta(seconds=expires_in) if expires_in else _deadline(place, now)
    pickup_id = new_id()
    held = stock.reserve(
        location=location, lines=lines, kind="hold", channel=channel, expires_at=until, external_ref=external_ref,
        owner=("pickup", pickup_id),
    )  # fmt: skip
    person = customers.find_or_create(customer)
    known = catalog.get(held.lines)
    amount_due = sum(known[sku].list_price * quantity for sku, quantity in held.lines.items())
    if amount_due > settings.MAX_YEN:
        raise invalid("/lines", "out-of-range")
    case = opening.Case(
        kind="hold", location_id=location, channel=channel, claim_id=held.id, placed_at=now, hold_until=until,
        external_ref=external_ref, contact_id=customers.keep_contact(customer or {}, customer_id=person),
        phone_mark=customers.phone_tail((customer or {}).get("phone")), language=language,
        amount_due=amount_due,
    )  # fmt: skip
    wanted = [
        opening.Wanted(str(number), sku, known[sku].name, quantity)
        for number, (sku, quantity) in enumerate(held.lines.items(), start=1)
    ]
    return held, opening.open_pickup(case, wanted, pickup_id=pickup_id)


def _deadline(place: stores.Place, now: dt.datetime) -> dt.datetime:
    return stores.deadline(place, now, stores.hold_days(place, "hold"))


def find(reservation_id: str) -> stock.ClaimView:
    """The claim as it stands; a past-due one is expired. Raises UnknownReservation."""
    found = stock.find(reservation_id)
    if not actor.current().sees_channel(found.channel):
        raise stock.UnknownReservation
    return found


@use_case
def release(*, reservation_id: str) -> stock.ClaimView:
    """Free the pieces; a hold's pickup is cancelled with it. Raises ReservationEnded, ReservationAttached."""
    found = find(reservation_id)
    if found.state == "reserved" and found.owner_type == "pickup" and found.owner_id is not None:
        ending.cancel(pickup_id=found.owner_id, reason="released")
        return stock.find(reservation_id)
    return stock.release(reservation_id)


@use_case
def extend(*, reservation_id: str, expires_in: int) -> stock.ClaimView:
    """Another deadline, counted from now; a hold's ends mattering when picking starts.

    Raises ReservationEnded, ReservationAttached.
    """
    found = find(reservation_id)
    until = clock.now() + dt.timedelta(seconds=expires_in)
    if found.owner_type != "pickup" or found.owner_id is None:
        return stock.extend(reservation_id, expires_at=until)
    row = pickups.locked(found.owner_id)
    if row.state not in {PickupState.REQUESTED, PickupState.ACCEPTED}:
        return stock.extend(reservation_id, expires_at=until)
    longer = stock.extend(reservation_id, expires_at=until, owner=row.owner)
    row.hold_until = until
    touch(row, "pickup.extended", **pickups.facts(row))
    return longer
