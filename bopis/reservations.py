"""Claims by request: a cart's, one awaiting its order, or a hold (取り置き) that opens a pickup at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import catalog, customers, stock, stores
from app.core import actor, clock, settings
from app.core.db import use_case
from app.core.errors import NotFound, invalid
from app.core.ids import new_id
from app.core.states import touch

from . import ending, limits, opening, pickups
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


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom goods are kept; all None where nobody said."""

    customer_id: str | None
    contact_id: str | None
    phone_mark: str | None
    language: str


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

    Raises UnknownLocation, PickupNotOffered, UnknownSku, InsufficientStock, UnknownCustomer, TooManyHolds.
    """
    actor.within(channel=channel, missing=NotFound)
    place = opening.place_for_pickup(location)
    now = clock.now()
    until = now + dt.timedelta(seconds=expires_in) if expires_in else _deadline(place, now)
    held, pickup_id = _reserve(location, lines, channel, until, external_ref)
    facts = customer or {}
    person = customers.find_or_create(facts)
    holder = Holder(
        person, customers.keep_contact(facts, customer_id=person), customers.phone_tail(facts.get("phone")), language
    )
    return held, _open(held, holder, pickup_id)


@use_case
def hold_for(*, location: str, lines: Lines, channel: str, until: dt.datetime, holder: Holder) -> Pickup:
    """Keep goods until then for somebody who is known. Raises PickupNotOffered, InsufficientStock, TooManyHolds."""
    opening.place_for_pickup(location)
    held, pickup_id = _reserve(location, lines, channel, until, None)
    return _open(held, holder, pickup_id)


def _reserve(
    location: str, lines: Lines, channel: str, until: dt.datetime, external_ref: str | None
) -> tuple[stock.ClaimView, str]:
    """The claim, and the id of the pickup that is about to own it."""
    pickup_id = new_id()
    held = stock.reserve(
        location=location, lines=lines, kind="hold", channel=channel, expires_at=until, external_ref=external_ref,
        owner=("pickup", pickup_id),
    )  # fmt: skip
    return held, pickup_id


def _open(held: stock.ClaimView, holder: Holder, pickup_id: str) -> Pickup:
    if holder.customer_id is not None:
        limits.may_hold(holder.customer_id)
    known = catalog.get(held.lines)
    amount_due = sum(known[sku].list_price * quantity for sku, quantity in held.lines.items())
    if amount_due > settings.MAX_YEN:
        raise invalid("/lines", "out-of-range")
    case = opening.Case(
        kind="hold", location_id=held.location_id, channel=held.channel, claim_id=held.id, placed_at=clock.now(),
        hold_until=held.expires_at, external_ref=held.external_ref, contact_id=holder.contact_id,
        customer_id=holder.customer_id, phone_mark=holder.phone_mark, language=holder.language, amount_due=amount_due,
    )  # fmt: skip
    wanted = [
        opening.Wanted(str(number), sku, known[sku].name, quantity)
        for number, (sku, quantity) in enumerate(held.lines.items(), start=1)
    ]
    return opening.open_pickup(case, wanted, pickup_id=pickup_id)


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
