"""What the rescue desk needs of orders: who has paid, which parcels wait for goods, and to take goods from a parcel."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.core.db import db, use_case

from . import fulfilment, queries, tenders, works
from .models import Fulfilment, OrderLine, Payment, SalesOrder
from .works import Parts


@dataclass(frozen=True, slots=True)
class Parcel:
    """Goods of an order that a place still has to send; `lines` are the pieces by line and their SKUs."""

    order_id: str
    number: str | None
    channel: str
    placed_at: dt.datetime
    lines: tuple[tuple[str, str, int], ...]

    def parts(self, sku: str, pieces: int) -> dict[str, int]:
        """So many pieces of a SKU, by line, the last lines first."""
        found: dict[str, int] = {}
        for line_ref, of, left in reversed(self.lines):
            taken = min(left, pieces - sum(found.values())) if of == sku else 0
            if taken:
                found[line_ref] = taken
        return found


def unpaid(order_ids: Sequence[str]) -> set[str]:
    """Those of the orders for which money is still to come."""
    found: dict[str, list[Payment]] = defaultdict(list)
    for payment in db.session.scalars(select(Payment).where(Payment.order_id.in_(order_ids))):
        found[payment.order_id].append(payment)
    return {order_id for order_id, payments in found.items() if tenders.open_due(payments)}


def parcels(claim_ids: Sequence[str]) -> dict[str, Parcel]:
    """The parcels that wait for goods of these claims, by claim."""
    query = (
        select(Fulfilment, SalesOrder)
        .join(SalesOrder, SalesOrder.id == Fulfilment.order_id)
        .where(Fulfilment.claim_id.in_(claim_ids), Fulfilment.method == "ship")
    )
    ways = {way.claim_id: (way, order) for way, order in db.session.execute(query)}
    skus: dict[tuple[str, str], str] = {}
    asked = [order.id for _, order in ways.values()]
    for line in db.session.scalars(select(OrderLine).where(OrderLine.order_id.in_(asked), OrderLine.kind == "goods")):
        skus[line.order_id, line.line_ref] = line.sku or ""
    return {
        claim_id: Parcel(
            order.id, order.number, order.channel, order.placed_at,
            tuple((ref, skus[order.id, ref], pieces) for ref, pieces in works.open_of(way).items()),
        )
        for claim_id, (way, order) in ways.items()
    }  # fmt: skip


@use_case
def take_from_parcel(order_id: str, claim_id: str, parts: Parts, *, reason: str) -> None:
    """Let the work item of this claim give pieces up; the caller sends them another way, or cancels them.

    Raises UnknownOrder.
    """
    queries.find(order_id, lock=True)
    way = db.session.scalars(select(Fulfilment).filter_by(order_id=order_id, claim_id=claim_id)).one()
    held: Mapping[str, int] = works.open_of(way)
    if way.work_id is not None:
        fulfilment.method(way.method).cancel(way.work_id, parts, whole=dict(parts) == dict(held), reason=reason)
