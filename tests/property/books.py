"""What must be true after every step, looked at from outside the packages that keep it true.

`stock.check` proves the ledger. Here is what lies across packages: each open claim is just as big as what its living
owner still owes, the pickups and parcels of an order add up to its lines, money follows pieces, slots follow pickups.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select

from app.core.db import db
from app.core.outbox import OutboxEvent
from app.core.states import StateChange
from app.orders.models import Fulfilment, OrderLine, Payment, SalesOrder
from app.shipping.models import ShipTask, ShipTaskLine
from app.stock.models import Claim, ClaimLine, RecountTask, Transfer, TransferLine
from app.stores.models import PlaceSlot
from bopis.models import Pickup, PickupLine, PickupScan, ReshelveTask
from bopis.scans import CONFLICTS

OVER = {"collected", "cancelled", "expired"}
# Where nothing leads on; a hand-over may be undone, a till's receipt and a late payment reverse what was complete.
ENDS = {
    "pickup": {"cancelled", "expired"}, "transfer": {"received", "cancelled"}, "ship_task": {"done", "cancelled"},
    "reshelve_task": {"done"}, "recount_task": {"done"}, "sales_order": {"cancelled"}, "picking_wave": {"done"},
    "waiting_customer": {"offered", "left"},
}  # fmt: skip
Parts = dict[str, int]


class Books:
    """Everything there is, read once."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.claims = {one.id: one for one in self._all(Claim)}
        self.open_of = self._grouped(ClaimLine, "claim_id")
        self.pickups = self._all(Pickup)
        self.live = [one for one in self.pickups if one.state not in OVER]
        self.lines = self._grouped(PickupLine, "pickup_id")
        self.ships = self._all(ShipTask)
        self.ship_lines = self._grouped(ShipTaskLine, "task_id")
        self.transfers = {one.id: one for one in self._all(Transfer)}
        self.transfer_lines = self._grouped(TransferLine, "transfer_id")
        self.recounts = self._all(RecountTask)
        self.orders = self._all(SalesOrder)
        self.order_lines = self._grouped(OrderLine, "order_id")
        self.ways = self._grouped(Fulfilment, "order_id")

    @staticmethod
    def _all(model: Any) -> list[Any]:
        return list(db.session.scalars(select(model)))

    def _grouped(self, model: Any, name: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for one in self._all(model):
            found[getattr(one, name)].append(one)
        return found

    def faults(self) -> list[str]:
        """Everything that is not as it should be, in words."""
        return [*self._claims(), *self._questions(), *self._orders(), *self._slots(), *self._ends(), *self._events()]

    def there(self) -> set[str]:
        """What can be acted on."""
        now = {row.state for row in self.live}
        found = {
            "pickup": bool(self.live),
            "to pick": bool(now & {"requested", "accepted", "picking"}),
            "to give": bool(now - {"awaiting_transfer"}),
            "seen": any(row.ready_at is not None for row in self.pickups),
            "hold": any(row.order_id is None for row in self.live),
            "asked": any(row.choice_reason or any(line.undecided for line in self.lines[row.id]) for row in self.live),
            "lacking": any(
                line.undecided for row in self.live if row.state in {"picking", "awaiting_customer"}
                for line in self.lines[row.id]
            ),
            "order": any(o.state in {"placed", "partly_fulfilled"} and self.ways[o.id] for o in self.orders),
            "parcel": any(task.state == "open" for task in self.ships),
            "road": any(road.state in {"requested", "shipped"} for road in self.transfers.values()),
            "recount": any(task.state == "open" for task in self.recounts),
        }  # fmt: skip
        return {what for what, is_there in found.items() if is_there}

    # --- every open claim has a living owner, and is as big as what that one owes

    def _claims(self) -> Iterator[str]:
        owed = self._owed()
        for claim in self.claims.values():
            if claim.state != "reserved" or claim.owner_type is None:
                continue
            held = summed((line.sku, line.open_quantity) for line in self.open_of[claim.id])
            if owed.pop((claim.owner_type, claim.id), None) != held:
                yield f"claim {claim.id} of {claim.owner_type} {claim.owner_id} holds {held}: nobody owes just that"
        for (owner, claim_id), parts in owed.items():
            yield f"{owner} owes {parts} and has no open claim ({claim_id})"

    def _owed(self) -> dict[tuple[str, str], Parts]:
        """Pieces by SKU that living owners need, by (owner's type, claim)."""
        owed: dict[tuple[str, str], Parts] = {}
        for row in self.live:
            if self._is_dead(row):
                continue
            claim, parts = row.claim_id, summed((line.sku, line.open + line.waiting) for line in self.lines[row.id])
            if row.state == "awaiting_transfer":
                claim, parts = self._arriving(row)
            owed[row.owner[0], str(claim)] = parts
        for task in self.ships:
            if task.state == "open":
                owed["order", task.claim_id] = summed((line.sku, line.open) for line in self.ship_lines[task.id])
        for road in self.transfers.values():
            if road.state == "requested":
                lines = self.transfer_lines[road.id]
                owed["transfer", road.claim_id] = summed((line.sku, line.quantity) for line in lines)
        for owner, tasks in (("reshelve", self._all(ReshelveTask)), ("recount", self.recounts)):
            for task in tasks:
                held = self.open_of[task.claim_id] if task.state == "open" else ()
                owed[owner, str(task.claim_id)] = summed((line.sku, line.open_quantity) for line in held)
        return {key: parts for key, parts in owed.items() if parts}

    def _is_dead(self, row: Pickup) -> bool:
        """Whether a hold is past its deadline, and whoever needed the pieces ended its claim before a sweeper came."""
        past = row.hold_until is not None and row.hold_until <= self.now
        return past and self.claims[row.claim_id].state != "reserved"

    def _arriving(self, row: Pickup) -> tuple[str | None, Parts]:
        """What has arrived for a pickup that did not hear of it yet."""
        road = self.transfers[str(row.transfer_id)]
        lines = self.transfer_lines[road.id] if road.state == "received" else []
        return road.arrived_claim_id, summed((line.sku, min(line.promised, line.received)) for line in lines)

    # --- nothing hangs

    def _questions(self) -> Iterator[str]:
        for row in self.live:
            lines = self.lines[row.id]
            if not any(line.owed for line in lines):
                yield f"pickup {row.id} is {row.state} and owes nothing"
            if row.choose_by is None and row.state == "awaiting_customer":
                yield f"pickup {row.id} waits for its customer without end"
            if row.choose_by is None and row.state != "picking" and any(line.undecided for line in lines):
                yield f"pickup {row.id} is {row.state}, lacks pieces, and nobody is asked"
            if row.choose_by is not None and row.choice_reason is None:
                yield f"pickup {row.id} asks, and does not say why"

    # --- pickups and parcels add up to the order, and so does the money

    def _orders(self) -> Iterator[str]:
        clashes = {scan.pickup_id for scan in self._all(PickupScan) if scan.outcome in CONFLICTS}
        payments = self._grouped(Payment, "order_id")
        for order in self.orders:
            if not self.ways[order.id]:
                continue
            told, owed, given = any(p.order_id == order.id and p.id in clashes for p in self.pickups), {}, {}
            for line_ref, still, gone in self._work(order.id):
                owed[line_ref] = owed.get(line_ref, 0) + still
                given[line_ref] = given.get(line_ref, 0) + gone
            for line in self.order_lines[order.id]:
                if line.kind != "goods":
                    continue
                left = line.quantity - line.fulfilled - line.cancelled
                if owed.get(line.line_ref, 0) != left:
                    yield f"order {order.id}: {left} of {line.line_ref} open, {owed.get(line.line_ref, 0)} owed"
                if given.get(line.line_ref, 0) != line.fulfilled and not told:
                    yield f"order {order.id}: {line.fulfilled} of {line.line_ref} given, {given.get(line.line_ref, 0)}"
            yield from self._money(order, payments[order.id])

    def _work(self, order_id: str) -> Iterator[tuple[str, int, int]]:
        """(order's line, pieces owed, pieces given) of each work item."""
        for row in self.pickups:
            if row.order_id == order_id:
                for line in self.lines[row.id]:
                    yield line.order_ref, 0 if row.state in OVER else line.owed, line.collected
        for task in self.ships:
            if task.order_id == order_id:
                for line in self.ship_lines[task.id]:
                    yield line.line_ref, line.open if task.state == "open" else 0, line.sent

    def _money(self, order: SalesOrder, payments: list[Payment]) -> Iterator[str]:
        lines = self.order_lines[order.id]
        used = sum(line.net * line.fulfilled // line.quantity for line in lines)
        left = sum(line.net * (line.quantity - line.fulfilled - line.cancelled) // line.quantity for line in lines)
        found = (sum(p.used for p in payments), sum(p.amount - p.used - p.released for p in payments))
        if found != (used, left):
            yield f"order {order.id}: payments {found} for goods (given, open) {(used, left)}"
        for paid in payments:
            if paid.state == "authorized" and paid.requested < paid.used:
                yield f"order {order.id}: {paid.used} given and only {paid.requested} asked for"
            if max(paid.requested, paid.captured) > paid.amount:
                yield f"order {order.id}: more asked for than {paid.amount}"

    # --- what a place takes on

    def _slots(self) -> Iterator[str]:
        taken = {
            (s.location_id, s.purpose, s.starts_at): s.taken for s in self._all(PlaceSlot) if s.starts_at > self.now
        }
        booked: dict[tuple[str, str, dt.datetime], int] = defaultdict(int)
        for row in self.pickups:
            for purpose, at in (("picking", row.picking_hour), ("collecting", row.slot_at)):
                if at is not None and at > self.now:
                    booked[row.location_id, purpose, at] += 1
        # Work that was done before its hour is not given back when all is over; whose it was is not known then.
        done = {row.location_id for row in self.pickups if row.ready_at and row.picking_hour is None}
        for key in taken.keys() | booked.keys():
            had, known = taken.get(key, 0), booked.get(key, 0)
            if had != known and not (had > known and key[1] == "picking" and key[0] in done):
                yield f"{key}: {had} taken, {known} booked"
            if had > 2:
                yield f"{key}: {had} taken of 2"

    # --- ends are ends, and everything that was told was heard

    def _ends(self) -> Iterator[str]:
        for change in self._all(StateChange):
            if change.before in ENDS.get(change.object_type, ()):
                yield f"{change.object_type} {change.object_id} went from {change.before} to {change.after}"

    def _events(self) -> Iterator[str]:
        for event in self._all(OutboxEvent):
            if event.last_error is not None:
                yield f"{event.topic}: {event.last_error}"


def summed(parts: Iterable[tuple[str, int]]) -> Parts:
    """Pieces by SKU, those of which there are any."""
    total: Parts = defaultdict(int)
    for sku, pieces in parts:
        total[sku] += pieces
    return {sku: pieces for sku, pieces in total.items() if pieces}
