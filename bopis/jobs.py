"""What time does to pickups."""

from __future__ import annotations

from . import ending


def expire_due() -> int:
    """End every pickup past its deadline, each in a transaction of its own; returns how many ended."""
    ended = 0
    while batch := ending.due():
        done = sum(ending.expire(pickup_id=pickup_id) for pickup_id in batch)
        if not done:
            break
        ended += done
    return ended
