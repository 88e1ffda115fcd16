"""The fulfilment method `ship`: where the goods come from, and the work item that sends them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from sqlalchemy import delete, select

from app import orders, stock, stores
from app.core import actor, clock, settings, states
from app.core.db import db
from app.core.ids import new_id

from .errors import NotCollected
from .models import Shipment, ShipmentLine, ShipTask, ShipTaskLine
from .states import TASK, TaskState

_POSTAL_CODE = re.compile(r"(?<![\d-])\d{3}-\d{4}(?![\d-])")


def _digits(postal_code: str | None) -> str:
    return "".join(c for c in postal_code or "" if c.isdecimal())


def _home(address: Mapping[str, Any] | str | None) -> str:
    """The digits of an address's postal code, which stands by itself or somewhere in the text."""
    if isinstance(address, str):
        found = _POSTAL_CODE.search(unicodedata.normalize("NFKC", address))
        return _digits(found[0]) if found else ""
    return _digits(str((address or {}).get("postal_code") or ""))


def _shared(one: str, other: str) -> int:
    """Leading digits that two postal codes have in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class Ship:
    """Goods are sent to the customer's address."""

    def locate(self, wanted: Mapping[str, Any], lines: Mapping[str, int], channel: str) -> orders.Located:
        """The named place; else the nearest warehouse, else store, that has every line.

        Near is told by the postal code, whose leading digits name the region. Where no place has every line, the first
        one answers: its refusal then names what is short.
        """
        named = wanted.get("ship_from")
        if named is not None:
            place = stores.get(named).code
            return orders.Located(place, place)
        found = stock.find_available(
            skus=list(lines), channel=channel, location=None, near=None, limit=settings.MAX_LEVEL
        )
        enough: dict[str, int] = defaultdict(int)
        for sku, quantity in lines.items():
            for spot in found.spots[sku]:
                enough[spot.place.code] += spot.available >= quantity
        places, seen = stores.directory(), actor.current()
        home = _home(wanted.get("address"))
        ranked = sorted(
            (enough[code] != len(lines), place.kind != "warehouse", -_shared(home, _digits(place.postal_code)), code)
            for code, place in places.items()
            if seen.sees_location(code)
        )
        if not ranked:
            raise stores.UnknownLocation
        return orders.Located(ranked[0][3], ranked[0][3])

    def promise(self, located: orders.Located, *, at: dt.datetime, pickup_at: dt.datetime | None) -> orders.Promise:
        """When the place has the parcel ready; a parcel is not kept."""
        return orders.Promise(ready_by=stores.promise(stores.get(located.location_id), at), keep_until=None)

    def open(self, opening: orders.Opening) -> str:
        """A task for the place."""
        now = clock.now()
        task = ShipTask(
            id=new_id(), location_id=opening.location_id, order_id=opening.order_id, claim_id=opening.claim_id,
            state=TaskState.OPEN, version=1, created_at=now, updated_at=now,
        )  # fmt: skip
        db.session.add(task)
        db.session.flush()
        _add_lines(task, opening)
        return task.id

    def change(self, work_id: str, opening: orders.Opening) -> str:
        """The same task with another claim, or another place's task."""
        task = task_of(work_id)
        if task.location_id == opening.location_id:
            task.claim_id = opening.claim_id
            db.session.execute(delete(ShipTaskLine).where(ShipTaskLine.task_id == task.id))
            _add_lines(task, opening)
            return task.id
        states.move(task, "cancel", TASK)
        return self.open(opening)

    def cancel(self, work_id: str, parts: Mapping[str, int], *, whole: bool, reason: str) -> None:
        """Free the pieces; the task ends when nothing is left to send."""
        task = task_of(work_id)
        pieces: dict[str, int] = defaultdict(int)
        for line in lines_of(task):
            line.given_up += parts.get(line.line_ref, 0)
            pieces[line.sku] += parts.get(line.line_ref, 0)
        db.session.flush()
        stock.void(task.claim_id, pieces, owner=("order", task.order_id))
        if whole:
            given = db.session.scalar(select(Shipment.id).where(Shipment.task_id == task.id).limit(1)) is not None
            states.move(task, "finish" if given else "cancel", TASK)

    def open_of(self, work_id: str) -> Mapping[str, int]:
        """What is neither sent nor given up."""
        return {line.line_ref: line.open for line in lines_of(task_of(work_id)) if line.open}

    def describe(self, work_id: str) -> dict[str, Any]:
        """The task, its address and its parcels."""
        task = task_of(work_id)
        lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        parcels = db.session.scalars(select(Shipment).where(Shipment.task_id == task.id).order_by(Shipment.id)).all()
        for line in db.session.scalars(
            select(ShipmentLine)
            .where(ShipmentLine.shipment_id.in_([parcel.id for parcel in parcels]))
            .order_by(ShipmentLine.id)
        ):
            lines[line.shipment_id].append({"line_ref": line.line_ref, "sku": line.sku, "quantity": line.quantity})
        return {
            "id": task.id, "state": task.state, "ship_from": task.location_id,
            "address": orders.contact_of(task.order_id).address,
            "shipments": [
                {"id": parcel.id, "carrier": parcel.carrier, "tracking_no": parcel.tracking_no,
                 "shipped_at": clock.public(parcel.shipped_at), "lines": lines[parcel.id]}
                for parcel in parcels
            ],
        }  # fmt: skip

    def settle(self, work_id: str, parts: Mapping[str, int], *, paid_at: dt.datetime, reference: str) -> None:
        """A till hands over no parcels: what it sold is a sale of its own. Raises NotCollected."""
        raise NotCollected

    def find(self, code: str) -> str | None:
        """Nobody asks for a parcel by a code of its own."""
        return None


def task_of(work_id: str) -> ShipTask:
    """A work item."""
    return db.session.get_one(ShipTask, work_id)


def tasks_of(order_id: str) -> list[ShipTask]:
    """The open work items of an order."""
    query = select(ShipTask).where(ShipTask.order_id == order_id, ShipTask.state == TaskState.OPEN)
    return list(db.session.scalars(query.order_by(ShipTask.id)))


def lines_of(task: ShipTask) -> Sequence[ShipTaskLine]:
    """What is to be sent; read after the order's lock was taken."""
    query = select(ShipTaskLine).where(ShipTaskLine.task_id == task.id).order_by(ShipTaskLine.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _add_lines(task: ShipTask, opening: orders.Opening) -> None:
    db.session.add_all(
        ShipTaskLine(
            id=new_id(), location_id=task.location_id, task_id=task.id, line_ref=line.line_ref, sku=line.sku,
            quantity=line.quantity, sent=0, given_up=0,
        )
        for line in opening.lines
    )  # fmt: skip
    db.session.flush()
