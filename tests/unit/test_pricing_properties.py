"""Whatever was sold with whatever discounts, any order of partial refunds adds up to what was paid."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.money import Rounding
from app.orders.pricing import Cut, Priced, PriceLine, left_of, price, refund_of
from app.orders.tax import tax_of

BASES = ("tax_included", "tax_excluded")
# A busy machine is no fault of the prices.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def lines_of(draw: st.DrawFn, basis: st.SearchStrategy[str | None]) -> PriceLine:
    quantity = draw(st.integers(1, 12))
    unit_price = draw(st.integers(0, 30) | st.integers(0, 100_000))
    return PriceLine(
        line_ref="line",
        quantity=quantity,
        unit_price=unit_price,
        rate=draw(st.sampled_from([10, 8])),
        discount=draw(st.just(0) | st.integers(0, quantity * unit_price)),
        kind=draw(st.sampled_from(["goods", "goods", "goods", "shipping"])),
        basis=draw(basis),
    )


@st.composite
def documents(draw: st.DrawFn, *, mixed: bool = False) -> Priced:
    lines = draw(st.lists(lines_of(st.sampled_from([None, *BASES]) if mixed else st.none()), min_size=1, max_size=20))
    excluded = st.frozensets(st.integers(0, len(lines) - 1), max_size=3)
    coupon = st.builds(Cut, st.just("coupon"), amount=st.integers(0, 5000), excluded=excluded)
    percent = st.builds(Cut, st.just("coupon"), percent=st.integers(1, 100), excluded=excluded)
    shipping = st.builds(Cut, st.just("free_shipping"))
    cuts = draw(st.lists(coupon | percent | shipping, max_size=4))
    how = {
        "prices": draw(st.sampled_from(BASES)),
        "rounding": draw(st.sampled_from(Rounding)),
        "conversion": draw(st.sampled_from(Rounding)),
        "percent_first": draw(st.booleans()),
    }
    goods_left = sum(line.net for line in price(lines, cuts, **how).lines if line.kind == "goods")
    if draw(st.booleans()):
        cuts.append(Cut("points", draw(st.integers(0, goods_left))))
    return price(lines, cuts, **how)


@unhurried
@given(documents() | documents(mixed=True))
def test_a_document_adds_up(priced: Priced) -> None:
    tax = sum(one.tax for one in priced.tax) if priced.prices == "tax_excluded" else 0
    assert priced.total == (priced.subtotal - priced.discounts - priced.points_used + priced.shipping_fee + tax)
    assert priced.total == sum(line.paid for line in priced.lines)
    for one in priced.tax:
        of_rate = [line for line in priced.lines if line.rate == one.rate]
        assert one.taxable == sum(line.net for line in of_rate)
        assert one.tax == tax_of(one.taxable, one.rate, priced.prices, priced.rounding)
        assert one.tax == sum(line.tax for line in of_rate)
    for index, amount in enumerate(priced.cuts):
        assert amount == sum(line.cuts[index] for line in priced.lines)


@unhurried
@given(documents() | documents(mixed=True))
def test_units_add_up_to_their_line(priced: Priced) -> None:
    for line in priced.lines:
        units = line.units
        assert len(units) == line.quantity
        assert sum(unit.gross for unit in units) == line.gross
        assert sum(unit.line_discount for unit in units) == line.line_discount
        assert tuple(sum(unit.cuts[i] for unit in units) for i in range(len(line.cuts))) == line.cuts
        assert sum(unit.net for unit in units) == line.net
        assert sum(unit.tax for unit in units) == line.tax
        assert sum(unit.total for unit in units) == line.paid
        for unit in units:
            assert unit.gross - unit.line_discount - sum(unit.cuts) == unit.net
            assert min(unit.line_discount, unit.net, unit.tax, unit.total, *unit.cuts) >= 0


@unhurried
@given(documents() | documents(mixed=True), st.data())
def test_any_order_of_refunds_adds_up_to_what_was_paid(priced: Priced, data: st.DataObject) -> None:
    every_unit = [index for index, line in enumerate(priced.lines) for _ in range(line.quantity)]
    order = data.draw(st.permutations(every_unit))
    taken: Counter[int] = Counter()
    total, taxable, tax = 0, Counter[int](), Counter[int]()
    while order:
        size = data.draw(st.integers(1, len(order)))
        now, order = Counter(order[:size]), order[size:]
        left = left_of(priced, taken)
        refund = refund_of(priced, taken, now)
        units = [unit for i in now for unit in priced.lines[i].units[taken[i] : taken[i] + now[i]]]
        assert refund.total == sum(unit.total for unit in units)
        assert sum(one.tax for one in refund.tax) == sum(unit.tax for unit in units)
        taken += now
        assert left_of(priced, taken).total == left.total - refund.total
        total += refund.total
        for one in refund.tax:
            taxable[one.rate] += one.taxable
            tax[one.rate] += one.tax
            assert taxable[one.rate] <= sum(line.net for line in priced.lines if line.rate == one.rate)
    assert total == priced.total
    assert taxable == {one.rate: one.taxable for one in priced.tax}
    assert tax == {one.rate: one.tax for one in priced.tax}
    assert left_of(priced, taken).total == 0
