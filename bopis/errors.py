"""Refusals of reservations and pickups."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound, TooManyRequests


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


class UnknownProxy(NotFound):
    """This pickup never had such a proxy."""

    code = "unknown-proxy"


class ProxyEnded(Conflict):
    """The right to collect in the customer's stead was taken back, or its time is over."""

    code = "proxy-ended"


class TooManyProxies(Conflict):
    """As many proxies as a pickup may have are named or have a pass. Fact: `most`."""

    code = "too-many-proxies"


class ExtensionLimit(Conflict):
    """The customer's extension was used, or would go too far. Fact: `most`, the latest deadline there can be."""

    code = "extension-limit"


class NoCancelAsked(Conflict):
    """The customer has not asked to cancel; there is nothing to decline."""

    code = "no-cancel-asked"


class UnknownWave(NotFound):
    """There is no such wave within the caller's bounds."""

    code = "unknown-wave"


class InAnotherWave(Conflict):
    """The pickup is being picked in another wave. Facts: `pickup`, `wave`."""

    code = "in-another-wave"


class NothingToPick(Conflict):
    """No pickup of the store waits to be picked. Fact: `location`."""

    code = "nothing-to-pick"


class TooManyHolds(TooManyRequests):
    """A customer keeps, or waits for, as much as one may. Fact: `limit`."""

    code = "too-many-holds"


class UnknownWait(NotFound):
    """There is no such place in a waiting list within the caller's bounds."""

    code = "unknown-wait"


class AlreadyWaiting(Conflict):
    """The customer waits for this SKU at this store already. Fact: `id`."""

    code = "already-waiting"


class RemedyNotOffered(Conflict):
    """This cannot be done about the incident (any more). Facts: `remedy`, and `remedies`: the ids of what can."""

    code = "remedy-not-offered"
