"""Doubts about the book: pieces that could not be picked say something about the shelf, and often ask for a count.

What a reason does stands in one table. Until somebody has counted, what the book calls free at that place is kept from
sale in every channel; the count ends that and corrects the book. The level's row is held first throughout: doubts,
counts and facts about one place and SKU pass one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, select

from app.core import actor, clock, states
from app.core.db import Again, ask_one, db, use_case
from app.core.ids import is_id, new_id
from app.core.outbox import emit
from app.core.sql import Rowset, Sql, json_param

from . import blocks, claims, expiry, ledger, levels, passing, rules
from .errors import UnknownRecount
from .models import RecountTask
from .states import RECOUNT, RecountState

OWNER = "recount"


class Doubt(StrEnum):
    """Why promised pieces could not be had."""

    NOT_FOUND = "not_found"
    DAMAGED = "damaged"
    DISPLAY_ONLY = "display_only"
    NOT_FIT = "not_fit"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Effect:
    """What a reason does: the kind under which the pieces leave the book, if they do; whether to count and block."""

    kind: str | None
    recount: bool


EFFECTS: Mapping[Doubt, Effect] = {
    Doubt.NOT_FOUND: Effect("variance", recount=True),
    Doubt.DAMAGED: Effect("damage", recount=False),
    Doubt.DISPLAY_ONLY: Effect("display", recount=False),
    Doubt.NOT_FIT: Effect("damage", recount=False),  # expired, wrong label: nobody may be given it
    Doubt.OTHER: Effect(None, recount=True),
}
_BLOCKED = Sql(
    "SELECT l.claim_id, l.open_quantity FROM claim_line l JOIN {asked} ON l.claim_id = asked.id",
    Rowset("asked", "ids", {"id": "uuid"}),
)


@use_case
def doubt(location: str, sku: str, *, missing: int, reason: str, cause_ref: tuple[str, str]) -> str | None:
    """Pieces of a promise could not be had, and the caller has voided them: let the book follow.

    `cause_ref` is the document (type, id) that reports it. Returns the recount that it led to, or None.
    """
    effect = EFFECTS[Doubt(reason)]
    place = (location, sku)
    if effect.recount and not expiry.make_way(location, [sku]):
        raise Again
    levels.add({place: 0})
    if effect.kind is not None:
        cause = ledger.Cause(effect.kind, *cause_ref, note=reason)
        ledger.record([ledger.Goods(location, sku, -missing)], cause)
    if not effect.recount:
        return None
    task = _open_task(location, sku)
    if task is None:
        task = _begin(location, sku, missing, reason, cause_ref)
        _block(task)
        emit(
            "recount.requested", aggregate=("recount_task", task.id), sequence=1, location=location, id=task.id,
            state=str(task.state), **_facts(task),
        )  # fmt: skip
    else:
        task.missing += missing
        _unblock(task)
        _block(task)
        states.touch(task, "recount.requested", **_facts(task))
    return task.id


@use_case
def done(recount_id: str, *, counted: int) -> RecountTask:
    """Somebody has counted everything that is there, promised pieces included: the book says so from now on.

    Fewer than are promised opens an incident. Raises UnknownRecount, IllegalTransition.
    """
    found = _find(recount_id)
    (level,) = levels.add({(found.location_id, found.sku): 0})
    query = select(RecountTask).where(RecountTask.id == found.id).with_for_update()
    task = db.session.scalars(query.execution_options(populate_existing=True)).one()
    task.counted, task.difference, task.done_at = counted, counted - level.on_hand, clock.now()
    states.move(task, "count", RECOUNT, event="recount.done", difference=task.difference, **_facts(task))
    _unblock(task)
    cause = ledger.Cause("stocktake", OWNER, task.id)
    ledger.record([ledger.Goods(task.location_id, task.sku, task.difference)], cause)
    return task


def owed_at(location: str, sku: str) -> str | None:
    """The count that somebody owes of this SKU at this place, if any. Without bounds."""
    query = select(RecountTask.id).filter_by(location_id=location, sku=sku, state=RecountState.OPEN.value)
    found: str | None = db.session.scalar(query)
    return found


def recounts_query(location: str | None, state: str | None) -> Select[Any]:
    """Recounts inside the actor's bounds, to be paged."""
    query = select(RecountTask)
    bounds = actor.current().locations
    if bounds is not None:
        query = query.where(RecountTask.location_id.in_(bounds))
    if location is not None:
        query = query.where(RecountTask.location_id == location)
    if state is not None:
        query = query.where(RecountTask.state == state)
    return query


def blocked(tasks: Sequence[RecountTask]) -> dict[str, int]:
    """The pieces that each task keeps from sale just now."""
    ids = {task.claim_id: task.id for task in tasks if task.claim_id is not None}
    rows = ask_one(_BLOCKED, {"ids": json_param([{"id": claim} for claim in ids])}).rows if ids else []
    pieces = {ids[str(claim)]: int(held) for claim, held in rows}
    return {task.id: pieces.get(task.id, 0) for task in tasks}


def _find(recount_id: str) -> RecountTask:
    found = db.session.get(RecountTask, recount_id) if is_id(recount_id) else None
    if found is None or not actor.current().sees_location(found.location_id):
        raise UnknownRecount
    return found


def _open_task(location: str, sku: str) -> RecountTask | None:
    query = select(RecountTask).filter_by(location_id=location, sku=sku, state=RecountState.OPEN.value)
    found: RecountTask | None = db.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    return found


def _begin(location: str, sku: str, missing: int, reason: str, cause_ref: tuple[str, str]) -> RecountTask:
    now = clock.now()
    task = RecountTask(
        id=new_id(), location_id=location, sku=sku, state=RecountState.OPEN, reason=reason, missing=missing,
        cause_type=cause_ref[0], cause_id=cause_ref[1], requested_at=now, version=1, updated_at=now,
    )  # fmt: skip
    db.session.add(task)
    return task


def _block(task: RecountTask) -> None:
    """Keep what is free at the place from sale; nobody comes in between, for the level is held."""
    (level,) = levels.add({(task.location_id, task.sku): 0})
    free = level.on_hand - level.reserved
    if free > 0:
        claim = passing.keep(
            task.location_id, rules.INTERNAL, blocks.KIND, {task.sku: free}, owner=(OWNER, task.id)
        )  # fmt: skip
        task.claim_id = claim.id
    db.session.flush()


def _unblock(task: RecountTask) -> None:
    claim_id, task.claim_id = task.claim_id, None
    if claim_id is not None and claims.find_anywhere(claim_id, lock=True).state == "reserved":
        claims.release(claim_id, owner=(OWNER, task.id))


def _facts(task: RecountTask) -> dict[str, Any]:
    return {"sku": task.sku, "reason": task.reason, "missing": task.missing}
