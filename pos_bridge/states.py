"""What became of a receipt. `docs/states` is drawn from this table."""

from __future__ import annotations

from enum import StrEnum


class ReceiptState(StrEnum):
    """Where a receipt stands."""

    POSTED = "posted"
    PARKED = "parked"
    SUPERSEDED = "superseded"


class UnresolvedState(StrEnum):
    """Where a line with an unknown code stands."""

    WAITING = "waiting"
    RESOLVED = "resolved"
    DROPPED = "dropped"


R, U = ReceiptState, UnresolvedState
RECEIPT = {
    (R.PARKED, "post"): R.POSTED,
    (R.PARKED, "supersede"): R.SUPERSEDED,
    (R.POSTED, "supersede"): R.SUPERSEDED,
}
# A line is dropped when its receipt is voided or replaced: its goods never have to be found.
UNRESOLVED = {
    (U.WAITING, "resolve"): U.RESOLVED,
    (U.WAITING, "drop"): U.DROPPED,
}
