"""Integer money: rounding a fraction, sharing an amount, slicing it into units.

Yen are whole numbers, so every step is integer arithmetic; a float never enters. What a share is of (tax, coupon,
points) is the caller's business: nothing here knows about orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise


class Rounding(StrEnum):
    """What happens to a part of a yen: 切り捨て, 四捨五入, 切り上げ."""

    FLOOR = "floor"
    HALF_UP = "half_up"
    CEIL = "ceil"


def div_round(numerator: int, denominator: int, mode: Rounding) -> int:
    """Divide and round to a whole number.

    The size is rounded and the sign put back, so that the paper of a return mirrors the paper of its sale: with FLOOR,
    -3.5 becomes -3 and 3.5 becomes 3.
    """
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    size = abs(numerator)
    if mode is Rounding.FLOOR:
        rounded = size // denominator
    elif mode is Rounding.CEIL:
        rounded = -(-size // denominator)
    else:
        rounded = (2 * size + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def share(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `weights` so that the parts add up exactly, by largest remainder.

    Equal remainders go to the larger weight, then to the earlier one. While `total` is not above the sum of the
    weights, no part is above its weight: a discount shared over lines never makes a line negative.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("amounts to share must not be negative")
    whole = sum(weights)
    if whole == 0:
        if total > 0:
            raise ValueError("nothing to share the amount over")
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    missing = total - sum(parts)
    if missing:
        order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), -weights[i], i))
        for index in order[:missing]:
            parts[index] += 1
    return parts


def slices(net: int, quantity: int) -> list[int]:
    """The amount of each single unit of a line, by the difference method.

    The first k units are worth floor(net * k / quantity) together. Units given back one by one in this order, or
    several at once, always add up to the line.
    """
    if net < 0:
        raise ValueError("the amount to slice must not be negative")
    if quantity <= 0:
        raise ValueError("a line has at least one unit")
    reached = [net * k // quantity for k in range(quantity + 1)]
    return [after - before for before, after in pairwise(reached)]
