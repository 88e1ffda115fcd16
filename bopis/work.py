"""The store's work on a pickup: accept it, pick it line by line, report what is missing, put it ready."""

from __future__ import annotations

from collections.abc import Sequence

from app import catalog, stock, stores
from app.core import clock
from app.core.db import use_case
from app.core.states import IllegalTransition, move, touch

from . import arrivals, asking, items, opening, passes, pickups
from .errors import LinesOpen, NothingPicked, NothingShort, PickedTooMany, WrongItem
from .models import Pickup, PickupLine
from .states import PICKUP, PickupState, actions

SHORT_REASONS = tuple(reason.value for reason in stock.Doubt)


@use_case
def accept(*, pickup_id: str) -> Pickup:
    """The store takes the work on."""
    row = pickups.locked(pickup_id)
    arrivals.take_in(row)
    pickups.require(row, "accept")
    if row.state == PickupState.AWAITING_CUSTOMER:
        if row.choice_reason != asking.NOT_ACCEPTED:
            state = PickupState.AWAITING_CUSTOMER
            allowed = [action for action in actions(state) if action != "accept"]
            raise IllegalTransition(state=str(state), allowed=allowed, action="accept")
        if any(line.undecided for line in pickups.lines_of(row)):
            row.choice_reason = asking.SHORT  # the store's answer does not answer what is missing
        else:
            row.choose_by = row.choice_reason = None
    row.accept_by = None
    move(row, "accept", PICKUP, event="pickup.accepted", **pickups.facts(row))
    return row


@use_case
def start(*, pickup_id: str) -> Pickup:
    """Picking begins. From here on a hold's claim has no deadline of its own: the pickup's rules count."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "start")
    if row.hold_until is not None:
        stock.extend(row.claim_id, expires_at=None, owner=row.owner)
        row.hold_until = None
    move(row, "start", PICKUP, event="pickup.picking", **pickups.facts(row))
    return row


@use_case
def pick(*, pickup_id: str, scanned: Sequence[items.Item]) -> Pickup:
    """Pieces were taken from the shelf, all that were scanned or none. Raises WrongItem, PickedTooMany."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "pick")
    lines = pickups.lines_of(row)
    for sku, quantity in items.by_sku(scanned, {line.sku for line in lines}).items():
        for line, pieces in _spread(lines, sku, quantity):
            line.picked += pieces
    row.updated_at = clock.now()
    return row


@use_case
def short(*, pickup_id: str, sku: str, quantity: int, reason: str) -> Pickup:
    """Some pieces cannot be had: the book follows by the reason, and the customer is asked what shall become of them.

    With nothing else to pick the question stands at once, else when the rest is ready. Raises WrongItem, PickedTooMany.
    """
    row = pickups.locked(pickup_id)
    pickups.require(row, "short")
    lines = pickups.lines_of(row)
    if all(line.sku != sku for line in lines):
        raise WrongItem(sku=sku, barcode=None)
    for line, pieces in _spread(lines, sku, quantity):
        line.short += pieces
        line.undecided += pieces
        line.missed += pieces
    stock.void(row.claim_id, {sku: quantity}, owner=row.owner)
    stock.doubt(row.location_id, sku, missing=quantity, reason=reason, cause_ref=("pickup", row.id))
    touch(row, "pickup.short", sku=sku, quantity=quantity, reason=reason, **pickups.facts(row))
    if not any(line.open or line.waiting for line in lines):
        asking.wait_for_customer(row, asking.SHORT)
    return row


@use_case
def substitute(*, pickup_id: str, sku: str, instead: str) -> Pickup:
    """Offer another SKU for the missing pieces of one; the customer may choose it, at the price of what was ordered.

    Raises NothingShort, UnknownSku.
    """
    row = pickups.locked(pickup_id)
    pickups.require(row, "substitute")
    catalog.require([instead])
    missing = [line for line in pickups.lines_of(row) if line.sku == sku and line.undecided]
    if not missing or instead == sku:
        raise NothingShort(sku=sku)
    for line in missing:
        line.substitute = instead
    touch(row, "pickup.substitute_offered", sku=sku, substitute=instead, **pickups.facts(row))
    return row


@use_case
def ready(*, pickup_id: str, shelf: str | None) -> Pickup:
    """Everything is picked or reported short: the goods wait, and their deadline is set. What is short is asked.

    Raises NothingPicked, LinesOpen.
    """
    row = pickups.locked(pickup_id)
    pickups.require(row, "ready")
    lines = pickups.lines_of(row)
    if not any(line.waiting for line in lines):
        raise NothingPicked
    missing = [{"line_ref": line.line_ref, "sku": line.sku, "open": line.open} for line in lines if line.open]
    if missing:
        raise LinesOpen(lines=missing)
    keep_ready(row)
    row.shelf = shelf
    undecided = any(line.undecided for line in lines)
    if not undecided:
        row.choose_by = row.choice_reason = None
    facts = pickups.facts(row)
    move(row, "ready", PICKUP, event="pickup.ready", expires_at=clock.public(row.expires_at), **facts)
    if undecided:
        asking.ask(row, asking.SHORT)
    return row


def keep_ready(row: Pickup) -> None:
    """The goods of a locked pickup wait from now on, and have their deadline."""
    place = stores.get(row.location_id)
    row.ready_at = clock.now()
    since = max(row.ready_at, row.slot_at) if row.slot_at is not None else row.ready_at
    row.expires_at = stores.deadline(place, since, opening.days_for(row, place))


@use_case
def reissue(*, pickup_id: str) -> Pickup:
    """A new token and PIN; the old ones are dead at once."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "reissue")
    passes.renew(row)
    move(row, "reissue", PICKUP, event="pickup.reissued", **pickups.facts(row))
    return row


@use_case
def unlock(*, pickup_id: str) -> Pickup:
    """Let the PIN be tried again."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "unlock")
    row.pin_tries = 0
    row.updated_at = clock.now()
    return row


def _spread(lines: Sequence[PickupLine], sku: str, quantity: int) -> list[tuple[PickupLine, int]]:
    """The open pieces of a SKU, line by line. Raises PickedTooMany."""
    mine = [line for line in lines if line.sku == sku and line.open]
    if quantity > sum(line.open for line in mine):
        raise PickedTooMany(sku=sku, quantity=quantity, open=sum(line.open for line in mine))
    taken = []
    for line in mine:
        pieces = min(quantity, line.open)
        quantity -= pieces
        if pieces:
            taken.append((line, pieces))
    return taken
