"""Every (state, action) pair of orders, payments, refunds and sendings is said here; what is not said is refused."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from app.core import states
from app.orders.states import ORDER, PAYMENT, REFUND
from app.shipping.states import TASK

EXPECTED: dict[str, tuple[Any, dict[tuple[str, str], str]]] = {
    "order": (
        ORDER,
        {
            ("placed", "fulfil"): "partly_fulfilled",
            ("placed", "complete"): "completed",
            ("placed", "cancel"): "cancelled",
            ("partly_fulfilled", "fulfil"): "partly_fulfilled",
            ("partly_fulfilled", "complete"): "completed",
            ("partly_fulfilled", "unfulfil"): "placed",
            ("completed", "reopen"): "partly_fulfilled",
            ("completed", "unfulfil"): "placed",
            ("completed", "reverse"): "cancelled",
        },
    ),
    "payment": (
        PAYMENT,
        {
            ("authorized", "capture"): "captured",
            ("authorized", "fail"): "failed",
            ("authorized", "void"): "voided",
            ("due", "capture"): "captured",
            ("due", "fail"): "failed",
            ("due", "void"): "voided",
            ("voided", "capture"): "captured",
            ("failed", "capture"): "captured",
        },
    ),
    "refund": (
        REFUND,
        {
            ("requested", "done"): "done",
            ("requested", "fail"): "failed",
            ("failed", "done"): "done",
        },
    ),
    "sending": (TASK, {("open", "finish"): "done", ("open", "cancel"): "cancelled"}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_table(name: str) -> None:
    table, expected = EXPECTED[name]
    kind = type(next(iter(table))[0])
    actions = {action for _, action in table}
    found = {
        (str(state), action): str(table[state, action])
        for state, action in itertools.product(kind, actions)
        if (state, action) in table
    }
    assert found == expected


@pytest.mark.parametrize("name", EXPECTED)
def test_every_state_is_reached_and_refusals_name_what_is_allowed(name: str) -> None:
    table, expected = EXPECTED[name]
    kind = type(next(iter(table))[0])
    for state in kind:
        assert states.allowed(table, state) == sorted(action for before, action in expected if before == state)
    first = next(iter(kind))
    assert {str(state) for state in kind} - set(expected.values()) <= {str(first), "due", "placed", "requested"}
