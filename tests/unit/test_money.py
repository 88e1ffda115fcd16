from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import Rounding, div_round, share, slices

amounts = st.integers(0, 10_000_000)


@pytest.mark.parametrize(
    ("numerator", "denominator", "floor", "half_up", "ceil"),
    [
        (0, 7, 0, 0, 0),
        (10, 5, 2, 2, 2),
        (3150, 100, 31, 32, 32),
        (149, 100, 1, 1, 2),
        (5, 3, 1, 2, 2),
        (-7, 2, -3, -4, -4),
        (-3960 * 10, 110, -360, -360, -360),
    ],
)
def test_div_round(numerator: int, denominator: int, floor: int, half_up: int, ceil: int) -> None:
    assert [div_round(numerator, denominator, mode) for mode in Rounding] == [floor, half_up, ceil]


@pytest.mark.parametrize("denominator", [0, -1])
def test_div_round_wants_a_positive_denominator(denominator: int) -> None:
    with pytest.raises(ValueError, match="denominator"):
        div_round(1, denominator, Rounding.FLOOR)


@given(st.integers(-(10**12), 10**12), st.integers(1, 10_000))
def test_div_round_keeps_within_one_and_mirrors_the_sign(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    for mode in Rounding:
        rounded = div_round(numerator, denominator, mode)
        assert abs(rounded - exact) < 1
        assert div_round(-numerator, denominator, mode) == -rounded
    assert abs(div_round(numerator, denominator, Rounding.HALF_UP) - exact) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (21, [540, 550], [10, 11]),
        (1000, [3300, 2160], [604, 396]),
        (100, [1000, 1000, 1000], [34, 33, 33]),
        (1, [1, 3, 3], [0, 1, 0]),
        (1, [5, 5], [1, 0]),
        (3, [2, 2, 2], [1, 1, 1]),
        (2, [1, 3], [0, 2]),  # both remainders are one half: the larger weight has the odd yen
        (6, [1, 3], [1, 5]),
        (6, [3, 1], [5, 1]),
        (5, [0, 5, 0], [0, 5, 0]),
        (0, [0, 0], [0, 0]),
        (0, [], []),
    ],
)
def test_share(total: int, weights: list[int], parts: list[int]) -> None:
    assert share(total, weights) == parts


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (-1, [1]), (1, [2, -1])])
def test_share_refuses(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="share"):
        share(total, weights)


@given(amounts, st.lists(amounts, min_size=1, max_size=20).filter(any))
def test_shares_are_exact_and_fair(total: int, weights: list[int]) -> None:
    parts = share(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1
        assert total > sum(weights) or 0 <= part <= weight


@pytest.mark.parametrize(
    ("net", "quantity", "units"),
    [(2900, 3, [966, 967, 967]), (0, 2, [0, 0]), (7, 1, [7]), (3, 5, [0, 1, 0, 1, 1])],
)
def test_slices(net: int, quantity: int, units: list[int]) -> None:
    assert slices(net, quantity) == units


@pytest.mark.parametrize(("net", "quantity", "what"), [(-1, 1, "amount"), (1, 0, "unit"), (1, -1, "unit")])
def test_slices_refuses(net: int, quantity: int, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        slices(net, quantity)


@given(amounts, st.integers(1, 50))
def test_slices_add_up_and_differ_by_one_at_most(net: int, quantity: int) -> None:
    units = slices(net, quantity)
    assert len(units) == quantity
    assert sum(units) == net
    assert max(units) - min(units) <= 1
