from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.core.money import Rounding
from app.orders.pricing import (
    Cut,
    Priced,
    PriceLine,
    PricingError,
    RateTax,
    UnitShare,
    left_of,
    price,
    refund_of,
)
from app.orders.tax import tax_of, tax_rate

VECTORS = json.loads((Path(__file__).parents[1] / "data/vectors/money.json").read_text())
BY_ID = {vector["id"]: vector for vector in VECTORS}
DOCUMENTS = [vector for vector in VECTORS if vector["kind"] == "document" and vector["id"] != "T21"]
CUT_KINDS = {"coupon": "coupon", "points_as_discount": "points", "free_shipping": "free_shipping"}


def priced_from(given: dict[str, Any]) -> Priced:
    """Price a vector's input. A mixed document is a tax-excluded one on which some lines say otherwise."""
    cuts = [
        Cut(CUT_KINDS[cut["kind"]], cut.get("amount"), cut.get("percent"), frozenset(cut.get("excluded_lines", ())))
        for cut in given.get("discounts", ())
    ]
    prices = given["prices"]
    return price(
        [PriceLine(line_ref=str(number), **line) for number, line in enumerate(given["lines"], start=1)],
        cuts,
        prices="tax_excluded" if prices == "mixed" else prices,
        rounding=Rounding(given.get("rounding", "floor")),
        conversion=Rounding.CEIL if given.get("convert") == "up" else Rounding.FLOOR,
        percent_first=bool(cuts) and cuts[0].percent is not None,
    )


def per_rate(tax: tuple[RateTax, ...]) -> dict[str, int]:
    return {str(one.rate): one.tax for one in tax}


@pytest.mark.parametrize("vector", DOCUMENTS, ids=lambda vector: vector["id"])
def test_document_vectors(vector: dict[str, Any]) -> None:
    expect = vector["expect"]
    priced = priced_from(vector["given"])
    assert per_rate(priced.tax) == expect["tax"]
    assert priced.total == expect["total"]
    if "shares" in expect:
        assert [[line.cuts[i] for line in priced.lines] for i in range(len(priced.cuts))] == expect["shares"]
        assert list(priced.cuts) == [sum(shares) for shares in expect["shares"]]
    if "nets" in expect:
        assert [line.net for line in priced.lines] == expect["nets"]
    if "converted" in expect:
        assert [line.gross for line in priced.lines] == expect["converted"]


def test_every_document_vector_is_run() -> None:
    assert [vector["id"] for vector in DOCUMENTS] == [
        *("T01-floor", "T01-half_up", "T01-ceil", "T02a", "T02b", "T03", "T03b-floor", "T03b-half_up", "T03b-ceil"),
        *("T04", "T05", "T06", "T08", "T09", "T09b", "T17", "T18", "T07", "T10"),
    ]


def test_t07_converted_up_costs_a_yen_more() -> None:
    priced = priced_from({**BY_ID["T07"]["given"], "convert": "up"})
    assert [line.gross for line in priced.lines] == [218, 528, 120]
    assert priced.total == 949


def test_a_tax_excluded_line_is_converted_for_a_tax_included_document() -> None:
    lines = [PriceLine("1", 3, 93, 8, discount=9, basis="tax_excluded"), PriceLine("2", 1, 108, 8)]
    priced = price(lines)
    assert [(line.gross, line.line_discount, line.net) for line in priced.lines] == [(301, 10, 291), (108, 0, 108)]
    assert priced.tax == (RateTax(8, 399, 29),)
    assert sum(unit.total for unit in priced.lines[0].units) == 291


def test_t10_points_that_pay_change_no_tax() -> None:
    given = BY_ID["T10"]["given"]
    priced = priced_from(given)
    assert priced.tax == (RateTax(10, 550, 50), RateTax(8, 540, 40))
    assert priced.total == sum(tender["amount"] for tender in given["tenders"])


def test_t11_return_of_the_reduced_item() -> None:
    vector = BY_ID["T11"]
    priced = priced_from(BY_ID[vector["given"]["sale"]]["given"])
    returned = dict(vector["given"]["returned"])
    refund = refund_of(priced, {}, returned)
    assert refund.total == vector["expect"]["refund"]
    assert per_rate(refund.tax) == vector["expect"]["tax"]
    left = left_of(priced, returned)
    assert {str(one.rate): {"taxable": one.taxable, "tax": one.tax} for one in left.tax} == (
        vector["expect"]["remaining"]
    )
    assert left.total == 2696


@pytest.mark.parametrize("vector_id", ["T12", "T13"])
def test_units_returned_one_by_one(vector_id: str) -> None:
    vector = BY_ID[vector_id]
    priced = priced_from(vector["given"])
    refunds = [refund_of(priced, {0: taken}, {0: 1}).total for taken in range(3)]
    assert refunds == vector["expect"]["refunds"]
    assert [unit.total for unit in priced.lines[0].units] == refunds
    assert sum(refunds) == vector["expect"].get("sum", 2900) == priced.total


def test_t13_taxes_of_the_units() -> None:
    priced = priced_from(BY_ID["T13"]["given"])
    assert priced.lines[0].units == (
        UnitShare(gross=105, line_discount=0, cuts=(), net=105, tax=10, total=115),
        UnitShare(gross=105, line_discount=0, cuts=(), net=105, tax=11, total=116),
        UnitShare(gross=105, line_discount=0, cuts=(), net=105, tax=10, total=115),
    )


def test_t14_prorated_return() -> None:
    given = BY_ID["T14"]["given"]
    refund = refund_of(priced_from(given), {}, dict(given["returned"]))
    assert refund.total == BY_ID["T14"]["expect"]["prorate"]


def test_t16_each_item_returned_alone() -> None:
    vector = BY_ID["T16"]
    priced = priced_from({"prices": "tax_included", **vector["given"]})
    assert priced.total == vector["expect"]["total"]
    assert [refund_of(priced, {}, {line: 1}).total for line in range(3)] == vector["expect"]["if_returned"]


def test_t20_a_return_keeps_the_rate_of_its_sale() -> None:
    sold_at = tax_rate("standard", date(2019, 9, 30))
    priced = price([PriceLine("1", 1, 1080, sold_at)])
    refund = refund_of(priced, {}, {0: 1})
    assert tax_rate("standard", date(2019, 10, 2)) == 10
    assert (refund.total, refund.tax) == (1080, (RateTax(8, 1080, 80),))


def test_t21_paid_with_points_only() -> None:
    vector = BY_ID["T21"]
    given, expect = vector["given"], vector["expect"]
    lines = [PriceLine("1", **given["lines"][0])]
    as_discount = price(lines, [Cut("points", given["points"])])
    assert {"total": as_discount.total, "tax": per_rate(as_discount.tax)} == expect["as_discount"]
    assert (as_discount.subtotal, as_discount.discounts, as_discount.points_used) == (1100, 0, 1100)
    as_tender = price(lines)
    assert as_tender.total == expect["as_tender"]["total"]
    assert per_rate(as_tender.tax) == expect["as_tender"]["tax"]
    assert as_tender.total - given["points"] == expect["as_tender"]["due"]


def test_taxes_of_a_return_document() -> None:
    for vector in (BY_ID["T19a"], BY_ID["T19b"]):
        amounts = vector["given"]["refund"]
        taxes = {rate: tax_of(amount, int(rate), "tax_included", Rounding.FLOOR) for rate, amount in amounts.items()}
        assert taxes == vector["expect"]["tax"]


def test_a_discounted_sale_in_full() -> None:
    """Three at 999 less 100, two at 108, shipping 550; 50 off the whole, then a coupon of 10 percent, 30 points."""
    lines = [
        PriceLine("a", 3, 999, 10, discount=100),
        PriceLine("b", 2, 108, 8),
        PriceLine("ship", 1, 550, 10, kind="shipping"),
    ]
    priced = price(lines, [Cut("points", 30), Cut("coupon", percent=10), Cut("discount", 50)])
    assert [line.cuts for line in priced.lines] == [(28, 285, 47), (2, 21, 3), (0, 0, 0)]
    assert [line.net for line in priced.lines] == [2537, 190, 550]
    assert [line.paid for line in priced.lines] == [2537, 190, 550]
    assert [line.base_before for line in priced.lines] == [0, 0, 2537]
    assert priced.tax == (RateTax(10, 3087, 280), RateTax(8, 190, 14))
    assert [line.tax for line in priced.lines] == [230, 14, 50]
    assert (priced.subtotal, priced.discounts, priced.points_used, priced.shipping_fee) == (3213, 456, 30, 550)
    assert priced.total == 3277
    assert priced.lines[0].units == (
        UnitShare(gross=999, line_discount=34, cuts=(9, 95, 16), net=845, tax=76, total=845),
        UnitShare(gross=999, line_discount=33, cuts=(9, 95, 16), net=846, tax=77, total=846),
        UnitShare(gross=999, line_discount=33, cuts=(10, 95, 15), net=846, tax=77, total=846),
    )
    assert [unit.total for unit in priced.lines[1].units] == [95, 95]


def test_coupons_take_at_most_what_is_there() -> None:
    lines = [PriceLine("1", 1, 300, 10), PriceLine("2", 1, 500, 10, kind="shipping")]
    priced = price(lines, [Cut("coupon", 1000), Cut("free_shipping")])
    assert (priced.cuts, priced.total, priced.discounts) == ((300, 500), 0, 800)
    assert priced.tax == (RateTax(10, 0, 0),)
    assert price(lines, [Cut("free_shipping", percent=50)]).total == 550


def test_exempt_goods_are_listed_without_tax() -> None:
    assert price([PriceLine("1", 2, 500, 0)]).tax == (RateTax(0, 1000, 0),)


def one(**changes: Any) -> PriceLine:
    return PriceLine(**{"line_ref": "1", "quantity": 2, "unit_price": 100, "rate": 10, **changes})


@pytest.mark.parametrize(
    ("lines", "cuts", "code", "facts"),
    [
        ([], [], "no-lines", {}),
        ([one(), one(quantity=0)], [], "quantity-invalid", {"line": 1}),
        ([one(quantity=-1)], [], "quantity-invalid", {"line": 0}),
        ([one(quantity=True)], [], "quantity-invalid", {"line": 0}),
        ([one(unit_price=-1)], [], "unit-price-invalid", {"line": 0}),
        ([one(unit_price=1.0)], [], "unit-price-invalid", {"line": 0}),
        ([one(rate=101)], [], "rate-invalid", {"line": 0}),
        ([one(rate=-1)], [], "rate-invalid", {"line": 0}),
        ([one(discount=-1)], [], "discount-invalid", {"line": 0}),
        ([one(discount=201)], [], "discount-exceeds-amount", {"line": 0, "left": 200}),
        ([one()], [Cut("discount", 201)], "discount-exceeds-amount", {"amount": 201, "left": 200}),
        ([one()], [Cut("coupon", 150), Cut("points", 51)], "points-exceeds-amount", {"amount": 51, "left": 50}),
        ([one(kind="shipping")], [Cut("points", 1)], "points-exceeds-amount", {"amount": 1, "left": 0}),
        ([one()], [Cut("discount", -1)], "amount-invalid", {"cut": 0}),
        ([one()], [Cut("coupon")], "amount-invalid", {"cut": 0}),
        ([one()], [Cut("coupon", 1, 1)], "amount-invalid", {"cut": 0}),
        ([one()], [Cut("points", percent=5)], "amount-invalid", {"cut": 0}),
        ([one()], [Cut("coupon", percent=0)], "percent-invalid", {"cut": 0}),
        ([one()], [Cut("coupon", percent=101)], "percent-invalid", {"cut": 0}),
        ([one()], [Cut("coupon", 1, excluded=frozenset({1}))], "unknown-line", {"cut": 0}),
    ],
)
def test_impossible_input_is_refused(lines: list[PriceLine], cuts: list[Cut], code: str, facts: dict[str, int]) -> None:
    with pytest.raises(PricingError) as refused:
        price(lines, cuts)
    assert (refused.value.code, refused.value.facts) == (code, facts)


@pytest.mark.parametrize(
    ("taken", "now", "code", "facts"),
    [
        ({}, {0: 3}, "too-many-units", {"line": 0, "left": 2}),
        ({0: 1}, {0: 2}, "too-many-units", {"line": 0, "left": 1}),
        ({0: 3}, {}, "too-many-units", {"line": 0, "left": 0}),
        ({}, {0: -1}, "quantity-invalid", {"line": 0}),
        ({0: -1}, {0: 1}, "quantity-invalid", {"line": 0}),
        ({}, {1: 1}, "unknown-line", {"line": 1}),
        ({}, {-1: 1}, "unknown-line", {"line": -1}),
    ],
)
def test_an_impossible_refund_is_refused(
    taken: dict[int, int], now: dict[int, int], code: str, facts: dict[str, int]
) -> None:
    with pytest.raises(PricingError) as refused:
        refund_of(price([one()]), taken, now)
    assert (refused.value.code, refused.value.facts) == (code, facts)


def test_nothing_given_back_is_nothing_due() -> None:
    refund = refund_of(price([one()]), {0: 1}, {0: 0})
    assert (refund.total, refund.tax) == (0, ())


@pytest.mark.parametrize(
    ("on", "standard", "reduced"),
    [
        (date(1989, 3, 31), 0, 0),
        (date(1989, 4, 1), 3, 3),
        (date(1997, 3, 31), 3, 3),
        (date(1997, 4, 1), 5, 5),
        (date(2014, 3, 31), 5, 5),
        (date(2014, 4, 1), 8, 8),
        (date(2019, 9, 30), 8, 8),
        (date(2019, 10, 1), 10, 8),
        (date(2026, 11, 22), 10, 8),
    ],
)
def test_rates_by_day(on: date, standard: int, reduced: int) -> None:
    assert (tax_rate("standard", on), tax_rate("reduced", on), tax_rate("exempt", on)) == (standard, reduced, 0)
