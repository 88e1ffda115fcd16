"""Transfers as they are read: one, a list of them, their lines; with bounds for callers, without for owners."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select

from app.core import actor
from app.core.db import db
from app.core.ids import is_id

from .errors import UnknownTransfer
from .models import Transfer, TransferLine


@dataclass(frozen=True, slots=True)
class RoadLine:
    """Pieces of one SKU: asked for, promised on, sent, arrived, and claimed on arrival."""

    sku: str
    quantity: int
    promised: int
    shipped: int
    received: int
    claimed: int


@dataclass(frozen=True, slots=True)
class TransferView:
    """A transfer as other packages see it; `owner` is whom it travels for."""

    id: str
    state: str
    sender: str
    receiver: str
    owner: tuple[str, str] | None
    claim_id: str
    arrived_claim_id: str | None
    expected_at: dt.datetime | None
    shipped_at: dt.datetime | None
    received_at: dt.datetime | None
    lines: tuple[RoadLine, ...]


def view(transfer_id: str, *, lock: bool = False) -> TransferView:
    """One transfer without bounds, for whom it travels for; with `lock` nobody moves it. Raises UnknownTransfer."""
    if lock:
        row: Transfer | None = held_anywhere(transfer_id)
    else:
        row = db.session.get(Transfer, transfer_id) if is_id(transfer_id) else None
    if row is None:
        raise UnknownTransfer
    return TransferView(
        id=row.id, state=str(row.state), sender=row.location_id, receiver=row.to_location_id,
        owner=(row.for_type, row.for_id) if row.for_type and row.for_id else None, claim_id=row.claim_id,
        arrived_claim_id=row.arrived_claim_id, expected_at=row.expected_at, shipped_at=row.shipped_at,
        received_at=row.received_at,
        lines=tuple(
            RoadLine(
                line.sku, line.quantity, line.promised, line.shipped, line.received, min(line.promised, line.received)
            )
            for line in lines_of(row)
        ),
    )  # fmt: skip


def whom(transfer: Transfer) -> dict[str, str | None] | None:
    """Whom it travels for, as events and answers say it."""
    return None if transfer.for_type is None else {"type": transfer.for_type, "id": transfer.for_id}


def find_transfer(transfer_id: str) -> Transfer:
    """One transfer from or to the actor's places, or UnknownTransfer."""
    return _seen(db.session.get(Transfer, transfer_id) if is_id(transfer_id) else None)


def held(transfer_id: str) -> Transfer:
    """The same, locked."""
    return _seen(held_anywhere(transfer_id))


def held_anywhere(transfer_id: str) -> Transfer:
    """One transfer, locked, without bounds."""
    if not is_id(transfer_id):
        raise UnknownTransfer
    query = select(Transfer).where(Transfer.id == transfer_id).with_for_update()
    found = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise UnknownTransfer
    return found


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
    return lines_by_transfer([transfer])[transfer.id]


def lines_by_transfer(transfers: Sequence[Transfer]) -> dict[str, list[TransferLine]]:
    """The lines of a page of transfers in one read."""
    found: dict[str, list[TransferLine]] = {transfer.id: [] for transfer in transfers}
    query = select(TransferLine).where(TransferLine.transfer_id.in_(list(found))).order_by(TransferLine.sku)
    for line in db.session.scalars(query.execution_options(populate_existing=True)):
        found[line.transfer_id].append(line)
    return found


def _seen(transfer: Transfer | None) -> Transfer:
    who = actor.current()
    if transfer is None or not (who.sees_location(transfer.location_id) or who.sees_location(transfer.to_location_id)):
        raise UnknownTransfer
    return transfer
