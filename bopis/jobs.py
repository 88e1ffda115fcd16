"""What time does to pickups."""

from __future__ import annotations

import structlog

from app.core.db import abandon

from . import ending

log = structlog.get_logger("bopis.jobs")


def expire_due() -> int:
    """End every pickup past its deadline, each in a transaction of its own; returns how many ended."""
    ended = 0
    while batch := ending.due():
        done = sum(_expire(pickup_id) for pickup_id in batch)
        if not done:
            break
        ended += done
    return ended


def _expire(pickup_id: str) -> bool:
    try:
        return ending.expire(pickup_id=pickup_id)
    except Exception as error:  # noqa: BLE001  one that cannot end must not keep the others waiting
        abandon()
        log.warning("pickup_not_expired", pickup=pickup_id, error=type(error).__name__, detail=str(error)[:200])
        return False
