"""What the rooms above tell an order: goods were given, a hand-over was undone, pieces will not come.

A room that moves its own work item first takes the order's lock (`lock`), then its own: one lock order for all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import customers
from app.core import states
from app.core.db import db, use_case

from . import ending, queries, reckoning, tenders, works
from .ending import Parts, RefundDue
from .errors import TooManyPieces
from .models import OrderLine, SalesOrder
from .states import ORDER, OrderState


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
    """What a work item needs to know of its order. `amount_due` is to be paid at hand-over."""

    id: str
    number: str | None
    channel: str
    external_ref: str
    state: str
    location_id: str
    method: str
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
    order_id: str,
    parts: Parts,
    *,
    at: dt.datetime,
    reference: tuple[str, str],
    event: str | None = None,
    at_counter: bool = False,
) -> None:
    """The pieces were given (the method has posted the claim): moves the order, asks for capture of just their value.

    What is due at hand-over counts as taken; `at_counter` says that somebody stood there who could pay. The first
    pieces carry the shipping fee. `event` is told besides the order's own. Raises TooManyPieces, IllegalTransition.
    """
    order = queries.find(order_id, lock=True)
    ending.require_open(order, "fulfil")
    rows = queries.lines_of(order.id)
    given = ending.checked(rows, list(parts.items()))
    given = with_fee(rows, given)
    value = reckoning.value_from_back(order, rows, given)
    for row in rows:
        row.fulfilled += given.get(row.line_ref, 0)
    tenders.use(order, tenders.of(order.id), value, at_counter=at_counter, mixed=len(works.of(order.id)) > 1)
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
def reverse_fulfilment(order_id: str, parts: Parts, *, work_id: str, claim_id: str, reason: str) -> None:
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
    way = works.by_work(work_id)
    if way is not None:
        way.claim_id = claim_id
    order.completed_at = None
    db.session.flush()
    told = {"reason": reason, "lines": [{"line_ref": ref, "quantity": quantity} for ref, quantity in parts.items()]}
    if nothing_given or order.state == OrderState.COMPLETED:
        states.move(order, "unfulfil" if nothing_given else "reopen", ORDER, event="order.changed", **told)
    else:
        states.touch(order, "order.changed", **told)


@use_case
def cancel_parts(order_id: str, parts: Parts, *, reason: str, at_counter: bool = False) -> RefundDue:
    """A short pick or an expiry: the pieces will not come. The work item has settled its claim and is not called.

    `at_counter` says that they were to be given, and perhaps paid, at a counter.
    """
    order = queries.find(order_id, lock=True)
    ending.require_open(order, "cancel")
    rows = queries.lines_of(order.id)
    gone = ending.checked(rows, list(parts.items()))
    return ending.take_out(order, rows, gone, reason=reason, at_counter=at_counter)


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
        location_id=order.from_location_id, method=order.method,
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


def due_at_counter(order_id: str, parts: Parts) -> int:
    """What the customer pays when these pieces of the order are given at a counter. Raises UnknownOrder."""
    order = queries.find(order_id)
    payments = tenders.of(order.id)
    if not tenders.due_at_hand_over(payments):
        return 0
    rows = queries.lines_of(order.id)
    mixed = len(works.of(order.id)) > 1
    return tenders.due_of(payments, reckoning.value_from_back(order, rows, with_fee(rows, parts)), mixed=mixed)


def worth(order_id: str, parts: Parts) -> int:
    """What would go back if these pieces of the order did not come. Raises UnknownOrder."""
    order = queries.find(order_id)
    rows = queries.lines_of(order.id)
    gone = {
        ref: min(pieces, reckoning.open_of(row)) for row in rows for ref, pieces in parts.items() if ref == row.line_ref
    }
    return reckoning.value_from_front(order, rows, gone).total


def due_at_counters(asked: Mapping[str, tuple[str, Parts]]) -> dict[str, int]:
    """The same for many work items at once: (order, its open pieces) by work item.

    An order that has one way only owes there whatever is due; of a mixed one each counter takes its pieces' share.
    """
    order_ids = sorted({order_id for order_id, _ in asked.values()})
    whole, mixed = tenders.due_at_hand_over_of(order_ids), works.mixed(order_ids)
    return {
        work_id: due_at_counter(order_id, parts) if order_id in mixed and whole[order_id] else whole[order_id]
        for work_id, (order_id, parts) in asked.items()
    }


def with_fee(rows: Sequence[OrderLine], parts: Parts) -> dict[str, int]:
    """The pieces with the shipping fee, which goes with the first that are given."""
    return dict(parts) | {row.line_ref: 1 for row in rows if row.kind == "shipping" and reckoning.open_of(row)}
