from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from pos_bridge.formats.result import Parsed, Rejected, Warned
from tests.unit.poslog_text import APPLE, SMALL, grand, item, line, log, parsed, read, rejected, tender, transaction


def test_the_real_store_log_is_read_exactly() -> None:
    entries, tally = read(SMALL, ZoneInfo("America/Los_Angeles"))
    assert entries == [
        Parsed(
            position=2,
            sale={
                "source": "till",
                "store": "9",
                "terminal": "34",
                "business_date": "2017-09-30",
                "receipt_no": "161",
                "kind": "sale",
                "currency": "USD",
                "sold_at": "2017-10-01T09:02:54Z",
                "customer": {"card_no": "0000000000000040000066677"},
                "lines": [
                    {
                        "line_no": 1,
                        "barcode": "00000000067591",
                        "name": "APPLE HONEYCRISP ORG",
                        "quantity": 1,
                        "weight_g": 420,
                        "unit_price": 126,
                        "amount": 126,
                    }
                ],
                "discount": 19,
                "tenders": [{"method": "card", "amount": 107}],
            },
            warnings=(Warned("/lines/0/weight_g", "weight-unit-unknown"),),
        )
    ]
    assert (tally.entries, dict(tally.skipped)) == (2, {"ControlTransaction": 1})


def test_yen_have_no_hundredths_and_times_take_the_stores_zone() -> None:
    found = parsed(item(1, "2200", "2", price="1100") + grand("2200") + tender("2200"))
    assert found.sale == {
        "source": "till",
        "store": "S1",
        "terminal": "2",
        "business_date": "2026-11-22",
        "receipt_no": "77",
        "kind": "sale",
        "currency": "JPY",
        "sold_at": "2026-11-22T06:10:00Z",
        "lines": [line(1, 2200, 2)],
        "tenders": [{"method": "cash", "amount": 2200}],
    }
    assert found.warnings == ()


def test_a_time_with_an_offset_needs_no_zone_and_one_without_is_told() -> None:
    receipt = item(1, "100") + tender("100")
    entries, _ = read(log(transaction(receipt, EndDateTime="2026-11-22T15:10:00-05:00"), transaction(receipt)), None)
    assert [entry.sale["sold_at"] for entry in entries if isinstance(entry, Parsed)] == [
        "2026-11-22T20:10:00Z",
        "2026-11-22T15:10:00",
    ]
    assert [entry.warnings for entry in entries if isinstance(entry, Parsed)] == [
        (),
        (Warned("/sold_at", "zone-unknown"),),
    ]


def test_a_line_taken_off_cancels_its_partner() -> None:
    found = parsed(
        item(1, "300") + item(2, "500") + item(3, "-300", "-1", flags='VoidFlag="true"') + grand("500") + tender("500")
    )
    assert found.sale["lines"] == [line(2, 500)]
    assert (found.cancelled_lines, found.warnings) == ((1, 3), ())


def test_a_line_that_is_itself_flagged_was_not_sold() -> None:
    found = parsed(item(1, "300", flags='VoidFlag="true"') + item(2, "500") + grand("500") + tender("500"))
    assert found.sale["lines"] == [line(2, 500)]
    assert (found.cancelled_lines, found.warnings) == ((1,), ())


def test_a_void_line_without_its_partner_stays_negative() -> None:
    found = parsed(item(1, "500") + item(2, "-200", "-1", flags='VoidFlag="true"') + grand("300") + tender("300"))
    assert found.sale["lines"] == [line(1, 500), line(2, -200, -1)]
    assert found.warnings == (Warned("/lines/1", "void-unmatched"),)


def test_a_receipt_on_which_everything_was_taken_off_is_counted() -> None:
    receipt = item(1, "300") + item(2, "-300", "-1", flags='VoidFlag="1"') + grand("0")
    entries, tally = read(log(transaction(receipt)))
    assert entries == []
    assert dict(tally.skipped) == {"nothing-sold": 1}


def test_a_return_has_positive_figures_and_names_its_sale() -> None:
    link = (
        '<TransactionLink ReasonCode="Return"><RetailStoreID>S9</RetailStoreID><WorkstationID>3</WorkstationID>'
        "<SequenceNumber>12</SequenceNumber><BusinessDayDate>2026-11-20</BusinessDayDate></TransactionLink>"
    )
    found = parsed(item(1, "-300", "-1", element="Return", more=link) + grand("-300") + tender("300", code="Refund"))
    assert found.sale["kind"] == "return"
    assert found.sale["lines"] == [line(1, 300)]
    assert found.sale["tenders"] == [{"method": "cash", "amount": 300}]
    assert found.sale["original"] == {
        "store": "S9",
        "terminal": "3",
        "receipt_no": "12",
        "business_date": "2026-11-20",
    }
    assert found.warnings == ()


def test_poslog_6_writes_a_return_as_minus_one_piece() -> None:
    found = parsed(item(1, "300", "-1", price="300") + grand("-300") + tender("300"))
    assert found.sale["kind"] == "return"
    assert found.sale["lines"] == [line(1, 300)]
    assert found.sale["tenders"] == [{"method": "cash", "amount": 300}]
    assert found.warnings == ()


def test_an_exchange_is_a_sale_with_a_line_that_came_back() -> None:
    found = parsed(item(1, "-300", "1", element="Return") + item(2, "500") + grand("200") + tender("200"))
    assert found.sale["kind"] == "sale"
    assert found.sale["lines"] == [line(1, -300, -1), line(2, 500)]
    assert found.warnings == (Warned("/lines/0/quantity", "goods-came-back"),)


def test_a_resumed_receipt_is_no_return() -> None:
    link = '<TransactionLink ReasonCode="Resume"><RetailStoreID>S1</RetailStoreID></TransactionLink>'
    found = parsed(item(1, "300") + grand("300") + link + tender("300"))
    assert found.sale["kind"] == "sale"
    assert "original" not in found.sale


def test_a_receipt_voided_afterwards_names_the_one_it_takes_back() -> None:
    link = (
        '<TransactionLink ReasonCode="PostVoid"><RetailStoreID>S1</RetailStoreID><WorkstationID>2</WorkstationID>'
        "<SequenceNumber>76</SequenceNumber><BusinessDayDate>2026-11-22</BusinessDayDate></TransactionLink>"
    )
    found = parsed(item(1, "-300", "-1") + grand("-300") + link + tender("-300"))
    assert found.sale["kind"] == "void"
    assert found.sale["lines"] == [line(1, 300)]
    assert found.sale["original"]["receipt_no"] == "76"


@pytest.mark.parametrize(
    ("quantity", "flags", "weight", "warnings"),
    [
        ("<Quantity>0.42</Quantity>", "", 420, 1),
        ("<Quantity>1</Quantity>", 'acs:weightItem="true"', 1000, 1),
        ('<Quantity UnitOfMeasureCode="KGM">0.4205</Quantity>', "", 421, 0),
        ('<Quantity UnitOfMeasureCode="LBR">0.5</Quantity>', "", 227, 0),
        ('<Quantity UnitOfMeasureCode="GRM">250</Quantity>', "", 250, 0),
    ],
)
def test_goods_by_weight_are_one_piece(quantity: str, flags: str, weight: int, warnings: int) -> None:
    found = parsed(item(1, "126", "", price="299", flags=flags, more=quantity) + grand("126") + tender("126"))
    assert found.sale["lines"] == [line(1, 126, weight_g=weight)]
    assert [warned.code for warned in found.warnings] == ["weight-unit-unknown"] * warnings


@pytest.mark.parametrize(
    ("amount", "quantity", "price", "more", "leads_to"),
    [
        ("300", "1", "600", "", (300, 0)),  # two for 600, one bought
        ("1000", "3", "400", "", (334, 2)),  # three for 1,000
        ("900", "1", "1000", "<ExtendedDiscountAmount>100</ExtendedDiscountAmount>", (1000, 100)),
        ("1800", "2", "1000", "<ActualSalesUnitPrice>900</ActualSalesUnitPrice>", (900, 0)),
        ("0", "1", "500", "", (0, 0)),
    ],
)
def test_the_amount_is_the_fact_and_the_price_leads_to_it(
    amount: str, quantity: str, price: str, more: str, leads_to: tuple[int, int]
) -> None:
    found = parsed(item(1, amount, quantity, price=price, more=more) + grand(amount) + tender(amount))
    unit, discount = leads_to
    expected = line(1, int(amount), int(quantity), unit_price=unit)
    assert found.sale["lines"] == [expected | ({"discount": discount} if discount else {})]


def reward(amount: str, *marks: str, category: str = "Monetary") -> str:
    flags = " ".join(f'acs:{mark}="true"' for mark in marks)
    return (
        f"<LineItem><LoyaltyReward {flags}><acs:RewardCategory>{category}</acs:RewardCategory>"
        f"<acs:ExtendedRewardAmount>{amount}</acs:ExtendedRewardAmount></LoyaltyReward></LineItem>"
    )


@pytest.mark.parametrize(
    "rewards",
    [
        reward("-40", "summarizedActivity") + reward("-15", "detailedData") + reward("-25", "detailedData"),
        reward("-15", "detailedData") + reward("-25", "detailedData"),
        reward("-40", "detailedData", "summarizedActivity") + reward("-7", "summarizedActivity", category="Points"),
        reward("-40"),
    ],
)
def test_rewards_in_money_are_counted_once(rewards: str) -> None:
    found = parsed(item(1, "500") + rewards + grand("460") + tender("460"))
    assert found.sale["discount"] == 40
    assert found.warnings == ()


def tax(amount: str) -> str:
    figures = f"<TaxableAmount>500</TaxableAmount><Amount>{amount}</Amount><Percent>10.0</Percent>"
    return f"<LineItem><Tax>{figures}</Tax></LineItem>"


@pytest.mark.parametrize(("total", "included"), [("550", False), ("500", True)])
def test_taxes_are_told_with_their_place_in_the_total(total: str, included: bool) -> None:
    found = parsed(item(1, "500") + tax("50") + grand(total) + tender(total))
    assert found.sale["taxes"] == [{"rate": "10", "taxable": 500, "amount": 50, "included": included}]
    assert found.warnings == ()


def test_a_rate_inside_a_line_belongs_to_the_line() -> None:
    inner = "<Tax><Amount>37</Amount><Percent>8</Percent></Tax>"
    found = parsed(item(1, "500", more=inner) + grand("500") + tender("500"))
    assert found.sale["lines"] == [line(1, 500, tax_rate=8)]
    assert found.sale["taxes"] == [{"rate": "8", "taxable": None, "amount": 37, "included": True}]


@pytest.mark.parametrize(
    ("tenders", "expected"),
    [
        (tender("500", change="300"), [("cash", 500)]),
        (tender("800", change="300"), [("cash", 500)]),
        (tender("200", "CreditDebit") + tender("300", "acs:Voucher"), [("card", 200), ("voucher", 300)]),
        (tender("100") + tender("-100", flags='VoidFlag="true"') + tender("500", "Mystery"), [("mystery", 500)]),
    ],
)
def test_tenders_are_net_of_change(tenders: str, expected: list[tuple[str, int]]) -> None:
    found = parsed(item(1, "500") + grand("500") + tenders)
    assert [(t["method"], t["amount"]) for t in found.sale["tenders"]] == expected
    assert found.warnings == ()


def test_a_total_that_does_not_hold_is_a_warning() -> None:
    found = parsed(item(1, "500") + grand("600") + tender("600"))
    assert found.warnings == (Warned("", "total-differs"),)
    assert parsed(item(1, "500") + grand("500") + tender("400")).warnings == (Warned("/tenders", "tenders-differ"),)


def test_codes_that_are_no_barcode_are_the_shops_own() -> None:
    own = item(1, "500").replace('POSIDType="GTIN"', 'POSIDType="PLU"').replace(APPLE, "A-1")
    assert parsed(own + tender("500")).sale["lines"][0]["sku"] == "A-1"
    nameless = item(1, "500").replace(APPLE, "")
    assert parsed(nameless + tender("500")).warnings == (Warned("/lines/0", "code-missing"),)
    both = item(1, "500", more="<ItemID>A-1</ItemID>")
    assert parsed(both + tender("500")).sale["lines"] == [line(1, 500, sku="A-1")]


@pytest.mark.parametrize(
    ("receipt", "head", "code", "column", "has_key"),
    [
        (item(1, "5"), {"RetailStoreID": ""}, "key-missing", "store", False),
        (item(1, "5"), {"BusinessDayDate": "2027-02-29"}, "business-date-invalid", None, False),
        (item(1, "5"), {"BusinessDayDate": ""}, "key-missing", "business_date", False),
        (item(1, "5"), {"SequenceNumber": "9" * 65}, "key-too-long", "receipt_no", False),
        (item(1, "5"), {"EndDateTime": "2016-11-16T25:44:22"}, "sold-at-invalid", "EndDateTime", True),
        (item(1, "5"), {"CurrencyCode": "yen"}, "currency-invalid", None, True),
        (item(1, "5.5"), {}, "amount-invalid", None, True),
        (item(1, "NaN"), {}, "amount-invalid", None, True),
        (item(1, "1e99"), {}, "amount-invalid", None, True),
        (item(1, "9999999999"), {}, "out-of-range", None, True),
        (item(1, "5", "x"), {}, "quantity-invalid", None, True),
        (item(1, "5", "0"), {}, "quantity-invalid", "Quantity", True),
        (item(1, "5", "1e7"), {}, "out-of-range", None, True),
        (item(1, ""), {}, "amount-missing", "ExtendedAmount", True),
        (tender("500"), {}, "no-lines", None, True),
    ],
)
def test_what_cannot_be_a_sale_is_rejected_with_its_text(
    receipt: str, head: dict[str, str], code: str, column: str | None, has_key: bool
) -> None:
    found = rejected(log(transaction(receipt, **head)))
    assert (found.position, found.code, found.column, found.key is not None) == (1, code, column, has_key)
    assert "Transaction" in found.raw


def test_a_bad_receipt_does_not_stop_the_next_one() -> None:
    entries, tally = read(log(transaction(item(1, "x")), transaction(item(1, "5") + tender("5"))))
    assert [type(entry) for entry in entries] == [Rejected, Parsed]
    assert (tally.entries, [entry.position for entry in entries]) == (2, [1, 2])


def test_what_never_became_a_sale_is_counted() -> None:
    receipt = "<RetailTransaction TransactionStatus='Suspended'/>"
    data = log(
        '<Transaction CancelFlag="true"><RetailTransaction/></Transaction>',
        '<Transaction TrainingModeFlag="true"><RetailTransaction/></Transaction>',
        f"<Transaction>{receipt}</Transaction>",
        "<Transaction><TenderControlTransaction/></Transaction>",
        "<Transaction/>",
    )
    entries, tally = read(data)
    assert entries == []
    assert tally.entries == 5
    assert dict(tally.skipped) == {
        "cancelled": 1, "training": 1, "suspended": 1, "TenderControlTransaction": 1, "empty": 1,
    }  # fmt: skip
