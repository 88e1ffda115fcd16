"""Which channel the events of orders, payments and refunds belong to, for readers who are bounded to channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Select, select

from app.core.db import db
from app.core.outbox import channel_of

from .models import Payment, Refund, SalesOrder


@channel_of("sales_order")
def of_orders(ids: Sequence[str]) -> Mapping[str, str]:
    """The channel that each order came by."""
    return _read(select(SalesOrder.id, SalesOrder.channel).where(SalesOrder.id.in_(ids)))


@channel_of("payment")
def of_payments(ids: Sequence[str]) -> Mapping[str, str]:
    """The channel of each payment's order."""
    return _read(
        select(Payment.id, SalesOrder.channel)
        .join(SalesOrder, SalesOrder.id == Payment.order_id)
        .where(Payment.id.in_(ids))
    )


@channel_of("refund")
def of_refunds(ids: Sequence[str]) -> Mapping[str, str]:
    """The channel of each refund's order."""
    return _read(
        select(Refund.id, SalesOrder.channel)
        .join(SalesOrder, SalesOrder.id == Refund.order_id)
        .where(Refund.id.in_(ids))
    )


def _read(query: Select[str, str]) -> Mapping[str, str]:
    return {str(id_): str(channel) for id_, channel in db.session.execute(query)}
