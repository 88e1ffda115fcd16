"""What time does to pickups, and what the stock they wait for tells them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from app.core.db import abandon
from app.core.outbox import on

from . import arrivals, choosing, closures, ending, watching

log = structlog.get_logger("bopis.jobs")

for _topic in ("transfer.received", "transfer.cancelled"):
    on(_topic)(arrivals.hear)
on("location.changed")(closures.hear)


def expire_due() -> int:
    """End every pickup past its deadline, each in a transaction of its own; returns how many ended."""
    return _each(ending.due, ending.expire, "pickup_not_expired")


def escalate_due() -> int:
    """Tell of every pickup that its store did not accept in time."""
    return _each(watching.not_accepted, watching.escalate, "pickup_not_escalated")


def tell_late() -> int:
    """Tell every customer whose goods are not ready when they were promised."""
    return _each(watching.late, watching.tell_late, "pickup_late_not_told")


def decide_due() -> int:
    """Decide for every customer who did not choose in time."""
    return _each(choosing.unanswered, choosing.decide, "pickup_not_decided")


def _each(due: Callable[[], Sequence[str]], act: Callable[..., bool], failure: str) -> int:
    """Act on all that is due, batch by batch; one that cannot be done must not keep the others waiting."""
    acted = 0
    while batch := due():
        done = 0
        for pickup_id in batch:
            try:
                done += act(pickup_id=pickup_id)
            except Exception as error:  # noqa: BLE001  whatever it is, the next one is not to blame
                abandon()
                log.warning(failure, pickup=pickup_id, error=type(error).__name__, detail=str(error)[:200])
        if not done:
            break
        acted += done
    return acted
