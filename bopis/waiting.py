"""入荷待ち: whoever waits for a SKU at a store is offered what becomes free there, the longest waiting first.

An offer is a hold for a day. When it is not collected its pieces become free again, and the next one is asked.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app import catalog, customers, stock
from app.core import actor, clock, paging, settings
from app.core.db import abandon, db, use_case
from app.core.errors import NotFound, invalid
from app.core.ids import is_id, new_id
from app.core.outbox import Event, emit, on
from app.core.states import move

from . import limits, opening, reservations
from .errors import AlreadyWaiting, PickupNotOffered, TooManyHolds, UnknownWait
from .models import PickupLine, WaitingCustomer
from .states import WAIT, WaitState

log = structlog.get_logger("bopis.waiting")

_WAITING = WaitingCustomer.state == WaitState.WAITING.value


# --- the customer's place ---------------------------------------------------------------------------------------------


@use_case
def join(
    *, location: str, sku: str, quantity: int, channel: str, customer: Mapping[str, Any], language: str
) -> WaitingCustomer:
    """Take a place at the end of a waiting list.

    Raises UnknownLocation, PickupNotOffered, UnknownSku, UnknownCustomer, AlreadyWaiting, TooManyHolds.
    """
    actor.within(channel=channel, missing=NotFound)
    opening.place_for_pickup(location)
    catalog.require([sku])
    if not customer.get("email") and not customer.get("phone"):
        raise invalid("/customer", "no-contact")
    person = customers.find_or_create(customer)
    if person is not None:
        limits.may_wait(person)
        _only_once(person, location, sku)
    now = clock.now()
    row = WaitingCustomer(
        id=new_id(), location_id=location, sku=sku, quantity=quantity, channel=channel, customer_id=person,
        contact_id=customers.keep_contact(customer, customer_id=person), language=language,
        state=WaitState.WAITING.value, version=1, created_at=now, updated_at=now,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    emit(
        "waitlist.joined", aggregate=("waiting_customer", row.id), sequence=1, location=location, id=row.id,
        state=row.state, sku=sku, quantity=quantity,
    )  # fmt: skip
    return row


def _only_once(customer_id: str, location: str, sku: str) -> None:
    known = db.session.scalar(
        select(WaitingCustomer.id).where(
            WaitingCustomer.customer_id == customer_id, WaitingCustomer.location_id == location,
            WaitingCustomer.sku == sku, _WAITING,
        )
    )  # fmt: skip
    if known is not None:
        raise AlreadyWaiting(id=known)


@use_case
def leave(*, wait_id: str) -> WaitingCustomer:
    """Give the place up. Raises UnknownWait, IllegalTransition."""
    row = _locked(find(wait_id).id)
    move(row, "leave", WAIT, event="waitlist.left", sku=row.sku, quantity=row.quantity)
    return row


def find(wait_id: str) -> WaitingCustomer:
    """One place in a waiting list. Raises UnknownWait."""
    row = db.session.get(WaitingCustomer, wait_id) if is_id(wait_id) else None
    if row is None:
        raise UnknownWait
    actor.within(location=row.location_id, channel=row.channel, missing=UnknownWait)
    return row


def show(row: WaitingCustomer) -> dict[str, Any]:
    """One place as the API answers it."""
    return _shown([row])[0]


def page(args: dict[str, Any]) -> dict[str, Any]:
    """A page of waiting customers inside the actor's bounds."""
    who = actor.current()
    query = select(WaitingCustomer)
    if who.locations is not None:
        query = query.where(WaitingCustomer.location_id.in_(who.locations))
    if who.channels is not None:
        query = query.where(WaitingCustomer.channel.in_(who.channels))
    for name, column in (
        ("location", WaitingCustomer.location_id), ("sku", WaitingCustomer.sku), ("state", WaitingCustomer.state),
    ):  # fmt: skip
        if args.get(name):
            query = query.where(column == args[name])
    found = paging.page(query, WaitingCustomer, args)
    return {"items": _shown(found["items"]), "next_cursor": found["next_cursor"]}


def _shown(rows: Sequence[WaitingCustomer]) -> list[dict[str, Any]]:
    places = _positions([row.id for row in rows])
    return [
        {
            "id": row.id, "state": row.state, "location": row.location_id, "sku": row.sku, "quantity": row.quantity,
            "channel": row.channel, "position": places.get(row.id), "pickup": row.pickup_id,
            "created_at": row.created_at, "updated_at": row.updated_at,
        }
        for row in rows
    ]  # fmt: skip


def _positions(ids: Sequence[str]) -> dict[str, int]:
    """Whose turn comes when, of those who still wait; 1 is next."""
    other = aliased(WaitingCustomer)
    query = (
        select(WaitingCustomer.id, func.count(other.id))
        .join(
            other,
            (other.location_id == WaitingCustomer.location_id)
            & (other.sku == WaitingCustomer.sku)
            & (other.state == WaitState.WAITING.value)
            & (other.id <= WaitingCustomer.id),
        )
        .where(WaitingCustomer.id.in_(ids), _WAITING)
        .group_by(WaitingCustomer.id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def is_offer(pickup_id: str) -> bool:
    """Whether this hold was made for somebody who waited."""
    found = select(WaitingCustomer.id).where(WaitingCustomer.pickup_id == pickup_id)
    return db.session.scalar(found) is not None


# --- something is free ------------------------------------------------------------------------------------------------


@on("pickup.expired")
@on("pickup.cancelled")
@on("reshelve.done")
def on_freed(event: Event) -> None:
    """Pieces of a pickup are free again: those who wait for them come next."""
    pickup_id = event.payload.get("pickup_id", event.payload["id"])
    freed = (
        select(WaitingCustomer.sku)
        .join(PickupLine, (PickupLine.sku == WaitingCustomer.sku) & (PickupLine.pickup_id == pickup_id))
        .where(WaitingCustomer.location_id == event.location_id, _WAITING)
        .distinct()
        .order_by(WaitingCustomer.sku)
    )
    for sku in db.session.scalars(freed).all():
        serve(event.location_id, sku)


def sweep() -> int:
    """Serve whoever waits for what is free by now, whatever freed it; returns how many were offered something."""
    wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
    groups = select(WaitingCustomer.location_id, WaitingCustomer.channel, WaitingCustomer.sku).where(_WAITING)
    for location, channel, sku in db.session.execute(groups.distinct().order_by(WaitingCustomer.sku)):
        wanted[location, channel].append(sku)
    free: set[tuple[str, str]] = set()
    for (location, channel), skus in wanted.items():
        for start in range(0, len(skus), settings.MAX_SKUS_ASKED):
            some = skus[start : start + settings.MAX_SKUS_ASKED]
            free |= {(location, sku) for sku, pieces in _free(location, channel, some).items() if pieces}
    offered = 0
    for location, sku in sorted(free):
        try:
            offered += serve(location, sku)
        except Exception as error:  # noqa: BLE001  those who wait for something else are not to blame
            abandon()
            log.warning("waiting_not_served", location=location, sku=sku, error=type(error).__name__)
    return offered


def serve(location: str, sku: str) -> int:
    """Offer what is free to those who wait for it, each as much as they want; returns to how many."""
    waiting = select(WaitingCustomer.id, WaitingCustomer.channel, WaitingCustomer.quantity).where(
        WaitingCustomer.location_id == location, WaitingCustomer.sku == sku, _WAITING
    )
    free: dict[str, int] = {}
    offered = 0
    for wait_id, channel, quantity in db.session.execute(waiting.order_by(WaitingCustomer.id)).all():
        if channel not in free:
            free[channel] = _free(location, channel, [sku])[sku]
        if quantity <= free[channel] and offer(wait_id=wait_id):
            offered += 1
            free.clear()
    return offered


def _free(location: str, channel: str, skus: Sequence[str]) -> dict[str, int]:
    return stock.find_available(skus=skus, channel=channel, location=location, near=None, limit=1).totals


@use_case
def offer(*, wait_id: str) -> bool:
    """Keep the goods for one who waits, if they are still free and still wanted; says whether it did.

    Whoever comes second waits for the row, finds it offered and goes on to the next.
    """
    row = _locked(wait_id)
    if row.state != WaitState.WAITING:
        return False
    holder = reservations.Holder(
        customer_id=row.customer_id,
        contact_id=row.contact_id,
        phone_mark=customers.phone_tail(customers.contact(row.contact_id).phone),
        language=row.language,
    )
    until = clock.now() + dt.timedelta(hours=settings.WAITLIST_HOURS)
    try:
        pickup = reservations.hold_for(
            location=row.location_id, lines=[(row.sku, row.quantity)], channel=row.channel, until=until, holder=holder
        )
    except (stock.InsufficientStock, PickupNotOffered, TooManyHolds):
        return False
    row.pickup_id = pickup.id
    move(row, "offer", WAIT, event="waitlist.offered", sku=row.sku, quantity=row.quantity, pickup_id=pickup.id)
    return True


def _locked(wait_id: str) -> WaitingCustomer:
    return db.session.scalars(
        select(WaitingCustomer)
        .where(WaitingCustomer.id == wait_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
