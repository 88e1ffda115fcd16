"""An order's payments: sharing what goods are worth over them, and the words to the channel's payment provider.

Each payment's amount is split in three: used (goods were given for it), released (cancelled), open. The open parts
together are always what the open pieces are worth. Capture is asked for what was really given, never for more than was
authorised; the last piece takes the remainder. The caller holds the order's lock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.core import clock, settings, states
from app.core.db import db
from app.core.ids import new_id
from app.core.money import share
from app.core.outbox import emit

from .models import Payment, Refund, SalesOrder
from .states import PAYMENT, PaymentState, RefundState

IN_STORE = "pay_in_store"
AT_HAND_OVER = frozenset({IN_STORE, "cod"})
BALANCE = "balance"
_LIVE = frozenset({PaymentState.AUTHORIZED, PaymentState.CAPTURED, PaymentState.DUE})


def of(order_id: str) -> list[Payment]:
    """The order's payments in the order in which they came."""
    return list(
        db.session.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.position, Payment.id))
    )


def open_of(payment: Payment) -> int:
    """What neither goods nor a cancellation took."""
    return payment.amount - payment.used - payment.released


def is_live(payment: Payment) -> bool:
    """Whether the payment can still bring money."""
    return payment.state in _LIVE


def due_at_hand_over(payments: Sequence[Payment]) -> int:
    """What the customer pays when the goods are given."""
    return sum(open_of(p) for p in payments if p.state == PaymentState.DUE and p.method in AT_HAND_OVER)


def due_at_hand_over_of(order_ids: Sequence[str]) -> dict[str, int]:
    """The same of many orders at once."""
    found: dict[str, list[Payment]] = {order_id: [] for order_id in order_ids}
    for payment in db.session.scalars(select(Payment).where(Payment.order_id.in_(order_ids))):
        found[payment.order_id].append(payment)
    return {order_id: due_at_hand_over(payments) for order_id, payments in found.items()}


def open_due(payments: Sequence[Payment]) -> int:
    """What nobody has paid or authorised yet: due amounts, and what failed payments left behind."""
    due = sum(open_of(p) for p in payments if p.state == PaymentState.DUE)
    return due + sum(_debt(p) for p in payments if p.state == PaymentState.FAILED)


def _debt(payment: Payment) -> int:
    return max(0, payment.amount - payment.released - payment.captured)


def add(
    order: SalesOrder,
    *,
    position: int,
    method: str,
    amount: int,
    state: str,
    external_ref: str | None = None,
    due_at: dt.datetime | None = None,
    at_till: bool = False,
) -> Payment:
    """Write a payment. One that is due has a deadline, unless it is paid at hand-over."""
    now = clock.now()
    if state == PaymentState.DUE and method not in AT_HAND_OVER:
        due_at = due_at or now + dt.timedelta(hours=settings.PAYMENT_DUE_HOURS)
    row = Payment(
        id=new_id(), location_id=order.location_id, order_id=order.id, position=position, method=method,
        state=PaymentState(state), amount=amount, used=0, released=0, requested=0,
        captured=amount if state == PaymentState.CAPTURED else 0, external_ref=external_ref, at_till=at_till,
        due_at=due_at if state == PaymentState.DUE else None, version=0, created_at=now, updated_at=now,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def use(
    order: SalesOrder, payments: Sequence[Payment], value: int, *, at_counter: bool = False, mixed: bool = False
) -> None:
    """Goods worth `value` were given; in a `mixed` order what is paid at a counter belongs to what is given there."""
    for payment, part in _shares(payments, value, at_counter=at_counter, mixed=mixed):
        payment.used += part
        ask_capture(order, payment)
        if payment.state == PaymentState.DUE and payment.method in AT_HAND_OVER:
            # After an undone hand-over the money is there already and is not taken again.
            payment.captured = payment.requested = max(payment.captured, payment.used)
            if open_of(payment) == 0:
                states.move(payment, "capture", PAYMENT, event="payment.captured", order=order.id)
    db.session.flush()


def unuse(payments: Sequence[Payment], value: int) -> None:
    """Goods worth `value` came back open; money asked for stays and serves the next hand-over."""
    given = [p for p in payments if is_live(p) or p.state == PaymentState.FAILED]
    used = [p.used for p in given]
    for payment, part in zip(given, share(min(value, sum(used)), used), strict=True):
        payment.used -= part
    db.session.flush()


def release(
    order: SalesOrder, payments: Sequence[Payment], value: int, *, reason: str, at_counter: bool | None = None
) -> list[dict[str, Any]]:
    """Goods worth `value` will not come: void what was never asked for, refund what was. Returns the tenders.

    What failed payments left behind is written off first: nobody may be asked for goods that will not come. In a mixed
    order `at_counter` says where the goods were to be given: what is to be paid there is for just those.
    """
    tenders = []
    written_off = _debts(payments, value)
    for payment, part in written_off + _given_up(
        payments, value - sum(part for _, part in written_off), at_counter=at_counter
    ):
        failed = payment.state == PaymentState.FAILED
        secured = payment.captured if failed else max(payment.captured, payment.requested)
        never = min(part, max(0, payment.amount - payment.released - secured))
        payment.released += part
        if not failed:
            _void(order, payment, never)
        if part > never:
            give_back(order, payment, part - never, reason)
        tenders.append({"payment": payment.id, "method": payment.method, "amount": part})
    db.session.flush()
    return tenders


def ask_capture(order: SalesOrder, payment: Payment) -> None:
    """Ask for what was used and neither asked for nor taken yet."""
    wanted = payment.used - max(payment.captured, payment.requested)
    if payment.state == PaymentState.AUTHORIZED and wanted > 0:
        payment.requested = payment.used
        states.touch(
            payment, "payment.capture_requested", order=order.id, amount=wanted, method=payment.method,
            external_ref=payment.external_ref,
        )  # fmt: skip


def _void(order: SalesOrder, payment: Payment, amount: int) -> None:
    if not amount:
        return
    told = {
        "order": order.id, "amount": amount, "method": payment.method, "external_ref": payment.external_ref,
    }  # fmt: skip
    ends = payment.state == PaymentState.DUE and open_of(payment) == 0 and payment.used == 0
    if payment.method in AT_HAND_OVER:  # no provider has to be told
        if ends:
            states.move(payment, "void", PAYMENT, event="payment.voided", order=order.id)
    elif ends:
        states.move(payment, "void", PAYMENT, event="payment.void_requested", **told)
    else:
        states.touch(payment, "payment.void_requested", **told)


def give_back(order: SalesOrder, payment: Payment, amount: int, reason: str) -> None:
    """Captured money goes back by the way it came."""
    now = clock.now()
    row = Refund(
        id=new_id(), location_id=order.location_id, order_id=order.id, payment_id=payment.id, method=payment.method,
        state=RefundState.REQUESTED, amount=amount, reason=reason[:200], external_ref=None, version=1, created_at=now,
        updated_at=now,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    emit(
        "refund.requested", aggregate=("refund", row.id), sequence=1, location=order.location_id, id=row.id,
        state=row.state, order=order.id, payment=payment.id, method=payment.method, amount=amount,
        external_ref=payment.external_ref,
    )  # fmt: skip


def _debts(payments: Sequence[Payment], value: int) -> list[tuple[Payment, int]]:
    """The failed payments' open parts, oldest first, up to `value`."""
    parts = []
    for payment in payments:
        part = min(value, open_of(payment)) if payment.state == PaymentState.FAILED else 0
        if part > 0:
            parts.append((payment, part))
            value -= part
    return parts


def _spread(payments: Sequence[Payment], value: int) -> list[tuple[Payment, int]]:
    live = [p for p in payments if is_live(p)]
    weights = [open_of(p) for p in live]
    parts = share(min(value, sum(weights)), weights)
    return [(payment, part) for payment, part in zip(live, parts, strict=True) if part]


def _given_up(payments: Sequence[Payment], value: int, *, at_counter: bool | None) -> list[tuple[Payment, int]]:
    if at_counter is None:
        return _spread(payments, value)
    first = _spread([p for p in payments if (p.method == IN_STORE) == at_counter], value)
    rest = [p for p in payments if (p.method == IN_STORE) != at_counter]
    return first + _spread(rest, value - sum(part for _, part in first))


def due_of(payments: Sequence[Payment], value: int, *, mixed: bool) -> int:
    """What is to be paid at a counter for goods worth `value`."""
    shares = _shares(payments, value, at_counter=True, mixed=mixed)
    return sum(part for p, part in shares if p.state == PaymentState.DUE and p.method in AT_HAND_OVER)


def _shares(payments: Sequence[Payment], value: int, *, at_counter: bool, mixed: bool) -> list[tuple[Payment, int]]:
    """Which payments goods worth `value` use: a till's money first, then by their open parts.

    In a mixed order what is paid in the store comes before the rest at a counter, and after it for a parcel.
    """
    by_rank: dict[int, list[Payment]] = {}
    for payment in payments:
        fits = not mixed or (payment.method == IN_STORE) == at_counter
        rank = 0 if at_counter and payment.at_till else 1 if fits else 2
        by_rank.setdefault(rank, []).append(payment)
    shares: list[tuple[Payment, int]] = []
    for rank in sorted(by_rank):
        shares += _spread(by_rank[rank], value - sum(part for _, part in shares))
    return shares


def take_over(order: SalesOrder, payments: Sequence[Payment], paid: Payment) -> None:
    """A payment that came later stands in for failed and due ones, oldest first."""
    left = paid.amount
    for payment in [p for p in payments if p.state == PaymentState.FAILED] + [
        p for p in payments if p.state == PaymentState.DUE
    ]:
        if payment.state == PaymentState.FAILED:
            part = min(left, _debt(payment))
            given = min(part, max(0, payment.used - payment.captured))
            payment.used -= given
            paid.used += given
        else:
            part = min(left, open_of(payment))
        payment.released += part
        left -= part
        if part and payment.state == PaymentState.DUE:
            _void(order, payment, part)
    ask_capture(order, paid)
    db.session.flush()
