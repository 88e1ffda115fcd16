"""Refusals of the stock ledger."""

from __future__ import annotations

from app.core.errors import Conflict, Invalid, NotFound


class InsufficientStock(Conflict):
    """Not enough is available. Facts: `lines` [{sku, requested, available}] and `alternatives`."""

    code = "insufficient-stock"


class UnknownReservation(NotFound):
    """There is no such claim within the caller's bounds."""

    code = "unknown-reservation"


class ReservationEnded(Conflict):
    """The claim has ended already. Fact: `state`."""

    code = "reservation-ended"


class ReservationAttached(Conflict):
    """An order or a pickup has taken the claim; it decides from now on."""

    code = "reservation-attached"


class ReservationMismatch(Conflict):
    """The order does not fit the claim it names: another location, or more than was claimed."""

    code = "reservation-mismatch"


class UnknownTransfer(NotFound):
    """There is no such transfer within the caller's bounds."""

    code = "unknown-transfer"


class SameLocation(Invalid):
    """A transfer needs two places."""

    code = "same-location"


class UnknownIncident(NotFound):
    """There is no such incident within the caller's bounds."""

    code = "unknown-incident"


class UnknownRecount(NotFound):
    """There is no such recount within the caller's bounds."""

    code = "unknown-recount"
