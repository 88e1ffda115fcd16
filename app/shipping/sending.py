"""A parcel leaves: its pieces leave the shelf and the order's claim, and their value is captured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from app import orders, stock
from app.core import clock, states
from app.core.db import db, use_case
from app.core.ids import new_id

from .errors import NotShippable
from .method import lines_of, tasks_of
from .models import Shipment, ShipmentLine, ShipTask
from .states import TASK


@use_case
def ship(
    order_id: str,
    *,
    parts: Sequence[tuple[str, int]] | None = None,
    carrier: str | None = None,
    tracking_no: str | None = None,
) -> list[str]:
    """Send what is open, or some pieces of it; returns the parcels' ids, one for each place that sends.

    Raises UnknownOrder, NotShippable, UnknownLine, TooManyPieces, IllegalTransition.
    """
    orders.lock(order_id)
    tasks, method = tasks_of(order_id), orders.summary(order_id).method
    if not tasks and method != "ship":
        raise NotShippable(method=method)
    wanted = orders.parts_of(order_id, parts, action="ship")
    parcels = []
    left = dict(wanted)
    for task in tasks:
        mine = {line.line_ref: min(line.open, left.get(line.line_ref, 0)) for line in lines_of(task)}
        mine = {line_ref: pieces for line_ref, pieces in mine.items() if pieces}
        for line_ref, pieces in mine.items():
            left[line_ref] -= pieces
        if mine:
            parcels.append(_send(task, mine, carrier, tracking_no))
    if parts is not None and any(left.values()):
        line_ref = next(line_ref for line_ref, pieces in left.items() if pieces)
        raise orders.TooManyPieces(
            line_ref=line_ref, requested=wanted[line_ref], left=wanted[line_ref] - left[line_ref]
        )
    return parcels


def _send(task: ShipTask, parts: Mapping[str, int], carrier: str | None, tracking_no: str | None) -> str:
    parcel = Shipment(
        id=new_id(), location_id=task.location_id, task_id=task.id, order_id=task.order_id, carrier=carrier,
        tracking_no=tracking_no, shipped_at=clock.now(),
    )  # fmt: skip
    db.session.add(parcel)
    db.session.flush()
    pieces: dict[str, int] = defaultdict(int)
    lines = lines_of(task)
    for line in lines:
        quantity = parts.get(line.line_ref, 0)
        if quantity:
            line.sent += quantity
            pieces[line.sku] += quantity
            db.session.add(
                ShipmentLine(
                    id=new_id(), location_id=task.location_id, shipment_id=parcel.id, line_ref=line.line_ref,
                    sku=line.sku, quantity=quantity,
                )
            )  # fmt: skip
    cause = stock.Cause(kind="ship", type="order", id=task.order_id, occurred_at=parcel.shipped_at)
    stock.post(task.claim_id, pieces, cause, owner=("order", task.order_id))
    orders.record_fulfilment(
        task.order_id, parts, at=parcel.shipped_at, reference=("shipment", parcel.id), event="order.shipped"
    )
    if not any(line.open for line in lines):
        states.move(task, "finish", TASK)
    return parcel.id
