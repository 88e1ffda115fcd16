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
from .models import Fulfilment, OrderLine, SalesOrder
from .states import OrderState, PaymentState

_OPEN = frozenset({OrderState.PLACED, OrderState.PARTLY_FULFILLED})


@dataclass(frozen=True, slots=True)
class AtCounter:
    """What a receipt may settle of an order: the work items meant, what they still owe and what was given, by SKU."""

    order_id: str
    state: str
    works: tuple[str, ...]
    left: Mapping[str, int]
    done: Mapping[str, int]


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
    skus = {row.line_ref: row.sku or "" for row in reckoning.goods_of(rows)}
    left: dict[str, int] = {}
    for way in mine:
        for ref, pieces in works.open_of(way).items():
            left[skus[ref]] = left.get(skus[ref], 0) + pieces
    done: dict[str, int] = {}
    for row in reckoning.goods_of(rows):
        done[skus[row.line_ref]] = done.get(skus[row.line_ref], 0) + row.fulfilled
    return AtCounter(order.id, order.state, tuple(way.work_id or "" for way in mine), left, done)


def _at_counters(ways: Sequence[Fulfilment], location: str) -> list[Fulfilment]:
    counters = [way for way in ways if isinstance(fulfilment.method(way.method), fulfilment.Counter)]
    owing = [way for way in counters if works.open_of(way)] or counters
    return [way for way in owing if way.location_id == location] or owing


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
    rows = queries.lines_of(order.id)
    shares = _share(found, rows, sold)
    _pay(order, rows, shares, tenders_taken, reference)
    for work_id, parts in shares.items():
        way = works.by_work(work_id)
        if way is not None:
            fulfilment.method(way.method).settle(work_id, parts, paid_at=at, reference=reference)


def _share(found: AtCounter, rows: Sequence[OrderLine], sold: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """The sold pieces by work item and line."""
    left = dict(sold)
    skus = {row.line_ref: row.sku or "" for row in reckoning.goods_of(rows)}
    shares: dict[str, dict[str, int]] = {}
    for work_id in found.works:
        way = works.by_work(work_id)
        for ref, pieces in works.open_of(way).items() if way is not None else ():
            part = min(pieces, left.get(skus[ref], 0))
            if part:
                left[skus[ref]] -= part
                shares.setdefault(work_id, {})[ref] = part
    return shares


def _pay(
    order: SalesOrder,
    rows: Sequence[OrderLine],
    shares: Mapping[str, Mapping[str, int]],
    taken: Sequence[tuple[str, int]],
    reference: str,
) -> None:
    payments = tenders.of(order.id)
    parts: dict[str, int] = {}
    for share in shares.values():
        for ref, pieces in share.items():
            parts[ref] = parts.get(ref, 0) + pieces
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
