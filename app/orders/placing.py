"""Placing an order: one transaction from price to claim to work item, or nothing at all.

The order's row comes first: its unique (channel, external_ref) makes a rival with the same order wait and then hear
`duplicate-order`. Then the claims, the customer, the payments, and at last the methods' work items.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import customers, stock
from app.core import actor, clock, settings
from app.core.db import db, use_case
from app.core.errors import invalid
from app.core.ids import new_id, short_code
from app.core.outbox import emit

from . import fulfilment, reckoning, tenders, works
from .errors import CouponNotApplicable, DuplicateOrder, InsufficientPoints, TotalMismatch, UnknownChannel, UnknownLine
from .fulfilment import Located
from .models import Fulfilment, OrderLine, SalesOrder
from .reckoning import Document, LineWanted
from .states import OrderState

NUMBER_LENGTH = 10
_AHEAD = dt.timedelta(days=1)  # how far a channel's clock may run before ours


@dataclass(frozen=True, slots=True)
class PaymentWanted:
    """A payment as a channel sends it."""

    method: str
    amount: int
    state: str
    external_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """An order as a channel sends it. Each of `fulfilments` names its `lines`; the only one may leave them out."""

    channel: str
    external_ref: str
    fulfilments: Sequence[Mapping[str, Any]]
    lines: Sequence[LineWanted]
    payments: Sequence[PaymentWanted] = ()
    placed_at: dt.datetime | None = None
    customer: Mapping[str, Any] = field(default_factory=dict)
    reservation: str | None = None
    order_discount: int = 0
    coupons: Sequence[str] = ()
    coupon_holds: Sequence[str] = ()
    points_to_use: int = 0
    points_hold: str | None = None
    shipping_fee: int = 0
    prices: str = "tax_included"
    expected_total: int | None = None
    language: str = "ja"


@dataclass(frozen=True, slots=True)
class Way:
    """How some pieces (by line_ref) shall reach the customer, and the places found for it."""

    wanted: Mapping[str, Any]
    parts: Mapping[str, int]
    located: Located

    @property
    def method(self) -> str:
        """The fulfilment method's name."""
        return str(self.wanted["method"])


def priced(basket: Basket) -> tuple[list[Way], Document]:
    """Where the goods come from, and what they cost. Raises every refusal that a look alone can find."""
    actor.within(channel=basket.channel, missing=UnknownChannel)
    ways = [_way(basket, wanted, parts) for wanted, parts in _split(basket)]
    location = ways[0].located.location_id
    at = basket.placed_at or clock.now()
    if at > clock.now() + _AHEAD:
        raise invalid("/placed_at", "out-of-range")
    document = reckoning.reckon(
        basket.lines, location=location, placed_at=at, prices=basket.prices, discount=basket.order_discount,
        shipping=basket.shipping_fee,
    )  # fmt: skip
    return ways, document


def _way(basket: Basket, asked: Mapping[str, Any], parts: Mapping[str, int]) -> Way:
    wanted = dict(asked)
    if basket.reservation is not None and wanted["method"] == "ship" and not wanted.get("ship_from"):
        claim = stock.find(basket.reservation)
        actor.within(channel=claim.channel, missing=stock.UnknownReservation)
        wanted["ship_from"] = claim.location_id
    demand = stock.merge([(line.sku, parts.get(line.line_ref, 0)) for line in basket.lines if parts.get(line.line_ref)])
    return Way(wanted, parts, fulfilment.method(wanted["method"]).locate(wanted, demand, basket.channel))


def _split(basket: Basket) -> list[tuple[Mapping[str, Any], dict[str, int]]]:
    """Which pieces go which way: every piece exactly once."""
    whole = {line.line_ref: line.quantity for line in basket.lines}
    if len(basket.fulfilments) == 1 and basket.fulfilments[0].get("lines") is None:
        return [(basket.fulfilments[0], whole)]
    left, found = dict(whole), []
    for index, wanted in enumerate(basket.fulfilments):
        parts: dict[str, int] = {}
        for number, part in enumerate(wanted.get("lines") or ()):
            if part["line_ref"] not in whole:
                pointer = f"/fulfilments/{index}/lines/{number}/line_ref"
                raise UnknownLine(errors=[{"pointer": pointer, "code": "unknown-line"}])
            parts[part["line_ref"]] = parts.get(part["line_ref"], 0) + part["quantity"]
            left[part["line_ref"]] -= part["quantity"]
        if not parts:
            raise invalid(f"/fulfilments/{index}/lines", "required")
        found.append((wanted, parts))
    uneven = next((ref for ref, pieces in left.items() if pieces), None)
    if uneven is not None:
        raise invalid("/fulfilments", "lines-uneven", line_ref=uneven)
    return found


@use_case
def place(basket: Basket) -> str:
    """Place the order; returns its id.

    Raises DuplicateOrder, TotalMismatch (nothing is taken), InsufficientStock, ReservationMismatch, ReservationEnded,
    InsufficientPoints, CouponNotApplicable, and what the method refuses.
    """
    actor.within(channel=basket.channel, missing=UnknownChannel)
    _refuse_duplicate(basket)
    _refuse_promotions(basket)
    ways, document = priced(basket)
    _refuse_totals(basket, document)
    _refuse_unpaid_parcels(basket, ways, document)
    order = _new(basket, ways[0], document)
    try:
        _insert(order)
    except IntegrityError:
        _refuse_duplicate(basket)
        raise
    rows = reckoning.rows_of(order, document)
    db.session.add_all(rows)
    opened = _claim_all(order, basket, rows, ways)
    order.customer_id = customers.find_or_create(basket.customer)
    address = next((way.wanted["address"] for way in ways if way.wanted.get("address")), None)
    facts = {**basket.customer, "address": address}
    order.contact_id = customers.keep_contact(facts, customer_id=order.customer_id)
    for position, paid in enumerate(basket.payments, start=1):
        tenders.add(
            order, position=position, method=paid.method, amount=paid.amount, state=paid.state,
            external_ref=paid.external_ref,
        )  # fmt: skip
    # Places in hours and slots are locked until COMMIT: taken last of all, and store by store in one order.
    for row, way in sorted(zip(opened, ways, strict=True), key=lambda pair: (pair[0].location_id, pair[0].position)):
        works.open_work(order, row, rows, way.parts)
    emit(
        "order.created", aggregate=("sales_order", order.id), sequence=1, location=order.location_id, id=order.id,
        state=order.state, channel=order.channel, external_ref=order.external_ref, number=order.number,
    )  # fmt: skip
    return order.id


def _refuse_duplicate(basket: Basket) -> None:
    first = db.session.scalar(
        select(SalesOrder.id)
        .where(SalesOrder.channel == basket.channel, SalesOrder.external_ref == basket.external_ref)
        .order_by(SalesOrder.revision)
        .limit(1)
    )
    if first is not None:
        raise DuplicateOrder(id=first, channel=basket.channel, external_ref=basket.external_ref)


def _refuse_promotions(basket: Basket) -> None:
    """There are no points to spend and no coupons to use yet, so nobody has any: these are true answers."""
    if basket.points_to_use or basket.points_hold is not None:
        raise InsufficientPoints(requested=basket.points_to_use, available=0)
    unknown = [*basket.coupons, *basket.coupon_holds]
    if unknown:
        raise CouponNotApplicable(coupons=[{"code": code, "reason": "unknown_code"} for code in unknown])


def _refuse_totals(basket: Basket, document: Document) -> None:
    total = document.priced.total
    pointers = []
    if basket.expected_total is not None and basket.expected_total != total:
        pointers.append("/expected_total")
    if sum(paid.amount for paid in basket.payments) != total:
        pointers.append("/payments")
    if pointers:
        raise TotalMismatch(
            total=total,
            totals=document.totals,
            errors=[{"pointer": pointer, "code": "total-mismatch", "total": total} for pointer in pointers],
        )


def _refuse_unpaid_parcels(basket: Basket, ways: Sequence[Way], document: Document) -> None:
    """Nobody stands at a counter when a parcel leaves: what is paid in the store is at most what is given there."""
    in_store = [n for n, paid in enumerate(basket.payments) if paid.method == tenders.IN_STORE and paid.state == "due"]
    parts: dict[str, int] = {}
    for way in ways:
        for ref, pieces in () if _has_counter(way) else way.parts.items():
            parts[ref] = parts.get(ref, 0) + pieces
    if not in_store or not parts:
        return
    sent = sum(
        line.part(line.quantity - min(parts.get(line.line_ref, 0), line.quantity), parts.get(line.line_ref, 0)).taxable
        for line in document.priced.lines
        if line.kind == "goods"
    )
    if sent > document.priced.total - sum(basket.payments[n].amount for n in in_store):
        raise invalid(f"/payments/{in_store[0]}/method", "not-allowed")


def _has_counter(way: Way) -> bool:
    return isinstance(fulfilment.method(way.method), fulfilment.Counter)


def _new(basket: Basket, first: Way, document: Document) -> SalesOrder:
    now = clock.now()
    location = first.located.location_id
    order = SalesOrder(
        id=new_id(), location_id=location, from_location_id=location, kind="sale", channel=basket.channel,
        external_ref=basket.external_ref, revision=1, number=short_code(NUMBER_LENGTH), state=OrderState.PLACED,
        prices=basket.prices, rounding=settings.TAX_ROUNDING, order_discount=basket.order_discount,
        method=first.method, language=basket.language,
        placed_at=basket.placed_at or now, version=1, created_at=now, updated_at=now,
    )  # fmt: skip
    reckoning.fill_totals(order, document)
    return order


@use_case
def _insert(order: SalesOrder) -> None:
    db.session.add(order)
    db.session.flush()


def _claim_all(order: SalesOrder, basket: Basket, rows: Sequence[OrderLine], ways: Sequence[Way]) -> list[Fulfilment]:
    """Claim every way's goods. With several places all levels are locked first, in the one order of all."""
    wanted = [reckoning.by_sku(rows, way.parts) for way in ways]
    if len(ways) > 1:
        if basket.reservation is not None:
            raise invalid("/reservation", "not-allowed")
        spots = {(way.located.source_id, sku) for way, skus in zip(ways, wanted, strict=True) for sku in skus}
        stock.lock_levels(sorted(spots))
    return [
        works.add(
            order, method=way.method, located=way.located, position=number, pickup_at=way.wanted.get("pickup_at"),
            claim_id=_claim(order, basket, way, skus),
        )
        for number, (way, skus) in enumerate(zip(ways, wanted, strict=True), start=1)
    ]  # fmt: skip


def _claim(order: SalesOrder, basket: Basket, way: Way, wanted: Mapping[str, int]) -> str:
    source = way.located.source_id
    if basket.reservation is None:
        return works.claim(order, method=way.method, source=source, wanted=wanted)
    return _take_over(order, basket.reservation, wanted, source)


def _take_over(order: SalesOrder, claim_id: str, wanted: Mapping[str, int], source: str) -> str:
    """The cart's claim becomes the order's: no piece is free in between, what is too much is."""
    claim = stock.find(claim_id, lock=True)
    owner = ("order", order.id)
    actor.within(channel=claim.channel, missing=stock.UnknownReservation)
    if claim.state != "reserved":
        raise stock.ReservationEnded(state=claim.state, id=claim.id)
    over = [sku for sku, quantity in wanted.items() if quantity > claim.open.get(sku, 0)]
    if claim.location_id != source or over:
        raise stock.ReservationMismatch(id=claim.id, location=claim.location_id, skus=over)
    stock.attach(claim.id, owner=owner, kind=order.method)
    rest = {sku: quantity - wanted.get(sku, 0) for sku, quantity in claim.open.items() if quantity > wanted.get(sku, 0)}
    if rest:
        stock.void(claim.id, rest, owner=owner)
    return claim.id
