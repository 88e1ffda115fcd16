"""The states of a pickup and of a reshelve task, and the table of what leads where. Nothing else decides a state."""

from __future__ import annotations

from enum import StrEnum


class PickupState(StrEnum):
    """Where a pickup stands."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    PICKING = "picking"
    READY = "ready"
    COLLECTED = "collected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ReshelveState(StrEnum):
    """Whether goods that were picked for nobody are back on the shelf."""

    OPEN = "open"
    DONE = "done"


_S = PickupState

# Actions are named as their endpoints. `hand-over` is the one that completes; giving a part leaves `ready` as it is.
PICKUP: dict[tuple[PickupState, str], PickupState] = {
    (_S.REQUESTED, "accept"): _S.ACCEPTED,
    (_S.ACCEPTED, "start"): _S.PICKING,
    (_S.PICKING, "pick"): _S.PICKING,
    (_S.PICKING, "short"): _S.PICKING,
    (_S.PICKING, "ready"): _S.READY,
    (_S.READY, "hand-over"): _S.COLLECTED,
    (_S.REQUESTED, "settle"): _S.COLLECTED,
    (_S.ACCEPTED, "settle"): _S.COLLECTED,
    (_S.PICKING, "settle"): _S.COLLECTED,
    (_S.READY, "settle"): _S.COLLECTED,
    (_S.READY, "extend"): _S.READY,
    (_S.READY, "undo"): _S.READY,
    (_S.COLLECTED, "undo"): _S.READY,
    (_S.REQUESTED, "change"): _S.REQUESTED,
    (_S.ACCEPTED, "change"): _S.ACCEPTED,
    (_S.REQUESTED, "cancel"): _S.CANCELLED,
    (_S.ACCEPTED, "cancel"): _S.CANCELLED,
    (_S.PICKING, "cancel"): _S.CANCELLED,
    (_S.READY, "cancel"): _S.CANCELLED,
    (_S.REQUESTED, "expire"): _S.EXPIRED,
    (_S.ACCEPTED, "expire"): _S.EXPIRED,
    (_S.READY, "expire"): _S.EXPIRED,
    (_S.REQUESTED, "reissue"): _S.REQUESTED,
    (_S.ACCEPTED, "reissue"): _S.ACCEPTED,
    (_S.PICKING, "reissue"): _S.PICKING,
    (_S.READY, "reissue"): _S.READY,
    (_S.REQUESTED, "unlock"): _S.REQUESTED,
    (_S.ACCEPTED, "unlock"): _S.ACCEPTED,
    (_S.PICKING, "unlock"): _S.PICKING,
    (_S.READY, "unlock"): _S.READY,
}

# What time, the order or a till does; nobody is offered these as a button.
NOT_BY_HAND = frozenset({"expire", "change", "settle"})
OVER = frozenset({_S.COLLECTED, _S.CANCELLED, _S.EXPIRED})

RESHELVE: dict[tuple[ReshelveState, str], ReshelveState] = {
    (ReshelveState.OPEN, "reshelve"): ReshelveState.DONE,
}


def actions(state: PickupState) -> list[str]:
    """What the store may do with a pickup in `state`, sorted."""
    return sorted({action for before, action in PICKUP if before == state and action not in NOT_BY_HAND})
