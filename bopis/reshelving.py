"""売場戻し: picked goods that nobody collects stay promised until a clerk scans them back to the shelf."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app import stock
from app.core import clock
from app.core.db import db, use_case
from app.core.ids import new_id
from app.core.outbox import emit
from app.core.states import move

from . import items, pickups
from .errors import MoreThanPicked, NothingToReshelve
from .models import Pickup, ReshelveTask
from .states import RESHELVE, ReshelveState


def send_back(row: Pickup, parts: Mapping[str, int]) -> None:
    """Turn the claim on picked pieces (by SKU) into one that waits for the shelf, and make the task."""
    now = clock.now()
    task_id = new_id()
    claim = stock.divide(row.claim_id, parts, kind="reshelve", owner=row.owner, new_owner=("reshelve", task_id))
    db.session.add(
        ReshelveTask(
            id=task_id, location_id=row.location_id, pickup_id=row.id, claim_id=claim.id,
            state=ReshelveState.OPEN.value, version=1, created_at=now, updated_at=now,
        )
    )  # fmt: skip
    db.session.flush()
    emit(
        "reshelve.requested", aggregate=("reshelve_task", task_id), sequence=1, location=row.location_id, id=task_id,
        pickup_id=row.id, lines=[{"sku": sku, "quantity": quantity} for sku, quantity in parts.items()],
    )  # fmt: skip


def open_tasks(pickup_id: str) -> Sequence[ReshelveTask]:
    """The tasks of a pickup that are not done, the oldest first."""
    return db.session.scalars(
        select(ReshelveTask)
        .where(ReshelveTask.pickup_id == pickup_id, ReshelveTask.state == ReshelveState.OPEN.value)
        .order_by(ReshelveTask.id)
    ).all()


def give_away(row: Pickup, wanted: Mapping[str, int], cause: stock.Cause) -> dict[str, int]:
    """Goods on their way back were with the customer all the time: they leave. Returns what was still there, by SKU."""
    left, given = dict(wanted), dict[str, int]()
    for task in open_tasks(row.id):
        waiting = dict(stock.find(task.claim_id, lock=True).open)
        parts = {sku: min(pieces, left.get(sku, 0)) for sku, pieces in waiting.items() if left.get(sku, 0)}
        if not parts:
            continue
        stock.post(task.claim_id, parts, cause, owner=("reshelve", task.id))
        for sku, pieces in parts.items():
            left[sku] -= pieces
            given[sku] = given.get(sku, 0) + pieces
        if parts == waiting:
            move(task, "reshelve", RESHELVE, event="reshelve.done", pickup_id=task.pickup_id)
    return given


@use_case
def reshelve(*, pickup_id: str, scanned: Sequence[items.Item] | None) -> Pickup:
    """The goods are back on the shelf, all of them unless some are named: they are free again.

    Raises NothingToReshelve, WrongItem, MoreThanPicked.
    """
    row = pickups.locked(pickup_id)
    tasks = open_tasks(row.id)
    if not tasks:
        raise NothingToReshelve
    waiting = {task.id: dict(stock.find(task.claim_id, lock=True).open) for task in tasks}
    total: dict[str, int] = defaultdict(int)
    for parts in waiting.values():
        for sku, quantity in parts.items():
            total[sku] += quantity
    wanted = items.by_sku(scanned, set(total)) if scanned is not None else dict(total)
    for sku, quantity in wanted.items():
        if quantity > total[sku]:
            raise MoreThanPicked(sku=sku, quantity=quantity, picked=total[sku])
    for task in tasks:
        _free(task, waiting[task.id], wanted)
    row.updated_at = clock.now()
    return row


def _free(task: ReshelveTask, waiting: dict[str, int], wanted: dict[str, int]) -> None:
    """Take what this task can give of `wanted`, and end it when nothing of it is left."""
    parts = {sku: min(quantity, wanted.get(sku, 0)) for sku, quantity in waiting.items()}
    parts = {sku: quantity for sku, quantity in parts.items() if quantity}
    if not parts:
        return
    stock.void(task.claim_id, parts, owner=("reshelve", task.id))
    for sku, quantity in parts.items():
        wanted[sku] -= quantity
    if parts == waiting:
        move(task, "reshelve", RESHELVE, event="reshelve.done", pickup_id=task.pickup_id)
