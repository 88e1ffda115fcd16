"""Goods leave over the counter: their claim and the ledger, the lines' counts, the order's money, the scan."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import orders, stock
from app.core import clock
from app.core.states import move, touch

from . import asking, opening, pickups, scans
from .errors import MoreThanPicked, WrongItem
from .models import Pickup, PickupLine
from .scans import Scan
from .states import PICKUP


@dataclass(frozen=True, slots=True)
class Given:
    """Pieces handed over of one SKU or line."""

    quantity: int
    sku: str | None = None
    line_ref: str | None = None


def parts_of(lines: Sequence[PickupLine], given: Sequence[Given] | None) -> dict[str, int]:
    """Pieces by line_ref: everything that waits, or what was named. Raises WrongItem, MoreThanPicked."""
    parts, over = as_far_as_there(lines, given)
    for sku, (quantity, picked) in over.items():
        raise MoreThanPicked(sku=sku, quantity=quantity, picked=picked)
    return parts


def as_far_as_there(
    lines: Sequence[PickupLine], given: Sequence[Given] | None
) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
    """Pieces by line_ref that wait, and by SKU (named, waiting) where more were named than wait. Raises WrongItem."""
    if given is None:
        return {line.line_ref: line.waiting for line in lines if line.waiting}, {}
    parts: dict[str, int] = defaultdict(int)
    over: dict[str, tuple[int, int]] = {}
    for one in given:
        mine = [
            line for line in lines if line.line_ref == one.line_ref or (one.line_ref is None and line.sku == one.sku)
        ]
        if not mine:
            raise WrongItem(sku=one.sku, line_ref=one.line_ref)
        left = one.quantity
        for line in mine:
            pieces = min(left, line.waiting - parts[line.line_ref])
            parts[line.line_ref] += pieces
            left -= pieces
        if left:
            over[mine[0].sku] = (one.quantity, one.quantity - left)
    return {line_ref: pieces for line_ref, pieces in parts.items() if pieces}, over


def give(
    row: Pickup, lines: Sequence[PickupLine], parts: Mapping[str, int], scan: Scan, at: dt.datetime | None = None
) -> None:
    """Hand over pieces of a ready, locked pickup. `at` is when it happened, where that was told late."""
    cause = stock.Cause("pickup", "pickup", row.id, occurred_at=told_at(scan))
    post(row, lines, parts, promised=parts, scan=scan, cause=cause)
    tell_order(row, lines, parts)
    if any(line.waiting for line in lines):
        touch(row, "pickup.partly_collected", lines=told(parts), **pickups.facts(row))
    elif any(line.undecided for line in lines):
        wait_for_the_rest(row, parts)
    else:
        complete(row, "hand-over", parts, at)


def complete(row: Pickup, action: str, parts: Mapping[str, int], at: dt.datetime | None = None) -> None:
    """Everything was given: no question and no wish is left, and the places that nobody needs any more are free."""
    opening.leave(row)
    row.collected_at = at or clock.now()
    row.choose_by = row.choice_reason = row.cancel_asked_at = None
    move(row, action, PICKUP, event="pickup.collected", lines=told(parts), **pickups.facts(row))


def wait_for_the_rest(row: Pickup, parts: Mapping[str, int]) -> None:
    """All that is there was given; the question about what is missing stands, and nothing but its answer is open."""
    touch(row, "pickup.partly_collected", lines=told(parts), **pickups.facts(row))
    if row.choose_by is None:
        asking.wait_for_customer(row, asking.SHORT)
    elif (row.state, "await") in PICKUP:
        move(row, "await", PICKUP, event="pickup.awaiting_customer", reason=row.choice_reason, **pickups.facts(row))


def post(
    row: Pickup,
    lines: Sequence[PickupLine],
    parts: Mapping[str, int],
    *,
    promised: Mapping[str, int],
    scan: Scan,
    cause: stock.Cause,
) -> None:
    """The pieces leave, the promised ones by the pickup's claim; the lines' counts and the scan say so."""
    pieces, claimed = by_sku(lines, parts), by_sku(lines, promised)
    if claimed:
        stock.post(row.claim_id, claimed, cause, owner=row.owner)
    others = [
        stock.Goods(row.location_id, sku, claimed.get(sku, 0) - number)
        for sku, number in pieces.items()
        if number > claimed.get(sku, 0)
    ]
    if others:
        stock.record(others, cause)
    count(lines, parts)
    scans.keep(scan, place=(row.location_id, row.id), outcome=scans.DONE, parts=parts)


def count(lines: Sequence[PickupLine], parts: Mapping[str, int]) -> None:
    """Note pieces by line as handed over."""
    for line in lines:
        line.collected += parts.get(line.line_ref, 0)


def tell_order(row: Pickup, lines: Sequence[PickupLine], parts: Mapping[str, int]) -> None:
    """The order, if there is one, asks for the money of just these pieces."""
    if row.order_id is None or not parts:
        return
    orders.record_fulfilment(
        row.order_id, pickups.order_parts(lines, parts), at=clock.now(), reference=("pickup", row.id), at_counter=True
    )


def told_at(scan: Scan) -> dt.datetime | None:
    """When the device says that it happened, but not later than now."""
    return min(scan.occurred_at, clock.now()) if scan.occurred_at is not None else None


def told(parts: Mapping[str, int]) -> list[dict[str, object]]:
    """Pieces by line as events tell them."""
    return [{"line_ref": line_ref, "quantity": pieces} for line_ref, pieces in parts.items()]


def by_sku(lines: Sequence[PickupLine], parts: Mapping[str, int]) -> dict[str, int]:
    """Pieces by line as pieces by SKU."""
    pieces: dict[str, int] = defaultdict(int)
    for line in lines:
        pieces[line.sku] += parts.get(line.line_ref, 0)
    return {sku: number for sku, number in pieces.items() if number}
