"""What the rooms above tell an order: goods were given, a hand-over was undone, pieces will not come.

A room that moves its own work item first takes the order's lock (`lock`), then its own: one lock order for all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app import customers, stock
from app.core import states
from app.core.db import db, use_case

from . import ending, fulfilment, queries, reckoning, tenders
from .ending import Parts, RefundDue
from .errors import TooManyPieces
from .models import OrderLine, SalesOrder
from .states import ORDER, OrderState, PaymentState

_OPEN = frozenset({OrderState.PLACED, OrderState.PARTLY_FULFILLED})


@dataclass(frozen=True, slots=True)
class LineSummary:
    """An order line as a work item sees it; `open` is neither given nor cancelled."""

    line_ref: str
    sku: str
    name: str
    quantity: int
    open: int
    fulfilled: int
    cancelled: int
    unit_price: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a counter needs to know of an order. `amount_due` is to be paid at hand-over."""

    id: str
    number: str | None
    channel: str
    external_ref: str
    state: str
    location_id: str
    method: str
    claim_id: str | None
    work_id: str | None
    total: int
    amount_due: int
    language: str
    contact_id: str | None
    placed_at: dt.datetime
    lines: list[LineSummary]


def lock(order_id: str) -> None:
    """Take the order's lock for this transaction. Raises UnknownOrder."""
    queries.find(order_id, lock=True)


@use_case
def record_fulfilment(
    order_id: str, parts: Parts, *, at: dt.datetime, reference: tuple[str, str], event: str | None = None
) -> None:
    """The pieces were given (the method has posted the claim): moves the order, asks for capture of just their value.

    What is due at hand-over counts as taken. The first pieces carry the shipping fee. `event` is told besides the
    order's own. Raises TooManyPieces, IllegalTransition.
    """
    order = queries.find(order_id, lock=True)
    ending.require_open(order, "fulfil")
    rows = queries.lines_of(order.id)
    given = ending.checked(rows, list(parts.items()))
    given |= {row.line_ref: 1 for row in rows if row.kind == "shipping" and reckoning.open_of(row)}
    value = reckoning.value_from_back(order, rows, given)
    for row in rows:
        row.fulfilled += given.get(row.line_ref, 0)
    tenders.use(order, tenders.of(order.id), value)
    db.session.flush()
    told = {
        "lines": [{"line_ref": ref, "quantity": quantity} for ref, quantity in parts.items()],
        "reference": {"type": reference[0], "id": reference[1]},
    }
    if any(reckoning.open_of(row) for row in rows):
        states.move(order, "fulfil", ORDER, event=event or "order.changed", **told)
        return
    if event is not None:
        states.touch(order, event, **told)
    order.completed_at = at
    states.move(order, "complete", ORDER, event="order.completed", **told)


@use_case
def reverse_fulfilment(order_id: str, parts: Parts, *, claim_id: str | None, reason: str) -> None:
    """A hand-over was undone: the pieces are open again, under the new claim. Captured money stays for the next one.

    Raises TooManyPieces, IllegalTransition.
    """
    order = queries.find(order_id, lock=True)
    rows = queries.lines_of(order.id)
    back = dict(parts)
    for row in reckoning.goods_of(rows):
        quantity = back.get(row.line_ref, 0)
        if quantity > row.fulfilled - row.returned:
            raise TooManyPieces(line_ref=row.line_ref, requested=quantity, left=row.fulfilled - row.returned)
        row.fulfilled -= quantity
    nothing_given = not any(row.fulfilled for row in reckoning.goods_of(rows))
    for row in rows:
        if nothing_given and row.kind == "shipping" and row.fulfilled:
            row.fulfilled, back[row.line_ref] = 0, 1
    tenders.unuse(tenders.of(order.id), reckoning.value_from_back(order, rows, back))
    order.claim_id, order.completed_at = claim_id, None
    db.session.flush()
    told = {"reason": reason, "lines": [{"line_ref": ref, "quantity": quantity} for ref, quantity in parts.items()]}
    if nothing_given or order.state == OrderState.COMPLETED:
        states.move(order, "unfulfil" if nothing_given else "reopen", ORDER, event="order.changed", **told)
    else:
        states.touch(order, "order.changed", **told)


@use_case
def cancel_parts(order_id: str, parts: Parts, *, reason: str) -> RefundDue:
    """A short pick or an expiry: the pieces will not come. The work item has settled its claim and is not called."""
    order = queries.find(order_id, lock=True)
    ending.require_open(order, "cancel")
    rows = queries.lines_of(order.id)
    return ending.take_out(order, rows, ending.checked(rows, list(parts.items())), reason=reason)


def parts_of(order_id: str, parts: Sequence[tuple[str, int]] | None, *, action: str) -> dict[str, int]:
    """The pieces that a caller names by line, checked; all that is open without any.

    Raises UnknownLine, TooManyPieces, IllegalTransition.
    """
    ending.require_open(queries.find(order_id), action)
    rows = queries.lines_of(order_id)
    if parts is not None:
        return ending.checked(rows, parts)
    return {row.line_ref: reckoning.open_of(row) for row in reckoning.goods_of(rows) if reckoning.open_of(row)}


def view(order_id: str) -> dict[str, Any]:
    """The whole order as the API answers it. Raises UnknownOrder."""
    return queries.show(queries.find(order_id))


def contact_of(order_id: str) -> customers.Contact:
    """Whom the order is for. Raises UnknownOrder."""
    return customers.contact(queries.find(order_id).contact_id)


def summary(order_id: str) -> Summary:
    """The order in brief. Raises UnknownOrder."""
    order = queries.find(order_id)
    return _summary(order, queries.lines_of(order.id))


def _summary(order: SalesOrder, rows: Sequence[OrderLine]) -> Summary:
    return Summary(
        id=order.id, number=order.number, channel=order.channel, external_ref=order.external_ref, state=order.state,
        location_id=order.from_location_id, method=order.method, claim_id=order.claim_id, work_id=order.work_id,
        total=order.total, amount_due=tenders.due_at_hand_over(tenders.of(order.id)), language=order.language,
        contact_id=order.contact_id, placed_at=order.placed_at,
        lines=[
            LineSummary(
                line_ref=row.line_ref, sku=row.sku or "", name=row.name, quantity=row.quantity,
                open=reckoning.open_of(row), fulfilled=row.fulfilled, cancelled=row.cancelled,
                unit_price=row.unit_price,
            )
            for row in reckoning.goods_of(rows)
        ],
    )  # fmt: skip


def find_for_pickup(code: str) -> str | None:
    """The order meant by a work item's own code, an order number or a channel's reference; None where none is.

    A reference is a channel's own, so several orders may have it: it names the only one that is open, else none. One
    that is the only one at all is found after its end, too.
    """
    for method in fulfilment.offered():
        found = method.find(code)
        if found is not None:
            return found
    mine = select(SalesOrder.id, SalesOrder.state).where(SalesOrder.work_id.is_not(None))
    numbered = db.session.execute(mine.where(SalesOrder.number == code)).first()
    if numbered is not None:
        return str(numbered.id)
    named = db.session.execute(mine.where(SalesOrder.external_ref == code)).all()
    waiting = [one for one in named if one.state in _OPEN]
    candidates = waiting or named
    return str(candidates[0].id) if len(candidates) == 1 else None


@use_case
def settle_hold(code: str, sold: Mapping[str, int], cause: stock.Cause) -> fulfilment.Held | None:
    """A till's receipt sold goods that were held without an order: they leave by the hold's claim. None: no hold."""
    counters = (method for method in fulfilment.offered() if isinstance(method, fulfilment.Counter))
    return next((held for one in counters if (held := one.settle_hold(code, sold, cause)) is not None), None)


@use_case
def settle_part(order_id: str, sold: Mapping[str, int], *, at: dt.datetime, reference: str) -> None:
    """A till's receipt paid a part: only these pieces, by SKU, are given, and what they are worth counts as taken."""
    order = queries.find(order_id, lock=True)
    method = fulfilment.method(order.method)
    if order.work_id is not None and isinstance(method, fulfilment.Counter):
        method.settle_part(order.work_id, sold, paid_at=at, reference=reference)
    elif order.work_id is not None:
        method.settle(order.work_id, paid_at=at, reference=reference)


@use_case
def settle_at_till(order_id: str, *, tenders_taken: Sequence[tuple[str, int]], at: dt.datetime, reference: str) -> None:
    """A till's receipt paid what was due and handed everything over: the method settles its work item.

    The goods leave stock by the order's own claim: the till's receipt is neither a second order nor a second movement.
    What the till took beyond what was due is the till's own affair.
    """
    order = queries.find(order_id, lock=True)
    payments = tenders.of(order.id)
    left = tenders.due_at_hand_over(payments)
    owed = [p for p in payments if p.state == PaymentState.DUE and p.method in tenders.AT_HAND_OVER]
    for position, (method, taken) in enumerate(tenders_taken, start=len(payments) + 1):
        amount = min(taken, left)
        if amount > 0:
            paid = tenders.add(
                order, position=position, method=method, amount=amount, state=PaymentState.CAPTURED,
                external_ref=reference[:64],
            )  # fmt: skip
            tenders.take_over(order, owed, paid)
            left -= amount
    if order.work_id is not None:
        fulfilment.method(order.method).settle(order.work_id, paid_at=at, reference=reference)
