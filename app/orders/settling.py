"""A till's receipt that pays and takes what an order, or a hold, kept ready at a counter.

The goods leave stock by the order's own claim: the receipt is neither a second order nor a second movement. What a
till took beyond what was due is the till's own affair.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app import stock
from app.core.db import db, use_case
from app.core.ids import is_id

from . import fulfilment, queries, reckoning, tenders, works
from .errors import UnknownOrder
from .fulfilling import with_fee
from .fulfilment import CounterLine
from .models import Fulfilment, OrderLine, SalesOrder
from .states import OrderState, PaymentState

# What the ledger calls a till's receipt: its own goods, and those that a hold gave for it.
RECEIPT = "pos_receipt"
_OPEN = frozenset({OrderState.PLACED, OrderState.PARTLY_FULFILLED})


@dataclass(frozen=True, slots=True)
class AtCounter:
    """What a receipt may settle of an order: the lines of the work items that are meant."""

    order_id: str
    state: str
    lines: tuple[tuple[str, CounterLine], ...]

    @property
    def left(self) -> dict[str, int]:
        """What is still owed, by SKU."""
        return stock.merge([(line.sku, line.left) for _, line in self.lines if line.left])

    @property
    def done(self) -> dict[str, int]:
        """What was given, by SKU."""
        return stock.merge([(line.sku, line.done) for _, line in self.lines if line.done])


@use_case
def at_counter(code: str, *, location: str) -> AtCounter:
    """The order meant by its id or number, a pickup code or a channel's reference, locked. Raises UnknownOrder.

    A pickup code means that pickup; else the order's pickups at the till's own store are meant, and all of them where
    it has none there.
    """
    order_id, named = _meant(code)
    if order_id is None:
        raise UnknownOrder
    order = queries.find(order_id, lock=True)
    rows = queries.lines_of(order.id)
    ways = [way for way in works.of(order.id) if way.work_id is not None]
    mine = [way for way in ways if way.work_id == named] or _at_counters(ways, location) or ways
    lines = tuple((way.work_id or "", line) for way in mine for line in _lines(way, rows))
    return AtCounter(order.id, order.state, lines)


def _at_counters(ways: Sequence[Fulfilment], location: str) -> list[Fulfilment]:
    counters = [way for way in ways if isinstance(fulfilment.method(way.method), fulfilment.Counter)]
    here = [way for way in counters if way.location_id == location] or counters
    return [way for way in here if works.open_of(way)] or here


def _lines(way: Fulfilment, rows: Sequence[OrderLine]) -> Sequence[CounterLine]:
    method = fulfilment.method(way.method)
    if isinstance(method, fulfilment.Counter):
        return method.lines_at_counter(way.work_id or "")
    owed = works.open_of(way)
    return [
        CounterLine(row.line_ref, row.line_ref, row.sku or "", owed.get(row.line_ref, 0), row.fulfilled)
        for row in reckoning.goods_of(rows)
    ]


def _meant(code: str) -> tuple[str | None, str | None]:
    """(order, work item) that a code means.

    A reference is a channel's own, so several orders may have it: it names the only one that is open, else none. One
    that is the only one at all is found after its end, too.
    """
    if is_id(code.lower()):
        return code.lower(), None
    for method in fulfilment.offered():
        work_id = method.find(code)
        way = works.by_work(work_id) if work_id is not None else None
        if way is not None:
            return way.order_id, work_id
    mine = select(SalesOrder.id, SalesOrder.state).where(
        select(Fulfilment.id).where(Fulfilment.order_id == SalesOrder.id).exists()
    )
    numbered = db.session.execute(mine.where(SalesOrder.number == code)).first()
    if numbered is not None:
        return str(numbered.id), None
    named = db.session.execute(mine.where(SalesOrder.external_ref == code)).all()
    waiting = [one for one in named if one.state in _OPEN]
    candidates = waiting or named
    return (str(candidates[0].id), None) if len(candidates) == 1 else (None, None)


@use_case
def settle_hold(code: str, sold: Mapping[str, int], cause: stock.Cause) -> fulfilment.Held | None:
    """A till's receipt sold goods that were held without an order: they leave by the hold's claim. None: no hold."""
    counters = (method for method in fulfilment.offered() if isinstance(method, fulfilment.Counter))
    return next((held for one in counters if (held := one.settle_hold(code, sold, cause)) is not None), None)


@use_case
def settle_at_till(
    found: AtCounter,
    sold: Mapping[str, int],
    *,
    tenders_taken: Sequence[tuple[str, int]],
    at: dt.datetime,
    reference: str,
) -> None:
    """A till's receipt sold these pieces by SKU: what was due for them is paid, and each work item gives its own.

    Raises what a method refuses that has no counter.
    """
    order = queries.find(found.order_id, lock=True)
    shares = _share(found, sold)
    _pay(order, shares, tenders_taken, reference)
    given: dict[str, dict[str, int]] = {}
    for work_id, line, pieces in shares:
        given.setdefault(work_id, {})[line.ref] = pieces
    for work_id, parts in given.items():
        way = works.by_work(work_id)
        if way is not None:
            fulfilment.method(way.method).settle(work_id, parts, paid_at=at, reference=reference)


def _share(found: AtCounter, sold: Mapping[str, int]) -> list[tuple[str, CounterLine, int]]:
    """The sold pieces by work item and line."""
    left, shares = dict(sold), []
    for work_id, line in found.lines:
        part = min(line.left, left.get(line.sku, 0))
        if part:
            left[line.sku] -= part
            shares.append((work_id, line, part))
    return shares


def _pay(
    order: SalesOrder,
    shares: Sequence[tuple[str, CounterLine, int]],
    taken: Sequence[tuple[str, int]],
    reference: str,
) -> None:
    payments, rows = tenders.of(order.id), queries.lines_of(order.id)
    parts: dict[str, int] = {}
    for _, line, pieces in shares:
        parts[line.line_ref] = parts.get(line.line_ref, 0) + pieces
    value = reckoning.value_from_back(order, rows, with_fee(rows, parts))
    left = tenders.due_of(payments, value, mixed=len(works.of(order.id)) > 1)
    owed = [p for p in payments if p.state == PaymentState.DUE and p.method in tenders.AT_HAND_OVER]
    for position, (method, amount) in enumerate(taken, start=len(payments) + 1):
        part = min(amount, left)
        if part > 0:
            paid = tenders.add(
                order, position=position, method=method, amount=part, state=PaymentState.CAPTURED,
                external_ref=reference[:64], at_till=True,
            )  # fmt: skip
            tenders.take_over(order, owed, paid)
            left -= part
