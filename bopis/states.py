"""The states of a pickup and of what belongs to it, and the table of what leads where. Nothing else decides a state."""

from __future__ import annotations

from enum import StrEnum


class PickupState(StrEnum):
    """Where a pickup stands. Beside the straight way: goods on the road to the store, or a question to the customer."""

    REQUESTED = "requested"
    AWAITING_TRANSFER = "awaiting_transfer"
    ACCEPTED = "accepted"
    PICKING = "picking"
    READY = "ready"
    AWAITING_CUSTOMER = "awaiting_customer"
    COLLECTED = "collected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ReshelveState(StrEnum):
    """Whether goods that were picked for nobody are back on the shelf."""

    OPEN = "open"
    DONE = "done"


class WaveState(StrEnum):
    """A walk through the shelves for several pickups."""

    OPEN = "open"
    DONE = "done"


class WaitState(StrEnum):
    """A customer's place in a store's waiting list: an offer is a hold made for them."""

    WAITING = "waiting"
    OFFERED = "offered"
    LEFT = "left"


_S = PickupState
_BEFORE_PICKING = (_S.REQUESTED, _S.ACCEPTED)
_WAITING = (_S.AWAITING_TRANSFER, _S.AWAITING_CUSTOMER)
_LIVE = (*_BEFORE_PICKING, *_WAITING, _S.PICKING, _S.READY)

# Actions are named as their endpoints. `hand-over` is the one that completes; giving a part leaves `ready` as it is,
# and `await` asks the customer when all that is there was given. A table has one way for each pair: what a choice
# leads to is a second step (`resume`, `close`).
PICKUP: dict[tuple[PickupState, str], PickupState] = {
    (_S.REQUESTED, "accept"): _S.ACCEPTED,
    (_S.AWAITING_CUSTOMER, "accept"): _S.ACCEPTED,
    (_S.ACCEPTED, "start"): _S.PICKING,
    (_S.PICKING, "pick"): _S.PICKING,
    (_S.PICKING, "short"): _S.PICKING,
    (_S.PICKING, "substitute"): _S.PICKING,
    (_S.AWAITING_CUSTOMER, "substitute"): _S.AWAITING_CUSTOMER,
    (_S.PICKING, "ready"): _S.READY,
    (_S.READY, "hand-over"): _S.COLLECTED,
    (_S.READY, "undo"): _S.READY,
    (_S.COLLECTED, "undo"): _S.READY,
    (_S.AWAITING_CUSTOMER, "undo"): _S.READY,
    (_S.REQUESTED, "await"): _S.AWAITING_CUSTOMER,
    (_S.ACCEPTED, "await"): _S.AWAITING_CUSTOMER,
    (_S.AWAITING_TRANSFER, "await"): _S.AWAITING_CUSTOMER,
    (_S.PICKING, "await"): _S.AWAITING_CUSTOMER,
    (_S.READY, "await"): _S.AWAITING_CUSTOMER,
    (_S.AWAITING_TRANSFER, "receive"): _S.REQUESTED,
    (_S.AWAITING_CUSTOMER, "resume"): _S.REQUESTED,
    (_S.AWAITING_CUSTOMER, "close"): _S.COLLECTED,
    (_S.READY, "extend"): _S.READY,
    (_S.READY, "expire"): _S.EXPIRED,
    **{(state, "expire"): _S.EXPIRED for state in _BEFORE_PICKING},
    **{(state, "change"): state for state in _BEFORE_PICKING},
    **{(state, "settle"): _S.COLLECTED for state in _LIVE if state != _S.AWAITING_TRANSFER},
    **{(state, "cancel"): _S.CANCELLED for state in _LIVE},
    **{(state, "request-cancel"): _S.CANCELLED for state in (*_BEFORE_PICKING, *_WAITING)},
    **{(state, "request-cancel"): state for state in (_S.PICKING, _S.READY)},
    **{(state, "decline-cancel"): state for state in (_S.PICKING, _S.READY)},
    **{(state, "arrived"): state for state in (_S.PICKING, _S.READY)},
    **{(state, "choose"): state for state in (*_BEFORE_PICKING, *_WAITING, _S.PICKING, _S.READY)},
    **{(state, action): state for state in _LIVE for action in ("proxy", "reissue", "unlock")},
}

# What time, the order or a till does; nobody is offered these as a button.
NOT_BY_HAND = frozenset({"await", "change", "close", "expire", "receive", "resume", "settle"})
OVER = frozenset({_S.COLLECTED, _S.CANCELLED, _S.EXPIRED})

RESHELVE: dict[tuple[ReshelveState, str], ReshelveState] = {
    (ReshelveState.OPEN, "reshelve"): ReshelveState.DONE,
}

WAVE: dict[tuple[WaveState, str], WaveState] = {
    (WaveState.OPEN, "finish"): WaveState.DONE,
}

WAIT: dict[tuple[WaitState, str], WaitState] = {
    (WaitState.WAITING, "offer"): WaitState.OFFERED,
    (WaitState.WAITING, "leave"): WaitState.LEFT,
}


def actions(state: PickupState) -> list[str]:
    """What the store may do with a pickup in `state`, sorted."""
    return sorted({action for before, action in PICKUP if before == state and action not in NOT_BY_HAND})
