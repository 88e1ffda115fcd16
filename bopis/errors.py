"""Refusals of reservations and pickups."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound


class UnknownPickup(NotFound):
    """There is no such pickup within the caller's bounds; a wrong or an old token looks the same."""

    code = "unknown-pickup"


class PickupNotOffered(Conflict):
    """The location does not hand over orders. Fact: `location`."""

    code = "pickup-not-offered"


class AlreadyCollected(Conflict):
    """Somebody has it. Facts: `collected_at`, `collected_by`, `location`, `device`."""

    code = "already-collected"


class PickupExpired(Conflict):
    """The deadline has passed. Fact: `expires_at`."""

    code = "pickup-expired"


class WrongPin(Conflict):
    """Not the PIN of this pickup. Fact: `attempts_left`."""

    code = "wrong-pin"


class PinLocked(Conflict):
    """Too many wrong PINs: the QR code still works, the PIN does not until a manager unlocks it."""

    code = "pin-locked"


class WrongItem(Conflict):
    """This is not part of the pickup. Facts: `sku` or `barcode`."""

    code = "wrong-item"


class PickedTooMany(Conflict):
    """More than was ordered, or than is still open. Facts: `sku`, `quantity`, `open`."""

    code = "picked-too-many"


class MoreThanPicked(Conflict):
    """More than waits on the shelf. Facts: `sku`, `quantity`, `picked`."""

    code = "more-than-picked"


class LinesOpen(Conflict):
    """Some lines are neither picked nor reported short. Fact: `lines`."""

    code = "lines-open"


class NothingPicked(Conflict):
    """There is nothing to hand over."""

    code = "nothing-picked"


class NothingShort(Conflict):
    """No missing pieces of this SKU wait for a choice. Fact: `sku`."""

    code = "nothing-short"


class NothingToChoose(Conflict):
    """Nothing is missing or late: there is no question to answer."""

    code = "nothing-to-choose"


class OptionNotOffered(Conflict):
    """This cannot be chosen (any more). Fact: `options`, what can."""

    code = "option-not-offered"


class NothingToUndo(Conflict):
    """Nothing was handed over that could be taken back."""

    code = "nothing-to-undo"


class UndoClosed(Conflict):
    """Too late, or not by this clerk. Fact: `until`, the end of the clerk's own window."""

    code = "undo-closed"


class NothingToReshelve(Conflict):
    """No picked goods of this pickup wait to go back."""

    code = "nothing-to-reshelve"
