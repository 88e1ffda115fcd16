"""Shipments over HTTP."""

from __future__ import annotations

from typing import Any

from app import orders
from app.core.http import Api, about
from app.core.states import IllegalTransition

from . import schemas, sending
from .errors import NotShippable

bp = Api("shipping", __name__)


@bp.operation(
    "POST", "/orders/<order_id>/ship", scope="orders:write", body=schemas.ShipIn, reply=orders.OrderOut,
    key="required", example={"carrier": "yamato", "tracking_no": "4512-3456-7890"},
    problems=[orders.UnknownOrder, orders.UnknownLine, orders.TooManyPieces, NotShippable, IllegalTransition],
)  # fmt: skip
def ship_order(body: dict[str, Any], order_id: str) -> dict[str, Any]:
    """Send an order, or some pieces of it."""
    parts = [(part["line_ref"], part["quantity"]) for part in body["lines"]] if "lines" in body else None
    sending.ship(order_id, parts=parts, carrier=body.get("carrier"), tracking_no=body.get("tracking_no"))
    shown = orders.view(order_id)
    about("order", order_id, shown["location"])
    return shown
