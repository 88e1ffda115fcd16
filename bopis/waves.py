"""Waves: several pickups picked in one walk past the shelves, each piece for the most urgent that still wants it.

A wave is a list, not an owner: pieces are counted in their pickups, and so is what is short. One lock order: the wave,
the orders by id, the pickups by id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, or_, select

from app import orders, stock, stores
from app.core import actor, clock
from app.core.db import db, use_case
from app.core.errors import invalid
from app.core.ids import is_id, new_id
from app.core.outbox import emit
from app.core.states import IllegalTransition, move

from . import items, pickups, work
from .errors import InAnotherWave, NothingToPick, PickedTooMany, UnknownPickup, UnknownWave
from .models import PickingWave, Pickup, PickupLine
from .states import WAVE, PickupState, WaveState, actions

_TO_PICK = (PickupState.REQUESTED.value, PickupState.ACCEPTED.value)
_JOINS = frozenset({PickupState.REQUESTED, PickupState.ACCEPTED, PickupState.PICKING})


@dataclass(frozen=True, slots=True)
class Portion:
    """Pieces of one line, and the tote they go into."""

    pickup: Pickup
    line: PickupLine
    quantity: int
    tote: int


@use_case
def open_wave(*, location: str, pickup_ids: Sequence[str] | None, limit: int | None) -> PickingWave:
    """Accept and start pickups of a store to be picked together: the named ones, or the most urgent.

    Raises UnknownLocation, UnknownPickup, IllegalTransition, InAnotherWave, NothingToPick.
    """
    place = stores.get(location)
    actor.within(location=place.code, missing=stores.UnknownLocation)
    if pickup_ids is not None:
        rows = _locked(_named(place.code, pickup_ids))
        for row in rows:
            _require(row)
    else:
        rows = [row for row in _locked(_most_urgent(place.code, limit or 1)) if _waits(row)]
    if not rows:
        raise NothingToPick(location=place.code)
    now = clock.now()
    wave = PickingWave(
        id=new_id(), location_id=place.code, state=WaveState.OPEN.value, version=1, created_at=now, updated_at=now
    )
    db.session.add(wave)
    db.session.flush()
    for row in rows:
        row.wave_id = wave.id
        if row.state == PickupState.REQUESTED:
            work.accept(pickup_id=row.id)
        if row.state == PickupState.ACCEPTED:
            work.start(pickup_id=row.id)
    emit(
        "wave.opened", aggregate=("picking_wave", wave.id), sequence=1, location=wave.location_id, id=wave.id,
        state=wave.state, pickups=[row.id for row in rows],
    )  # fmt: skip
    return wave


@use_case
def pick(*, wave_id: str, item: items.Item, pickup_id: str | None) -> tuple[PickingWave, list[Portion]]:
    """Pieces were taken from the shelf: says at once for which pickups they are.

    Raises UnknownWave, UnknownPickup, WrongItem, PickedTooMany, IllegalTransition.
    """
    wave = _locked_wave(wave_id)
    if wave.state != WaveState.OPEN:
        raise IllegalTransition(state=wave.state, allowed=[], action="pick")
    totes = totes_of([wave.id])
    ids = sorted(totes)
    if pickup_id is not None:
        if pickup_id not in totes:
            raise UnknownPickup
        ids = [pickup_id]
    rows = [row for row in _locked(ids) if row.state == PickupState.PICKING and pickups.sees(row)]
    lines = {row.id: pickups.lines_of(row) for row in rows}
    ((sku, quantity),) = items.by_sku([item], {line.sku for mine in lines.values() for line in mine}).items()
    portions, left = [], quantity
    for row in sorted(rows, key=urgency):
        for line in lines[row.id]:
            pieces = min(left, line.open) if line.sku == sku else 0
            if pieces:
                portions.append(Portion(row, line, pieces, totes[row.id]))
                left -= pieces
    if left:
        raise PickedTooMany(sku=sku, quantity=quantity, open=quantity - left)
    for row in rows:
        mine = sum(portion.quantity for portion in portions if portion.pickup.id == row.id)
        if mine:
            work.pick(pickup_id=row.id, scanned=[items.Item(quantity=mine, sku=sku)])
    wave.updated_at = clock.now()
    return wave, portions


@use_case
def finish(*, wave_id: str) -> PickingWave:
    """The walk is over; lines still open stay with their pickups. Raises UnknownWave, IllegalTransition."""
    wave = _locked_wave(wave_id)
    move(wave, "finish", WAVE, event="wave.finished")
    return wave


def get(wave_id: str) -> PickingWave:
    """A wave inside the actor's bounds. Raises UnknownWave."""
    wave: PickingWave | None = None
    if is_id(wave_id):
        wave = db.session.scalars(within(select(PickingWave)).where(PickingWave.id == wave_id)).one_or_none()
    if wave is None:
        raise UnknownWave
    return wave


def within(query: Select[PickingWave]) -> Select[PickingWave]:
    """The waves of the actor's places that have a pickup of the actor's channels."""
    who = actor.current()
    if who.locations is not None:
        query = query.where(PickingWave.location_id.in_(who.locations))
    if who.channels is not None:
        query = query.where(exists().where(Pickup.wave_id == PickingWave.id, Pickup.channel.in_(who.channels)))
    return query


def members(wave_ids: Sequence[str]) -> Sequence[Pickup]:
    """The pickups of waves, as far as the actor sees them, the most urgent first."""
    found = db.session.scalars(select(Pickup).where(Pickup.wave_id.in_(wave_ids))).all()
    return sorted((row for row in found if pickups.sees(row)), key=urgency)


def totes_of(wave_ids: Sequence[str]) -> dict[str, int]:
    """The number of each pickup's tote in its wave: 1, 2, 3 …; it stays while the walk lasts."""
    totes: dict[str, int] = {}
    counts: dict[str, int] = {}
    query = select(Pickup.id, Pickup.wave_id).where(Pickup.wave_id.in_(wave_ids)).order_by(Pickup.id)
    for pickup_id, wave_id in db.session.execute(query):
        totes[pickup_id] = counts[str(wave_id)] = counts.get(str(wave_id), 0) + 1
    return totes


def urgency(row: Pickup) -> tuple[Any, ...]:
    """What is promised first comes first."""
    return (row.ready_by is None, row.ready_by or row.placed_at, row.id)


def shelf_order(location: str, skus: Sequence[str]) -> list[tuple[str, str | None]]:
    """The SKUs with their shelves in the order of the walk; what lies nowhere in particular comes last."""
    shelves = stock.shelves(location, skus)
    return sorted(((sku, shelves.get(sku)) for sku in skus), key=lambda one: (one[1] is None, one[1] or "", one[0]))


def _locked_wave(wave_id: str) -> PickingWave:
    wave = get(wave_id)
    return db.session.scalars(
        select(PickingWave).where(PickingWave.id == wave.id).with_for_update().execution_options(populate_existing=True)
    ).one()


def _locked(pickup_ids: Sequence[str]) -> list[Pickup]:
    """The pickups, to move: their orders' locks by id, then their own by id."""
    order_ids = db.session.scalars(select(Pickup.order_id).where(Pickup.id.in_(pickup_ids)))
    for order_id in sorted({order_id for order_id in order_ids if order_id is not None}):
        orders.lock(order_id)
    mine = select(Pickup).where(Pickup.id.in_(pickup_ids)).order_by(Pickup.id)
    return list(db.session.scalars(mine.with_for_update().execution_options(populate_existing=True)))


def _named(location: str, pickup_ids: Sequence[str]) -> list[str]:
    found = [pickups.get(pickup_id) for pickup_id in dict.fromkeys(pickup_ids)]
    for row in found:
        if row.location_id != location:
            raise invalid(f"/pickups/{list(pickup_ids).index(row.id)}", "other-location")
    return [row.id for row in found]


def _most_urgent(location: str, limit: int) -> list[str]:
    who = actor.current()
    query = select(Pickup.id).where(
        Pickup.location_id == location,
        Pickup.state.in_(_TO_PICK),
        or_(Pickup.hold_until.is_(None), Pickup.hold_until > clock.now()),
        ~_in_open_wave(),
    )
    if who.channels is not None:
        query = query.where(Pickup.channel.in_(who.channels))
    order = (Pickup.ready_by.is_(None), Pickup.ready_by, Pickup.placed_at, Pickup.id)
    return list(db.session.scalars(query.order_by(*order).limit(limit)))


def _in_open_wave() -> Any:
    return exists().where(PickingWave.id == Pickup.wave_id, PickingWave.state == WaveState.OPEN.value)


def _open_wave_of(row: Pickup) -> str | None:
    query = select(PickingWave.id).where(PickingWave.id == row.wave_id, PickingWave.state == WaveState.OPEN.value)
    return db.session.scalar(query) if row.wave_id is not None else None


def _waits(row: Pickup) -> bool:
    return row.state_at(clock.now()).value in _TO_PICK and _open_wave_of(row) is None


def _require(row: Pickup) -> None:
    state = row.state_at(clock.now())
    if state not in _JOINS:
        raise IllegalTransition(state=str(state), allowed=actions(state), action="wave", id=row.id)
    wave = _open_wave_of(row)
    if wave is not None:
        raise InAnotherWave(pickup=row.id, wave=wave)
