"""Pieces of an order that will not come: cancelled by the channel, short in the shop, never collected, never paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.core import clock, states
from app.core.db import db, use_case

from . import queries, reckoning, tenders, works
from .errors import TooManyPieces, UnknownLine
from .models import OrderLine, SalesOrder
from .states import ORDER, OrderState

Parts = Mapping[str, int]  # line_ref: pieces


@dataclass(frozen=True, slots=True)
class RefundDue:
    """Money that goes back or is never taken: in all, per rate, per tender."""

    total: int
    tax: list[dict[str, Any]]
    tenders: list[dict[str, Any]]
    points_returned: int = 0
    coupons_restored: tuple[str, ...] = ()


@use_case
def cancel(order_id: str, *, parts: Sequence[tuple[str, int]] | None = None, reason: str) -> RefundDue:
    """Cancel what is still open, or only some pieces of some lines; their claim is freed in the same transaction.

    Raises UnknownOrder, UnknownLine, TooManyPieces, IllegalTransition, and what the method refuses.
    """
    order = queries.find(order_id, lock=True)
    return cancel_open(order, parts=parts, reason=reason)


def cancel_open(order: SalesOrder, *, parts: Sequence[tuple[str, int]] | None, reason: str) -> RefundDue:
    """The same for an order whose lock is held already."""
    require_open(order, "cancel")
    rows = queries.lines_of(order.id)
    left = {row.line_ref: reckoning.open_of(row) for row in reckoning.goods_of(rows) if reckoning.open_of(row)}
    wanted = left if parts is None else checked(rows, parts)
    at_counter = works.give_up(order, wanted, reason=reason)
    return take_out(order, rows, wanted, reason=reason, at_counter=at_counter)


def require_open(order: SalesOrder, action: str) -> None:
    """Raise IllegalTransition unless something of the order is still to come."""
    if order.state not in {OrderState.PLACED, OrderState.PARTLY_FULFILLED}:
        state = OrderState(order.state)
        raise states.IllegalTransition(state=str(state), allowed=states.allowed(ORDER, state), action=action)


def checked(rows: Sequence[OrderLine], parts: Sequence[tuple[str, int]]) -> dict[str, int]:
    """The pieces by line, summed. Raises UnknownLine, TooManyPieces."""
    known = {row.line_ref: row for row in reckoning.goods_of(rows)}
    wanted: dict[str, int] = {}
    for index, (line_ref, quantity) in enumerate(parts):
        if line_ref not in known:
            raise UnknownLine(errors=[{"pointer": f"/lines/{index}/line_ref", "code": "unknown-line"}])
        wanted[line_ref] = wanted.get(line_ref, 0) + quantity
    for line_ref, quantity in wanted.items():
        left = reckoning.open_of(known[line_ref])
        if quantity > left:
            raise TooManyPieces(line_ref=line_ref, requested=quantity, left=left)
    return {line_ref: quantity for line_ref, quantity in wanted.items() if quantity}


def take_out(
    order: SalesOrder, rows: Sequence[OrderLine], parts: Parts, *, reason: str, at_counter: bool | None
) -> RefundDue:
    """Count pieces as cancelled, give their money back, and end the order when nothing is left of it.

    The shipping fee goes back only when nothing was ever sent. `at_counter` says where they were to be given.
    """
    goods = reckoning.goods_of(rows)
    given = any(row.fulfilled for row in goods)
    over = sum(reckoning.open_of(row) for row in goods) == sum(parts.values())
    gone = dict(parts)
    if over and not given:
        gone |= {row.line_ref: 1 for row in rows if row.kind == "shipping" and reckoning.open_of(row)}
    refund = reckoning.value_from_front(order, rows, gone)
    for row in rows:
        row.cancelled += gone.get(row.line_ref, 0)
    at_counter = at_counter if len(works.of(order.id)) > 1 else None
    released = tenders.release(order, tenders.of(order.id), refund.total, reason=reason, at_counter=at_counter)
    told = {"refund_total": refund.total, "lines": [{"line_ref": ref, "quantity": q} for ref, q in parts.items()]}
    db.session.flush()
    if not over:
        states.touch(order, "order.changed", **told)
    elif given:
        order.completed_at = clock.now()
        states.move(order, "complete", ORDER, event="order.completed", **told)
    else:
        order.cancel_reason = reason[:200]
        states.move(order, "cancel", ORDER, event="order.cancelled", **told)
    return RefundDue(total=refund.total, tax=[asdict(one) for one in refund.tax], tenders=released)
