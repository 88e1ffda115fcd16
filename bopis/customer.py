"""The customer's own acts: "I am here", and the wish to cancel when picking has begun already."""

from __future__ import annotations

from app.core import clock
from app.core.db import use_case
from app.core.states import move

from . import ending, pickups, sealing
from .errors import NoCancelAsked
from .models import Pickup
from .states import PICKUP, PickupState

ASKED = "customer"


@use_case
def arrive(*, pickup_id: str, note: str | None) -> Pickup:
    """The customer stands in the store or in a bay; told once, later calls only change the note."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "arrived")
    if note is not None:
        row.arrival_sealed = sealing.note(note)
    if row.arrived_at is None:
        row.arrived_at = clock.now()
        move(row, "arrived", PICKUP, event="pickup.arrived", **pickups.facts(row))
    row.updated_at = clock.now()
    return row


@use_case
def request_cancel(*, pickup_id: str, reason: str | None) -> Pickup:
    """Until picking begins it is cancelled; from then on the store is asked. Raises IllegalTransition."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "request-cancel")
    if PICKUP[PickupState(row.state), "request-cancel"] == PickupState.CANCELLED:
        return ending.cancel(pickup_id=row.id, reason=reason or ASKED)
    row.reason = reason or row.reason
    if row.cancel_asked_at is None:
        row.cancel_asked_at = clock.now()
        move(row, "request-cancel", PICKUP, event="pickup.cancel_requested", **pickups.facts(row))
    row.updated_at = clock.now()
    return row


@use_case
def decline_cancel(*, pickup_id: str, reason: str) -> Pickup:
    """The store says no: the pickup goes on. Raises NoCancelAsked, IllegalTransition."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "decline-cancel")
    if row.cancel_asked_at is None:
        raise NoCancelAsked
    row.cancel_asked_at, row.reason = None, reason
    move(row, "decline-cancel", PICKUP, event="pickup.cancel_declined", **pickups.facts(row))
    return row
