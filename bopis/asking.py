"""A promise cannot be kept as it was made: the customer is asked, and has the time to choose."""

from __future__ import annotations

import datetime as dt

from app.core import clock, settings
from app.core.states import move, touch

from . import pickups
from .models import Pickup
from .states import PICKUP, PickupState

# Why somebody is asked. Only what is missing has a default when no answer comes; what is late simply goes on.
SHORT, NOT_ACCEPTED, LATE, TRANSFER, RESCUE, CLOSED = (
    "short", "not_accepted", "late", "transfer", "rescue", "closed",
)  # fmt: skip
WAITS = "waits"  # the customer has heard it and waits
REASONS = (SHORT, NOT_ACCEPTED, LATE, TRANSFER, RESCUE, CLOSED)
_WITHOUT_END = frozenset({LATE, CLOSED})


def ask(row: Pickup, reason: str) -> None:
    """Ask the customer of a locked pickup to choose; `go_on` or a choice ends it."""
    row.choice_reason = reason
    if reason not in _WITHOUT_END:
        row.choose_by = clock.now() + dt.timedelta(hours=settings.CHOICE_HOURS)
    touch(row, "pickup.asked", reason=reason, choose_by=clock.public(row.choose_by), **pickups.facts(row))


def wait_for_customer(row: Pickup, reason: str) -> None:
    """The store can do nothing more until the customer has chosen."""
    move(row, "await", PICKUP, event="pickup.awaiting_customer", reason=reason, **pickups.facts(row))
    ask(row, reason)


def is_asked(row: Pickup) -> bool:
    """Whether a question stands."""
    return row.choice_reason in REASONS and row.state != PickupState.COLLECTED
