"""The customer chooses: another store, a parcel, a transfer, a substitute, a part, to wait, or to give up.

What is chosen is claimed at its new place first and given up here afterwards, in one transaction: nobody ends with
nothing because two things had to happen. No answer in time means the part that is there, and money back for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app import catalog, orders, stock, stores
from app.core import clock, settings
from app.core.db import db, use_case
from app.core.ids import new_id
from app.core.states import touch

from . import arrivals, asking, ending, opening, options, pickups
from .errors import NothingToChoose, OptionNotOffered
from .models import Pickup, PickupLine

MOVED = "moved"
NO_CHOICE = "no_choice"
_NOT_ASKED_FOR = frozenset({NO_CHOICE, asking.RESCUE})


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, with what belongs to it: the store, the address, the substitute."""

    option: str
    location: str | None = None
    address: Any = None
    sku: str | None = None


@use_case
def choose(*, pickup_id: str, choice: Choice) -> Pickup:
    """Carry out a choice.

    Raises NothingToChoose, OptionNotOffered, IllegalTransition, InsufficientStock (somebody was faster), and what an
    order's new way refuses.
    """
    row = pickups.locked(pickup_id)
    arrivals.take_in(row)
    pickups.require(row, "choose")
    lines = pickups.lines_of(row)
    missing = options.missing_of(row, lines)
    if not missing:
        raise NothingToChoose
    offered = options.of(row, lines)
    fitting = [one for one in offered if one["option"] == choice.option and _fits(one, choice)]
    if not fitting:
        raise OptionNotOffered(option=choice.option, options=offered)
    _carry_out(row, lines, missing, choice, fitting[0])
    return row


def _fits(offered: Mapping[str, Any], choice: Choice) -> bool:
    """Whether the choice names this very option; a store or a substitute must be named where several are offered."""
    return offered.get("location") == choice.location and (choice.sku is None or offered.get("sku") == choice.sku)


def _carry_out(
    row: Pickup, lines: Sequence[PickupLine], missing: Mapping[str, int], choice: Choice, found: Mapping[str, Any]
) -> None:
    match choice.option:
        case options.WAIT:
            _come_another_time(row)
            ending.go_on(row, lines, reason=options.WAIT)
            row.choice_reason = asking.WAITS
        case options.OTHER_STORE:
            _elsewhere(row, lines, missing, {"method": "pickup", "location": choice.location})
        case options.TRANSFER:
            wanted = {"method": "pickup", "location": row.location_id, "ship_from": found["from"]}
            _elsewhere(row, lines, missing, wanted)
        case options.SHIP:
            wanted = {"method": "ship", "ship_from": found["from"], "address": choice.address}
            _elsewhere(row, lines, missing, wanted)
        case options.SUBSTITUTE:
            _substitute(row, lines, str(found["sku"]))
        case options.PART:
            give_up(row, lines, missing, reason="short")
        case _:
            give_up(row, lines, {line.line_ref: line.owed for line in lines}, reason="customer")


def _come_another_time(row: Pickup) -> None:
    """Who wanted to come at a time that is closed now, and still wants the goods here, is expected at no set time."""
    if row.choice_reason == asking.CLOSED:
        stores.free_slot(row.location_id, row.slot_at)
        row.slot_at = row.pickup_at = None


def _elsewhere(row: Pickup, lines: Sequence[PickupLine], missing: Mapping[str, int], wanted: Mapping[str, Any]) -> None:
    if row.order_id is None:
        _hold_elsewhere(row, lines, missing, str(wanted["location"]))
    else:
        orders.open_another(row.order_id, pickups.order_parts(lines, missing), wanted, leaving=row.location_id)
    ending.take_out(row, lines, missing, reason=MOVED)


def _hold_elsewhere(row: Pickup, lines: Sequence[PickupLine], missing: Mapping[str, int], location: str) -> None:
    place, now = opening.place_for_pickup(location), clock.now()
    wanted = [
        opening.Wanted(line.line_ref, line.sku, line.name, missing[line.line_ref])
        for line in lines
        if missing.get(line.line_ref)
    ]
    pickup_id = new_id()
    until = stores.deadline(place, now, stores.hold_days(place, "hold"))
    held = stock.reserve(
        location=location, lines=[(line.sku, line.quantity) for line in wanted], kind="hold", channel=row.channel,
        expires_at=until, owner=("pickup", pickup_id),
    )  # fmt: skip
    case = opening.Case(
        kind="hold", location_id=location, channel=row.channel, claim_id=held.id, placed_at=now, hold_until=until,
        contact_id=row.contact_id, customer_id=row.customer_id, phone_mark=row.phone_mark, language=row.language,
        amount_due=_listed(lines, missing),
    )  # fmt: skip
    opening.open_pickup(case, wanted, pickup_id=pickup_id)
    row.amount_due = max(0, row.amount_due - _listed(lines, missing))


def give_up(row: Pickup, lines: Sequence[PickupLine], parts: Mapping[str, int], *, reason: str) -> None:
    """Pieces of a locked pickup will not come: their money goes back, or is not asked for."""
    gone = {ref: pieces for ref, pieces in parts.items() if pieces}
    order_parts = pickups.order_parts(lines, gone)
    if row.order_id is None:
        row.amount_due = max(0, row.amount_due - _listed(lines, gone))
    ending.take_out(row, lines, gone, reason=reason)
    if row.order_id is not None:
        orders.cancel_parts(row.order_id, order_parts, reason=reason, at_counter=True)
        if reason in _NOT_ASKED_FOR and not row.is_over:
            lines_told = [{"line_ref": ref, "quantity": pieces} for ref, pieces in order_parts.items()]
            touch(row, "pickup.reduced", reason=reason, lines=lines_told, **pickups.facts(row))


def _listed(lines: Sequence[PickupLine], parts: Mapping[str, int]) -> int:
    """What a hold's pieces (by line_ref) cost: a substitute as much as what it stands for."""
    pieces = pickups.asked_for(lines, parts)
    known = catalog.get(pieces)
    return sum(known[sku].list_price * quantity for sku, quantity in pieces.items())


def _substitute(row: Pickup, lines: Sequence[PickupLine], sku: str) -> None:
    """Claim the other SKU, and let it be picked in the missing one's place."""
    mine = [line for line in lines if line.substitute == sku and line.undecided]
    pieces = sum(line.undecided for line in mine)
    row.claim_id = stock.enlarge(
        row.claim_id, {sku: pieces}, location=row.location_id, kind=row.kind, owner=row.owner
    ).id
    name = catalog.get([sku])[sku].name
    taken = {line.line_ref for line in lines}
    for line in mine:
        number = next(n for n in range(1, len(lines) + 2) if f"{line.order_ref}+{n}" not in taken)
        db.session.add(
            PickupLine(
                id=new_id(), location_id=row.location_id, pickup_id=row.id, line_ref=f"{line.order_ref}+{number}",
                order_ref=line.order_ref, sku=sku, name=name, ordered=line.undecided, picked=0, short=0, undecided=0,
                collected=0,
            )
        )  # fmt: skip
        taken.add(f"{line.order_ref}+{number}")
        line.ordered -= line.undecided
        line.short -= line.undecided
        line.undecided, line.substitute = 0, None
    db.session.flush()
    ending.go_on(row, pickups.lines_of(row), reason=options.SUBSTITUTE)


def unanswered(limit: int = settings.SWEEP_BATCH) -> list[str]:
    """The ids of pickups whose customer did not choose in time."""
    query = select(Pickup.id).where(Pickup.choose_by <= clock.now()).order_by(Pickup.choose_by).limit(limit)
    return list(db.session.scalars(query))


@use_case
def decide(*, pickup_id: str) -> bool:
    """Nobody chose in time: what is there stays, the rest is given up with its refund, and the customer is told."""
    row = pickups.locked(pickup_id)
    if row.is_over or row.choose_by is None or row.choose_by > clock.now():
        return False
    arrivals.take_in(row)
    lines = pickups.lines_of(row)
    missing = options.missing_of(row, lines)
    row.choose_by = None
    if missing:
        touch(row, "pickup.unanswered", reason=row.choice_reason, **pickups.facts(row))
        give_up(row, lines, missing, reason=NO_CHOICE)
    return True
