"""GS1 barcodes (JAN-13, JAN-8, UPC-12, ITF-14): their check digit, and one form for matching.

A code is kept as it was scanned, as text; for matching it becomes 14 digits, so that a UPC and the same code printed as
EAN-13 are one. In-store codes mean something inside one company only and are never a worldwide product number.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from stdnum import ean

LENGTHS: Final = frozenset({8, 12, 13, 14})
GTIN_LENGTH: Final = 14
# 02 is used for fresh food with its price inside, 20-29 for other goods and also for member cards.
IN_STORE_PREFIXES: Final = frozenset({"02", *(str(prefix) for prefix in range(20, 30))})


class BarcodeInvalid(ValueError):
    """The code cannot be a GS1 code (`barcode-format`) or was mistyped or misread (`barcode-check-digit`)."""

    def __init__(self, code: str, barcode: str) -> None:
        super().__init__(code, barcode)
        self.code = code
        self.barcode = barcode


def check(code: str) -> str:
    """The code without blanks and hyphens and with full-width digits made narrow; its length is kept."""
    digits = _digits(code)
    if len(digits) not in LENGTHS or not digits.strip("0"):
        raise BarcodeInvalid("barcode-format", code)
    if ean.calc_check_digit(digits[:-1]) != digits[-1]:
        raise BarcodeInvalid("barcode-check-digit", code)
    return digits


def normalise(code: str) -> str:
    """The 14 digits by which codes are compared."""
    return check(code).zfill(GTIN_LENGTH)


def with_check_digit(body: str) -> str:
    """A whole code from all its digits but the last."""
    digits = _digits(body)
    if len(digits) + 1 not in LENGTHS or not digits.strip("0"):
        raise BarcodeInvalid("barcode-format", body)
    return digits + ean.calc_check_digit(digits)


def is_in_store(code: str) -> bool:
    """Whether the code was made by a company for its own tills."""
    gtin = normalise(code)
    # Six zeros in front are left only by an eight-digit code, whose prefix then starts at the seventh place.
    prefix = gtin[6:8] if gtin.startswith("000000") else gtin[1:3]
    return prefix in IN_STORE_PREFIXES


def _digits(code: str) -> str:
    digits = ean.compact(unicodedata.normalize("NFKC", code))
    if not (digits.isascii() and digits.isdigit()):
        raise BarcodeInvalid("barcode-format", code)
    return digits
