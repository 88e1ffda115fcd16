"""Codes of the demo's goods: JANs with right check digits, stable choices."""

from __future__ import annotations

import hashlib

_APPAREL_BASE = 8_000_000_000
_SUFFIX_BASE = 32


def check_digit(body: str) -> str:
    """The GS1 check digit of the twelve digits before it."""
    odd = sum(int(digit) for digit in body[-1::-2])
    even = sum(int(digit) for digit in body[-2::-2])
    return str(-(odd * 3 + even) % 10)


def jan(prefix: str, number: int) -> str:
    """A JAN-13 of a country prefix and an item number."""
    body = f"{prefix}{number:010d}"
    return body + check_digit(body)


def grocery_jan(product_id: str) -> str:
    """The JAN of a grocery product, from the source's product id."""
    return jan("45", int(product_id))


def zakka_jan(stock_code: str) -> str:
    """The JAN of a stock code: five digits and a few letters."""
    number = 0
    for letter in stock_code[5:].upper():
        number = number * _SUFFIX_BASE + ord(letter) - ord("A") + 1
    return jan("49", int(stock_code[:5]) * 100_000 + number)


def apparel_jan(index: int) -> str:
    """The JAN of the demo's own apparel, apart from the groceries' range."""
    return jan("45", _APPAREL_BASE + index)


def pick(key: str, below: int) -> int:
    """A number in 0..below-1 that depends on the key alone."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big") % below
