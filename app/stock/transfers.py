"""Transfers: goods from one of our places to another, with the road between.

Asking for one is a promise of the sender's stock; sending and receiving are facts. What left and has not arrived is on
the road and counts as `incoming`; a receipt is final, and what is missing or over is written down, so that the ledger
loses no piece: out at the sender, in at the receiver for all that was sent, then the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, or_, select

from app import catalog, stores
from app.core import actor, clock, states
from app.core.db import db, use_case
from app.core.ids import is_id, new_id
from app.core.outbox import emit

from . import claims, ledger, levels, rules
from .errors import SameLocation, UnknownTransfer
from .models import Transfer, TransferLine
from .states import TRANSFER, TransferState

OWNER = "transfer"


@use_case
def request(*, sender: str, receiver: str, lines: Sequence[tuple[str, int]], note: str | None = None) -> Transfer:
    """Promise the sender's pieces to the receiver. Nothing is kept back from our own places.

    Raises SameLocation, UnknownLocation, UnknownSku, InsufficientStock.
    """
    if sender == receiver:
        raise SameLocation(errors=[{"pointer": "/to", "code": "same-location"}])
    stores.get(receiver)
    now = clock.now()
    transfer = Transfer(
        id=new_id(), location_id=sender, to_location_id=receiver, state=TransferState.REQUESTED, note=note, version=1,
        created_at=now, updated_at=now,
    )  # fmt: skip
    claim = claims.reserve(
        location=sender, lines=lines, kind="transfer", channel=rules.INTERNAL, expires_at=None,
        owner=(OWNER, transfer.id),
    )  # fmt: skip
    transfer.claim_id = claim.id
    db.session.add(transfer)
    db.session.flush()
    db.session.add_all(
        TransferLine(
            id=new_id(), location_id=sender, transfer_id=transfer.id, sku=sku, quantity=quantity, shipped=0, received=0
        )
        for sku, quantity in claim.lines.items()
    )
    emit(
        "transfer.requested", aggregate=(OWNER, transfer.id), sequence=1, location=sender, id=transfer.id,
        state=transfer.state, to=receiver,
    )  # fmt: skip
    return transfer


@use_case
def ship(transfer_id: str) -> Transfer:
    """The goods left the sender. Raises UnknownTransfer, IllegalTransition."""
    transfer = _held(transfer_id)
    _at(transfer.location_id)
    transfer.shipped_at = clock.now()
    states.move(transfer, "ship", TRANSFER, event="transfer.shipped", to=transfer.to_location_id)
    claim = claims.find(transfer.claim_id, lock=True)
    levels.lock([(place, sku) for sku in claim.open for place in (transfer.location_id, transfer.to_location_id)])
    cause = ledger.Cause(kind="transfer_out", type=OWNER, id=transfer.id)
    claims.post(claim.id, claim.open, cause, owner=(OWNER, transfer.id))
    for line in lines_of(transfer):
        line.shipped = line.quantity
    levels.add({(transfer.to_location_id, sku): 0 for sku in claim.lines})  # `incoming` changed there: the feed tells
    return transfer


@use_case
def receive(transfer_id: str, *, arrived: Mapping[str, int] | None = None) -> Transfer:
    """The goods are here: `arrived` by SKU, or just what was sent. Other SKUs than sent count as over.

    Raises UnknownTransfer, IllegalTransition, UnknownSku.
    """
    transfer = _held(transfer_id)
    _at(transfer.to_location_id)
    transfer.received_at = clock.now()
    states.move(transfer, "receive", TRANSFER, event="transfer.received", to=transfer.to_location_id)
    sent = {line.sku: line for line in lines_of(transfer)}
    counted = dict(arrived) if arrived is not None else {sku: line.shipped for sku, line in sent.items()}
    for sku in sorted(counted.keys() - sent.keys()):
        sent[sku] = TransferLine(
            id=new_id(), location_id=transfer.location_id, transfer_id=transfer.id, sku=sku, quantity=0, shipped=0,
            received=0,
        )  # fmt: skip
    catalog.require(list(counted))
    db.session.add_all(sent.values())
    differences = {}
    for sku, line in sent.items():
        line.received = counted.get(sku, 0)
        differences[sku] = line.received - line.shipped
    place = transfer.to_location_id
    levels.lock([(place, sku) for sku in sent])
    for kind, parts in (
        ("transfer_in", {sku: line.shipped for sku, line in sent.items()}),
        ("transfer_short", {sku: d for sku, d in differences.items() if d < 0}),
        ("transfer_over", {sku: d for sku, d in differences.items() if d > 0}),
    ):
        goods = [ledger.Goods(place, sku, pieces) for sku, pieces in sorted(parts.items()) if pieces]
        if goods:
            ledger.record(goods, ledger.Cause(kind=kind, type=OWNER, id=transfer.id))
    return transfer


@use_case
def cancel(transfer_id: str) -> Transfer:
    """Nothing was sent: the sender's pieces are free again. Raises UnknownTransfer, IllegalTransition."""
    transfer = _held(transfer_id)
    _at(transfer.location_id)
    states.move(transfer, "cancel", TRANSFER, event="transfer.cancelled", to=transfer.to_location_id)
    claims.release(transfer.claim_id, owner=(OWNER, transfer.id))
    return transfer


def find_transfer(transfer_id: str) -> Transfer:
    """One transfer from or to the actor's places, or UnknownTransfer."""
    transfer = db.session.get(Transfer, transfer_id) if is_id(transfer_id) else None
    return _seen(transfer)


def transfers_query(location: str | None, state: str | None) -> Select[Any]:
    """Transfers from or to the actor's places, to be paged; `location` is either end."""
    query = select(Transfer)
    bounds = actor.current().locations
    if bounds is not None:
        query = query.where(or_(Transfer.location_id.in_(bounds), Transfer.to_location_id.in_(bounds)))
    if location is not None:
        query = query.where(or_(Transfer.location_id == location, Transfer.to_location_id == location))
    if state is not None:
        query = query.where(Transfer.state == state)
    return query


def lines_of(transfer: Transfer) -> list[TransferLine]:
    """Its lines by SKU."""
    return list(
        db.session.scalars(
            select(TransferLine).where(TransferLine.transfer_id == transfer.id).order_by(TransferLine.sku)
        )
    )


def lines_by_transfer(transfers: Sequence[Transfer]) -> dict[str, list[TransferLine]]:
    """The lines of a page of transfers in one read."""
    found: dict[str, list[TransferLine]] = {transfer.id: [] for transfer in transfers}
    query = select(TransferLine).where(TransferLine.transfer_id.in_(list(found))).order_by(TransferLine.sku)
    for line in db.session.scalars(query):
        found[line.transfer_id].append(line)
    return found


def _held(transfer_id: str) -> Transfer:
    if not is_id(transfer_id):
        raise UnknownTransfer
    query = select(Transfer).where(Transfer.id == transfer_id).with_for_update()
    return _seen(db.session.scalars(query.execution_options(populate_existing=True)).one_or_none())


def _seen(transfer: Transfer | None) -> Transfer:
    who = actor.current()
    if transfer is None or not (who.sees_location(transfer.location_id) or who.sees_location(transfer.to_location_id)):
        raise UnknownTransfer
    return transfer


def _at(location: str) -> None:
    actor.within(location=location, missing=UnknownTransfer)
