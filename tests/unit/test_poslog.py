from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_bridge.formats.poslog.parse import TRANSACTION_BYTES_MAX, parse
from pos_bridge.formats.result import FileInvalid, Parsed, Rejected, Tally, Warned

SMALL = (Path(__file__).parents[1] / "data" / "poslog" / "SMALL.xml").read_bytes()
TOKYO = ZoneInfo("Asia/Tokyo")
APPLE = "4901234567894"


def read(data: bytes, zone: ZoneInfo | None = TOKYO) -> tuple[list[Parsed | Rejected], Tally]:
    tally = Tally()
    return list(parse(io.BytesIO(data), source="till", zone=lambda store: zone, tally=tally)), tally


def parsed(receipt: str, **head: str) -> Parsed:
    entries, _ = read(log(transaction(receipt, **head)))
    assert len(entries) == 1
    assert isinstance(entries[0], Parsed), entries[0]
    return entries[0]


def rejected(data: bytes) -> Rejected:
    entries, _ = read(data)
    assert len(entries) == 1
    assert isinstance(entries[0], Rejected)
    return entries[0]


def log(*transactions: str, head: str = "") -> bytes:
    namespace = "http://www.nrf-arts.org/IXRetail/namespace/"
    return f'{head}<POSLog xmlns="{namespace}" xmlns:acs="urn:acs">{"".join(transactions)}</POSLog>'.encode()


def transaction(receipt: str, **head: str) -> str:
    fields = {
        "RetailStoreID": "S1", "WorkstationID": "2", "SequenceNumber": "77", "BusinessDayDate": "2026-11-22",
        "EndDateTime": "2026-11-22T15:10:00", "CurrencyCode": "JPY",
    }  # fmt: skip
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in (fields | head).items() if value)
    return f"<Transaction>{inner}<RetailTransaction>{receipt}</RetailTransaction></Transaction>"


def item(  # a line of goods, as short as a test needs it
    number: int,
    amount: str,
    quantity: str = "1",
    *,
    price: str = "",
    element: str = "Sale",
    flags: str = "",
    more: str = "",
) -> str:
    price = f"<RegularSalesUnitPrice>{price}</RegularSalesUnitPrice>" if price else ""
    identity = f'<POSIdentity POSIDType="GTIN"><POSItemID>{APPLE}</POSItemID></POSIdentity>'
    return (
        f"<LineItem {flags}><SequenceNumber>{number}</SequenceNumber><{element}>{identity}{price}"
        f"<ExtendedAmount>{amount}</ExtendedAmount>{quantity and f'<Quantity>{quantity}</Quantity>'}{more}</{element}></LineItem>"
    )


def tender(amount: str, kind: str = "Cash", *, change: str = "", code: str = "Sale", flags: str = "") -> str:
    change = f"<TenderChange><Amount>{change}</Amount></TenderChange>" if change else ""
    inner = f'<Tender TenderType="{kind}" TypeCode="{code}"><Amount>{amount}</Amount>{change}</Tender>'
    return f"<LineItem {flags}>{inner}</LineItem>"


def grand(amount: str) -> str:
    return f'<Total TotalType="TransactionGrandAmount">{amount}</Total>'


def line(number: int, amount: int, quantity: int = 1, **more: Any) -> dict[str, Any]:
    price = abs(amount // quantity)
    return {"line_no": number, "barcode": APPLE, "quantity": quantity, "unit_price": price, "amount": amount} | more


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
    ("amount", "quantity", "price", "more", "unit", "discount"),
    [
        ("300", "1", "600", "", 300, 0),  # two for 600, one bought
        ("1000", "3", "400", "", 334, 2),  # three for 1,000
        ("900", "1", "1000", "<ExtendedDiscountAmount>100</ExtendedDiscountAmount>", 1000, 100),
        ("1800", "2", "1000", "<ActualSalesUnitPrice>900</ActualSalesUnitPrice>", 900, 0),
        ("0", "1", "500", "", 0, 0),
    ],
)
def test_the_amount_is_the_fact_and_the_price_leads_to_it(
    amount: str, quantity: str, price: str, more: str, unit: int, discount: int
) -> None:
    found = parsed(item(1, amount, quantity, price=price, more=more) + grand(amount) + tender(amount))
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
    return f"<LineItem><Tax><TaxableAmount>500</TaxableAmount><Amount>{amount}</Amount><Percent>10.0</Percent></Tax></LineItem>"


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


def test_namespaces_and_encodings_do_not_matter() -> None:
    receipt = transaction(item(1, "300", more="<Description>帽子</Description>") + tender("300"))
    plain = f'<?xml version="1.0" encoding="Shift_JIS"?>\r\n<POSLog>{receipt}</POSLog>'
    prefixed = receipt.replace("<", "<p:").replace("<p:/", "</p:")
    documents = [
        plain.encode("cp932"),
        plain.replace("Shift_JIS", "EUC-JP").encode("euc_jp"),
        plain.replace("Shift_JIS", "UTF-16").encode("utf-16"),
        b"\xef\xbb\xbf" + plain.replace("Shift_JIS", "UTF-8").encode(),
        f"<p:POSLog xmlns:p='urn:other'>{prefixed}</p:POSLog>".encode(),
        receipt.encode(),
    ]
    for document in documents:
        entries, _ = read(document)
        assert [entry.sale["lines"] for entry in entries if isinstance(entry, Parsed)] == [[line(1, 300, name="帽子")]]


BOMB = '<!DOCTYPE POSLog [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE POSLog [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"store,terminal\n", "not-xml"),
        (b"<POSLog><Transaction></POSLog>", "not-xml"),
        (b'<?xml version="1.0" encoding="no-such"?><POSLog/>', "not-xml"),
        (b"<POSLog>\xff</POSLog>", "not-xml"),
        (b"<html/>", "not-poslog"),
        (log(head=BOMB), "forbidden-xml"),
        (log(transaction("&b;"), head=BOMB), "forbidden-xml"),
        (log(transaction("&x;"), head=OUTSIDE), "forbidden-xml"),
        (log(head='<!DOCTYPE POSLog SYSTEM "http://example.com/x.dtd">'), "forbidden-xml"),
        (log("<a>" * 80 + "</a>" * 80), "too-deep"),
        (log(transaction("<x>" + "y" * (TRANSACTION_BYTES_MAX + 70_000) + "</x>")), "too-big"),
    ],
)
def test_a_file_that_is_no_poslog_is_refused_whole(data: bytes, code: str) -> None:
    with pytest.raises(FileInvalid) as caught:
        read(data)
    assert caught.value.code == code


def test_what_stood_before_the_fault_has_been_given() -> None:
    good = transaction(item(1, "5") + tender("5"))
    stream = parse(io.BytesIO(log(*[good] * 200) + b"<again/>"), source="till", zone=lambda store: TOKYO)
    given_before = 0
    with pytest.raises(FileInvalid) as caught:
        for _ in stream:
            given_before += 1
    assert (caught.value.code, given_before) == ("not-xml", caught.value.position)


def test_a_long_file_is_read_in_little_memory() -> None:
    class Endless(io.RawIOBase):
        """A hundred thousand transactions' worth of text that is never there at once."""

        def __init__(self) -> None:
            self.parts = [b"<POSLog>", *[transaction(item(1, "5") + tender("5")).encode() * 100] * 100, b"</POSLog>"]

        def read(self, size: int = -1) -> bytes:
            return self.parts.pop(0) if self.parts else b""

    tracemalloc.start()
    try:
        count = sum(1 for _ in parse(Endless(), source="till", zone=lambda store: TOKYO))  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert peak < 8_000_000


def only_known_faults(data: bytes) -> None:
    try:
        entries, _ = read(data)
    except FileInvalid as fault:
        assert fault.code
    else:
        assert all(isinstance(entry, Parsed | Rejected) for entry in entries)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300))
def test_random_bytes_never_crash(data: bytes) -> None:
    only_known_faults(data)
    only_known_faults(log() + data)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_the_sample_with_pieces_exchanged_never_crashes(data: st.DataObject) -> None:
    text = SMALL
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 40)))
        text = text[:start] + data.draw(st.binary(max_size=12)) + text[end:]
    only_known_faults(text)


WORDS = [
    b"-1",
    b"0",
    b"1e400",
    b"NaN",
    b"",
    b"0.0000000001",
    b"Return",
    b"true",
    b"\xe3\x80\x80",
    b"999999999999999",
    b"2026-02-30",
]


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 400), st.sampled_from(WORDS), st.integers(0, 400), st.sampled_from(WORDS))
def test_the_sample_with_other_values_never_crashes(one: int, first: bytes, two: int, second: bytes) -> None:
    pieces = SMALL.split(b">")
    for place, word in ((one, first), (two, second)):
        index = place % len(pieces)
        text, opening, tag = pieces[index].partition(b"<")
        pieces[index] = (word if text else text) + opening + tag
    only_known_faults(b">".join(pieces))
