"""The events that leave the house, and whose they are.

A key bounded to channels hears of a `CHANNEL` event only when the channel is found and its own; `PLACE` events are
bounded by location alone. A topic that is emitted and not listed here stays inside; a test asks that somebody decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


class Whose(Enum):
    """What bounds an event."""

    CHANNEL = "channel and location"
    PLACE = "location"


_CHANNEL = (
    "reservation.created", "reservation.changed", "reservation.extended", "reservation.attached",
    "reservation.released", "reservation.expired", "reservation.fulfilled",
    "order.created", "order.changed", "order.shipped", "order.cancelled", "order.completed",
    "payment.capture_requested", "payment.void_requested", "payment.captured", "payment.failed", "payment.voided",
    "pickup.requested", "pickup.accepted", "pickup.picking", "pickup.short", "pickup.substitute_offered",
    "pickup.transferred", "pickup.ready", "pickup.arrived", "pickup.collected", "pickup.partly_collected",
    "pickup.reopened", "pickup.expired", "pickup.cancelled", "pickup.cancel_requested", "pickup.cancel_declined",
    "pickup.extended", "pickup.asked", "pickup.awaiting_customer", "pickup.unanswered", "pickup.reduced",
    "pickup.resumed", "pickup.escalated", "pickup.conflict", "pickup.proxy_changed", "pickup.reissued",
    "pickup.changed",
    "return.completed", "refund.requested", "refund.done", "refund.failed",
    "points.changed", "coupon.redeemed",
)  # fmt: skip
_PLACE = (
    "stock.changed",
    "oversell.opened", "oversell.changed", "oversell.resolved",
    "transfer.requested", "transfer.changed", "transfer.shipped", "transfer.received", "transfer.cancelled",
)  # fmt: skip
PUBLIC: dict[str, Whose] = {**dict.fromkeys(_CHANNEL, Whose.CHANNEL), **dict.fromkeys(_PLACE, Whose.PLACE)}

# Nouns that are emitted and of no use outside. A noun is told whole or not at all: else its stories had gaps.
INTERNAL = frozenset({"import", "location", "recount", "reshelve", "waitlist", "wave"})

STOCK_CHANGED = "stock.changed"


def is_pattern(text: str) -> bool:
    """Whether it names public events: one, `noun.*`, or `*` for all."""
    return text == "*" or text in PUBLIC or (text.endswith(".*") and any(t.startswith(text[:-1]) for t in PUBLIC))


def wanted(topic: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns asks for this public event."""
    return topic in PUBLIC and any(
        pattern in {"*", topic} or (pattern.endswith(".*") and topic.startswith(pattern[:-1])) for pattern in patterns
    )
