"""A till's sale as an order: complete the moment it is known, priced by the same rules as every other document.

The hot path: everything is queued and travels with the caller's next statement or with COMMIT; nothing is awaited.
`pos_bridge` decides what counts as the same receipt; a corrected one is a higher `revision` of the same reference.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.core import clock, settings, states
from app.core.db import later, use_case
from app.core.ids import new_id
from app.core.outbox import emit
from app.core.sql import Rowset, Sql, json_param
from app.orders.pricing import Cut, Priced, PricedLine, PriceLine, PricingError, price
from app.orders.tax import Basis

from . import queries
from .states import ORDER

TILL = "pos"


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of a receipt. `discount` is for the whole line; weighed goods are one piece at the amount paid."""

    line_ref: str
    sku: str | None
    name: str
    quantity: int
    unit_price: int
    rate: int
    discount: int = 0
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Tender:
    """What was paid with, and how much."""

    method: str
    amount: int


@dataclass(frozen=True, slots=True)
class PostedSale:
    """A receipt that happened. `external_ref` is its natural key as text; `kind` is sale or return."""

    location_id: str
    external_ref: str
    sold_at: dt.datetime
    lines: Sequence[SoldLine]
    tenders: Sequence[Tender]
    kind: str = "sale"
    revision: int = 1
    discount: int = 0
    points_used: int = 0
    prices: Basis = "tax_included"
    customer_id: str | None = None
    original_id: str | None = None
    channel: str = TILL


@dataclass(frozen=True, slots=True)
class RecordedSale:
    """The order made of a receipt, and what it adds up to by our rules (the tenders are the till's own facts)."""

    id: str
    priced: Priced


_LINES = Rowset(
    "line",
    "rows",
    {
        "id": "uuid", "position": "int", "line_ref": "text", "sku": "text", "name": "text", "quantity": "int",
        "unit_price": "int", "discount": "int", "rate": "int", "gross": "int", "line_discount": "int", "cuts": "jsonb",
        "net": "int", "base_before": "int", "tax": "int",
    },
)  # fmt: skip
_TENDERS = Rowset("tender", "rows", {"id": "uuid", "position": "int", "method": "text", "amount": "int"})
_INSERT = Sql(
    "INSERT INTO sales_order (id, location_id, from_location_id, kind, channel, external_ref, revision, state, prices, "
    "rounding, subtotal, discounts, order_discount, points_used, shipping_fee, tax, total, customer_id, method, "
    "original_id, language, placed_at, completed_at, version, created_at, updated_at) VALUES (:id, :location_id, "
    ":location_id, :kind, :channel, :external_ref, :revision, 'completed', :prices, :rounding, :subtotal, :discounts, "
    ":order_discount, :points_used, 0, :tax, :total, :customer_id, 'counter', :original_id, 'ja', :sold_at, :sold_at, "
    "1, :now, :now)"
)
_LINE_COLUMNS = (
    "INSERT INTO order_line (id, location_id, order_id, position, line_ref, kind, sku, name, quantity, unit_price, "
    "discount, rate, gross, line_discount, cuts, net, base_before, tax, cancelled, fulfilled, returned) "
)
_LINE_VALUES = (
    "line.position, line.line_ref, 'goods', line.sku, line.name, line.quantity, line.unit_price, line.discount, "
    "line.rate, line.gross, line.line_discount, line.cuts, line.net, line.base_before, line.tax, 0, line.quantity, 0 "
    "FROM {line}"
)
_INSERT_LINES = Sql(
    _LINE_COLUMNS + "SELECT line.id, :location_id, CAST(:order_id AS uuid), " + _LINE_VALUES,
    _LINES,
    sqlite=_LINE_COLUMNS + "SELECT line.id, :location_id, :order_id, " + _LINE_VALUES,
)
_TENDER_COLUMNS = (
    "INSERT INTO payment (id, location_id, order_id, position, method, state, amount, used, released, requested, "
    "captured, at_till, version, created_at, updated_at) "
)
# fmt: off
_TENDER_VALUES = (
    "tender.position, tender.method, 'captured', tender.amount, tender.amount, 0, tender.amount, tender.amount, "
    "TRUE, 0, "
)
# fmt: on
_INSERT_TENDERS = Sql(
    _TENDER_COLUMNS  # noqa: S608  our own columns
    + "SELECT tender.id, :location_id, CAST(:order_id AS uuid), "
    + _TENDER_VALUES
    + "CAST(:now AS timestamptz), CAST(:now AS timestamptz) FROM {tender}",
    _TENDERS,
    sqlite=_TENDER_COLUMNS  # noqa: S608
    + "SELECT tender.id, :location_id, :order_id, "
    + _TENDER_VALUES
    + ":now, :now FROM {tender}",
)


def price_sale(sale: PostedSale) -> Priced:
    """What the receipt adds up to by our rules. Raises PricingError."""
    lines = [
        PriceLine(line.line_ref, line.quantity, line.unit_price, line.rate, line.discount, basis=line.basis)
        for line in sale.lines
    ]
    cuts = [Cut("discount", amount=sale.discount)] if sale.discount else []
    if sale.points_used:
        cuts.append(Cut("points", amount=sale.points_used))
    priced = price(lines, cuts, prices=sale.prices)
    if priced.subtotal > settings.MAX_YEN or priced.total > settings.MAX_YEN:
        raise PricingError("too-high", amount=max(priced.subtotal, priced.total))
    return priced


@use_case
def record_sale(sale: PostedSale) -> RecordedSale:
    """Write the receipt as a completed order; never refused for what it says about stock. Raises PricingError."""
    priced = price_sale(sale)
    order_id = new_id()
    now = clock.text(clock.now())
    place = {"location_id": sale.location_id, "order_id": order_id}
    later(
        _INSERT,
        {
            "id": order_id, "location_id": sale.location_id, "kind": sale.kind, "channel": sale.channel,
            "external_ref": sale.external_ref, "revision": sale.revision, "prices": priced.prices,
            "rounding": priced.rounding.value, "subtotal": priced.subtotal, "discounts": priced.discounts,
            "order_discount": sale.discount, "points_used": priced.points_used, "total": priced.total,
            "tax": json_param([asdict(one) for one in priced.tax]), "customer_id": sale.customer_id,
            "original_id": sale.original_id, "sold_at": clock.text(sale.sold_at), "now": now,
        },
    )  # fmt: skip
    rows = [_line(number, *pair) for number, pair in enumerate(zip(sale.lines, priced.lines, strict=True), start=1)]
    later(_INSERT_LINES, {**place, "rows": json_param(rows)})
    tenders = [
        {"id": new_id(), "position": number, "method": tender.method, "amount": tender.amount}
        for number, tender in enumerate(sale.tenders, start=1)
    ]
    if tenders:
        later(_INSERT_TENDERS, {**place, "rows": json_param(tenders), "now": now})
    emit(
        "order.completed", aggregate=("sales_order", order_id), sequence=1, location=sale.location_id, id=order_id,
        state="completed", kind=sale.kind, channel=sale.channel,
    )  # fmt: skip
    return RecordedSale(order_id, priced)


@use_case
def reverse_sale(order_id: str, *, reason: str) -> None:
    """Take a receipt's order back (a correction, a void): completed → cancelled, its lines and tenders stay as history.

    Goods and the new revision are the caller's. Raises UnknownOrder, IllegalTransition.
    """
    row = queries.find(order_id, lock=True)
    row.cancel_reason = reason
    states.move(row, "reverse", ORDER, event="order.cancelled", reason=reason)


def _line(number: int, sold: SoldLine, priced: PricedLine) -> dict[str, object]:
    return {
        "id": new_id(), "position": number, "line_ref": sold.line_ref, "sku": sold.sku, "name": sold.name,
        "quantity": sold.quantity, "unit_price": sold.unit_price, "discount": sold.discount, "rate": sold.rate,
        "gross": priced.gross, "line_discount": priced.line_discount, "cuts": list(priced.cuts), "net": priced.net,
        "base_before": priced.base_before, "tax": priced.tax,
    }  # fmt: skip
