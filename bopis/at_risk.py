"""Whose promises an incident may break, ranked: the first suffers least when its pieces are taken away.

Nobody waits for goods on their way back to a shelf or for a move between our own places. A cart or an unpaid hold that
nobody has begun to pick comes before an order, unpaid before paid, the latest promise before an earlier one. Picked
goods are physically there for their customer and come last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from sqlalchemy import select

from app import orders, stock
from app.core import actor, clock
from app.core.db import db

from . import pickups
from .models import Pickup, PickupLine, ReshelveTask
from .states import OVER, PickupState


class Whose(StrEnum):
    """What the pieces are promised to."""

    RESHELVE = "reshelve"
    TRANSFER = "transfer"
    CART = "cart"
    HOLD = "hold"
    ORDER = "order"
    PARCEL = "parcel"


class Rank(IntEnum):
    """How much it hurts."""

    NOBODY = 0
    CART = 1
    HOLD = 2
    UNPAID = 3
    PAID = 4
    PICKED_UNPAID = 5
    PICKED_PAID = 6


@dataclass(frozen=True, slots=True)
class Promised:
    """Pieces of the incident's SKU that one claim keeps: those not yet picked, or those picked.

    `at` is when they are promised for, else when they were asked for. `pickup` is the work item that they are for, or
    that they were picked for; `parcel` an order's goods to be sent; `transfer` a move between our own places.
    """

    whose: Whose
    rank: Rank
    claim: stock.ClaimView
    pieces: int
    at: dt.datetime | None = None
    pickup: Pickup | None = None
    lines: Sequence[PickupLine] = ()
    parcel: orders.Parcel | None = None
    transfer: str | None = None

    @property
    def picked(self) -> bool:
        """Whether the pieces lie picked for their customer."""
        return self.rank >= Rank.PICKED_UNPAID

    @property
    def paid(self) -> bool | None:
        """Whether nothing is to be paid any more; None where nobody buys."""
        if self.rank == Rank.NOBODY:
            return None
        return self.rank in {Rank.PAID, Rank.PICKED_PAID}


def ranked(location: str, sku: str) -> list[Promised]:
    """Every promise of the SKU at the place that the actor may decide about, the one that suffers least first."""
    claims = [claim for claim in stock.open_claims(location, sku) if actor.current().sees_channel(claim.channel)]
    known = _Known(claims)
    found = [one for claim in claims for one in known.promised(claim, sku)]
    newest = dt.datetime.max.replace(tzinfo=dt.UTC)
    found.sort(key=lambda one: (one.at or newest, one.claim.id), reverse=True)
    return sorted(found, key=lambda one: one.rank)


class _Known:
    """What the claims are for, read in a few statements for all of them."""

    def __init__(self, claims: Sequence[stock.ClaimView]) -> None:
        ids = [claim.id for claim in claims]
        moves = [claim.owner_id for claim in claims if claim.owner_type == "transfer"]
        living = select(Pickup).where(Pickup.state.not_in([str(state) for state in OVER]))
        rows = [
            *db.session.scalars(living.where(Pickup.claim_id.in_(ids))),
            *db.session.scalars(living.where(Pickup.transfer_id.in_(moves), Pickup.claim_id.not_in(ids))),
        ]
        self.by_claim = {row.claim_id: row for row in rows}
        self.by_transfer = {row.transfer_id: row for row in rows if row.transfer_id is not None}
        self.lines = pickups.lines_of_all([row.id for row in rows])
        self.parcels = orders.parcels([claim.id for claim in claims if claim.kind == "ship"])
        order_ids = [row.order_id for row in rows if row.order_id is not None]
        self.unpaid = orders.unpaid([*order_ids, *(parcel.order_id for parcel in self.parcels.values())])
        self.back = _tasks(ids)

    def promised(self, claim: stock.ClaimView, sku: str) -> list[Promised]:
        """What one claim keeps of the SKU; nothing where its owner is out of the actor's sight, or about to end."""
        pieces = claim.open.get(sku, 0)
        row = self.by_claim.get(claim.id)
        if claim.owner_type is None:
            return [Promised(Whose.CART, Rank.CART, claim, pieces)]
        if claim.owner_type == "transfer":
            row = self.by_transfer.get(claim.owner_id)
            if row is None:
                return _move(claim, pieces)
        if row is not None:
            return self._of_pickup(row, claim, sku, pieces)
        if claim.id in self.back:
            return [Promised(Whose.RESHELVE, Rank.NOBODY, claim, pieces, pickup=self.back[claim.id])]
        parcel = self.parcels.get(claim.id)
        if parcel is None:
            return []
        rank = Rank.UNPAID if parcel.order_id in self.unpaid else Rank.PAID
        return [Promised(Whose.PARCEL, rank, claim, pieces, at=parcel.placed_at, parcel=parcel)]

    def _of_pickup(self, row: Pickup, claim: stock.ClaimView, sku: str, pieces: int) -> list[Promised]:
        if not pickups.sees(row) or row.state_at(clock.now()) == PickupState.EXPIRED:
            return []
        lines = self.lines.get(row.id, [])
        picked = min(pieces, sum(line.waiting for line in lines if line.sku == sku))
        paid = row.order_id is not None and row.order_id not in self.unpaid
        whose = Whose.ORDER if row.order_id is not None else Whose.HOLD
        first = Rank.HOLD if is_waiting_hold(row) else Rank.PAID if paid else Rank.UNPAID
        found = []
        for rank, part in ((first, pieces - picked), (Rank.PICKED_PAID if paid else Rank.PICKED_UNPAID, picked)):
            if part:
                found.append(Promised(whose, rank, claim, part, at=row.ready_by, pickup=row, lines=lines))
        return found


def is_waiting_hold(row: Pickup) -> bool:
    """Whether it is a hold that nobody has begun to pick."""
    return row.order_id is None and row.state in {PickupState.REQUESTED, PickupState.ACCEPTED}


def _move(claim: stock.ClaimView, pieces: int) -> list[Promised]:
    """Goods that go to another place of ours; what travels for somebody out of sight is not named."""
    move = stock.transfer(claim.owner_id or "")
    if move.owner is not None:
        return []
    return [Promised(Whose.TRANSFER, Rank.NOBODY, claim, pieces, transfer=move.id)]


def _tasks(claim_ids: Sequence[str]) -> Mapping[str, Pickup]:
    """The pickups whose picked goods go back to the shelf, by the claim that keeps these."""
    query = (
        select(ReshelveTask.claim_id, Pickup)
        .join(Pickup, Pickup.id == ReshelveTask.pickup_id)
        .where(ReshelveTask.claim_id.in_(claim_ids))
    )
    return {claim_id: row for claim_id, row in db.session.execute(query) if pickups.sees(row)}
