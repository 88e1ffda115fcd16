"""The rescue desk: one remedy is applied wholly, in one transaction, or refused with what can be done instead.

Locks are taken in the order of all (order, pickup, transfer, claim, levels), then the remedies are computed once more:
what is applied fits the moment. Pieces that are taken away count as missing in their pickup. An incident whose customer
was asked stays open until they have chosen: `hear` notices it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app import orders, stock
from app.core import actor, clock
from app.core.db import db, use_case
from app.core.ids import new_id
from app.core.outbox import Event, on

from . import arrivals, asking, choosing, ending, items, pickups, remedies, reshelving
from .at_risk import Promised
from .errors import RemedyNotOffered
from .models import Pickup, PickupLine, RescueQuestion
from .remedies import Kind, Remedy
from .states import PickupState

_DECIDES = ("pickup.changed", "pickup.resumed", "pickup.collected", "pickup.cancelled", "pickup.expired")


@use_case
def apply(*, incident_id: str, remedy: str) -> stock.IncidentView:
    """Carry out a remedy by its id. Raises UnknownIncident, RemedyNotOffered, InsufficientStock."""
    incident = stock.incident(incident_id)
    _lock(incident, _chosen(incident, remedy))
    incident = stock.incident(incident_id)
    _carry_out(incident, _chosen(incident, remedy))
    db.session.flush()
    return stock.incident(incident_id)


def _chosen(incident: stock.IncidentView, remedy: str) -> Remedy:
    offered = remedies.of(incident).remedies
    found = next((one for one in offered if one.id == remedy), None)
    if found is None:
        raise RemedyNotOffered(remedy=remedy, remedies=[one.id for one in offered])
    return found


def _lock(incident: stock.IncidentView, chosen: Remedy) -> None:
    """Hold everything that the remedy will touch, and forget what was read before."""
    one = chosen.promised
    if one is not None:
        transfer = one.transfer
        if one.pickup is not None:
            row = pickups.locked(one.pickup.id)
            arrivals.take_in(row)
            transfer = row.transfer_id if row.state == PickupState.AWAITING_TRANSFER else None
        if one.parcel is not None:
            orders.lock(one.parcel.order_id)
        if transfer is not None:
            stock.transfer(transfer, lock=True)
        stock.find(one.claim.id, lock=True)
    sources = [] if chosen.source is None else [(chosen.source.place.code, incident.sku)]
    stock.lock_levels([(incident.location_id, incident.sku), *sources])
    db.session.flush()
    db.session.expire_all()


def _carry_out(incident: stock.IncidentView, chosen: Remedy) -> None:
    one = chosen.promised
    if one is None:
        stock.doubt(
            incident.location_id, incident.sku, missing=incident.shortage, reason=stock.Doubt.OTHER,
            cause_ref=("stock_incident", incident.id),
        )  # fmt: skip
    elif one.parcel is not None:
        _mend_parcel(incident, chosen, one, one.parcel)
    elif one.pickup is not None:
        _mend_pickup(incident, chosen, one, one.pickup)
    elif one.transfer is not None:
        stock.cancel_transfer(one.transfer)
    else:
        stock.release(one.claim.id)


def _mend_parcel(incident: stock.IncidentView, chosen: Remedy, one: Promised, parcel: orders.Parcel) -> None:
    """Send the pieces from another place, or cancel them."""
    parts = parcel.parts(incident.sku, chosen.pieces)
    if chosen.source is not None:
        wanted = {"method": "ship", "ship_from": chosen.source.place.code}
        orders.open_another(parcel.order_id, parts, wanted, leaving=incident.location_id)
        orders.take_from_parcel(parcel.order_id, one.claim.id, parts, reason=choosing.MOVED)
        return
    orders.take_from_parcel(parcel.order_id, one.claim.id, parts, reason=asking.RESCUE)
    orders.cancel_parts(parcel.order_id, parts, reason=asking.RESCUE)


def _mend_pickup(incident: stock.IncidentView, chosen: Remedy, one: Promised, row: Pickup) -> None:
    match chosen.kind:
        case Kind.RESHELVE:
            reshelving.reshelve(pickup_id=row.id, scanned=[items.Item(chosen.pieces, sku=incident.sku)])
        case Kind.RELEASE:
            ending.cancel(pickup_id=row.id, reason=asking.RESCUE)
        case Kind.ASK:
            _ask(incident, chosen, one, row)
        case Kind.TRANSFER if chosen.source is not None and row.order_id is not None:
            lines, parts = _take_away(incident, chosen, one, row)
            wanted = {"method": "pickup", "location": row.location_id, "ship_from": chosen.source.place.code}
            order_parts = pickups.order_parts(lines, parts)
            orders.open_another(row.order_id, order_parts, wanted, leaving=incident.location_id)
            ending.take_out(row, lines, parts, reason=choosing.MOVED)
        case _:
            lines, parts = _take_away(incident, chosen, one, row)
            choosing.give_up(row, lines, parts, reason=asking.RESCUE)


def _take_away(
    incident: stock.IncidentView, chosen: Remedy, one: Promised, row: Pickup
) -> tuple[Sequence[PickupLine], dict[str, int]]:
    """The pieces are missing from now on: nobody has decided about them, and no stock is promised for them."""
    lines = pickups.lines_of(row)
    parts = remedies.parts_of(lines, incident.sku, chosen.pieces, picked=one.picked)
    for line in lines:
        pieces = parts.get(line.line_ref, 0)
        line.picked -= pieces if one.picked else 0
        line.short += pieces
        line.undecided += pieces
    ending.settle_claim(row, {incident.sku: chosen.pieces}, {})
    return lines, parts


def _ask(incident: stock.IncidentView, chosen: Remedy, one: Promised, row: Pickup) -> None:
    """The customer chooses; until then the incident stays open."""
    db.session.add(
        RescueQuestion(
            id=new_id(), location_id=incident.location_id, incident_id=incident.id, pickup_id=row.id,
            sku=incident.sku, quantity=chosen.pieces, asked_at=clock.now(), answered_at=None,
        )
    )  # fmt: skip
    stock.keep_incident_open(incident.id)
    lines, _ = _take_away(incident, chosen, one, row)
    if row.state == PickupState.AWAITING_CUSTOMER or any(line.open or line.waiting for line in lines):
        asking.ask(row, asking.RESCUE)
    else:
        asking.wait_for_customer(row, asking.RESCUE)


def waiting(incident_id: str) -> list[dict[str, Any]]:
    """The customers who were asked because of the incident and have not chosen, the first asked first."""
    query = (
        select(RescueQuestion, Pickup)
        .join(Pickup, Pickup.id == RescueQuestion.pickup_id)
        .where(RescueQuestion.incident_id == incident_id, RescueQuestion.answered_at.is_(None))
        .order_by(RescueQuestion.id)
    )
    return [
        {"pickup": row.id, "code": row.code, "order_number": row.order_number, "quantity": question.quantity,
         "until": row.choose_by}
        for question, row in db.session.execute(query)
        if pickups.sees(row)
    ]  # fmt: skip


@use_case
def hear(event: Event) -> None:
    """A pickup went on: who had to choose has chosen when nothing of theirs is undecided."""
    actor.act_as(actor.SYSTEM)
    asked = select(RescueQuestion).where(
        RescueQuestion.pickup_id == event.aggregate_id, RescueQuestion.answered_at.is_(None)
    )
    if db.session.scalars(asked.limit(1)).first() is None:
        return
    row = pickups.locked(event.aggregate_id)
    undecided = {line.sku for line in pickups.lines_of(row) if line.undecided}
    for question in db.session.scalars(asked.execution_options(populate_existing=True)).all():
        if row.is_over or question.sku not in undecided:
            question.answered_at = clock.now()
            stock.let_incident_go(question.incident_id)


def unheard() -> list[dict[str, Any]]:
    """Incidents that wait for another number of customers than were asked: what `reconcile` looks for."""
    asked: dict[str, int] = {}
    for incident_id in db.session.scalars(
        select(RescueQuestion.incident_id).where(RescueQuestion.answered_at.is_(None))
    ):
        asked[incident_id] = asked.get(incident_id, 0) + 1
    known = stock.incidents_waiting()
    return [
        {"incident": one, "asked": asked.get(one, 0), "waiting": known.get(one, 0)}
        for one in sorted({*asked, *known})
        if asked.get(one, 0) != known.get(one, 0)
    ]


def register() -> None:
    """Listen to pickups, and let `reconcile` look."""
    stock.check.add("I2 an incident waits for whom it asked", unheard)


for _topic in _DECIDES:
    on(_topic)(hear)
