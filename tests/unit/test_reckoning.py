"""Pieces given and pieces cancelled: every unit's worth is used once, in whatever order things happen."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from app.core.money import Rounding
from app.orders import reckoning
from app.orders.models import OrderLine, SalesOrder
from app.orders.pricing import Cut, PriceLine, price

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
QUANTITIES = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 3000), st.sampled_from([8, 10, 0])), min_size=1, max_size=4
)


def order_of(wanted: list[tuple[int, int, int]], percent: int, prices: str) -> tuple[SalesOrder, list[OrderLine], int]:
    """An order without a database: its row, its lines, its total."""
    lines = [PriceLine(str(n), quantity, unit, rate) for n, (quantity, unit, rate) in enumerate(wanted)]
    lines.append(PriceLine("", 1, 550, 10, kind="shipping"))
    whole = sum(line.quantity * line.unit_price for line in lines[:-1])
    cut = whole * percent // 100
    priced = price(lines, [Cut("discount", amount=cut)] if cut else [], prices=prices)  # type: ignore[arg-type]
    rows = [
        OrderLine(
            line_ref=line.line_ref, kind=line.kind, sku=f"S{n}", quantity=line.quantity, rate=line.rate,
            gross=line.gross, line_discount=line.line_discount, cuts=list(line.cuts), net=line.net,
            base_before=line.base_before, tax=line.tax, cancelled=0, fulfilled=0, returned=0,
        )
        for n, line in enumerate(priced.lines)
    ]  # fmt: skip
    return SalesOrder(prices=prices, rounding=Rounding.FLOOR.value), rows, priced.total


@given(
    QUANTITIES,
    st.integers(0, 90),
    st.sampled_from(["tax_included", "tax_excluded"]),
    st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(1, 3)), max_size=30),
)
def test_given_and_cancelled_always_add_up(
    wanted: list[tuple[int, int, int]], percent: int, prices: str, steps: list[tuple[bool, int, int]]
) -> None:
    order, rows, total = order_of(wanted, percent, prices)
    moved = 0
    for give, at, pieces in [*steps, *((True, n, 6) for n in range(len(rows)))]:
        row = rows[at % len(rows)]
        parts = {row.line_ref: min(pieces, reckoning.open_of(row))}
        if give:
            moved += reckoning.value_from_back(order, rows, parts)
            row.fulfilled += parts[row.line_ref]
        else:
            refund = reckoning.value_from_front(order, rows, parts)
            assert refund.total >= 0
            moved += refund.total
            row.cancelled += parts[row.line_ref]
    assert all(reckoning.open_of(row) == 0 for row in rows)
    assert moved == total


def test_two_lines_of_one_sku_are_one_demand() -> None:
    rows = [
        OrderLine(line_ref="b", kind="goods", sku="Z", quantity=2),
        OrderLine(line_ref="a", kind="goods", sku="A", quantity=1),
        OrderLine(line_ref="c", kind="goods", sku="Z", quantity=3),
        OrderLine(line_ref="", kind="shipping", sku=None, quantity=1),
    ]
    assert reckoning.by_sku(rows, {"a": 1, "b": 2, "c": 3, "": 1}) == {"A": 1, "Z": 5}
    assert list(reckoning.by_sku(rows, {"a": 1, "b": 2})) == ["A", "Z"]
