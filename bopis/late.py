"""A hand-over that a tablet without network tells afterwards: a fact, which may not be refused and must not be lost.

It is one when it names its moment and a nonce, and that moment lies between ready and now. Where the pickup still
waits, it is a hand-over like any other, also past a deadline that nobody swept yet. Where it ended in between, the
goods leave by the way back to the shelf if they are not there yet; the order's pieces stay cancelled, and a conflict
stands on the pickup until somebody has looked at it. A second hand-over moves nothing and is a conflict too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from app import stock
from app.core import clock
from app.core.states import entered, touch

from . import giving, pickups, reshelving, scans
from .giving import Given
from .models import Pickup, PickupLine
from .scans import Scan
from .states import PickupState

_ENDED = (PickupState.EXPIRED, PickupState.CANCELLED)


def moment(row: Pickup, scan: Scan) -> dt.datetime | None:
    """When it happened, if the scan tells a fact that can be believed."""
    at = scan.occurred_at
    if at is None or scan.nonce is None or row.ready_at is None:
        return None
    return at if row.ready_at <= at <= clock.now() and at < _end(row) else None


def _end(row: Pickup) -> dt.datetime:
    """From when on nobody could hand it over in good faith."""
    last = clock.now() + dt.timedelta(days=1)
    state = PickupState(row.state)
    if state == PickupState.CANCELLED:
        return entered(row.id, state) or last
    if state in {PickupState.READY, PickupState.EXPIRED}:
        return row.expires_at or last
    return last


def accept(row: Pickup, scan: Scan, at: dt.datetime, given: Sequence[Given] | None) -> None:
    """Write down what happened to a locked pickup at that moment. Raises WrongItem for what was never part of it."""
    lines = pickups.lines_of(row)
    parts, over = giving.as_far_as_there(lines, given)
    rest = {sku: named - waiting for sku, (named, waiting) in over.items()}
    if row.state == PickupState.READY:
        if parts:
            giving.give(row, lines, parts, scan, at)
        if rest:
            _clash(row, lines, rest, scan)
    elif row.state in _ENDED:
        wanted = giving.by_sku(lines, parts)
        _clash(row, lines, {sku: wanted.get(sku, 0) + rest.get(sku, 0) for sku in sorted({*wanted, *rest})}, scan)
    else:
        _keep(row, scan, scans.GIVEN_TWICE, {})


def _clash(row: Pickup, lines: Sequence[PickupLine], wanted: Mapping[str, int], scan: Scan) -> None:
    cause = stock.Cause("pickup", "pickup", row.id, occurred_at=giving.told_at(scan), note="late")
    given = reshelving.give_away(row, wanted, cause)
    outcome = scans.GIVEN_AFTER_END if given == dict(wanted) else scans.GIVEN_AND_RETURNED
    parts = {}
    for line in lines:
        pieces = min(line.waiting, given.get(line.sku, 0))
        if pieces:
            parts[line.line_ref] = pieces
            given[line.sku] -= pieces
    giving.count(lines, parts)
    _keep(row, scan, outcome, parts)


def _keep(row: Pickup, scan: Scan, outcome: str, parts: Mapping[str, int]) -> None:
    scans.keep(scan, place=(row.location_id, row.id), outcome=outcome, parts=parts)
    touch(row, "pickup.conflict", reason=outcome, lines=giving.told(parts), **pickups.facts(row))
