"""The states of a transfer between two places, and of a count that somebody owes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class TransferState(StrEnum):
    """Where the goods are: still at the sender (promised), on the road, arrived, or not sent at all."""

    REQUESTED = "requested"
    SHIPPED = "shipped"
    RECEIVED = "received"
    CANCELLED = "cancelled"


TRANSFER: Mapping[tuple[TransferState, str], TransferState] = {
    (TransferState.REQUESTED, "ship"): TransferState.SHIPPED,
    (TransferState.REQUESTED, "cancel"): TransferState.CANCELLED,
    (TransferState.SHIPPED, "receive"): TransferState.RECEIVED,
}


class RecountState(StrEnum):
    """Whether somebody has counted."""

    OPEN = "open"
    DONE = "done"


RECOUNT: Mapping[tuple[RecountState, str], RecountState] = {(RecountState.OPEN, "count"): RecountState.DONE}
