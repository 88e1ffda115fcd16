"""`pickup` as a way to get an order's goods: what `orders` asks of it, always inside the order's own transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from app import customers, stock, stores
from app.core import clock
from app.core.db import db
from app.core.states import move, touch
from app.orders import CounterLine, Held, Located, Opening, Promise

from . import arrivals, ending, giving, handover, pickups, queries, scans
from .models import Pickup, PickupLine
from .opening import (
    Case,
    Wanted,
    add_lines,
    begin_of,
    check_time,
    keep_until,
    not_before,
    open_pickup,
    place_for_pickup,
)
from .scans import Scan
from .states import OVER, PICKUP, PickupState


class PickupMethod:
    """Collected at a store. The claim stays the order's; the pickup posts it, frees it, or sends it to the shelf."""

    def locate(self, wanted: Mapping[str, Any], lines: Mapping[str, int], channel: str) -> Located:
        """The store the customer chose. Raises UnknownLocation, PickupNotOffered."""
        place = place_for_pickup(wanted["location"]).code
        return Located(place, stores.get(wanted.get("ship_from") or place).code)

    def promise(self, located: Located, *, at: dt.datetime, pickup_at: dt.datetime | None) -> Promise:
        """When goods ordered now would be ready, and until when they would wait."""
        place = place_for_pickup(located.location_id)
        check_time(place, pickup_at)
        sent = located.source_id != located.location_id
        ready_by = not_before(stores.expect(place, begin_of(place, at, sent=sent)), pickup_at)
        return Promise(ready_by=ready_by, keep_until=keep_until(place, "transfer" if sent else "pickup", ready_by))

    def open(self, opening: Opening) -> str:
        """Open the pickup of a new order."""
        check_time(place_for_pickup(opening.location_id), opening.pickup_at)
        return self._open(opening)

    def _open(self, opening: Opening) -> str:
        transfer_id = None
        if opening.source_id != opening.location_id:
            place = stores.get(opening.location_id)
            transfer_id = stock.send_for(
                opening.claim_id, owner=("order", opening.order_id), receiver=place.code,
                expected_at=stores.arrival(place, clock.now()),
            )  # fmt: skip
        case = Case(
            transfer_id=transfer_id, customer_id=opening.customer_id,
            kind="pickup", location_id=opening.location_id, channel=opening.channel, claim_id=opening.claim_id,
            placed_at=opening.placed_at, pickup_at=opening.pickup_at, order_id=opening.order_id,
            order_number=opening.number, amount_due=opening.amount_due, language=opening.language,
            phone_mark=customers.phone_tail(opening.phone),
        )  # fmt: skip
        return open_pickup(case, _lines(opening)).id

    def change(self, work_id: str, opening: Opening) -> str:
        """Fit the pickup to the changed order; another store gets a pickup, and a pass, of its own."""
        row = pickups.locked(work_id)
        pickups.require(row, "change")
        if row.location_id != opening.location_id:
            ending.finish(row, "changed")
            move(row, "cancel", PICKUP, event="pickup.cancelled", reason="changed", **pickups.facts(row))
            return self._open(opening)
        if any(line.undecided for line in pickups.lines_of(row)):
            row.choose_by = row.choice_reason = None  # the question is answered: all pieces are promised anew
        db.session.execute(delete(PickupLine).where(PickupLine.pickup_id == row.id))
        add_lines(row, _lines(opening))
        row.claim_id, row.amount_due, row.pickup_at = opening.claim_id, opening.amount_due, opening.pickup_at
        touch(row, "pickup.changed", reason="changed", **pickups.facts(row))
        return row.id

    def cancel(self, work_id: str, parts: Mapping[str, int], *, whole: bool, reason: str) -> None:
        """The order gives pieces up; a pickup that has ended already has given them up before."""
        row = pickups.locked(work_id)
        if row.is_over:
            return
        arrivals.take_in(row)
        lines = pickups.lines_of(row)
        if whole and not any(line.collected for line in lines):
            ending.end(row, lines, action="cancel", event="pickup.cancelled", reason=reason, tell=False)
        else:
            ending.take_out(row, lines, pickups.line_parts(lines, parts), reason=reason)

    def open_of(self, work_id: str) -> Mapping[str, int]:
        """What is neither given nor given up."""
        row = db.session.get_one(Pickup, work_id)
        lines = [] if row.is_over else pickups.lines_of(row)
        return pickups.order_parts(lines, {line.line_ref: line.owed for line in lines})

    def describe(self, work_id: str) -> dict[str, Any]:
        """What the order's answer shows."""
        return queries.for_order(db.session.get_one(Pickup, work_id))

    def settle(self, work_id: str, parts: Mapping[str, int], *, paid_at: dt.datetime, reference: str) -> None:
        """A till's receipt paid and handed over these pieces, wherever the work stood: a fact, posted once."""
        row = pickups.locked(work_id)
        handover.settle(row, _by_till(paid_at, reference), receipt=reference, parts=parts)

    def lines_at_counter(self, work_id: str) -> Sequence[CounterLine]:
        """What the store has to give; goods that have just arrived are taken in first."""
        row = pickups.locked(work_id)
        arrivals.take_in(row)
        away = row.is_over or row.state == PickupState.AWAITING_TRANSFER
        return [
            CounterLine(line.line_ref, line.order_ref, line.sku, 0 if away else line.owed, line.collected)
            for line in pickups.lines_of(row)
        ]

    def settle_hold(self, code: str, sold: Mapping[str, int], cause: stock.Cause) -> Held | None:
        """A till sold a hold's goods: they leave by its claim, for the receipt's cause, so a void brings them back.

        What a clerk handed over before has left already, for this receipt; a till's earlier receipt was another sale.
        """
        pickup_id = db.session.scalar(
            select(Pickup.id).where(Pickup.code == code.strip().upper(), Pickup.order_id.is_(None))
        )
        if pickup_id is None:
            return None
        row = pickups.locked(pickup_id)
        lines = pickups.lines_of(row)
        before, over = _by_clerks(row, lines), row.state == PickupState.COLLECTED
        if not over and row.state_at(clock.now()) in OVER:
            return Held({}, "order-not-open")
        parts = handover.allot(lines, sold)
        given = handover.settle(
            row, _by_till(cause.occurred_at or clock.now(), cause.id), receipt=cause.id, parts=parts, cause=cause
        )
        rest = {sku: min(pieces - given.get(sku, 0), before.get(sku, 0)) for sku, pieces in sold.items()}
        if any(rest.values()):
            return Held({sku: given.get(sku, 0) + pieces for sku, pieces in rest.items()}, "collected-before")
        return Held(given, "order-not-open" if over else None)

    def find(self, code: str) -> str | None:
        """The pickup of an order that has this code."""
        named = select(Pickup.id).where(Pickup.code == code.strip().upper(), Pickup.order_id.is_not(None))
        return db.session.scalar(named)


def _by_till(paid_at: dt.datetime, receipt: str) -> Scan:
    at = min(paid_at, clock.now())
    return Scan("hand-over", proof=scans.TILL, nonce=receipt, receiver="customer", occurred_at=at)


def _by_clerks(row: Pickup, lines: Sequence[PickupLine]) -> dict[str, int]:
    """What clerks gave and no receipt has told yet, by SKU; where a till sold some, all that left has its receipt."""
    given = [one for one in scans.given(row.id) if not one.undone]
    if any(one.proof == scans.TILL for one in given):
        return {}
    return giving.by_sku(lines, {line.line_ref: line.collected for line in lines if line.collected})


def _lines(opening: Opening) -> list[Wanted]:
    return [Wanted(line.line_ref, line.sku, line.name, line.quantity) for line in opening.lines]
