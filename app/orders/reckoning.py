"""From a request to a priced document, and from frozen lines back to money: what some pieces of an order are worth.

Pieces that are cancelled or come back take a line's units from the front, pieces that are given take them from the
back; so every unit's value is used once, in whatever order things happen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from app import catalog, stores
from app.core import settings
from app.core.errors import invalid
from app.core.ids import new_id
from app.core.money import Rounding

from .errors import CannotPrice
from .models import OrderLine, SalesOrder
from .pricing import Cut, Priced, PricedLine, PriceLine, PricingError, Refund, price, refund_of
from .tax import Basis, TaxCategory, tax_rate

SHIPPING_REF = ""


@dataclass(frozen=True, slots=True)
class LineWanted:
    """A line as a channel sends it; `discount` is for the whole line."""

    line_ref: str
    sku: str
    quantity: int
    unit_price: int
    discount: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """Priced lines with their names, and the totals that are answered."""

    lines: tuple[LineWanted, ...]
    names: Mapping[str, str]
    priced: Priced

    @property
    def totals(self) -> dict[str, Any]:
        """As the API answers them."""
        p = self.priced
        return {
            "subtotal": p.subtotal, "discounts": p.discounts, "points_used": p.points_used,
            "shipping_fee": p.shipping_fee, "tax": [asdict(one) for one in p.tax], "total": p.total, "currency": "JPY",
        }  # fmt: skip


def reckon(
    lines: Sequence[LineWanted], *, location: str, placed_at: dt.datetime, prices: str, discount: int, shipping: int
) -> Document:
    """Price a document by the rates of the local day. Raises UnknownSku, UnknownLocation, CannotPrice."""
    _unique(lines)
    day = placed_at.astimezone(stores.get(location).calendar.zone).date()
    skus = sorted({line.sku for line in lines})
    catalog.require(skus)
    facts = catalog.get(skus)
    goods = [
        PriceLine(
            line.line_ref,
            line.quantity,
            line.unit_price,
            tax_rate(cast(TaxCategory, facts[line.sku].tax_category), day),
            line.discount,
        )
        for line in lines
    ]
    if shipping:
        goods.append(PriceLine(SHIPPING_REF, 1, shipping, tax_rate("standard", day), kind="shipping"))
    cuts = [Cut("discount", amount=discount)] if discount else []
    try:
        priced = price(goods, cuts, prices=cast(Basis, prices), rounding=Rounding(settings.TAX_ROUNDING))
    except PricingError as error:
        raise _refusal(error) from error
    if priced.total > settings.MAX_YEN or priced.subtotal > settings.MAX_YEN:
        raise invalid("/lines", "too-high")
    return Document(tuple(lines), {sku: fact.name for sku, fact in facts.items()}, priced)


def _unique(lines: Sequence[LineWanted]) -> None:
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if line.line_ref in seen:
            raise invalid(f"/lines/{index}/line_ref", "duplicate")
        seen.add(line.line_ref)


def _refusal(error: PricingError) -> CannotPrice:
    line = error.facts.get("line")
    pointer = "/order_discount" if line is None else f"/lines/{line}/discount"
    return CannotPrice(errors=[{"pointer": pointer, "code": "too-high"}])


def rows_of(order: SalesOrder, document: Document) -> list[OrderLine]:
    """The document's lines as rows, with everything that a later refund needs."""
    wanted = {line.line_ref: line for line in document.lines}
    return [
        _row(order, number, line, wanted.get(line.line_ref), document)
        for number, line in enumerate(document.priced.lines, start=1)
    ]


def _row(order: SalesOrder, number: int, line: PricedLine, wanted: LineWanted | None, document: Document) -> OrderLine:
    return OrderLine(
        id=new_id(), location_id=order.location_id, order_id=order.id, position=number, line_ref=line.line_ref,
        kind=line.kind, sku=wanted.sku if wanted else None, name=document.names[wanted.sku] if wanted else "",
        quantity=line.quantity, unit_price=wanted.unit_price if wanted else line.gross,
        discount=wanted.discount if wanted else 0, rate=line.rate, gross=line.gross, line_discount=line.line_discount,
        cuts=list(line.cuts), net=line.net, base_before=line.base_before, tax=line.tax, cancelled=0, fulfilled=0,
        returned=0,
    )  # fmt: skip


def fill_totals(order: SalesOrder, document: Document) -> None:
    """Write the document's sums into the order."""
    priced = document.priced
    order.subtotal, order.discounts, order.total = priced.subtotal, priced.discounts, priced.total
    order.points_used, order.shipping_fee = priced.points_used, priced.shipping_fee
    order.tax = [asdict(one) for one in priced.tax]


def frozen(order: SalesOrder, rows: Sequence[OrderLine]) -> list[PricedLine]:
    """The rows as priced lines again."""
    return [
        PricedLine(
            line_ref=row.line_ref, kind="shipping" if row.kind == "shipping" else "goods", quantity=row.quantity,
            rate=row.rate, prices=cast(Basis, order.prices), rounding=Rounding(order.rounding), gross=row.gross,
            line_discount=row.line_discount, cuts=tuple(row.cuts), net=row.net, base_before=row.base_before,
            tax=row.tax,
        )
        for row in rows
    ]  # fmt: skip


def value_from_front(order: SalesOrder, rows: Sequence[OrderLine], parts: Mapping[str, int]) -> Refund:
    """What pieces that are cancelled now are worth; call it before counting them as cancelled."""
    taken = {index: row.cancelled + row.returned for index, row in enumerate(rows)}
    now = {index: parts.get(row.line_ref, 0) for index, row in enumerate(rows)}
    return refund_of(frozen(order, rows), taken, now)


def value_from_back(order: SalesOrder, rows: Sequence[OrderLine], parts: Mapping[str, int]) -> int:
    """What pieces that are given now are worth; call it before counting them as given (or after taking them back)."""
    total = 0
    for row, line in zip(rows, frozen(order, rows), strict=True):
        now = parts.get(row.line_ref, 0)
        part = line.part(row.quantity - row.fulfilled - now, now)
        total += part.taxable if line.prices == "tax_included" else part.taxable + part.tax
    return total


def open_of(row: OrderLine) -> int:
    """Pieces neither given nor cancelled."""
    return row.quantity - row.fulfilled - row.cancelled


def goods_of(rows: Sequence[OrderLine]) -> list[OrderLine]:
    """The lines that are things, in the caller's order."""
    return [row for row in rows if row.kind == "goods"]


def by_sku(rows: Sequence[OrderLine], parts: Mapping[str, int]) -> dict[str, int]:
    """Pieces by line as pieces by SKU: two lines of one SKU are one demand."""
    merged: dict[str, int] = {}
    for row in sorted(goods_of(rows), key=lambda row: row.sku or ""):
        now = parts.get(row.line_ref, 0)
        if now and row.sku is not None:
            merged[row.sku] = merged.get(row.sku, 0) + now
    return merged
