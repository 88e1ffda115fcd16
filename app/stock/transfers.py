"""Transfers: goods from one of our places to another, with the road between.

Asking for one is a promise of the sender's stock; sending and receiving are facts. What left and has not arrived is on
the road and counts as `incoming`; a receipt is final, and what is missing or over is written down, so that the ledger
loses no piece: out at the sender, in at the receiver for all that was sent, then the difference.

Goods may travel for somebody (an order that is collected elsewhere): the order's claim becomes the transfer's, and
what arrives of the promised pieces is the order's again, in the transaction of the receipt.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from app import catalog, stores
from app.core import actor, clock, states
from app.core.db import db, use_case
from app.core.errors import invalid
from app.core.ids import new_id
from app.core.outbox import emit

from . import claims, ledger, levels, passing, roads, rules
from .errors import ReservationAttached, SameLocation, UnknownTransfer
from .models import Transfer, TransferLine
from .states import TRANSFER, TransferState

OWNER = "transfer"
ARRIVED_KIND = "pickup"
Owner = tuple[str, str]


@use_case
def request(
    *,
    sender: str,
    receiver: str,
    lines: Sequence[tuple[str, int]],
    note: str | None = None,
    expected_at: dt.datetime | None = None,
) -> Transfer:
    """Promise the sender's pieces to the receiver. Nothing is kept back from our own places.

    Raises SameLocation, UnknownLocation, UnknownSku, InsufficientStock.
    """
    transfer = _new(sender, receiver, expected_at)
    transfer.note = note
    claim = claims.reserve(
        location=sender, lines=lines, kind="transfer", channel=rules.INTERNAL, expires_at=None,
        owner=(OWNER, transfer.id),
    )  # fmt: skip
    _begin(transfer, claim, promised=False)
    return transfer


@use_case
def send_for(claim_id: str, *, owner: Owner, receiver: str, expected_at: dt.datetime | None) -> str:
    """Let the goods of `owner`'s claim travel to `receiver`, where they are its own again on arrival.

    Returns the transfer's id. Raises SameLocation, UnknownLocation, ReservationEnded, ReservationAttached.
    """
    claim = claims.find_anywhere(claim_id, lock=True)
    transfer = _new(claim.location_id, receiver, expected_at)
    claim = claims.attach(claim_id, owner=(OWNER, transfer.id), kind="transfer", previous=owner)
    transfer.for_type, transfer.for_id = owner
    transfer.for_kind, transfer.channel = ARRIVED_KIND, claim.channel
    _begin(transfer, claim, promised=True)
    return transfer.id


@use_case
def ship(transfer_id: str, *, sent: Mapping[str, int] | None = None) -> Transfer:
    """The goods left the sender: `sent` by SKU, or all. What stays behind is free there, and promised no longer.

    Raises UnknownTransfer, IllegalTransition, Invalid (nothing sent, more than asked for, another SKU).
    """
    transfer = roads.held(transfer_id)
    _at(transfer.location_id)
    transfer.shipped_at = clock.now()
    states.move(transfer, "ship", TRANSFER)
    claim = claims.find(transfer.claim_id, lock=True)
    left = _left(claim.open, sent)
    rest = {sku: pieces - left.get(sku, 0) for sku, pieces in claim.open.items() if pieces > left.get(sku, 0)}
    levels.lock([(place, sku) for sku in claim.open for place in (transfer.location_id, transfer.to_location_id)])
    cause = ledger.Cause(kind="transfer_out", type=OWNER, id=transfer.id)
    claims.post(claim.id, left, cause, owner=(OWNER, transfer.id))
    if rest:
        claims.void(claim.id, rest, owner=(OWNER, transfer.id))
    lines = roads.lines_of(transfer)
    for line in lines:
        line.shipped = left.get(line.sku, 0)
        line.promised = min(line.promised, line.shipped)
    levels.add({(transfer.to_location_id, sku): 0 for sku in claim.lines})  # `incoming` changed there: the feed tells
    _tell(transfer, "transfer.shipped", lines, expected_at=clock.public(transfer.expected_at))
    return transfer


@use_case
def receive(transfer_id: str, *, arrived: Mapping[str, int] | None = None) -> Transfer:
    """The goods are here: `arrived` by SKU, or just what was sent. Other SKUs than sent count as over.

    Promised pieces that came are a claim of whom they came for. Raises UnknownTransfer, IllegalTransition, UnknownSku.
    """
    transfer = roads.held(transfer_id)
    _at(transfer.to_location_id)
    transfer.received_at = clock.now()
    states.move(transfer, "receive", TRANSFER)
    sent = {line.sku: line for line in roads.lines_of(transfer)}
    counted = dict(arrived) if arrived is not None else {sku: line.shipped for sku, line in sent.items()}
    catalog.require(list(counted))
    for sku in sorted(counted.keys() - sent.keys()):
        sent[sku] = _line(transfer, sku, 0, 0)
        db.session.add(sent[sku])
    for sku, line in sent.items():
        line.received = counted.get(sku, 0)
    levels.lock([(transfer.to_location_id, sku) for sku in sent])
    _claim_arrived(transfer, list(sent.values()))
    _write_arrival(transfer, sent)
    db.session.flush()
    _tell(transfer, "transfer.received", list(sent.values()), claim=transfer.arrived_claim_id)
    return transfer


@use_case
def cancel(transfer_id: str) -> Transfer:
    """Nothing was sent: the sender's pieces are free again, also those promised on; the event tells for whom.

    Raises UnknownTransfer, IllegalTransition.
    """
    transfer = roads.held(transfer_id)
    _at(transfer.location_id)
    lines = roads.lines_of(transfer)
    states.move(transfer, "cancel", TRANSFER)
    claims.release(transfer.claim_id, owner=(OWNER, transfer.id))
    _tell(transfer, "transfer.cancelled", lines)
    return transfer


@use_case
def give_up(transfer_id: str, parts: Mapping[str, int], *, owner: Owner) -> str:
    """Whom the goods travel for wants fewer of them (`parts` by SKU, at most what is promised).

    `reduced`: not sent yet, they are free at the sender; on the road, they will arrive as free stock. `cancelled`:
    nothing was left to send. `arrived`: nothing was done, the arrived claim is the owner's to reduce.
    Raises UnknownTransfer, ReservationAttached.
    """
    transfer = roads.held_anywhere(transfer_id)
    if (transfer.for_type, transfer.for_id) != owner:
        raise ReservationAttached(id=transfer.claim_id, owner_type=transfer.for_type)
    if transfer.state == TransferState.CANCELLED:
        return "cancelled"
    if transfer.state == TransferState.RECEIVED:
        return "arrived"
    waiting = transfer.state == TransferState.REQUESTED
    lines = roads.lines_of(transfer)
    given = {line.sku: min(line.promised, parts.get(line.sku, 0)) for line in lines}
    given = {sku: pieces for sku, pieces in given.items() if pieces > 0}
    for line in lines:
        line.promised -= given.get(line.sku, 0)
        line.quantity -= given.get(line.sku, 0) if waiting else 0
    if waiting and given:
        claims.void(transfer.claim_id, given, owner=(OWNER, transfer.id))
        if not any(line.quantity for line in lines):
            states.move(transfer, "cancel", TRANSFER)
            _tell(transfer, "transfer.cancelled", lines)
            return "cancelled"
    if given:
        states.touch(transfer, "transfer.changed", **_facts(transfer, lines))
    return "reduced"


def _new(sender: str, receiver: str, expected_at: dt.datetime | None) -> Transfer:
    if sender == receiver:
        raise SameLocation(errors=[{"pointer": "/to", "code": "same-location"}])
    stores.get(receiver)
    now = clock.now()
    return Transfer(
        id=new_id(), location_id=sender, to_location_id=receiver, state=TransferState.REQUESTED, version=1,
        expected_at=expected_at, created_at=now, updated_at=now,
    )  # fmt: skip


def _begin(transfer: Transfer, claim: claims.ClaimView, *, promised: bool) -> None:
    transfer.claim_id = claim.id
    db.session.add(transfer)
    db.session.flush()
    lines = [_line(transfer, sku, pieces, pieces if promised else 0) for sku, pieces in claim.open.items()]
    db.session.add_all(lines)
    _tell(transfer, "transfer.requested", lines, expected_at=clock.public(transfer.expected_at))


def _line(transfer: Transfer, sku: str, quantity: int, promised: int) -> TransferLine:
    return TransferLine(
        id=new_id(), location_id=transfer.location_id, transfer_id=transfer.id, sku=sku, quantity=quantity,
        promised=promised, shipped=0, received=0,
    )  # fmt: skip


def _left(asked: Mapping[str, int], sent: Mapping[str, int] | None) -> dict[str, int]:
    """The pieces that go, by SKU, checked against what was asked for."""
    if sent is None:
        return dict(asked)
    for sku, pieces in sent.items():
        if pieces > asked.get(sku, 0):
            raise invalid("/lines", "more-than-asked", sku=sku, most=asked.get(sku, 0))
    left = {sku: pieces for sku, pieces in sent.items() if pieces}
    if not left:
        raise invalid("/lines", "nothing-sent")
    return left


def _claim_arrived(transfer: Transfer, lines: Sequence[TransferLine]) -> None:
    claimed = {line.sku: min(line.promised, line.received) for line in sorted(lines, key=lambda line: line.sku)}
    claimed = {sku: pieces for sku, pieces in claimed.items() if pieces}
    if transfer.for_type is None or transfer.for_id is None or not claimed:
        return
    claim = passing.keep(
        transfer.to_location_id, transfer.channel or rules.INTERNAL, transfer.for_kind or ARRIVED_KIND, claimed,
        owner=(transfer.for_type, transfer.for_id),
    )  # fmt: skip
    transfer.arrived_claim_id = claim.id


def _write_arrival(transfer: Transfer, lines: Mapping[str, TransferLine]) -> None:
    """All that was sent comes in, then the difference: three documents, judged together."""
    place = transfer.to_location_id
    differences = {sku: line.received - line.shipped for sku, line in lines.items()}
    documents = []
    for kind, parts in (
        ("transfer_in", {sku: line.shipped for sku, line in lines.items()}),
        ("transfer_short", {sku: d for sku, d in differences.items() if d < 0}),
        ("transfer_over", {sku: d for sku, d in differences.items() if d > 0}),
    ):
        goods = [ledger.Goods(place, sku, pieces) for sku, pieces in sorted(parts.items()) if pieces]
        if goods:
            documents.append((goods, ledger.Cause(kind=kind, type=OWNER, id=transfer.id)))
    ledger.record_all(documents)


def _tell(transfer: Transfer, topic: str, lines: Sequence[TransferLine], **more: Any) -> None:
    emit(
        topic, aggregate=(OWNER, transfer.id), sequence=transfer.version, location=transfer.location_id,
        id=transfer.id, state=str(transfer.state), **_facts(transfer, lines), **more,
    )  # fmt: skip


def _facts(transfer: Transfer, lines: Sequence[TransferLine]) -> dict[str, Any]:
    """What every event says: where to, for whom, and the counts by SKU."""
    return {
        "to": transfer.to_location_id,
        "for": roads.whom(transfer),
        "lines": [
            {
                "sku": line.sku, "quantity": line.quantity, "promised": line.promised, "shipped": line.shipped,
                "received": line.received, "claimed": min(line.promised, line.received),
            }
            for line in sorted(lines, key=lambda line: line.sku)
        ],
    }  # fmt: skip


def _at(location: str) -> None:
    actor.within(location=location, missing=UnknownTransfer)
