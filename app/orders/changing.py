"""Changing an order before its picking has begun: other lines, another place, another address, in one transaction.

A growing claim at the same place is given back and taken anew: its rows stay locked in between, so nobody else gets the
pieces, and the order's own claim never stands in its own way. At another place the new claim comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete

from app import customers, stock
from app.core import states
from app.core.db import db, use_case
from app.core.errors import invalid

from . import fulfilment, queries, reckoning, tenders, works
from .errors import SeveralFulfilments
from .models import Fulfilment, OrderLine, SalesOrder
from .reckoning import LineWanted
from .states import ORDER, OrderState, PaymentState


@dataclass(frozen=True, slots=True)
class LineChanged:
    """A line as it shall be; a price that is not given stays as it is."""

    line_ref: str
    sku: str
    quantity: int
    unit_price: int | None = None
    discount: int | None = None


@use_case
def change(
    order_id: str,
    *,
    lines: Sequence[LineChanged] | None = None,
    location: str | None = None,
    address: Any = None,
) -> SalesOrder:
    """Change the order; `lines` are all that it shall have. Money that is too much goes back, what lacks becomes due.

    Raises UnknownOrder, IllegalTransition, InsufficientStock, CannotPrice, SeveralFulfilments (lines and place of an
    order whose goods come in several ways stay as they are), and what the method refuses.
    """
    order = queries.find(order_id, lock=True)
    if order.state != OrderState.PLACED:
        state = OrderState(order.state)
        raise states.IllegalTransition(state=str(state), allowed=states.allowed(ORDER, state), action="change")
    rows = queries.lines_of(order.id)
    if address is not None:
        _readdress(order, address)
    if lines is not None or location is not None:
        ways = works.of(order.id)
        if len(ways) != 1 or ways[0].source_id != ways[0].location_id:
            raise SeveralFulfilments
        _refit(order, ways[0], rows, lines, location)
    states.touch(order, "order.changed")
    return order


def _refit(
    order: SalesOrder,
    way: Fulfilment,
    rows: Sequence[OrderLine],
    lines: Sequence[LineChanged] | None,
    location: str | None,
) -> None:
    place = way.location_id
    if location is not None and location != place:
        place = _locate(order, way, location, _demand(rows, lines))
    if lines is not None:
        rows = _reprice(order, rows, lines, place)
    if lines is not None or place != way.location_id:
        _reclaim(order, way, rows, place)


def _demand(rows: Sequence[OrderLine], lines: Sequence[LineChanged] | None) -> dict[str, int]:
    if lines is not None:
        return stock.merge([(line.sku, line.quantity) for line in lines])
    return reckoning.by_sku(rows, {row.line_ref: reckoning.open_of(row) for row in rows})


def _locate(order: SalesOrder, way: Fulfilment, location: str, demand: Mapping[str, int]) -> str:
    wanted = {"method": order.method, "location": location, "ship_from": location, "pickup_at": way.pickup_at}
    return fulfilment.method(order.method).locate(wanted, demand, order.channel).location_id


def _readdress(order: SalesOrder, address: Any) -> None:
    facts = {**asdict(customers.contact(order.contact_id)), "address": address}
    order.contact_id = customers.keep_contact(facts, customer_id=order.customer_id, contact_id=order.contact_id)


def _reprice(order: SalesOrder, old: Sequence[OrderLine], lines: Sequence[LineChanged], place: str) -> list[OrderLine]:
    known = {row.line_ref: row for row in reckoning.goods_of(old)}
    document = reckoning.reckon(
        [_line(index, line, known.get(line.line_ref)) for index, line in enumerate(lines)],
        location=place,
        placed_at=order.placed_at,
        prices=order.prices,
        discount=order.order_discount,
        shipping=order.shipping_fee,
    )
    payments = tenders.of(order.id)
    settled = sum(tenders.open_of(p) for p in payments if tenders.is_live(p))
    db.session.execute(delete(OrderLine).where(OrderLine.order_id == order.id))
    rows = reckoning.rows_of(order, document)
    db.session.add_all(rows)
    reckoning.fill_totals(order, document)
    if order.total < settled:
        tenders.release(order, payments, settled - order.total, reason="order_changed")
    elif order.total > settled:
        tenders.add(
            order, position=len(payments) + 1, amount=order.total - settled, state=PaymentState.DUE,
            method="pay_in_store" if order.method == "pickup" else tenders.BALANCE,
        )  # fmt: skip
    db.session.flush()
    return rows


def _line(index: int, line: LineChanged, known: OrderLine | None) -> LineWanted:
    same = known if known is not None and known.sku == line.sku else None
    price = line.unit_price if line.unit_price is not None else (same.unit_price if same else None)
    if price is None:
        raise invalid(f"/lines/{index}/unit_price", "required")
    discount = line.discount if line.discount is not None else (same.discount if same else 0)
    return LineWanted(line.line_ref, line.sku, line.quantity, price, discount)


def _reclaim(order: SalesOrder, way: Fulfilment, rows: Sequence[OrderLine], place: str) -> None:
    """Fit claim and work item to the lines and the place."""
    parts = {row.line_ref: reckoning.open_of(row) for row in rows}
    wanted = reckoning.by_sku(rows, parts)
    owner = ("order", order.id)
    old = stock.find(way.claim_id, lock=True)
    moved = place != old.location_id
    order.from_location_id = way.location_id = way.source_id = place
    if not moved and all(quantity <= old.open.get(sku, 0) for sku, quantity in wanted.items()):
        rest = {sku: q - wanted.get(sku, 0) for sku, q in old.open.items() if q > wanted.get(sku, 0)}
        if rest:
            stock.void(old.id, rest, owner=owner)
    else:
        # All levels at once and in the one order: two orders that swap goods would otherwise wait for each other.
        stock.lock_levels([*((old.location_id, sku) for sku in old.open), *((place, sku) for sku in wanted)])
        if not moved:
            stock.release(old.id, owner=owner)
        way.claim_id = works.claim(order, method=way.method, source=place, wanted=wanted)
    db.session.flush()
    if way.work_id is not None:
        opening = works.opening(order, way, rows, parts)
        way.work_id = fulfilment.method(way.method).change(way.work_id, opening)
    if moved:
        stock.release(old.id, owner=owner)
    db.session.flush()
