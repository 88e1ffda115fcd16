"""Orders over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app import catalog, customers, stock, stores
from app.core import paging, texts
from app.core.errors import Conflict
from app.core.http import Api, about
from app.core.states import IllegalTransition

from . import changing, ending, paying, placing, queries, quoting, schemas
from .changing import LineChanged
from .errors import (
    CannotPrice,
    CouponNotApplicable,
    DuplicateOrder,
    InsufficientPoints,
    PaymentMismatch,
    SeveralFulfilments,
    TooManyPieces,
    TotalMismatch,
    UnknownChannel,
    UnknownLine,
    UnknownOrder,
    UnknownPayment,
    UnknownRefund,
)
from .models import SalesOrder
from .placing import Basket, PaymentWanted
from .reckoning import LineWanted

bp = Api("orders", __name__)
_EXAMPLE: dict[str, Any] = {
    "channel": "ec",
    "external_ref": "EC-2026-000123",
    "customer": {"email": "hanako@example.com", "phone": "090-1234-5678", "name": "山田花子"},
    "fulfilment": {"method": "pickup", "location": "shibuya"},
    "lines": [{"line_ref": "1", "sku": "TEE-NAVY-M", "quantity": 2, "unit_price": 1990}],
    "payments": [{"method": "card", "amount": 3980, "state": "authorized"}],
    "expected_total": 3980,
}
_LOOKED = [UnknownChannel, stores.UnknownLocation, catalog.UnknownSku, stock.UnknownReservation, CannotPrice]


def _basket(body: dict[str, Any]) -> Basket:
    facts = {name: value for name, value in body.items() if name != "currency"}
    facts["lines"] = [LineWanted(**line) for line in body["lines"]]
    only = facts.pop("fulfilment", None)
    facts["fulfilments"] = [only] if only is not None else facts["fulfilments"]
    facts["payments"] = [PaymentWanted(**paid) for paid in body["payments"]]
    facts["language"] = body.get("language") or texts.language()
    return Basket(**facts)


def _told(order: SalesOrder) -> dict[str, Any]:
    about("order", order.id, order.from_location_id)
    return queries.show(order)


@bp.operation(
    "POST", "/orders", scope="orders:write", body=schemas.OrderIn, reply=schemas.OrderOut, status=201, key="required",
    example=_EXAMPLE,
    problems=[*_LOOKED, customers.UnknownCustomer, DuplicateOrder, TotalMismatch, InsufficientPoints,
              CouponNotApplicable, stock.InsufficientStock, stock.ReservationMismatch, stock.ReservationEnded,
              stock.ReservationAttached],
)  # fmt: skip
def place_order(body: dict[str, Any]) -> dict[str, Any]:
    """Place an order."""
    return _told(queries.find(placing.place(_basket(body))))


@bp.operation(
    "POST", "/orders/quote", scope="orders:write", body=schemas.OrderIn, reply=schemas.QuoteOut, safe=True,
    example=_EXAMPLE, problems=[*_LOOKED, Conflict],
)  # fmt: skip
def quote_order(body: dict[str, Any]) -> dict[str, Any]:
    """What an order would cost and when it would be ready; nothing is kept or claimed."""
    found = quoting.quote(_basket(body))
    wanted = {line.line_ref: line for line in found.document.lines}
    lines = [
        {**asdict(wanted[line.line_ref]), "name": found.document.names[wanted[line.line_ref].sku],
         "tax_rate": line.rate, "net": line.net, "tax": line.tax, "fulfilled": 0, "cancelled": 0, "returned": 0}
        for line in found.document.priced.lines
        if line.kind == "goods"
    ]  # fmt: skip
    return {
        "totals": found.document.totals, "lines": lines, "location": found.ways[0].located.location_id,
        "points": found.points, "points_to_earn": 0, "coupons": found.coupons,
        "ready_by": found.promises[0].ready_by, "deadline": found.promises[0].keep_until,
        "fulfilments": [
            {"method": way.method, "location": way.located.location_id, "source": way.located.source_id,
             "ready_by": promise.ready_by, "deadline": promise.keep_until}
            for way, promise in zip(found.ways, found.promises, strict=True)
        ],
        "return_policy": texts.word("return-policy"),
    }  # fmt: skip


@bp.operation("GET", "/orders", scope="orders:read", query=schemas.OrdersQuery, reply=schemas.OrdersOut)
def list_orders(query: dict[str, Any]) -> dict[str, Any]:
    """Orders of a channel, or with a reference."""
    matching = queries.matching(channel=query.get("channel"), external_ref=query.get("external_ref"))
    found = paging.page(matching, SalesOrder, query)
    return {"items": queries.show_all(found["items"]), "next_cursor": found["next_cursor"]}


@bp.operation("GET", "/orders/<order_id>", scope="orders:read", reply=schemas.OrderOut, problems=[UnknownOrder])
def get_order(order_id: str) -> dict[str, Any]:
    """One order."""
    return queries.show(queries.find(order_id))


@bp.operation(
    "POST", "/orders/<order_id>/change", scope="orders:write", body=schemas.OrderChangeIn, reply=schemas.OrderOut,
    key="required", example={"location": "ginza"},
    problems=[UnknownOrder, IllegalTransition, stock.InsufficientStock, stores.UnknownLocation, catalog.UnknownSku,
              CannotPrice, SeveralFulfilments],
)  # fmt: skip
def change_order(body: dict[str, Any], order_id: str) -> dict[str, Any]:
    """Change lines, place or address until picking begins."""
    lines = [LineChanged(**line) for line in body["lines"]] if "lines" in body else None
    return _told(changing.change(order_id, lines=lines, location=body.get("location"), address=body.get("address")))


@bp.operation(
    "POST", "/orders/<order_id>/cancel", scope="orders:write", body=schemas.OrderCancelIn, reply=schemas.CancelledOut,
    key="required", example={"reason": "customer", "lines": [{"line_ref": "1", "quantity": 1}]},
    problems=[UnknownOrder, UnknownLine, TooManyPieces, IllegalTransition],
)  # fmt: skip
def cancel_order(body: dict[str, Any], order_id: str) -> dict[str, Any]:
    """Cancel an order, or some pieces of it."""
    parts = [(part["line_ref"], part["quantity"]) for part in body["lines"]] if "lines" in body else None
    due = ending.cancel(order_id, parts=parts, reason=body.get("reason") or "cancelled")
    return {**_told(queries.find(order_id)), "refund_due": asdict(due)}


@bp.operation(
    "POST", "/orders/<order_id>/payments", scope="orders:write", body=schemas.PaymentIn, reply=schemas.OrderOut,
    status=201, key="required", example={"method": "card", "amount": 1000, "state": "authorized"},
    problems=[UnknownOrder, PaymentMismatch, IllegalTransition],
)  # fmt: skip
def add_payment(body: dict[str, Any], order_id: str) -> dict[str, Any]:
    """Add a payment in place of due or failed ones."""
    return _told(paying.add_payment(order_id, PaymentWanted(**body)))


@bp.operation(
    "POST", "/orders/<order_id>/payments/<payment_id>/result", scope="orders:write", body=schemas.PaymentResultIn,
    reply=schemas.OrderOut, key="required", example={"state": "captured", "amount": 3980, "external_ref": "ch_1"},
    problems=[UnknownOrder, UnknownPayment, PaymentMismatch, IllegalTransition],
)  # fmt: skip
def payment_result(body: dict[str, Any], order_id: str, payment_id: str) -> dict[str, Any]:
    """Tell what became of a payment."""
    return _told(paying.payment_result(order_id, payment_id, **body))


@bp.operation(
    "POST", "/refunds/<refund_id>/result", scope="orders:write", body=schemas.RefundResultIn, reply=schemas.OrderOut,
    key="required", example={"state": "done", "external_ref": "re_1"}, problems=[UnknownRefund, IllegalTransition],
)  # fmt: skip
def refund_result(body: dict[str, Any], refund_id: str) -> dict[str, Any]:
    """Tell what became of a refund."""
    return _told(paying.refund_result(refund_id, **body))
