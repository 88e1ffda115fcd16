"""A parcel leaves: its pieces leave the shelf and the order's claim, and their value is captured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app import orders, stock
from app.core import clock, states
from app.core.db import db, use_case
from app.core.ids import new_id

from .errors import NotShippable
from .method import task_of
from .models import Shipment, ShipmentLine
from .states import TASK


@use_case
def ship(
    order_id: str,
    *,
    parts: Sequence[tuple[str, int]] | None = None,
    carrier: str | None = None,
    tracking_no: str | None = None,
) -> str:
    """Send what is open, or some pieces of it; returns the parcel's id.

    Raises UnknownOrder, NotShippable, UnknownLine, TooManyPieces, IllegalTransition.
    """
    orders.lock(order_id)
    order = orders.summary(order_id)
    if order.method != "ship" or order.work_id is None:
        raise NotShippable(method=order.method)
    wanted = orders.parts_of(order_id, parts, action="ship")
    task = task_of(order.work_id)
    parcel = Shipment(
        id=new_id(), location_id=task.location_id, task_id=task.id, order_id=order_id, carrier=carrier,
        tracking_no=tracking_no, shipped_at=clock.now(),
    )  # fmt: skip
    db.session.add(parcel)
    db.session.flush()
    pieces: dict[str, int] = defaultdict(int)
    for line in order.lines:
        quantity = wanted.get(line.line_ref, 0)
        if quantity:
            pieces[line.sku] += quantity
            db.session.add(
                ShipmentLine(
                    id=new_id(), location_id=task.location_id, shipment_id=parcel.id, line_ref=line.line_ref,
                    sku=line.sku, quantity=quantity,
                )
            )  # fmt: skip
    cause = stock.Cause(kind="ship", type="order", id=order_id, occurred_at=parcel.shipped_at)
    stock.post(task.claim_id, pieces, cause, owner=("order", order_id))
    orders.record_fulfilment(
        order_id, wanted, at=parcel.shipped_at, reference=("shipment", parcel.id), event="order.shipped"
    )
    if all(line.open == wanted.get(line.line_ref, 0) for line in order.lines):
        states.move(task, "finish", TASK)
    return parcel.id
