"""Early ends: cancelled by the store or the order, expired by time; in whole or in part.

Pieces not yet picked are free at once. Picked ones pass to a `reshelve` claim in the same transaction and are free
when they are scanned back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import and_, or_, select

from app import orders, stock, stores
from app.core import clock, settings
from app.core.db import Again, db, use_case
from app.core.states import move, touch

from . import arrivals, giving, items, opening, pickups, reshelving
from .models import Pickup, PickupLine
from .states import PICKUP, PickupState

_WAITING = (PickupState.REQUESTED.value, PickupState.ACCEPTED.value)
# How a pickup ends of which some was given and nothing is left. Before it is ready, only a till can have given some.
_LAST_STEP = {PickupState.AWAITING_CUSTOMER: "close", PickupState.READY: "hand-over"}


@use_case
def cancel(*, pickup_id: str, reason: str) -> Pickup:
    """End the pickup; its order's open pieces are cancelled with their refund. Raises IllegalTransition."""
    row = pickups.locked(pickup_id)
    arrivals.take_in(row)
    pickups.require(row, "cancel")
    end(row, pickups.lines_of(row), action="cancel", event="pickup.cancelled", reason=reason)
    return row


@use_case
def expire(*, pickup_id: str) -> bool:
    """End the pickup if its deadline has passed; says whether it did."""
    row = pickups.locked(pickup_id)
    if row.is_over or row.state_at(clock.now()) != PickupState.EXPIRED:
        return False
    end(row, pickups.lines_of(row), action="expire", event="pickup.expired", reason="expired")
    return True


@use_case
def reshelve(*, pickup_id: str, scanned: Sequence[items.Item] | None) -> Pickup:
    """Picked goods are back on the shelf. A pickup past its deadline that nobody swept ends first: nothing has to wait
    for a sweeper. Raises NothingToReshelve, WrongItem, MoreThanPicked.
    """
    expire(pickup_id=pickup_id)
    return reshelving.reshelve(pickup_id=pickup_id, scanned=scanned)


def due(limit: int = settings.SWEEP_BATCH) -> list[str]:
    """The ids of pickups past their deadline, the longest overdue first."""
    now = clock.now()
    ready_over = and_(Pickup.state == PickupState.READY.value, Pickup.expires_at <= now)
    held_over = and_(Pickup.state.in_(_WAITING), Pickup.hold_until <= now)
    query = select(Pickup.id).where(or_(ready_over, held_over)).order_by(Pickup.updated_at, Pickup.id).limit(limit)
    return list(db.session.scalars(query))


def end(row: Pickup, lines: Sequence[PickupLine], *, action: str, event: str, reason: str, tell: bool = True) -> None:
    """End a locked pickup: stock, order (unless it is the order that ends it), state."""
    # A hold past its own deadline is dead in stock already: whoever needs the pieces, or the sweeper, ends the claim.
    if row.hold_until is None or row.hold_until > clock.now():
        settle_claim(row, _by_sku(lines, "open"), _by_sku(lines, "waiting"))
    parts = pickups.order_parts(lines, {line.line_ref: line.owed for line in lines})
    if tell and row.order_id is not None and parts:
        orders.cancel_parts(row.order_id, parts, reason=reason, at_counter=True)
    finish(row, reason)
    move(row, action, PICKUP, event=event, **pickups.facts(row))


def settle_claim(row: Pickup, free: Mapping[str, int], back: Mapping[str, int]) -> None:
    """Free the unpicked pieces by SKU, and send the picked ones on their way back to the shelf."""
    if free and row.state == PickupState.AWAITING_TRANSFER and row.transfer_id is not None:
        if stock.give_up_transfer(row.transfer_id, free, owner=row.owner) == "arrived":
            raise Again  # the goods came in this very moment: what happens next starts from that
    elif free:
        stock.void(row.claim_id, free, owner=row.owner)
    if back:
        reshelving.send_back(row, back)


def take_out(row: Pickup, lines: Sequence[PickupLine], parts: Mapping[str, int], *, reason: str) -> None:
    """Take pieces (by line_ref) out of a locked pickup: missing ones first, then unpicked, then picked ones."""
    free: dict[str, int] = defaultdict(int)
    back: dict[str, int] = defaultdict(int)
    for line in lines:
        pieces = parts.get(line.line_ref, 0)
        missing = min(pieces, line.undecided)
        unpicked = min(pieces - missing, line.open)
        picked = min(pieces - missing - unpicked, line.waiting)
        line.undecided -= missing
        line.short -= missing
        line.ordered -= missing + unpicked + picked
        line.picked -= picked
        free[line.sku] += unpicked
        back[line.sku] += picked
    settle_claim(row, {k: v for k, v in free.items() if v}, {k: v for k, v in back.items() if v})
    go_on(row, lines, reason=reason)


def go_on(row: Pickup, lines: Sequence[PickupLine], *, reason: str) -> None:
    """Where a locked pickup stands after pieces were taken out or decided about."""
    facts = pickups.facts(row)
    undecided = any(line.undecided for line in lines)
    if not undecided:
        row.choose_by = row.choice_reason = None
    if any(line.open or line.waiting for line in lines):
        if row.state == PickupState.AWAITING_CUSTOMER and not undecided:
            _resume(row)
        else:
            touch(row, "pickup.changed", reason=reason, **facts)
    elif undecided:
        touch(row, "pickup.changed", reason=reason, **facts)
    elif any(line.collected for line in lines):
        giving.complete(row, _LAST_STEP.get(PickupState(row.state), "settle"), {}, row.collected_at)
    else:
        finish(row, reason)
        move(row, "cancel", PICKUP, event="pickup.cancelled", reason=reason, **facts)


def _resume(row: Pickup) -> None:
    """The store has the time to answer anew; nothing is ready, and a hold is kept as long as from its beginning."""
    place, now = stores.get(row.location_id), clock.now()
    row.accept_by, row.escalated, row.expires_at = stores.accept_by(place, now), 0, None
    if row.order_id is None:
        row.hold_until = stores.deadline(place, now, stores.hold_days(place, row.kind))
        stock.extend(row.claim_id, expires_at=row.hold_until, owner=row.owner)
    move(row, "resume", PICKUP, event="pickup.resumed", **pickups.facts(row))


def finish(row: Pickup, reason: str) -> None:
    """What every end that is no hand-over has in common."""
    row.reason, row.choose_by, row.choice_reason, row.cancel_asked_at = reason[:200], None, None, None
    opening.leave(row)


def _by_sku(lines: Sequence[PickupLine], count: str) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for line in lines:
        found[line.sku] += getattr(line, count)
    return {sku: pieces for sku, pieces in sorted(found.items()) if pieces}
