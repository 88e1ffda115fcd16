"""The ways in which an order's pieces reach the customer: a pickup, another at a second store, a parcel for the rest.

Each is a row that names its work item; the work item knows its pieces. Money and counts are the order's alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy import Select, func, or_, select

from app import customers, stock
from app.core import actor, clock
from app.core.db import db
from app.core.ids import new_id

from . import fulfilment, reckoning, tenders
from .fulfilment import Located, Opening, OpenLine
from .models import Fulfilment, OrderLine, SalesOrder

Parts = Mapping[str, int]  # line_ref: pieces


def of(order_id: str) -> list[Fulfilment]:
    """The order's fulfilments, the first one first."""
    query = select(Fulfilment).where(Fulfilment.order_id == order_id).order_by(Fulfilment.position)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def mixed(order_ids: Sequence[str]) -> set[str]:
    """Those of the orders whose pieces come in several ways."""
    query = select(Fulfilment.order_id).where(Fulfilment.order_id.in_(order_ids))
    return set(db.session.scalars(query.group_by(Fulfilment.order_id).having(func.count() > 1)))


def by_work(work_id: str) -> Fulfilment | None:
    """The fulfilment of a work item."""
    found: Fulfilment | None = db.session.scalar(select(Fulfilment).where(Fulfilment.work_id == work_id))
    return found


def sees(order: SalesOrder) -> bool:
    """Whether a place of the order is inside the actor's bounds: where it gives goods, or hands them over."""
    bounds = actor.current().locations
    if bounds is None or order.from_location_id in bounds:
        return True
    return any(row.location_id in bounds or row.source_id in bounds for row in of(order.id))


def within(query: Select[SalesOrder], places: Sequence[str]) -> Select[SalesOrder]:
    """The orders that one of these places has to do with."""
    mine = select(Fulfilment.order_id).where(Fulfilment.location_id.in_(places) | Fulfilment.source_id.in_(places))
    return query.where(or_(SalesOrder.from_location_id.in_(places), SalesOrder.id.in_(mine)))


def add(
    order: SalesOrder, *, method: str, located: Located, claim_id: str, pickup_at: dt.datetime | None, position: int
) -> Fulfilment:
    """Write a fulfilment whose work item is about to be opened."""
    row = Fulfilment(
        id=new_id(), location_id=located.location_id, order_id=order.id, position=position, method=method,
        source_id=located.source_id, claim_id=claim_id, pickup_at=pickup_at, created_at=clock.now(),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def claim(order: SalesOrder, *, method: str, source: str, wanted: Mapping[str, int]) -> str:
    """Promise the pieces (by SKU) to the order. Raises InsufficientStock."""
    return stock.reserve(
        location=source, lines=list(wanted.items()), kind=method, channel=order.channel, expires_at=None,
        external_ref=order.external_ref, owner=("order", order.id),
    ).id  # fmt: skip


def open_work(order: SalesOrder, row: Fulfilment, rows: Sequence[OrderLine], parts: Parts) -> None:
    """Let the method open its work item for these pieces."""
    row.work_id = fulfilment.method(row.method).open(opening(order, row, rows, parts))
    db.session.flush()


def opening(order: SalesOrder, row: Fulfilment, rows: Sequence[OrderLine], parts: Parts) -> Opening:
    """What the method is told: the pieces, the claim, and whom to call."""
    who = customers.contact(order.contact_id)
    return Opening(
        order_id=order.id, number=order.number or "", channel=order.channel, location_id=row.location_id,
        source_id=row.source_id, claim_id=row.claim_id,
        lines=[
            OpenLine(line.line_ref, line.sku or "", line.name, parts[line.line_ref])
            for line in reckoning.goods_of(rows)
            if parts.get(line.line_ref)
        ],
        placed_at=order.placed_at, pickup_at=row.pickup_at,
        amount_due=tenders.due_at_hand_over(tenders.of(order.id)), phone=who.phone, name=who.name,
        customer_id=order.customer_id, language=order.language,
    )  # fmt: skip


def open_of(row: Fulfilment) -> Mapping[str, int]:
    """The pieces by line that its work item still owes."""
    return fulfilment.method(row.method).open_of(row.work_id) if row.work_id is not None else {}


def give_up(order: SalesOrder, parts: Parts, *, reason: str) -> bool | None:
    """Let the work items give up pieces, those of the latest fulfilment first.

    Says whether they were to be given at counters; None where some were and some were not.
    """
    left, counters = dict(parts), set[bool]()
    for row in reversed(of(order.id)):
        held = open_of(row)
        mine = {ref: min(left.get(ref, 0), pieces) for ref, pieces in held.items() if left.get(ref, 0)}
        if mine and row.work_id is not None:
            method = fulfilment.method(row.method)
            method.cancel(row.work_id, mine, whole=mine == dict(held), reason=reason)
            counters.add(isinstance(method, fulfilment.Counter))
            for ref, pieces in mine.items():
                left[ref] -= pieces
    return counters.pop() if len(counters) == 1 else None
