"""Refusals about orders and their money."""

from __future__ import annotations

from app.core.errors import Conflict, Invalid, NotFound


class UnknownOrder(NotFound):
    """There is no such order within the caller's bounds."""

    code = "unknown-order"


class UnknownChannel(NotFound):
    """The channel is outside the caller's bounds."""

    code = "unknown-channel"


class UnknownPayment(NotFound):
    """The order has no such payment."""

    code = "unknown-payment"


class UnknownRefund(NotFound):
    """There is no such refund within the caller's bounds."""

    code = "unknown-refund"


class SeveralFulfilments(Conflict):
    """The order's goods come in several ways or by a transfer: lines and place can only be cancelled or chosen anew."""

    code = "several-fulfilments"


class UnknownLine(Invalid):
    """The order has no line with this `line_ref`."""

    code = "unknown-line"


class DuplicateOrder(Conflict):
    """This channel has sent this reference before. Fact: the first one's `id`."""

    code = "duplicate-order"


class TotalMismatch(Invalid):
    """The caller's total or payments differ from ours. Fact: our `totals`."""

    code = "total-mismatch"


class CannotPrice(Invalid):
    """A price, quantity or discount does not make sense."""

    code = "cannot-price"


class InsufficientPoints(Conflict):
    """The customer has fewer points. Facts: `requested`, `available`."""

    code = "insufficient-points"


class CouponNotApplicable(Conflict):
    """A coupon cannot be used here. Fact: `coupons` [{code, reason}]."""

    code = "coupon-not-applicable"


class TooManyPieces(Conflict):
    """More pieces than the order has left. Facts: `line_ref`, `left`."""

    code = "too-many-pieces"


class PaymentMismatch(Conflict):
    """The amount does not fit what is open of the payment or the order. Facts: `amount`, `open`."""

    code = "payment-mismatch"
