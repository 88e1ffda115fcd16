"""Japanese consumption tax: the rate of a day, the tax in or on an amount, and changing an amount's basis.

An amount is `tax_included` (内税: the tax is inside) or `tax_excluded` (外税: the tax comes on top).
"""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, TypeAlias

from app.core.money import Rounding, div_round

Basis: TypeAlias = Literal["tax_included", "tax_excluded"]
TaxCategory: TypeAlias = Literal["standard", "reduced", "exempt"]

# (first day, standard rate, reduced rate). There was one rate only until 2019-09-30.
RATES: Final = (
    (date(2019, 10, 1), 10, 8),
    (date(2014, 4, 1), 8, 8),
    (date(1997, 4, 1), 5, 5),
    (date(1989, 4, 1), 3, 3),
)


def tax_rate(category: TaxCategory, on: date) -> int:
    """The percentage for goods of this category sold on this day (the store's local date, not the UTC one)."""
    if category == "exempt":
        return 0
    for since, standard, reduced in RATES:
        if on >= since:
            return standard if category == "standard" else reduced
    return 0


def tax_of(amount: int, rate: int, basis: Basis, rounding: Rounding) -> int:
    """The tax inside an amount, or on top of it. Called once per rate per document, never per line."""
    base = 100 + rate if basis == "tax_included" else 100
    return div_round(amount * rate, base, rounding)


def rebase(amount: int, rate: int, to: Basis, rounding: Rounding) -> int:
    """The same price said on the other basis; which way the part of a yen goes is the seller's choice."""
    if to == "tax_excluded":
        return div_round(amount * 100, 100 + rate, rounding)
    return div_round(amount * (100 + rate), 100, rounding)
