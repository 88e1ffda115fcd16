"""Orders of every channel: an EC order, a mall's, a till's sale. Only this package writes them; `reports` may read.

Money: an order's open value is what is neither fulfilled nor cancelled, and always equals the sum of its payments' open
parts (amount - used - released). What a line's numbers mean is said in `pricing.PricedLine`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id

_DUE = text("state = 'due' AND due_at IS NOT NULL")


class SalesOrder(Base):
    """What was sold. `location_id` is where it was placed for and never changes; `from_location_id` gives the goods.

    `method` and `from_location_id` are those of its first fulfilment; a till's receipt has none and is `counter`.
    `kind` is sale or return. `revision` counts corrected receipts of a till: the older ones are cancelled.
    """

    __tablename__ = "sales_order"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_sales_order_location"),
        UniqueConstraint("channel", "external_ref", "revision", name="ux_sales_order_external_ref"),
        UniqueConstraint("number", name="ux_sales_order_number"),
        Index("ix_sales_order_updated", "updated_at", "id"),
        Index("ix_sales_order_customer", "customer_id"),
        Index("ix_sales_order_original", "original_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    from_location_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))
    channel: Mapped[str] = mapped_column(String(40))
    external_ref: Mapped[str] = mapped_column(String(400))
    revision: Mapped[int]
    number: Mapped[str | None] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(20))
    prices: Mapped[str] = mapped_column(String(12))
    rounding: Mapped[str] = mapped_column(String(8))
    subtotal: Mapped[int]
    discounts: Mapped[int]
    order_discount: Mapped[int]
    points_used: Mapped[int]
    shipping_fee: Mapped[int]
    tax: Mapped[list[Any]]
    total: Mapped[int]
    customer_id: Mapped[str | None] = mapped_column(Id)
    contact_id: Mapped[str | None] = mapped_column(Id)
    method: Mapped[str] = mapped_column(String(12))
    original_id: Mapped[str | None] = mapped_column(Id)
    language: Mapped[str] = mapped_column(String(2))
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    placed_at: Mapped[dt.datetime]
    completed_at: Mapped[dt.datetime | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class Fulfilment(Base):
    """One way in which pieces of an order reach the customer: a work item of `method` at `location_id`.

    Goods come from `source_id`, which is another place for a transfer. Which pieces they are, the work item knows.
    """

    __tablename__ = "fulfilment"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_fulfilment_location"),
        UniqueConstraint("order_id", "position", name="ux_fulfilment_position"),
        ForeignKeyConstraint(["order_id"], ["sales_order.id"]),
        Index("ix_fulfilment_work", "work_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[str] = mapped_column(Id)
    position: Mapped[int]
    method: Mapped[str] = mapped_column(String(12))
    source_id: Mapped[str] = mapped_column(String(64))
    claim_id: Mapped[str] = mapped_column(Id)
    work_id: Mapped[str | None] = mapped_column(Id)
    pickup_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]


class OrderLine(Base):
    """One line as it was frozen at sale. `line_ref` is the caller's; the shipping fee's line has an empty one."""

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_order_line_location"),
        UniqueConstraint("order_id", "line_ref", name="ux_order_line_ref"),
        ForeignKeyConstraint(["location_id", "order_id"], ["sales_order.location_id", "sales_order.id"]),
        CheckConstraint(
            "cancelled >= 0 AND fulfilled >= 0 AND cancelled + fulfilled <= quantity", name="ck_order_line"
        ),
        Index("ix_order_line_sku", "sku"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[str] = mapped_column(Id)
    position: Mapped[int]
    line_ref: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(8))
    sku: Mapped[str | None] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int]
    unit_price: Mapped[int]
    discount: Mapped[int]
    rate: Mapped[int]
    gross: Mapped[int]
    line_discount: Mapped[int]
    cuts: Mapped[list[Any]]
    net: Mapped[int]
    base_before: Mapped[int]
    tax: Mapped[int]
    cancelled: Mapped[int]
    fulfilled: Mapped[int]
    returned: Mapped[int]


class Payment(Base):
    """A tender. `used` paid for goods given, `released` was cancelled; of the rest of `amount` goods are still to come.

    `requested` is how much capture was asked for, `captured` how much was confirmed as taken; `at_till` money is in a
    till's drawer, paid for just the goods that were given with it.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_payment_location"),
        ForeignKeyConstraint(["location_id", "order_id"], ["sales_order.location_id", "sales_order.id"]),
        CheckConstraint("used >= 0 AND released >= 0 AND used + released <= amount", name="ck_payment"),
        Index("ix_payment_order", "order_id", "position"),
        Index("ix_payment_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[str] = mapped_column(Id)
    position: Mapped[int]
    method: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    amount: Mapped[int]
    used: Mapped[int]
    released: Mapped[int]
    requested: Mapped[int]
    captured: Mapped[int]
    at_till: Mapped[bool]
    external_ref: Mapped[str | None] = mapped_column(String(64))
    due_at: Mapped[dt.datetime | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class Refund(Base):
    """Captured money on its way back."""

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_refund_location"),
        ForeignKeyConstraint(["location_id", "order_id"], ["sales_order.location_id", "sales_order.id"]),
        ForeignKeyConstraint(["location_id", "payment_id"], ["payment.location_id", "payment.id"]),
        CheckConstraint("amount > 0", name="ck_refund_amount"),
        Index("ix_refund_order", "order_id"),
        Index("ix_refund_payment", "payment_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[str] = mapped_column(Id)
    payment_id: Mapped[str] = mapped_column(Id)
    method: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    amount: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    external_ref: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
