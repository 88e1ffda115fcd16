"""The life of an order. `docs/states` is drawn from this table."""

from __future__ import annotations

from enum import StrEnum


class OrderState(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    PARTLY_FULFILLED = "partly_fulfilled"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class PaymentState(StrEnum):
    """Where a payment stands."""

    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    DUE = "due"
    FAILED = "failed"
    VOIDED = "voided"


class RefundState(StrEnum):
    """Where money on its way back stands."""

    REQUESTED = "requested"
    DONE = "done"
    FAILED = "failed"


# fulfil: some pieces given, more to come; complete: nothing is left to give; reopen, unfulfil: a hand-over was undone.
ORDER = {
    (OrderState.PLACED, "fulfil"): OrderState.PARTLY_FULFILLED,
    (OrderState.PLACED, "complete"): OrderState.COMPLETED,
    (OrderState.PLACED, "cancel"): OrderState.CANCELLED,
    (OrderState.PARTLY_FULFILLED, "fulfil"): OrderState.PARTLY_FULFILLED,
    (OrderState.PARTLY_FULFILLED, "complete"): OrderState.COMPLETED,
    (OrderState.PARTLY_FULFILLED, "unfulfil"): OrderState.PLACED,
    (OrderState.COMPLETED, "reopen"): OrderState.PARTLY_FULFILLED,
    (OrderState.COMPLETED, "unfulfil"): OrderState.PLACED,
    (OrderState.COMPLETED, "reverse"): OrderState.CANCELLED,
}
PAYMENT = {
    (PaymentState.AUTHORIZED, "capture"): PaymentState.CAPTURED,
    (PaymentState.AUTHORIZED, "fail"): PaymentState.FAILED,
    (PaymentState.AUTHORIZED, "void"): PaymentState.VOIDED,
    (PaymentState.DUE, "capture"): PaymentState.CAPTURED,
    (PaymentState.DUE, "fail"): PaymentState.FAILED,
    (PaymentState.DUE, "void"): PaymentState.VOIDED,
    (PaymentState.FAILED, "capture"): PaymentState.CAPTURED,
    (PaymentState.VOIDED, "capture"): PaymentState.CAPTURED,
}
REFUND = {
    (RefundState.REQUESTED, "done"): RefundState.DONE,
    (RefundState.REQUESTED, "fail"): RefundState.FAILED,
    (RefundState.FAILED, "done"): RefundState.DONE,
}
