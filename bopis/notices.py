"""Notices of pickups: asked for when something happened, written from what is true when they are sent.

A notice that is not true any more when its turn comes (the goods are collected, the question is answered) is not sent.
Nothing personal is kept: token, PIN, name and address are put together at the moment of sending.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from app import catalog, customers, notifications, orders, stores
from app.core import clock, texts
from app.core.db import db, use_case
from app.core.outbox import Event, on
from app.core.texts import word
from app.notifications import Letter, LineFacts, PickupFacts, ReminderFacts, StoreFacts, WaitlistFacts

from . import asking, choosing, options, passes, pickups, queries, reminders, showing
from .models import Pickup, PickupLine
from .states import OVER, PickupState
from .waiting import is_offer

_S = PickupState
_BEFORE_READY = frozenset({_S.REQUESTED, _S.AWAITING_TRANSFER, _S.ACCEPTED, _S.PICKING})
_KEPT = frozenset({_S.REQUESTED, _S.ACCEPTED, _S.READY})
_PAID = frozenset({"authorized", "captured"})
# The pieces moved to another pickup or a parcel, whose own notices say so.
_MOVED = frozenset({"changed", choosing.MOVED})
# What has words for the customer; what a clerk wrote is the store's own.
_TOLD = frozenset({*asking.REASONS, "no_choice"})
_WITH_OPTIONS = frozenset({"pickup.short", "pickup.choose"})
_KIND_OF = {asking.SHORT: "pickup.short", asking.LATE: "pickup.delayed"}


def _owed(line: PickupLine) -> int:
    return line.open + line.waiting


def _missing(line: PickupLine) -> int:
    return line.undecided


def _collected(line: PickupLine) -> int:
    return line.collected


def _given_up(line: PickupLine) -> int:
    return line.ordered - line.collected


@dataclass(frozen=True, slots=True)
class Kind:
    """When a kind of notice is true, which pieces of a line it lists, and whether it may disturb the night."""

    is_true: Callable[[Pickup, PickupState], bool]
    pieces: Callable[[PickupLine], int]
    urgent: bool = True


def _asks(kind: str) -> Callable[[Pickup, PickupState], bool]:
    return lambda row, _: asking.is_asked(row) and kind_of_question(str(row.choice_reason)) == kind


KINDS: Mapping[str, Kind] = {
    "pickup.requested": Kind(lambda _, state: state in _BEFORE_READY, _owed),
    "pickup.delayed": Kind(_asks("pickup.delayed"), _owed),
    "pickup.short": Kind(_asks("pickup.short"), _missing),
    "pickup.choose": Kind(_asks("pickup.choose"), _missing),
    "pickup.ready": Kind(lambda _, state: state == _S.READY, _owed),
    "pickup.reminder": Kind(lambda _, state: state == _S.READY, _owed, urgent=False),
    "pickup.extended": Kind(lambda _, state: state in _KEPT, _owed, urgent=False),
    "pickup.collected": Kind(lambda _, state: state == _S.COLLECTED, _collected, urgent=False),
    "pickup.expired": Kind(lambda _, state: state == _S.EXPIRED, _given_up, urgent=False),
    "pickup.reduced": Kind(lambda _, state: state not in OVER, _owed),
    "pickup.cancelled": Kind(lambda row, state: state == _S.CANCELLED and row.reason not in _MOVED, _given_up),
    "waitlist.available": Kind(lambda _, state: state in _BEFORE_READY, _owed, urgent=False),
}


def register() -> None:
    """Offer every kind of notice about pickups."""
    for name, kind in KINDS.items():
        notifications.offer(name, compose=functools.partial(compose, name), urgent=kind.urgent)


def kind_of_question(reason: str) -> str:
    """The notice that puts the question asked for this reason."""
    return _KIND_OF.get(reason, "pickup.choose")


# --- what happened ----------------------------------------------------------------------------------------------------


@on("pickup.requested")
@use_case
def on_requested(event: Event) -> None:
    """Taken in; to a waiting customer a hold is the offer they waited for."""
    offered = event.payload["kind"] == "hold" and is_offer(event.aggregate_id)
    _tell("waitlist.available" if offered else "pickup.requested", event)


@on("pickup.asked")
@use_case
def on_asked(event: Event) -> None:
    """The customer has to choose, or at least to know."""
    _tell(kind_of_question(str(event.payload["reason"])), event)


@on("pickup.ready")
@on("pickup.extended")
@use_case
def on_kept(event: Event) -> None:
    """There is a deadline: tell it, and remind of it."""
    _tell(event.topic, event)
    reminders.plan(event)


@on("pickup.reduced")
@use_case
def on_reduced(event: Event) -> None:
    """Pieces were given up though the customer did not ask for it: it is told, for nothing ends in silence."""
    _tell(event.topic, event)


@on("pickup.reopened")
@use_case
def on_reopened(event: Event) -> None:
    """A hand-over was taken back: the goods wait again."""
    reminders.plan(event)


@on("pickup.reissued")
@use_case
def on_reissued(event: Event) -> None:
    """The pass in the last notice is dead; whose goods wait gets the new one."""
    if event.payload["state"] == _S.READY:
        _tell("pickup.ready", event)


@on("pickup.collected")
@on("pickup.expired")
@on("pickup.cancelled")
@use_case
def on_end(event: Event) -> None:
    """It is over: nobody is reminded of it any more."""
    reminders.forget(event)
    _tell(event.topic, event)


def _tell(kind: str, event: Event) -> None:
    notifications.request(
        kind, subject=("pickup", event.aggregate_id), sequence=reminders.turn_of(event), location=event.location_id
    )


# --- what is true -----------------------------------------------------------------------------------------------------


def compose(name: str, pickup_id: str) -> Letter | None:
    """The notice of a kind about a pickup as it stands now; None when it is not true any more."""
    row = db.session.get(Pickup, pickup_id)
    if row is None or not KINDS[name].is_true(row, row.state_at(clock.now())):
        return None
    to = customers.contact(row.contact_id) if row.order_id is None else orders.contact_of(row.order_id)
    place = stores.get(row.location_id)
    with texts.speaking(row.language):
        facts = _facts(row, place, to.name or "", KINDS[name].pieces)
        if name in _WITH_OPTIONS:
            facts["options"] = _options(row, place)
        if name == "pickup.reminder":
            facts = ReminderFacts(**facts, day_before=reminders.is_day_before(row, place))
        written: Mapping[str, Any] = _offer(facts) if name == "waitlist.available" else facts
    return Letter(
        to=to, language="en" if row.language == "en" else "ja", location_id=row.location_id, timezone=place.timezone,
        facts=written,
    )  # fmt: skip


def _facts(row: Pickup, place: stores.Place, name: str, pieces: Callable[[PickupLine], int]) -> PickupFacts:
    zone = place.calendar.zone
    known = passes.of(row)
    order = orders.view(row.order_id) if row.order_id is not None else None
    paid = order is not None and any(payment["state"] in _PAID for payment in order["payments"])
    deadline = row.expires_at or row.hold_until
    late = row.ready_by is None or row.ready_by <= clock.now()
    return PickupFacts(
        name=name,
        order_number=row.order_number or row.code,
        code=known.code,
        pin=known.pin,
        page_url=known.page_url,
        qr_url=known.qr_url,
        store=_store(place),
        deadline=showing.when(deadline, zone) if deadline is not None else "",
        ready_by="" if row.ready_by is None or late else showing.when(row.ready_by, zone),
        choose_by=showing.when(row.choose_by, zone) if row.choose_by is not None else "",
        amount_due=0 if row.is_over else queries.amount_due(row),
        paid=paid,
        lines=_lines(row, order, pieces),
        refund_total=sum(refund["amount"] for refund in order["refunds"]) if order is not None else 0,
        reason=_reason(row),
        options=[],
        return_policy=word("return-policy"),
    )


def _offer(facts: PickupFacts) -> WaitlistFacts:
    """What the one who waited is told: the hold's deadline is the offer's."""
    return WaitlistFacts(
        name=facts["name"], store=facts["store"], lines=facts["lines"], page_url=facts["page_url"],
        until=facts["deadline"],
    )  # fmt: skip


def _reason(row: Pickup) -> str:
    told = row.choice_reason if not row.is_over else row.reason
    return word(f"pickup-reason-{told}") if told in _TOLD else ""


def _options(row: Pickup, place: stores.Place) -> list[str]:
    """What may be chosen now, in words; times are those of the place that it is about."""
    found = []
    for option in options.of(row, pickups.lines_of(row)):
        where = stores.directory()[option.get("location", place.code)]
        ready_by = clock.parse(option.get("ready_by"))
        said = word(
            f"pickup-option-{option['option']}",
            name=showing.store_of(where).name if "location" in option else option.get("name", ""),
        )
        if ready_by is not None:
            said += word("pickup-option-ready-by", at=showing.when(ready_by, where.calendar.zone))
        found.append(said)
    return found


def _store(place: stores.Place) -> StoreFacts:
    shown = showing.store_of(place)
    return StoreFacts(
        name=shown.name, address=shown.address, phone=shown.phone or "", hours=showing.usual_hours(place),
        map_url=shown.map_url or "",
    )  # fmt: skip


def _lines(row: Pickup, order: Mapping[str, Any] | None, pieces: Callable[[PickupLine], int]) -> Sequence[LineFacts]:
    """The goods that the notice is about; all that is owed where the question is not about missing ones."""
    rows = pickups.lines_of(row)
    wanted = {line.line_ref: pieces(line) for line in rows}
    sold = {line["line_ref"]: line for line in order["lines"]} if order is not None else {}
    if not any(wanted.values()):
        given_up = row.is_over and order is not None
        wanted = {line.line_ref: sold[line.order_ref]["cancelled"] if given_up else line.owed for line in rows}
    known = catalog.get([line.sku for line in rows])
    excluded = order is not None and order["prices"] == "tax_excluded"
    return [
        LineFacts(
            sku=line.sku,
            name=showing.name_of(line, known.get(line.sku)),
            options=showing.options_of(known.get(line.sku)),
            quantity=wanted[line.line_ref],
            price=_price(sold.get(line.order_ref), known.get(line.sku), wanted[line.line_ref], excluded=excluded),
            reduced=line.sku in known and known[line.sku].tax_category == "reduced",
        )
        for line in rows
        if wanted[line.line_ref]
    ]


def _price(sold: Mapping[str, Any] | None, sku: catalog.SkuFacts | None, pieces: int, *, excluded: bool) -> int:
    """What the pieces cost with tax: by the order as it was frozen, else by the list."""
    if sold is None:
        return sku.list_price * pieces if sku is not None else 0
    whole = cast("int", sold["net"]) + (cast("int", sold["tax"]) if excluded else 0)
    return whole * pieces // cast("int", sold["quantity"])
