"""Refusals about places."""

from __future__ import annotations

from app.core.errors import Conflict, Invalid, NotFound

_PICKUP_AT = "/fulfilment/pickup_at"


class UnknownLocation(NotFound):
    """There is no such location within the caller's bounds."""

    code = "unknown-location"


class SlotUnknown(Invalid):
    """The place is open then and has no slot: what is left before closing is too short for one."""

    def __init__(self) -> None:
        """Point at the wish."""
        super().__init__(errors=[{"pointer": _PICKUP_AT, "code": "no-such-slot"}])


class SlotClosed(Invalid):
    """The place is closed at the wished time."""

    def __init__(self) -> None:
        """Point at the wish."""
        super().__init__(errors=[{"pointer": _PICKUP_AT, "code": "closed"}])


class SlotFull(Conflict):
    """Every place of the slot is taken: `alternatives` are the next free ones."""

    code = "slot-full"
