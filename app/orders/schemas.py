"""What the orders' calls read and answer."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core import settings
from app.core.fields import (
    Choice,
    Code,
    Identifier,
    In,
    Instant,
    Integer,
    Items,
    Mapping,
    Out,
    PageQuery,
    Part,
    Quantity,
    Text,
    Yen,
)

from .ways_schemas import Address, Email, FulfilmentIn, FulfilmentOut, Phone, WayIn, WayOut, WayQuotedOut

_METHOD = 40


class OrderCustomerIn(In):
    """Whom it is for; the first of id, card, shop account, mail and phone that is known decides who that is."""

    id = Identifier()
    card_no = Code()
    external_id = Code()
    email = Email()
    phone = Phone()
    name = Text(high=100)
    name_kana = Text(high=100)


class OrderLineIn(In):
    """A line; `discount` is for the whole line."""

    line_ref = Code(required=True)
    sku = Code(required=True)
    quantity = Quantity(required=True)
    unit_price = Yen(required=True)
    discount = Yen(load_default=0)


class PaymentIn(In):
    """A tender: authorised, taken, or to be paid."""

    method = Code(high=_METHOD, required=True)
    amount = Integer(1, settings.MAX_YEN, required=True)
    state = Choice("authorized", "captured", "due", required=True)
    external_ref = Code()


class OrderIn(In):
    """An order from a channel."""

    channel = Code(high=40, required=True)
    external_ref = Code(required=True)
    placed_at = Instant()
    customer = Part(OrderCustomerIn)
    reservation = Identifier()
    fulfilment = Part(FulfilmentIn)
    fulfilments = Items(Part(WayIn), low=1, high=settings.MAX_FULFILMENTS)
    lines = Items(Part(OrderLineIn), low=1, required=True)
    order_discount = Yen(load_default=0)
    coupons = Items(Code(), high=20, load_default=list)
    coupon_holds = Items(Code(), high=20, load_default=list)
    points_to_use = Integer(0, settings.MAX_POINTS, load_default=0)
    points_hold = Code()
    shipping_fee = Yen(load_default=0)
    prices = Choice("tax_included", "tax_excluded", load_default="tax_included")
    payments = Items(Part(PaymentIn), high=20, load_default=list)
    expected_total = Yen()
    currency = Choice("JPY", load_default="JPY")
    language = Choice("ja", "en")

    @validates_schema(skip_on_field_errors=False)
    def _one_of(self, data: dict[str, Any], **kwargs: Any) -> None:
        if "fulfilment" in data and "fulfilments" in data:
            raise ValidationError("not-allowed", "fulfilments")
        if "fulfilment" not in data and "fulfilments" not in data:
            raise ValidationError("required", "fulfilment")


class LineChangeIn(In):
    """A line as it shall be; prices that are left out stay."""

    line_ref = Code(required=True)
    sku = Code(required=True)
    quantity = Quantity(required=True)
    unit_price = Yen()
    discount = Yen()


class OrderChangeIn(In):
    """What shall be different; `lines` are all that the order shall have."""

    lines = Items(Part(LineChangeIn), low=1)
    location = Code()
    address = Address()

    @validates_schema
    def _something(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data:
            raise ValidationError("required", "lines")


class OrderPartIn(In):
    """Some pieces of a line."""

    line_ref = Code(required=True)
    quantity = Quantity(required=True)


class OrderCancelIn(In):
    """What to cancel; everything that is open without `lines`."""

    reason = Text()
    lines = Items(Part(OrderPartIn), low=1)


class PaymentResultIn(In):
    """What became of a payment."""

    state = Choice("captured", "failed", "voided", required=True)
    amount = Yen()
    external_ref = Code()


class RefundResultIn(In):
    """What became of a refund."""

    state = Choice("done", "failed", required=True)
    external_ref = Code()


class OrdersQuery(PageQuery):
    """Which orders."""

    channel = Code(high=40)
    external_ref = Text(high=400)


class OrderTaxOut(Out):
    """One tax rate's sum."""

    rate = fields.Integer()
    taxable = fields.Integer()
    tax = fields.Integer()


class OrderTotalsOut(Out):
    """What it costs: total = subtotal - discounts - points_used + shipping_fee (+ tax, when prices exclude it)."""

    subtotal = fields.Integer()
    discounts = fields.Integer()
    points_used = fields.Integer()
    shipping_fee = fields.Integer()
    tax = fields.List(fields.Nested(OrderTaxOut))
    total = fields.Integer()
    currency = fields.String()


class OrderLineOut(Out):
    """A line; `net` is what is left after every discount, in the document's basis."""

    line_ref = fields.String()
    sku = fields.String(allow_none=True)
    name = fields.String()
    quantity = fields.Integer()
    unit_price = fields.Integer()
    discount = fields.Integer()
    tax_rate = fields.Integer()
    net = fields.Integer()
    tax = fields.Integer()
    fulfilled = fields.Integer()
    cancelled = fields.Integer()
    returned = fields.Integer()


class PaymentOut(Out):
    """A payment; `released` is what was cancelled of it."""

    id = fields.String()
    method = fields.String()
    state = fields.String()
    amount = fields.Integer()
    capture_requested = fields.Integer()
    captured = fields.Integer()
    released = fields.Integer()
    external_ref = fields.String(allow_none=True)
    due_at = Instant(allow_none=True)


class RefundOut(Out):
    """Money on its way back."""

    id = fields.String()
    payment = fields.String()
    method = fields.String()
    amount = fields.Integer()
    state = fields.String()
    external_ref = fields.String(allow_none=True)


class OrderOut(Out):
    """An order. `pickup` and `shipping` are its first work items; `balance_due` what nobody has paid or authorised."""

    id = fields.String()
    number = fields.String(allow_none=True)
    kind = fields.String()
    state = fields.String()
    channel = fields.String()
    external_ref = fields.String()
    revision = fields.Integer()
    location = fields.String()
    fulfilment = fields.Nested(FulfilmentOut)
    customer = fields.String(allow_none=True)
    prices = fields.String()
    totals = fields.Nested(OrderTotalsOut)
    points_to_earn = fields.Integer()
    lines = fields.List(fields.Nested(OrderLineOut))
    payments = fields.List(fields.Nested(PaymentOut))
    refunds = fields.List(fields.Nested(RefundOut))
    balance_due = fields.Integer()
    pickup = Mapping()
    shipping = Mapping()
    fulfilments = fields.List(fields.Nested(WayOut))
    cancel_reason = fields.String(allow_none=True)
    placed_at = Instant()
    completed_at = Instant(allow_none=True)
    updated_at = Instant()


class OrdersOut(Out):
    """A page of orders."""

    items = fields.List(fields.Nested(OrderOut))
    next_cursor = fields.String(allow_none=True)


class TenderOut(Out):
    """A payment's part of what goes back."""

    payment = fields.String()
    method = fields.String()
    amount = fields.Integer()


class RefundDueOut(Out):
    """What goes back, or is never taken."""

    total = fields.Integer()
    tax = fields.List(fields.Nested(OrderTaxOut))
    tenders = fields.List(fields.Nested(TenderOut))
    points_returned = fields.Integer()
    coupons_restored = fields.List(fields.String())


class CancelledOut(OrderOut):
    """The order, and what goes back."""

    refund_due = fields.Nested(RefundDueOut)


class PointsOut(Out):
    """Points asked for and usable."""

    requested = fields.Integer()
    used = fields.Integer()
    available = fields.Integer()
    reason = fields.String(allow_none=True)


class CouponOut(Out):
    """A coupon's answer."""

    code = fields.String()
    discount = fields.Integer()
    reason = fields.String(allow_none=True)


class QuoteOut(Out):
    """What an order would cost, and when it would be ready."""

    totals = fields.Nested(OrderTotalsOut)
    lines = fields.List(fields.Nested(OrderLineOut))
    location = fields.String()
    points = fields.Nested(PointsOut)
    points_to_earn = fields.Integer()
    coupons = fields.List(fields.Nested(CouponOut))
    ready_by = Instant(allow_none=True)
    deadline = Instant(allow_none=True)
    fulfilments = fields.List(fields.Nested(WayQuotedOut))
    return_policy = fields.String()
