"""The one formula of availability, and which policy wins."""

from __future__ import annotations

import pytest

from app.stock.rules import INTERNAL, Rule, rule_for


@pytest.mark.parametrize(
    ("rule", "on_hand", "reserved", "available"),
    [
        (Rule(), 10, 3, 7),
        (Rule(), 0, 0, 0),
        (Rule(), 3, 5, 0),
        (Rule(share=50), 5, 0, 2),
        (Rule(share=50), 5, 2, 1),
        (Rule(share=33), 100, 1, 32),
        (Rule(share=0), 100, 0, 0),
        (Rule(safety=2), 5, 1, 2),
        (Rule(safety=2, buffer=3), 5, 0, 0),
        (Rule(share=80, safety=1, buffer=1), 10, 0, 6),
        (Rule(share=50, safety=1), 0, 3, 0),
    ],
)
def test_available_is_the_share_of_what_is_free_less_what_is_kept(
    rule: Rule, on_hand: int, reserved: int, available: int
) -> None:
    assert rule.available(on_hand, reserved) == available


def test_a_more_special_policy_wins_field_by_field() -> None:
    policies = {
        ("", ""): (90, None, 1),
        ("A", ""): (80, 5, None),
        ("", "X"): (None, None, 2),
        ("A", "X"): (None, 0, None),
    }
    assert rule_for("ec", policies, "A", "X", safety=3) == Rule(share=80, safety=0, buffer=2)
    assert rule_for("ec", policies, "A", "Y", safety=3) == Rule(share=80, safety=5, buffer=1)
    assert rule_for("ec", policies, "B", "X", safety=3) == Rule(share=90, safety=3, buffer=2)
    assert rule_for("ec", policies, "B", "Y", safety=3) == Rule(share=90, safety=3, buffer=1)
    assert rule_for("ec", {}, "B", "Y", safety=3) == Rule(share=100, safety=3, buffer=0)


def test_moves_between_own_places_keep_nothing_back() -> None:
    assert rule_for(INTERNAL, {("", ""): (10, 9, 9)}, "A", "X", safety=3) == Rule()
