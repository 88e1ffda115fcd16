"""The goods on a POSLog receipt: each line's direction, count and price, and which lines cancel each other.

Vendors write a line taken off again in two ways: the line itself is flagged, or a second, negative line is added.
Both end with the goods not sold, so neither reaches the canonical sale; their numbers are kept as cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from xml.etree.ElementTree import Element

from app.core import settings
from pos_bridge.formats.poslog.tree import attribute, child, children, flag, minor, number, text
from pos_bridge.formats.result import EntryInvalid

_GLOBAL_KINDS: Final = frozenset({"", "GTIN", "EAN", "EAN13", "EAN8", "JAN", "UPC", "UPCA", "UPC-A", "GTIN14"})
_BARCODE_LENGTHS: Final = frozenset({8, 12, 13, 14})
_GRAMS: Final = {
    "KG": Decimal(1000), "KGM": Decimal(1000), "KGS": Decimal(1000), "G": Decimal(1), "GRM": Decimal(1),
    "LB": Decimal("453.59237"), "LBR": Decimal("453.59237"), "LBS": Decimal("453.59237"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of goods. `direction` is 1 when they left the store and -1 when they came back; the rest is positive."""

    number: int
    direction: int
    taken_off: bool
    code: dict[str, str]
    name: str
    quantity: int
    weight_g: int | None
    unit_known: bool
    unit_price: int
    discount: int
    amount: int
    tax_rate: int | None

    def cancels(self, other: Line) -> bool:
        """Say whether this negative line takes off exactly what the other rang up."""
        return (self.direction, self.code, self.quantity, self.weight_g, self.amount) == (
            -other.direction, other.code, other.quantity, other.weight_g, other.amount,
        )  # fmt: skip

    def canonical(self, *, as_return: bool) -> dict[str, Any]:
        """Give the line in the contract's words; a return counts what came back as positive."""
        sign = 1 if as_return else self.direction
        line: dict[str, Any] = {"line_no": self.number, **self.code}
        if self.name:
            line["name"] = self.name
        line["quantity"] = sign * self.quantity
        if self.weight_g is not None:
            line["weight_g"] = self.weight_g
        line["unit_price"] = self.unit_price
        if self.discount:
            line["discount"] = sign * self.discount
        line["amount"] = sign * self.amount
        if self.tax_rate is not None:
            line["tax_rate"] = self.tax_rate
        return line


def read_lines(receipt: Element, exponent: int) -> tuple[list[Line], list[int], list[Line]]:
    """Give the lines that stand, the numbers of those cancelled, and void lines whose partner is not there."""
    standing: list[Line] = []
    cancelled: list[int] = []
    unmatched: list[Line] = []
    for line in _lines(receipt, exponent):
        if not line.taken_off:
            standing.append(line)
            continue
        partner = next((other for other in reversed(standing) if line.cancels(other)), None)
        if partner is not None:
            standing.remove(partner)
            cancelled += [partner.number, line.number]
        elif line.direction > 0:
            cancelled.append(line.number)
        else:
            standing.append(line)
            unmatched.append(line)
    return standing, sorted(cancelled), unmatched


def _lines(receipt: Element, exponent: int) -> list[Line]:
    found: list[Line] = []
    used: set[int] = set()
    for index, item in enumerate(children(receipt, "LineItem"), start=1):
        returned = child(item, "Return")
        goods = returned if returned is not None else child(item, "Sale")
        if goods is None:
            continue
        given = text(item, "SequenceNumber")
        line_no = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else index
        while line_no in used or line_no == 0:
            line_no += 1
        used.add(line_no)
        line = _line(item, goods, line_no, exponent, came_back=returned is not None)
        if line is not None:
            found.append(line)
    return found


def _line(item: Element, goods: Element, line_no: int, exponent: int, *, came_back: bool) -> Line | None:
    count = child(goods, "Quantity")
    quantity = number(text(count) or "1", "quantity-invalid")
    pieces, weight, unit_known = _pieces(item, count, abs(quantity))
    extended = text(goods, "ExtendedAmount")
    amount = minor(extended, exponent) if extended else _amount(goods, pieces, weight, exponent)
    if pieces == 0:
        if amount:
            raise EntryInvalid("quantity-invalid", "Quantity")
        return None
    taken_off = flag(item, "VoidFlag")
    negative = quantity < 0 or amount < 0
    # A return is written with positive or with negative figures; only taking it off again turns it round.
    goes_out = (taken_off and negative) if came_back else not negative
    unit_price, discount = _price(goods, pieces, abs(amount), exponent)
    if abs(amount) > settings.MAX_YEN or unit_price > settings.MAX_YEN or pieces > settings.MAX_QUANTITY:
        raise EntryInvalid("out-of-range")
    return Line(
        number=line_no,
        direction=1 if goes_out else -1,
        taken_off=taken_off,
        code=_code(goods),
        name=text(goods, "Description")[: settings.MAX_TEXT],
        quantity=pieces,
        weight_g=weight,
        unit_known=unit_known,
        unit_price=unit_price,
        discount=discount,
        amount=abs(amount),
        tax_rate=_tax_rate(goods),
    )


def _pieces(item: Element, count: Element | None, quantity: Decimal) -> tuple[int, int | None, bool]:
    """Give pieces, grams, and whether the unit of the weight was known.

    Stock counts pieces, so goods by weight are one piece with a weight. Without a unit the thousandths of the figure
    are kept: grams if the till weighs in kilograms, and in any case a whole number from which nothing is lost.
    """
    unit = (attribute(count, "UnitOfMeasureCode") or attribute(count, "UnitOfMeasure")).upper()
    weighed = flag(item, "weightItem") or unit in _GRAMS or quantity != quantity.to_integral_value()
    if not weighed or quantity == 0:
        return int(min(quantity, Decimal(settings.MAX_QUANTITY + 1))), None, True
    grams = (quantity * _GRAMS.get(unit, Decimal(1000))).to_integral_value(ROUND_HALF_UP)
    if grams > settings.MAX_GRAMS:
        raise EntryInvalid("out-of-range", "Quantity")
    return 1, int(grams), unit in _GRAMS


def _amount(goods: Element, pieces: int, weight: int | None, exponent: int) -> int:
    price = text(goods, "ActualSalesUnitPrice") or text(goods, "RegularSalesUnitPrice")
    if not price or weight is not None:
        raise EntryInvalid("amount-missing", "ExtendedAmount")
    return pieces * minor(price, exponent) - _discount(goods, exponent)


def _price(goods: Element, pieces: int, amount: int, exponent: int) -> tuple[int, int]:
    """Give the unit price and the line's discount with which the amount holds.

    The amount is the fact. A shelf price that does not lead to it (2 for 6.00, a price per kilogram) is not repeated.
    """
    given = _discount(goods, exponent)
    for name in ("ActualSalesUnitPrice", "RegularSalesUnitPrice"):
        value = text(goods, name)
        price = number(value, "amount-invalid").scaleb(exponent) if value else None
        if price is None or price != price.to_integral_value():
            continue
        whole = abs(int(price))
        if whole * pieces - amount in {0, given}:
            return whole, whole * pieces - amount
    unit_price = -(-amount // pieces)
    return unit_price, unit_price * pieces - amount


def _discount(goods: Element, exponent: int) -> int:
    value = text(goods, "ExtendedDiscountAmount") or text(goods, "DiscountAmount")
    return abs(minor(value, exponent)) if value else 0


def _code(goods: Element) -> dict[str, str]:
    identity = child(goods, "POSIdentity")
    scanned = text(identity, "POSItemID")
    kind = attribute(identity, "POSIDType").upper()
    item = text(goods, "ItemID")
    code: dict[str, str] = {}
    if kind in _GLOBAL_KINDS and scanned.isascii() and scanned.isdigit() and len(scanned) in _BARCODE_LENGTHS:
        code["barcode"] = scanned
        if item and item != scanned:
            code["sku"] = item
    elif item or scanned:
        code["sku"] = item or scanned
    if any(len(value) > settings.MAX_CODE for value in code.values()):
        raise EntryInvalid("code-too-long")
    return code


def _tax_rate(goods: Element) -> int | None:
    percent = text(goods, "Tax", "Percent")
    rate = number(percent, "tax-invalid") if percent else Decimal("0.5")
    return int(rate) if rate == rate.to_integral_value() and 0 <= rate <= 100 else None
