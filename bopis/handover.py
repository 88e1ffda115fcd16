"""Handing over and taking back: one hand-over per piece, proven by the QR code or by code and PIN.

The pickup's lock makes check and act one. The loser of a race hears who has it, when and where; the winner's own
retry gets its success again. A wrong PIN counts although the call is refused.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import orders, stock, stores
from app.core import actor, clock, settings
from app.core.db import ask_one, use_case
from app.core.errors import AppError
from app.core.sql import Sql
from app.core.states import move, touch

from . import passes, pickups, scans
from .errors import (
    AlreadyCollected,
    MoreThanPicked,
    NothingToUndo,
    PickupExpired,
    PinLocked,
    UndoClosed,
    UnknownPickup,
    WrongItem,
    WrongPin,
)
from .models import Pickup, PickupLine, PickupScan
from .scans import Scan
from .states import PICKUP, PickupState

_COUNT_TRY = Sql("UPDATE pickup SET pin_tries = pin_tries + 1 WHERE id = :id RETURNING pin_tries")


@dataclass(frozen=True, slots=True)
class Proof:
    """What the customer shows: the token, or a code (the pickup's, or the order's number) with the PIN."""

    token: str | None = None
    code: str | None = None
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """Pieces handed over of one SKU or line."""

    quantity: int
    sku: str | None = None
    line_ref: str | None = None


@use_case
def hand_over(*, pickup_id: str, proof: Proof, scan: Scan, given: Sequence[Given] | None) -> Pickup:
    """Give the goods, all that wait unless some are named; a part leaves the pickup ready.

    Raises UnknownPickup (also for a wrong token), WrongPin, PinLocked, AlreadyCollected, PickupExpired,
    IllegalTransition, WrongItem, MoreThanPicked.
    """
    place: tuple[str, str] | None = None
    try:
        row = pickups.locked(pickup_id)
        place = (row.location_id, row.id)
        _prove(row, proof)
        earlier = scans.given(row.id)
        if any(scans.is_retry(done, scan) for done in earlier):
            return row
        if _is_collected(row, earlier, scan):
            return row
        lines = pickups.lines_of(row)
        _give(row, lines, _parts(lines, given), scan)
    except AppError as refusal:
        refusal.record = _Refused(refusal, scan, place)
        raise
    return row


@dataclass(frozen=True, slots=True)
class _Refused:
    """What a refused try leaves behind: its scan, and a counted PIN."""

    refusal: AppError
    scan: Scan
    place: tuple[str, str] | None

    def __call__(self) -> None:
        scans.keep(self.scan, place=self.place, outcome=self.refusal.code)
        if isinstance(self.refusal, WrongPin) and self.place is not None:
            tries = int(ask_one(_COUNT_TRY, {"id": self.place[1]}).rows[0][0])
            self.refusal.facts["attempts_left"] = max(0, settings.MAX_PIN_TRIES - tries)


def _prove(row: Pickup, proof: Proof) -> None:
    if proof.token is not None:
        if not passes.is_token_of(row, proof.token):
            raise UnknownPickup
        return
    if proof.code is None or not passes.is_name_of(row, proof.code):
        raise UnknownPickup
    if row.pin_locked:
        raise PinLocked
    if not passes.is_pin_of(row, proof.pin or ""):
        raise WrongPin


def _is_collected(row: Pickup, earlier: Sequence[PickupScan], scan: Scan) -> bool:
    """Whether this very tablet has it already; refuses whatever else the state does not allow."""
    state = row.state_at(clock.now())
    if state == PickupState.EXPIRED:
        raise PickupExpired(expires_at=clock.public(row.expires_at or row.hold_until))
    if state == PickupState.COLLECTED:
        done = next((one for one in earlier if not one.undone), None)
        if done is not None and scans.is_same_hand(done, scan):
            return True
        raise AlreadyCollected(
            collected_at=clock.public(row.collected_at), collected_by=done.actor_name if done else None,
            location=row.location_id, device=done.device if done else None,
        )  # fmt: skip
    pickups.require(row, "hand-over")
    return False


def _parts(lines: Sequence[PickupLine], given: Sequence[Given] | None) -> dict[str, int]:
    """Pieces by line_ref: everything that waits, or what was named."""
    if given is None:
        return {line.line_ref: line.waiting for line in lines if line.waiting}
    parts: dict[str, int] = defaultdict(int)
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
            picked = sum(line.waiting for line in mine)
            raise MoreThanPicked(sku=mine[0].sku, quantity=one.quantity, picked=picked)
    return {line_ref: pieces for line_ref, pieces in parts.items() if pieces}


def _give(row: Pickup, lines: Sequence[PickupLine], parts: Mapping[str, int], scan: Scan) -> None:
    _post(row, lines, parts, scan, note=None)
    if row.order_id is not None:
        _tell_order(row, lines, parts)
    if any(line.waiting for line in lines):
        touch(row, "pickup.partly_collected", lines=_told(parts), **pickups.facts(row))
    else:
        _end(row, lines, parts, "hand-over")


def _post(
    row: Pickup,
    lines: Sequence[PickupLine],
    parts: Mapping[str, int],
    scan: Scan,
    *,
    note: str | None,
    cause: stock.Cause | None = None,
) -> None:
    """The pieces leave: claim and ledger, the lines' counts, the scan."""
    told = min(scan.occurred_at, clock.now()) if scan.occurred_at is not None else None
    cause = cause or stock.Cause("pickup", "pickup", row.id, occurred_at=told, note=note)
    stock.post(row.claim_id, _by_sku(lines, parts), cause, owner=row.owner)
    for line in lines:
        line.collected += parts.get(line.line_ref, 0)
    scans.keep(scan, place=(row.location_id, row.id), outcome=scans.DONE, parts=parts)


def _told(parts: Mapping[str, int]) -> list[dict[str, object]]:
    return [{"line_ref": line_ref, "quantity": pieces} for line_ref, pieces in parts.items()]


def allot(lines: Sequence[PickupLine], sold: Mapping[str, int]) -> dict[str, int]:
    """The pieces by line that a till sold by SKU, as far as they are still here."""
    left, parts = dict(sold), {}
    for line in lines:
        pieces = min(line.open + line.waiting, left.get(line.sku, 0))
        if pieces:
            parts[line.line_ref] = pieces
            left[line.sku] -= pieces
    return parts


def settle(
    row: Pickup, scan: Scan, *, receipt: str, parts: Mapping[str, int], cause: stock.Cause | None = None
) -> dict[str, int]:
    """A till gave these pieces, picked or not: it has happened, so the state does not matter. Returns them by SKU."""
    lines = pickups.lines_of(row)
    for line in lines:
        line.picked += max(0, parts.get(line.line_ref, 0) - line.waiting)
    given = _by_sku(lines, parts)
    if not parts:
        return given
    _post(row, lines, parts, scan, note=receipt, cause=cause)
    if row.order_id is not None:
        _tell_order(row, lines, parts)
    if _left(lines):
        touch(row, "pickup.partly_collected", lines=_told(parts), **pickups.facts(row))
    else:
        _end(row, lines, parts, "settle")
    return given


def _tell_order(row: Pickup, lines: Sequence[PickupLine], parts: Mapping[str, int]) -> None:
    given = pickups.order_parts(lines, parts)
    orders.record_fulfilment(str(row.order_id), given, at=clock.now(), reference=("pickup", row.id), at_counter=True)


def _end(row: Pickup, lines: Sequence[PickupLine], parts: Mapping[str, int], action: str) -> None:
    """All that was here is given; what is missing still waits for the customer's choice."""
    told, facts = _told(parts), pickups.facts(row)
    if not any(line.undecided for line in lines):
        row.collected_at = clock.now()
        move(row, action, PICKUP, event="pickup.collected", lines=told, **facts)
    elif row.state == PickupState.READY:
        move(row, "await", PICKUP, event="pickup.partly_collected", lines=told, **facts)
    else:
        touch(row, "pickup.partly_collected", lines=told, **facts)


def _left(lines: Sequence[PickupLine]) -> dict[str, int]:
    return _by_sku(lines, {line.line_ref: line.open + line.waiting for line in lines})


@use_case
def undo(*, pickup_id: str, scan: Scan) -> Pickup:
    """Take the last hand-over back: the same clerk within `UNDO_SECONDS`, a manager the same business day.

    A reversing line in the ledger, a new claim, ready again. Raises NothingToUndo, UndoClosed, IllegalTransition.
    """
    row = pickups.locked(pickup_id)
    place = (row.location_id, row.id)
    try:
        pickups.require(row, "undo")
        done = next((one for one in scans.given(row.id) if not one.undone), None)
        if done is None:
            raise NothingToUndo
        _may_undo(row, done)
        _take_back(row, done, scan)
    except AppError as refusal:
        refusal.record = _Refused(refusal, scan, place)
        raise
    return row


def _may_undo(row: Pickup, done: PickupScan) -> None:
    now = clock.now()
    until = done.recorded_at + dt.timedelta(seconds=settings.UNDO_SECONDS)
    who = actor.current()
    if who.id == done.actor_id and now <= until:
        return
    place = stores.get(row.location_id)
    same_day = stores.business_date(place, done.recorded_at) == stores.business_date(place, now)
    if not (who.has("admin") and same_day):
        raise UndoClosed(until=clock.public(until))


def _take_back(row: Pickup, done: PickupScan, scan: Scan) -> None:
    parts = {line_ref: int(pieces) for line_ref, pieces in done.parts.items()}
    lines = pickups.lines_of(row)
    cause = stock.Cause("pickup", "pickup", row.id, note="undo")
    claim = stock.take_back(row.claim_id, _by_sku(lines, parts), cause, owner=row.owner)
    row.claim_id, row.collected_at, done.undone = claim.id, None, True
    for line in lines:
        line.collected -= parts.get(line.line_ref, 0)
    if row.order_id is not None:
        back = pickups.order_parts(lines, parts)
        orders.reverse_fulfilment(row.order_id, back, work_id=row.id, claim_id=claim.id, reason="undo")
    scans.keep(scan, place=(row.location_id, row.id), outcome=scans.DONE, parts=parts)
    move(row, "undo", PICKUP, event="pickup.reopened", **pickups.facts(row))


def _by_sku(lines: Sequence[PickupLine], parts: Mapping[str, int]) -> dict[str, int]:
    pieces: dict[str, int] = defaultdict(int)
    for line in lines:
        pieces[line.sku] += parts.get(line.line_ref, 0)
    return {sku: count for sku, count in pieces.items() if count}
