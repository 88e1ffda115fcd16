"""The pickup's table: what leads where, and what a deadline does before anybody sweeps."""

from __future__ import annotations

import datetime as dt

import pytest

from bopis.models import Pickup
from bopis.states import NOT_BY_HAND, OVER, PICKUP, RESHELVE, WAVE, PickupState, ReshelveState, WaveState, actions

NOW = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
BY_HAND = {
    "requested": ["accept", "cancel", "choose", "proxy", "reissue", "request-cancel", "unlock"],
    "awaiting_transfer": ["cancel", "choose", "proxy", "reissue", "request-cancel", "unlock"],
    "accepted": ["cancel", "choose", "proxy", "reissue", "request-cancel", "start", "unlock"],
    "picking": [
        "arrived", "cancel", "choose", "decline-cancel", "pick", "proxy", "ready", "reissue", "request-cancel", "short",
        "substitute", "unlock",
    ],
    "ready": [
        "arrived", "cancel", "choose", "decline-cancel", "extend", "hand-over", "proxy", "reissue", "request-cancel",
        "undo", "unlock",
    ],
    "awaiting_customer": [
        "accept", "cancel", "choose", "proxy", "reissue", "request-cancel", "substitute", "undo", "unlock",
    ],
    "collected": ["undo"],
    "cancelled": [],
    "expired": [],
}  # fmt: skip


@pytest.mark.parametrize("state", PickupState)
def test_what_the_store_may_do(state: PickupState) -> None:
    assert actions(state) == BY_HAND[state]


def test_every_state_is_reached_and_only_an_undo_leaves_an_end() -> None:
    assert set(PICKUP.values()) | {PickupState.REQUESTED} == set(PickupState)
    assert {action for state, action in PICKUP if state in OVER} == {"undo"}
    assert {action for _, action in PICKUP} >= NOT_BY_HAND


def test_a_wave_ends_once() -> None:
    assert WAVE == {(WaveState.OPEN, "finish"): WaveState.DONE}


def test_a_reshelve_task_ends_once() -> None:
    assert RESHELVE == {(ReshelveState.OPEN, "reshelve"): ReshelveState.DONE}


@pytest.mark.parametrize(
    ("state", "expires_at", "hold_until", "counts_as"),
    [
        ("ready", NOW + dt.timedelta(microseconds=1), None, "ready"),
        ("ready", NOW, None, "expired"),
        ("requested", None, NOW, "expired"),
        ("accepted", None, NOW, "expired"),
        ("requested", None, NOW + dt.timedelta(microseconds=1), "requested"),
        ("requested", None, None, "requested"),
        ("picking", None, None, "picking"),
        ("collected", NOW, None, "collected"),
        ("cancelled", NOW, None, "cancelled"),
    ],
)
def test_past_its_deadline_it_is_expired_though_nobody_swept_it(state, expires_at, hold_until, counts_as) -> None:
    assert Pickup(state=state, expires_at=expires_at, hold_until=hold_until).state_at(NOW) == counts_as
