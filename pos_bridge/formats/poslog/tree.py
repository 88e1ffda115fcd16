"""Looking into POSLog elements by local name: vendors disagree about namespaces, not about names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from xml.etree.ElementTree import Element

from app.core.csvfile import CellInvalid
from app.core.csvfile import date as read_date
from pos_bridge.formats.result import EntryInvalid

# Currencies whose minor unit is not a hundredth (ISO 4217).
_EXPONENTS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
AMOUNT_MAX = 10**12


def name_of(element: Element) -> str:
    """Give the element's name without its namespace."""
    return _local(str(element.tag))


@lru_cache(maxsize=1_024)
def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """Give the direct children of that name."""
    return (found for found in element if name_of(found) == name)


def child(element: Element | None, *names: str) -> Element | None:
    """Follow names downwards, the first of each."""
    for name in names:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def text(element: Element | None, *names: str) -> str:
    """Give the text at the end of a path, empty when there is none."""
    found = child(element, *names)
    return (found.text or "").replace("\0", "").strip() if found is not None else ""


def flag(element: Element | None, name: str) -> bool:
    """Say whether a yes-or-no attribute is set; absent is no."""
    return attribute(element, name).lower() in {"true", "1", "yes"}


def attribute(element: Element | None, name: str) -> str:
    """Give an attribute by local name."""
    if element is None:
        return ""
    return next((value.strip() for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def number(value: str, code: str) -> Decimal:
    """Read a decimal; anything else rejects the entry."""
    try:
        found = Decimal(value)
    except InvalidOperation:
        raise EntryInvalid(code) from None
    if not found.is_finite() or abs(found) > AMOUNT_MAX or found.as_tuple().exponent < -9:  # type: ignore[operator]
        raise EntryInvalid(code)
    return found


def exponent_of(currency: str) -> int:
    """Give the number of decimals of a currency."""
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha() and currency.isupper()):
        raise EntryInvalid("currency-invalid")
    return _EXPONENTS.get(currency, 2)


def minor(value: str, exponent: int) -> int:
    """Turn an amount into whole minor units; a fraction of one is not money."""
    found = number(value, "amount-invalid").scaleb(exponent)
    if found != found.to_integral_value():
        raise EntryInvalid("amount-invalid")
    return int(found)


def day(value: str) -> date:
    """Read a business day, also one that carries a time behind it."""
    try:
        return read_date(value.partition("T")[0])
    except CellInvalid:
        raise EntryInvalid("business-date-invalid") from None
