"""Reading orders: inside the caller's bounds, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select

from app.core import actor
from app.core.db import db
from app.core.ids import is_id

from . import fulfilment, reckoning, tenders, works
from .errors import UnknownOrder
from .models import Fulfilment, OrderLine, Payment, Refund, SalesOrder

_WORK = {"pickup": "pickup", "ship": "shipping"}


def find(order_id: str, *, lock: bool = False) -> SalesOrder:
    """One order; with `lock` it is this transaction's until COMMIT. Raises UnknownOrder."""
    if not is_id(order_id):
        raise UnknownOrder
    if lock:
        db.session.flush()
    row = db.session.get(SalesOrder, order_id, with_for_update=True if lock else None, populate_existing=lock)
    if row is None:
        raise UnknownOrder
    actor.within(channel=row.channel, missing=UnknownOrder)
    if not works.sees(row):
        raise UnknownOrder
    return row


def lines_of(order_id: str) -> list[OrderLine]:
    """The order's lines in the caller's order."""
    return list(
        db.session.scalars(select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position))
    )


def matching(*, channel: str | None = None, external_ref: str | None = None) -> Select[SalesOrder]:
    """The orders of a channel, or with a reference, inside the caller's bounds."""
    query = select(SalesOrder)
    bounds = actor.current()
    if bounds.channels is not None:
        query = query.where(SalesOrder.channel.in_(sorted(bounds.channels)))
    if bounds.locations is not None:
        query = works.within(query, sorted(bounds.locations))
    if channel is not None:
        query = query.where(SalesOrder.channel == channel)
    if external_ref is not None:
        query = query.where(SalesOrder.external_ref == external_ref)
    return query


def show(order: SalesOrder) -> dict[str, Any]:
    """One order as the API answers it."""
    return show_all([order])[0]


def show_all(orders: Sequence[SalesOrder]) -> list[dict[str, Any]]:
    """Orders as the API answers them."""
    ids = [order.id for order in orders]
    lines: dict[str, list[OrderLine]] = defaultdict(list)
    for line in db.session.scalars(
        select(OrderLine).where(OrderLine.order_id.in_(ids)).order_by(OrderLine.order_id, OrderLine.position)
    ):
        lines[line.order_id].append(line)
    payments: dict[str, list[Payment]] = defaultdict(list)
    for paid in db.session.scalars(
        select(Payment).where(Payment.order_id.in_(ids)).order_by(Payment.order_id, Payment.position, Payment.id)
    ):
        payments[paid.order_id].append(paid)
    refunds: dict[str, list[Refund]] = defaultdict(list)
    for refund in db.session.scalars(select(Refund).where(Refund.order_id.in_(ids)).order_by(Refund.id)):
        refunds[refund.order_id].append(refund)
    ways: dict[str, list[Fulfilment]] = defaultdict(list)
    for way in db.session.scalars(
        select(Fulfilment).where(Fulfilment.order_id.in_(ids)).order_by(Fulfilment.order_id, Fulfilment.position)
    ):
        ways[way.order_id].append(way)
    return [
        _show(order, lines[order.id], payments[order.id], refunds[order.id]) | _ways(order, ways[order.id])
        for order in orders
    ]


def _ways(order: SalesOrder, ways: Sequence[Fulfilment]) -> dict[str, Any]:
    """The order's fulfilments with their work items; the first of each kind is also shown by itself."""
    shown: dict[str, Any] = {"fulfilments": []}
    who = actor.current()
    for way in ways:
        if not (who.sees_location(way.location_id) or who.sees_location(way.source_id)):
            continue
        facts: dict[str, Any] = {
            "method": way.method, "location": way.location_id, "source": way.source_id, "pickup_at": way.pickup_at,
        }  # fmt: skip
        if way.work_id is not None:
            work = fulfilment.method(way.method).describe(way.work_id)
            shown.setdefault(_WORK[way.method], work)
            facts[_WORK[way.method]] = work
        shown["fulfilments"].append(facts)
    first = ways[0] if ways else None
    shown["fulfilment"] = {
        "method": order.method, "location": order.from_location_id, "pickup_at": first.pickup_at if first else None,
    }  # fmt: skip
    return shown


def _show(
    order: SalesOrder, lines: Sequence[OrderLine], payments: Sequence[Payment], refunds: Sequence[Refund]
) -> dict[str, Any]:
    return {
        "id": order.id, "number": order.number, "kind": order.kind, "state": order.state, "channel": order.channel,
        "external_ref": order.external_ref, "revision": order.revision, "location": order.from_location_id,
        "customer": order.customer_id, "prices": order.prices,
        "totals": {
            "subtotal": order.subtotal, "discounts": order.discounts, "points_used": order.points_used,
            "shipping_fee": order.shipping_fee, "tax": order.tax, "total": order.total, "currency": "JPY",
        },
        "points_to_earn": 0,
        "lines": [_line(row) for row in reckoning.goods_of(lines)],
        "payments": [_payment(paid) for paid in payments],
        "refunds": [
            {"id": r.id, "payment": r.payment_id, "method": r.method, "amount": r.amount, "state": r.state,
             "external_ref": r.external_ref}
            for r in refunds
        ],
        "balance_due": tenders.open_due(payments),
        "cancel_reason": order.cancel_reason, "placed_at": order.placed_at, "completed_at": order.completed_at,
        "updated_at": order.updated_at,
    }  # fmt: skip


def _line(row: OrderLine) -> dict[str, Any]:
    return {
        "line_ref": row.line_ref, "sku": row.sku, "name": row.name, "quantity": row.quantity,
        "unit_price": row.unit_price, "discount": row.discount, "tax_rate": row.rate, "net": row.net, "tax": row.tax,
        "fulfilled": row.fulfilled, "cancelled": row.cancelled, "returned": row.returned,
    }  # fmt: skip


def _payment(row: Payment) -> dict[str, Any]:
    return {
        "id": row.id, "method": row.method, "state": row.state, "amount": row.amount,
        "capture_requested": row.requested, "captured": row.captured, "released": row.released,
        "external_ref": row.external_ref, "due_at": row.due_at,
    }  # fmt: skip
