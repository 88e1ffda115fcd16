"""The fulfilment method `ship`: where the goods come from, and the work item that sends them."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from sqlalchemy import select

from app import orders, stock, stores
from app.core import actor, clock, settings, states
from app.core.db import db
from app.core.ids import new_id

from .errors import NotCollected
from .models import Shipment, ShipmentLine, ShipTask
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

    def locate(self, wanted: Mapping[str, Any], lines: Mapping[str, int], channel: str) -> str:
        """The named place; else the nearest warehouse, else store, that has every line.

        Near is told by the postal code, whose leading digits name the region. Where no place has every line, the first
        one answers: its refusal then names what is short.
        """
        named = wanted.get("ship_from")
        if named is not None:
            return stores.get(named).code
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
        return ranked[0][3]

    def promise(self, location_id: str, *, at: dt.datetime, pickup_at: dt.datetime | None) -> orders.Promise:
        """When the place has the parcel ready; a parcel is not kept."""
        return orders.Promise(ready_by=stores.promise(stores.get(location_id), at), keep_until=None)

    def open(self, opening: orders.Opening) -> str:
        """A task for the place."""
        now = clock.now()
        task = ShipTask(
            id=new_id(), location_id=opening.location_id, order_id=opening.order_id, claim_id=opening.claim_id,
            state=TaskState.OPEN, version=1, created_at=now, updated_at=now,
        )  # fmt: skip
        db.session.add(task)
        db.session.flush()
        return task.id

    def change(self, work_id: str, opening: orders.Opening) -> str:
        """The same task with another claim, or another place's task."""
        task = task_of(work_id)
        if task.location_id == opening.location_id:
            task.claim_id = opening.claim_id
            db.session.flush()
            return task.id
        states.move(task, "cancel", TASK)
        return self.open(opening)

    def cancel(self, work_id: str, parts: Mapping[str, int], *, whole: bool, reason: str) -> None:
        """Free the pieces; the task ends when nothing is left to send."""
        task = task_of(work_id)
        pieces: dict[str, int] = defaultdict(int)
        for line in orders.summary(task.order_id).lines:
            pieces[line.sku] += parts.get(line.line_ref, 0)
        stock.void(task.claim_id, pieces, owner=("order", task.order_id))
        if whole:
            given = db.session.scalar(select(Shipment.id).where(Shipment.task_id == task.id).limit(1)) is not None
            states.move(task, "finish" if given else "cancel", TASK)

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

    def settle(self, work_id: str, *, paid_at: dt.datetime, reference: str) -> None:
        """A till hands over no parcels: what it sold is a sale of its own. Raises NotCollected."""
        raise NotCollected

    def find(self, code: str) -> str | None:
        """Nobody asks for a parcel by a code of its own."""
        return None


def task_of(work_id: str) -> ShipTask:
    """The work item of an order."""
    return db.session.get_one(ShipTask, work_id)
