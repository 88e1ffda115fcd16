"""What one document (order, till sale) costs: discounts and tax on its lines, and each unit's frozen part of them.

All functions are pure. Money goes through its steps in one order: line discount, discount on the whole, yen coupons,
percent coupons, points used as a discount; then tax, once per rate. Shipping is a line of its own, cut by shipping
coupons only. Points, gift cards and cash that merely pay are tenders: they change nothing here.

A line's `net` is in the document's basis: with the tax inside on a tax_included document, without it on a tax_excluded
one. Cuts are in that basis too. `paid` is always what the customer pays for the line.

Each unit's part is fixed by the difference method, running through the document's units in line order: the first k
units of a line carry floor(net * k / quantity), and the tax of a unit is the tax of everything of its rate up to and
with it, less the tax of everything before it. So whatever is given back, in whatever order, adds up to what was paid,
per rate and in all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.core.money import Rounding, share, slices
from app.orders.tax import Basis, rebase, tax_of

LineKind: TypeAlias = Literal["goods", "shipping"]
CutKind: TypeAlias = Literal["discount", "coupon", "points", "free_shipping"]


class PricingError(ValueError):
    """The input cannot be priced. `code` says why, `facts` where."""

    def __init__(self, code: str, **facts: int | str) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A line as it was asked for. `discount` is for the whole line; `basis` where it differs from the document's."""

    line_ref: str
    quantity: int
    unit_price: int
    rate: int
    discount: int = 0
    kind: LineKind = "goods"
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Something taken off the whole document: yen or percent. A free_shipping cut with neither takes all shipping."""

    kind: CutKind
    amount: int | None = None
    percent: int | None = None
    excluded: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class UnitShare:
    """One unit's frozen part: gross - line_discount - sum(cuts) = net; `total` is what was paid for this unit."""

    gross: int
    line_discount: int
    cuts: tuple[int, ...]
    net: int
    tax: int
    total: int


@dataclass(frozen=True, slots=True)
class RateTax:
    """What one tax rate adds up to. `taxable` is in the document's basis."""

    rate: int
    taxable: int
    tax: int


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A priced line. Together with `prices` and `rounding` its numbers are all that a later refund needs to know.

    `cuts` has one number per cut, in the order in which the caller gave the cuts. `base_before` is the sum of the nets
    of earlier lines with the same rate: where this line stands in the rounding of its rate's tax.
    """

    line_ref: str
    kind: LineKind
    quantity: int
    rate: int
    prices: Basis
    rounding: Rounding
    gross: int
    line_discount: int
    cuts: tuple[int, ...]
    net: int
    base_before: int
    tax: int

    @property
    def paid(self) -> int:
        """What the customer pays for this line, tax in it."""
        return self.net if self.prices == "tax_included" else self.net + self.tax

    @property
    def units(self) -> tuple[UnitShare, ...]:
        """The part of every unit, in the order in which units are given back."""
        return tuple(_units(self))

    def part(self, taken: int, now: int) -> RateTax:
        """Net and tax of the `now` units that follow the first `taken` ones."""
        start = self.net * taken // self.quantity
        end = self.net * (taken + now) // self.quantity
        return RateTax(self.rate, end - start, self._tax_up_to(end) - self._tax_up_to(start))

    def _tax_up_to(self, net: int) -> int:
        return tax_of(self.base_before + net, self.rate, self.prices, self.rounding)


@dataclass(frozen=True, slots=True)
class Priced:
    """The whole document: total = subtotal - discounts - points_used + shipping_fee, and + tax when it is tax_excluded.

    `subtotal` is the goods and `shipping_fee` the shipping before anything was taken off; `discounts` is all that was,
    on lines, on the whole and on shipping, except points. `cuts` is what each cut really took, in the caller's order.
    """

    lines: tuple[PricedLine, ...]
    cuts: tuple[int, ...]
    tax: tuple[RateTax, ...]
    prices: Basis
    rounding: Rounding
    subtotal: int
    discounts: int
    points_used: int
    shipping_fee: int
    total: int


@dataclass(frozen=True, slots=True)
class Refund:
    """Money due for some units: the total with tax, and what it is made of per rate."""

    total: int
    tax: tuple[RateTax, ...]


def price(
    lines: Sequence[PriceLine],
    cuts: Sequence[Cut] = (),
    *,
    prices: Basis = "tax_included",
    rounding: Rounding = Rounding.FLOOR,
    conversion: Rounding = Rounding.FLOOR,
    percent_first: bool = False,
) -> Priced:
    """Price a document.

    `conversion` rounds lines that came on the other basis. `percent_first` is the company's choice to apply percent
    coupons before yen coupons. A coupon worth more than the goods takes what is there; a discount or points above it
    are refused.
    """
    _check_lines(lines)
    _check_cuts(cuts, len(lines))
    gross = [_in_basis(line, line.unit_price * line.quantity, prices, conversion) for line in lines]
    left = [_in_basis(line, line.unit_price * line.quantity - line.discount, prices, conversion) for line in lines]
    line_discounts = [before - after for before, after in zip(gross, left, strict=True)]
    shares: list[list[int]] = [[] for _ in cuts]
    for index in sorted(range(len(cuts)), key=lambda i: _step(cuts[i], percent_first=percent_first)):
        shares[index] = _apply(cuts[index], lines, left)
        left = [before - part for before, part in zip(left, shares[index], strict=True)]
    bases: dict[int, int] = {}
    priced: list[PricedLine] = []
    for index, line in enumerate(lines):
        before = bases.get(line.rate, 0)
        bases[line.rate] = after = before + left[index]
        tax = tax_of(after, line.rate, prices, rounding) - tax_of(before, line.rate, prices, rounding)
        priced.append(
            PricedLine(
                line_ref=line.line_ref,
                kind=line.kind,
                quantity=line.quantity,
                rate=line.rate,
                prices=prices,
                rounding=rounding,
                gross=gross[index],
                line_discount=line_discounts[index],
                cuts=tuple(part[index] for part in shares),
                net=left[index],
                base_before=before,
                tax=tax,
            )
        )
    return _sum_up(priced, cuts, prices, rounding)


def refund_of(priced: Priced | Sequence[PricedLine], taken: Mapping[int, int], now: Mapping[int, int]) -> Refund:
    """What is due for `now` units of lines (by index), after `taken` units of them were given back or cancelled."""
    lines = priced.lines if isinstance(priced, Priced) else priced
    total = 0
    by_rate: dict[int, RateTax] = {}
    for index in {*taken, *now}:
        if not _is_count(index) or index >= len(lines):
            raise PricingError("unknown-line", line=index)
        line, gone, units = lines[index], taken.get(index, 0), now.get(index, 0)
        if not (_is_count(gone) and _is_count(units)):
            raise PricingError("quantity-invalid", line=index)
        if gone + units > line.quantity:
            raise PricingError("too-many-units", line=index, left=max(line.quantity - gone, 0))
        if units == 0:
            continue
        part = line.part(gone, units)
        total += part.taxable if line.prices == "tax_included" else part.taxable + part.tax
        _add(by_rate, part)
    return Refund(total, _by_rate(by_rate))


def left_of(priced: Priced | Sequence[PricedLine], taken: Mapping[int, int]) -> Refund:
    """What is still paid for and not given back, once the `taken` units are gone."""
    lines = priced.lines if isinstance(priced, Priced) else priced
    rest = {index: line.quantity - taken.get(index, 0) for index, line in enumerate(lines)}
    return refund_of(priced, taken, rest)


def _check_lines(lines: Sequence[PriceLine]) -> None:
    if not lines:
        raise PricingError("no-lines")
    for index, line in enumerate(lines):
        if not _is_count(line.quantity) or line.quantity == 0:
            raise PricingError("quantity-invalid", line=index)
        if not _is_count(line.unit_price):
            raise PricingError("unit-price-invalid", line=index)
        if not _is_count(line.rate) or line.rate > 100:
            raise PricingError("rate-invalid", line=index)
        if not _is_count(line.discount):
            raise PricingError("discount-invalid", line=index)
        if line.discount > line.unit_price * line.quantity:
            raise PricingError("discount-exceeds-amount", line=index, left=line.unit_price * line.quantity)


def _check_cuts(cuts: Sequence[Cut], line_count: int) -> None:
    for index, cut in enumerate(cuts):
        if not all(_is_count(line) and line < line_count for line in cut.excluded):
            raise PricingError("unknown-line", cut=index)
        if cut.amount is not None and (cut.percent is not None or not _is_count(cut.amount)):
            raise PricingError("amount-invalid", cut=index)
        if cut.percent is not None and not (_is_count(cut.percent) and 0 < cut.percent <= 100):
            raise PricingError("percent-invalid", cut=index)
        if cut.kind == "points" and cut.amount is None:
            raise PricingError("amount-invalid", cut=index)
        if cut.kind != "free_shipping" and cut.amount is None and cut.percent is None:
            raise PricingError("amount-invalid", cut=index)


def _is_count(value: object) -> bool:
    """A whole number from zero up; True and 1.0 are not numbers of yen."""
    return type(value) is int and value >= 0


def _in_basis(line: PriceLine, amount: int, prices: Basis, conversion: Rounding) -> int:
    if line.basis is None or line.basis == prices:
        return amount
    return rebase(amount, line.rate, prices, conversion)


def _step(cut: Cut, *, percent_first: bool) -> int:
    if cut.kind == "discount":
        return 0
    if cut.kind == "coupon":
        return 1 if (cut.percent is not None) == percent_first else 2
    return 3 if cut.kind == "points" else 4


def _apply(cut: Cut, lines: Sequence[PriceLine], left: Sequence[int]) -> list[int]:
    kind: LineKind = "shipping" if cut.kind == "free_shipping" else "goods"
    weights = [
        amount if line.kind == kind and index not in cut.excluded else 0
        for index, (line, amount) in enumerate(zip(lines, left, strict=True))
    ]
    most = sum(weights)
    if cut.percent is not None:
        amount = most * cut.percent // 100
    elif cut.amount is None:
        amount = most
    elif cut.amount > most and cut.kind in {"discount", "points"}:
        raise PricingError(f"{cut.kind}-exceeds-amount", amount=cut.amount, left=most)
    else:
        amount = min(cut.amount, most)
    return share(amount, weights)


def _sum_up(lines: Sequence[PricedLine], cuts: Sequence[Cut], prices: Basis, rounding: Rounding) -> Priced:
    took = tuple(sum(line.cuts[index] for line in lines) for index in range(len(cuts)))
    points = sum(amount for amount, cut in zip(took, cuts, strict=True) if cut.kind == "points")
    by_rate: dict[int, RateTax] = {}
    for line in lines:
        _add(by_rate, RateTax(line.rate, line.net, line.tax))
    return Priced(
        lines=tuple(lines),
        cuts=took,
        tax=_by_rate(by_rate),
        prices=prices,
        rounding=rounding,
        subtotal=sum(line.gross for line in lines if line.kind == "goods"),
        discounts=sum(line.line_discount for line in lines) + sum(took) - points,
        points_used=points,
        shipping_fee=sum(line.gross for line in lines if line.kind == "shipping"),
        total=sum(line.paid for line in lines),
    )


def _add(by_rate: dict[int, RateTax], part: RateTax) -> None:
    known = by_rate.get(part.rate, RateTax(part.rate, 0, 0))
    by_rate[part.rate] = RateTax(part.rate, known.taxable + part.taxable, known.tax + part.tax)


def _by_rate(by_rate: Mapping[int, RateTax]) -> tuple[RateTax, ...]:
    return tuple(by_rate[rate] for rate in sorted(by_rate, reverse=True))


def _units(line: PricedLine) -> list[UnitShare]:
    nets = slices(line.net, line.quantity)
    unit_price, odd = divmod(line.gross, line.quantity)
    # A line that was changed to the document's basis has no whole unit price; there each unit's gross follows its net.
    reductions = slices(line.gross - line.net, line.quantity) if odd else [unit_price - net for net in nets]
    open_parts = [line.line_discount, *line.cuts]
    units: list[UnitShare] = []
    for number, (net, reduction) in enumerate(zip(nets, reductions, strict=True)):
        # What this unit lost is split over what each discount still has to give, so that every discount ends at zero.
        lost = share(reduction, open_parts)
        open_parts = [before - part for before, part in zip(open_parts, lost, strict=True)]
        tax = line.part(number, 1).tax
        units.append(
            UnitShare(
                gross=net + reduction,
                line_discount=lost[0],
                cuts=tuple(lost[1:]),
                net=net,
                tax=tax,
                total=net if line.prices == "tax_included" else net + tax,
            )
        )
    return units
