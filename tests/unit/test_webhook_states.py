"""Every (state, action) pair of endpoints and deliveries is said here; what is not said is refused."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from app.core import states
from app.webhooks.states import DELIVERY, ENDPOINT

EXPECTED: dict[str, tuple[Any, dict[tuple[str, str], str]]] = {
    "endpoint": (
        ENDPOINT,
        {
            ("active", "disable"): "disabled",
            ("active", "delete"): "deleted",
            ("disabled", "delete"): "deleted",
        },
    ),
    "delivery": (
        DELIVERY,
        {
            ("queued", "send"): "sending",
            ("failed", "send"): "sending",
            ("sending", "send"): "sending",
            ("sending", "deliver"): "delivered",
            ("sending", "fail"): "failed",
            ("sending", "park"): "parked",
            ("queued", "park"): "parked",
            ("failed", "park"): "parked",
            ("queued", "cancel"): "cancelled",
            ("failed", "cancel"): "cancelled",
            ("sending", "cancel"): "cancelled",
            ("parked", "cancel"): "cancelled",
            ("queued", "retry"): "queued",
            ("failed", "retry"): "queued",
            ("parked", "retry"): "queued",
            ("delivered", "retry"): "queued",
            ("cancelled", "retry"): "queued",
        },
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_pair_is_said(name: str) -> None:
    table, expected = EXPECTED[name]
    kind = type(next(iter(table))[0])
    actions = {action for _, action in table}
    found = {
        (str(state), action): str(table[state, action])
        for state, action in itertools.product(kind, actions)
        if (state, action) in table
    }
    assert found == expected
    for state in kind:
        assert states.allowed(table, state) == sorted(action for before, action in expected if before == state)
