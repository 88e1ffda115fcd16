"""What the channel's payment provider says: paid, failed, voided, refunded; and payments that never came."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from app.core import clock, states
from app.core.db import db, use_case
from app.core.errors import AppError
from app.core.ids import is_id

from . import ending, queries, reckoning, tenders
from .errors import PaymentMismatch, UnknownOrder, UnknownPayment, UnknownRefund
from .models import Payment, Refund, SalesOrder
from .placing import PaymentWanted
from .states import PAYMENT, REFUND, OrderState, PaymentState, RefundState

log = structlog.get_logger("app.orders")
_BATCH = 200


@use_case
def add_payment(order_id: str, paid: PaymentWanted) -> SalesOrder:
    """A payment that came later: it stands in for due and failed ones, so it can never be more than they leave open.

    Raises UnknownOrder, PaymentMismatch, IllegalTransition.
    """
    order = queries.find(order_id, lock=True)
    if order.state == OrderState.CANCELLED:
        ending.require_open(order, "pay")
    payments = tenders.of(order.id)
    most = tenders.open_due(payments)
    if paid.amount > most:
        raise PaymentMismatch(amount=paid.amount, open=most)
    row = tenders.add(
        order, position=len(payments) + 1, method=paid.method, amount=paid.amount, state=paid.state,
        external_ref=paid.external_ref,
    )  # fmt: skip
    tenders.take_over(order, payments, row)
    states.touch(order, "order.changed", payment=row.id)
    return order


@use_case
def payment_result(
    order_id: str, payment_id: str, *, state: str, amount: int | None = None, external_ref: str | None = None
) -> SalesOrder:
    """What became of a payment.

    `captured` money is a fact, even after `failed` or `voided`: what comes after a cancellation goes straight back.
    `failed` (or `voided` while goods are owed for it) cancels the order when nothing was given yet.
    Raises UnknownPayment, PaymentMismatch, IllegalTransition.
    """
    order = queries.find(order_id, lock=True)
    payment = _payment(order, payment_id)
    payment.external_ref = external_ref or payment.external_ref
    if state == PaymentState.CAPTURED:
        _captured(order, payment, amount)
    else:
        _lost(order, payment, state)
    db.session.flush()
    return order


def _payment(order: SalesOrder, payment_id: str) -> Payment:
    row = db.session.get(Payment, payment_id) if is_id(payment_id) else None
    if row is None or row.order_id != order.id:
        raise UnknownPayment
    return row


def _captured(order: SalesOrder, payment: Payment, amount: int | None) -> None:
    before = PaymentState(payment.state)
    if (before, "capture") not in PAYMENT:
        raise states.IllegalTransition(state=str(before), allowed=states.allowed(PAYMENT, before), action="capture")
    # An ended payment was given up, but the provider took it all the same: all of it, unless it says how much.
    given_up = payment.released if tenders.is_live(payment) else 0
    taken = payment.amount - given_up - payment.captured if amount is None else amount
    if taken > payment.amount - payment.captured or taken < 1:
        raise PaymentMismatch(amount=taken, open=payment.amount - payment.captured)
    payment.captured += taken
    excess = min(taken, max(0, payment.captured - (payment.amount - payment.released)))
    db.session.flush()
    if payment.captured >= payment.amount - payment.released:
        states.move(payment, "capture", PAYMENT, event="payment.captured", order=order.id, amount=taken)
    else:
        states.touch(payment, "payment.captured", order=order.id, amount=taken)
    if excess:
        tenders.give_back(order, payment, excess, "paid_after_cancellation")


def _lost(order: SalesOrder, payment: Payment, state: str) -> None:
    owed = payment.amount - payment.released - payment.captured
    unpaid = owed > 0
    action = "fail" if state == PaymentState.FAILED or unpaid else "void"
    states.move(payment, action, PAYMENT, event=f"payment.{state}", order=order.id, amount=owed)
    given = any(row.fulfilled for row in reckoning.goods_of(queries.lines_of(order.id)))
    if order.state == OrderState.PLACED and not given and unpaid:
        ending.cancel_open(order, parts=None, reason="payment_failed")


@use_case
def refund_result(refund_id: str, *, state: str, external_ref: str | None = None) -> SalesOrder:
    """What became of money on its way back. Raises UnknownRefund, IllegalTransition."""
    refund = db.session.get(Refund, refund_id) if is_id(refund_id) else None
    if refund is None:
        raise UnknownRefund
    try:
        order = queries.find(refund.order_id, lock=True)
    except UnknownOrder:
        raise UnknownRefund from None
    db.session.refresh(refund)
    refund.external_ref = external_ref or refund.external_ref
    db.session.flush()
    action = "done" if state == RefundState.DONE else "fail"
    states.move(refund, action, REFUND, event=f"refund.{state}", order=order.id, amount=refund.amount)
    return order


def end_past_due() -> int:
    """End what was not paid in time, an order per transaction; returns how many. One that refuses stops no other."""
    now = clock.now()
    ids = db.session.scalars(
        select(Payment.order_id)
        .where(Payment.state == PaymentState.DUE, Payment.due_at.is_not(None), Payment.due_at <= now)
        .order_by(Payment.due_at)
        .limit(_BATCH)
    ).all()
    ended = 0
    for order_id in dict.fromkeys(ids):
        try:
            ended += _end_past_due(order_id)
        except AppError as refusal:
            log.warning("past_due_order_not_ended", order=order_id, code=refusal.code)
    return ended


@use_case
def _end_past_due(order_id: str) -> int:
    order = queries.find(order_id, lock=True)
    late = [
        p
        for p in tenders.of(order.id)
        if p.state == PaymentState.DUE and p.due_at is not None and p.due_at <= clock.now()
    ]
    if not late:
        return 0
    given = any(row.fulfilled for row in reckoning.goods_of(queries.lines_of(order.id)))
    if order.state == OrderState.PLACED and not given:
        ending.cancel_open(order, parts=None, reason="payment_overdue")
    else:
        for payment in late:
            states.move(payment, "fail", PAYMENT, event="payment.failed", order=order.id)
    return 1
