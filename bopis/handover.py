"""Handing over and taking back: one hand-over per piece, proven by the QR code, a lent one, or by code and PIN.

The pickup's lock makes check and act one. The loser of a race hears who has it, when and where; the winner's own
retry gets its success again. What a tablet without network handed over arrives late, and is a fact (`late`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import orders, stock, stores
from app.core import actor, clock, settings
from app.core.db import use_case
from app.core.errors import AppError
from app.core.states import move, touch

from . import giving, late, pickups, proofs, scans, work
from .errors import AlreadyCollected, NothingToUndo, PickupExpired, UndoClosed, WrongPin
from .giving import Given
from .models import Pickup, PickupLine, PickupScan
from .proofs import Proof
from .scans import Scan
from .states import PICKUP, PickupState


@use_case
def hand_over(*, pickup_id: str, proof: Proof, scan: Scan, given: Sequence[Given] | None) -> Pickup:
    """Give the goods, all that wait unless some are named; a part leaves the pickup ready.

    Raises UnknownPickup (also for a wrong token), WrongPin, PinLocked, UnknownProxy, ProxyEnded, AlreadyCollected,
    PickupExpired, IllegalTransition, WrongItem, MoreThanPicked.
    """
    place: tuple[str, str] | None = None
    try:
        row = pickups.locked(pickup_id)
        place = (row.location_id, row.id)
        scan = proofs.read(row, proof, scan)
        happened = late.moment(row, scan)
        proofs.check(row, proof, scan)
        earlier = scans.told(row.id)
        if any(scans.is_retry(done, scan) for done in earlier):
            return row
        proofs.check_proxy(row, scan, happened or clock.now())
        if happened is not None:
            late.accept(row, scan, happened, given)
        elif not _is_collected(row, earlier, scan):
            lines = pickups.lines_of(row)
            giving.give(row, lines, giving.parts_of(lines, given), scan)
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
            self.refusal.facts["attempts_left"] = proofs.count_try(self.place[1])


def _is_collected(row: Pickup, earlier: Sequence[PickupScan], scan: Scan) -> bool:
    """Whether this very tablet has it already; refuses whatever else the state does not allow."""
    state = row.state_at(clock.now())
    if state == PickupState.EXPIRED:
        raise PickupExpired(expires_at=clock.public(row.expires_at or row.hold_until))
    if state == PickupState.COLLECTED:
        done = next((one for one in earlier if one.outcome == scans.DONE and not one.undone), None)
        if done is not None and scans.is_same_hand(done, scan):
            return True
        raise AlreadyCollected(
            collected_at=clock.public(row.collected_at), collected_by=done.actor_name if done else None,
            location=row.location_id, device=done.device if done else None,
        )  # fmt: skip
    pickups.require(row, "hand-over")
    return False


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
    """A till gave these pieces, picked or not: it has happened, so the state does not matter. Returns them by SKU.

    Pieces that were reported missing have no claim any more: they leave without one.
    """
    lines = pickups.lines_of(row)
    given = giving.by_sku(lines, parts)
    if not parts:
        return given
    cause = cause or stock.Cause("pickup", "pickup", row.id, occurred_at=giving.told_at(scan), note=receipt)
    promised = {line.line_ref: min(parts.get(line.line_ref, 0), line.open + line.waiting) for line in lines}
    found = {line.line_ref: parts.get(line.line_ref, 0) - promised[line.line_ref] for line in lines}
    for line in lines:
        line.undecided -= found[line.line_ref]
        line.short -= found[line.line_ref]
        line.picked += max(0, parts.get(line.line_ref, 0) - line.waiting)
    giving.post(row, lines, parts, promised=promised, scan=scan, cause=cause)
    giving.tell_order(row, lines, parts)
    if any(line.open or line.waiting for line in lines):
        touch(row, "pickup.partly_collected", lines=giving.told(parts), **pickups.facts(row))
    elif any(line.undecided for line in lines):
        giving.wait_for_the_rest(row, parts)
    else:
        giving.complete(row, "settle", parts)
    return given


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
    claim = stock.take_back(
        row.claim_id, giving.by_sku(lines, parts), _cause_back(row, done), location=row.location_id, kind=row.kind,
        owner=row.owner,
    )  # fmt: skip
    row.claim_id, row.collected_at, row.hold_until, done.undone = claim.id, None, None, True
    if row.expires_at is None or row.expires_at <= clock.now():
        work.keep_ready(row)
    for line in lines:
        line.collected -= parts.get(line.line_ref, 0)
    if row.order_id is not None:
        back = pickups.order_parts(lines, parts)
        orders.reverse_fulfilment(row.order_id, back, work_id=row.id, claim_id=claim.id, reason="undo")
    scans.keep(scan, place=(row.location_id, row.id), outcome=scans.DONE, parts=parts)
    move(row, "undo", PICKUP, event="pickup.reopened", **pickups.facts(row))


def _cause_back(row: Pickup, done: PickupScan) -> stock.Cause:
    """What a hold gave for a till's receipt comes back for it: the receipt's void has nothing left to bring."""
    if row.order_id is None and done.proof == scans.TILL and done.nonce is not None:
        return stock.Cause("pickup", orders.RECEIPT, done.nonce, note="undo")
    return stock.Cause("pickup", "pickup", row.id, note="undo")
