"""Opening a pickup: for an order, in the order's own transaction, or for an unpaid hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from app import stores
from app.core import clock, vault
from app.core.db import db
from app.core.errors import invalid
from app.core.ids import new_id, sha256
from app.core.outbox import emit

from . import passes, pickups
from .errors import PickupNotOffered
from .models import Pickup, PickupLine
from .states import PickupState


@dataclass(frozen=True, slots=True)
class Wanted:
    """Pieces of one line."""

    line_ref: str
    sku: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Case:
    """Whose pickup it is, and what belongs to it from the start."""

    kind: str
    location_id: str
    channel: str
    claim_id: str
    placed_at: dt.datetime
    pickup_at: dt.datetime | None = None
    hold_until: dt.datetime | None = None
    order_id: str | None = None
    order_number: str | None = None
    external_ref: str | None = None
    contact_id: str | None = None
    customer_id: str | None = None
    phone_mark: str | None = None
    amount_due: int = 0
    language: str = "ja"
    transfer_id: str | None = None


def place_for_pickup(location_id: str) -> stores.Place:
    """The store, if it hands over and ever opens. Raises UnknownLocation, PickupNotOffered."""
    place = stores.get(location_id)
    if not place.pickup_enabled or stores.promise(place, clock.now()) is None:
        raise PickupNotOffered(location=location_id)
    return place


def check_time(place: stores.Place, pickup_at: dt.datetime | None) -> None:
    """Refuse a wish to come when it is too late, or when the doors are closed."""
    if pickup_at is None:
        return
    if pickup_at < clock.now():
        raise invalid("/fulfilment/pickup_at", "past")
    if not place.calendar.is_open(pickup_at):
        raise invalid("/fulfilment/pickup_at", "closed")


def days_for(row: Pickup, place: stores.Place) -> int:
    """How many days ready goods wait: an unpaid hold shorter than a paid order, goods sent here longer."""
    return stores.hold_days(place, "transfer" if row.transfer_id is not None else row.kind)


def begin_of(place: stores.Place, at: dt.datetime, *, sent: bool) -> dt.datetime:
    """From when the store can work on it: at once, or when goods sent from elsewhere are there."""
    return stores.arrival(place, at) if sent else at


def keep_until(place: stores.Place, kind: str, ready_by: dt.datetime | None) -> dt.datetime | None:
    """Until when goods that are ready at `ready_by` would wait."""
    return stores.deadline(place, ready_by, stores.hold_days(place, kind)) if ready_by is not None else None


def not_before(ready_by: dt.datetime | None, pickup_at: dt.datetime | None) -> dt.datetime | None:
    """Goods asked for at a later time are promised for that time."""
    return max(ready_by, pickup_at) if ready_by is not None and pickup_at is not None else ready_by


def open_pickup(case: Case, lines: Sequence[Wanted], *, pickup_id: str | None = None) -> Pickup:
    """Make the work item, take its picking hour and its slot, and tell of it. The claim exists already.

    Raises SlotFull, SlotClosed, SlotUnknown.
    """
    place = stores.get(case.location_id)
    now = clock.now()
    sent = case.transfer_id is not None
    # The promise is made now: when the channel says the order was placed is its word, and may be long ago.
    work = stores.book_work(place, begin_of(place, now, sent=sent))
    ready_by = not_before(work.ready_by, case.pickup_at)
    row = Pickup(
        id=pickup_id or new_id(), location_id=case.location_id, kind=case.kind, channel=case.channel,
        state=(PickupState.AWAITING_TRANSFER if sent else PickupState.REQUESTED).value,
        order_id=case.order_id, order_number=case.order_number, external_ref=case.external_ref,
        claim_id=case.claim_id, code=passes.free_code(), kid=vault.KID, generation=1, pin_tries=0,
        contact_id=case.contact_id, phone_mark=case.phone_mark, amount_due=case.amount_due, language=case.language,
        placed_at=case.placed_at, pickup_at=case.pickup_at, ready_by=ready_by, picking_hour=work.hour,
        collect_by_estimate=keep_until(place, "transfer" if sent else case.kind, ready_by),
        slot_at=stores.book_slot(place, case.pickup_at) if case.pickup_at is not None else None,
        accept_by=None if sent else stores.accept_by(place, now), transfer_id=case.transfer_id,
        hold_until=case.hold_until, customer_id=case.customer_id, escalated=0, extensions=0, version=1,
        created_at=now, updated_at=now,
    )  # fmt: skip
    row.token_hash = sha256(passes.token_for(row.id, row.generation))
    db.session.add(row)
    db.session.flush()
    add_lines(row, lines)
    emit(
        "pickup.requested", aggregate=("pickup", row.id), sequence=1, location=row.location_id, id=row.id,
        state=row.state, **pickups.facts(row),
    )  # fmt: skip
    return row


def leave(row: Pickup) -> None:
    """Give the picking hour and the slot back, as far as nobody worked or came for them yet."""
    now = clock.now()
    if row.picking_hour is not None and row.picking_hour > now and row.ready_at is None:
        stores.free_work(row.location_id, row.picking_hour)
    if row.slot_at is not None and row.slot_at > now:
        stores.free_slot(row.location_id, row.slot_at)
    row.picking_hour = row.slot_at = None


def add_lines(row: Pickup, lines: Sequence[Wanted]) -> None:
    """Write lines of which nothing is picked yet."""
    db.session.add_all(
        PickupLine(
            id=new_id(), location_id=row.location_id, pickup_id=row.id, line_ref=line.line_ref,
            order_ref=line.line_ref, sku=line.sku, name=line.name, ordered=line.quantity, picked=0, short=0,
            undecided=0, collected=0,
        )
        for line in lines
    )  # fmt: skip
    db.session.flush()
