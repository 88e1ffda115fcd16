from __future__ import annotations

import io
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_bridge.formats.generic.parse import ROWS_MAX, parse
from pos_bridge.formats.result import FileInvalid, Parsed, Rejected, Tally, Warned

HEADER = (
    "store,terminal,receipt_no,business_date,sold_at,line_no,sku,name,quantity,unit_price,"
    "tender_method,tender_amount,barcode,discount,card_no,kind"
)
TOKYO = ZoneInfo("Asia/Tokyo")
KEY = {"source": "shop", "store": "S1", "terminal": "1", "business_date": "2026-11-22", "receipt_no": "R1"}


def read(data: bytes | str, zone: ZoneInfo | None = TOKYO) -> tuple[list[Parsed | Rejected], Tally]:
    tally = Tally()
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return list(parse(stream, source="shop", zone=lambda _store: zone, tally=tally)), tally


def row(receipt: str = "R1", **cells: str) -> str:
    fixed = {"store": "S1", "terminal": "1", "business_date": "2026/11/22", "sold_at": "2026/11/22 15:10"}
    given = fixed | {"receipt_no": receipt} | cells
    return ",".join(given.get(name, "") for name in HEADER.split(","))


def goods(no: str, sku: str, quantity: str, price: str, receipt: str = "R1", **more: str) -> str:
    return row(receipt, line_no=no, sku=sku, quantity=quantity, unit_price=price, **more)


def paid(method: str, amount: str, receipt: str = "R1") -> str:
    return row(receipt, tender_method=method, tender_amount=amount)


def rows(*lines: str) -> str:
    return "\n".join([HEADER, *lines, ""])


def sale(*lines: str) -> Parsed:
    entries, _ = read(rows(*lines))
    assert len(entries) == 1
    assert isinstance(entries[0], Parsed), entries[0]
    return entries[0]


def line(no: int, sku: str, quantity: int, price: int, **more: Any) -> dict[str, Any]:
    return {"line_no": no, "sku": sku, "quantity": quantity, "unit_price": price} | more


def test_lines_and_payments_of_a_receipt_become_one_sale() -> None:
    found = sale(
        goods("1", "A", "2", '"1,100"', name="Tee", discount="200", card_no="0042"),
        goods("2", "007", "1", "¥500", barcode="4901234567894"),
        paid("cash", "2000"),
        paid("クレジット", "500"),
    )
    assert found == Parsed(
        position=2,
        sale={
            **KEY,
            "kind": "sale",
            "sold_at": "2026-11-22T06:10:00Z",
            "customer": {"card_no": "0042"},
            "lines": [
                line(1, "A", 2, 1100, name="Tee", discount=200),
                line(2, "007", 1, 500, barcode="4901234567894"),
            ],
            "tenders": [{"method": "cash", "amount": 2000}, {"method": "card", "amount": 500}],
        },
    )


def test_japanese_headers_in_cp932_are_understood() -> None:
    data = (
        "店舗コード,レジ番号,レシート番号,営業日,取引日時,行番号,品番,商品名,数量,単価,支払方法,支払金額,天気\r\n"
        "S1,1,R1,2026-11-22,2026-11-22T15:10:00+09:00,1,A,帽子,１,￥500,現金,500,晴\r\n"
    ).encode("cp932")
    entries, tally = read(data, None)
    assert entries == [
        Parsed(
            2,
            {
                **KEY,
                "kind": "sale",
                "sold_at": "2026-11-22T06:10:00Z",
                "lines": [line(1, "A", 1, 500, name="帽子")],
                "tenders": [{"method": "cash", "amount": 500}],
            },
        )
    ]
    assert (tally.entries, tally.unknown_columns, tally.encoding) == (1, ("天気",), "cp932")


def test_a_payment_repeated_on_every_row_was_made_once() -> None:
    same = {"tender_method": "cash", "tender_amount": "800"}
    found = sale(goods("1", "A", "1", "300", **same), goods("2", "B", "1", "500", **same))
    assert found.sale["tenders"] == [{"method": "cash", "amount": 800}]
    twice = {"tender_method": "cash", "tender_amount": "400"}
    found = sale(goods("1", "A", "1", "300", **twice), goods("2", "B", "1", "500", **twice))
    assert found.sale["tenders"] == [{"method": "cash", "amount": 400}] * 2
    assert found.warnings == ()


def test_a_line_repeated_for_each_payment_was_sold_once() -> None:
    found = sale(
        goods("1", "A", "1", "800", tender_method="cash", tender_amount="300"),
        goods("1", "A", "1", "800", tender_method="card", tender_amount="500"),
    )
    assert found.sale["lines"] == [line(1, "A", 1, 800)]
    assert found.sale["tenders"] == [{"method": "cash", "amount": 300}, {"method": "card", "amount": 500}]
    assert found.warnings == ()


@pytest.mark.parametrize("kind", ["return", "返品", "Return"])
def test_a_return_counts_what_came_back(kind: str) -> None:
    found = sale(goods("1", "A", "1", "800", kind=kind), paid("cash", "800"))
    assert (found.sale["kind"], found.sale["lines"]) == ("return", [line(1, "A", 1, 800)])


def test_only_negative_pieces_are_a_return_and_mixed_ones_an_exchange() -> None:
    found = sale(goods("1", "A", "-1", "800", discount="100"), paid("cash", "▲700"))
    assert found.sale["kind"] == "return"
    assert found.sale["lines"] == [line(1, "A", 1, 800, discount=100)]
    assert found.sale["tenders"] == [{"method": "cash", "amount": 700}]
    assert found.warnings == ()
    mixed = sale(goods("1", "A", "-1", "800"), goods("2", "B", "1", "900"), paid("cash", "100"))
    assert mixed.sale["kind"] == "sale"
    assert mixed.sale["lines"] == [line(1, "A", -1, 800), line(2, "B", 1, 900)]
    assert mixed.warnings == ()


def test_a_void_is_told_by_its_kind() -> None:
    assert sale(goods("1", "A", "1", "800", kind="取消"), paid("cash", "800")).sale["kind"] == "void"


def test_an_unknown_store_keeps_its_wall_clock() -> None:
    entries, _ = read(rows(goods("1", "A", "1", "800"), paid("cash", "800")), None)
    assert isinstance(entries[0], Parsed)
    assert entries[0].sale["sold_at"] == "2026/11/22 15:10"
    assert entries[0].warnings == (Warned("/sold_at", "zone-unknown"),)


def test_odd_sales_are_given_with_warnings() -> None:
    found = sale(row(line_no="1", name="?", quantity="1", unit_price="800"), paid("cash", "700"))
    assert found.warnings == (Warned("/tenders", "tenders-differ"), Warned("/lines/0", "code-missing"))


def test_receipts_stand_together_and_one_that_comes_again_is_refused() -> None:
    entries, tally = read(
        rows(
            goods("1", "A", "1", "800"),
            paid("cash", "800"),
            goods("1", "B", "1", "500", "R2"),
            paid("cash", "500", "R2"),
            goods("2", "C", "1", "100"),
            goods("1", "D", "1", "300", "R3"),
            paid("cash", "300", "R3"),
        )
    )
    assert [(entry.position, getattr(entry, "code", "ok")) for entry in entries] == [
        (2, "ok"),
        (4, "ok"),
        (6, "receipt-reappears"),
        (7, "ok"),
    ]
    assert isinstance(entries[2], Rejected)
    assert entries[2].key == KEY
    assert entries[2].raw.startswith("S1,1,R1,2026/11/22")
    assert tally.entries == 4


@pytest.mark.parametrize(
    ("bad", "code", "column"),
    [
        (goods("2", "B", "1.5", "500"), "not-an-integer", "quantity"),
        (goods("2", "B", "0", "500"), "out-of-range", "quantity"),
        (goods("2", "B", "1", "-500"), "out-of-range", "unit_price"),
        (goods("2", "B", "1", ""), "empty", "unit_price"),
        (goods("2", "B" * 65, "1", "500"), "too-long", "sku"),
        (goods("1", "B", "1", "500"), "line-conflict", "line_no"),
        (row(), "row-says-nothing", None),
        (paid("", "500"), "empty", "tender_method"),
        (paid("cash", "x"), "not-an-integer", "tender_amount"),
        (goods("2", "B", "1", "500") + ",extra", "too-many-cells", None),
        ("S1,1,R1,2026/11/22", "too-few-cells", None),
        ("garbage", "too-few-cells", None),
    ],
)
def test_one_bad_row_refuses_its_receipt_and_no_other(bad: str, code: str, column: str | None) -> None:
    entries, _ = read(rows(goods("1", "A", "1", "800"), bad, paid("cash", "800"), goods("1", "Z", "1", "5", "R2")))
    assert len(entries) == 2
    assert isinstance(entries[0], Rejected)
    assert (entries[0].position, entries[0].code, entries[0].column) == (3, code, column)
    assert isinstance(entries[1], Parsed)
    assert entries[1].sale["receipt_no"] == "R2"


@pytest.mark.parametrize(
    ("cells", "code", "column", "position"),
    [
        ({"store": ""}, "key-missing", "store", 2),
        ({"business_date": "2027/02/29"}, "not-a-date", "business_date", 2),
        ({"terminal": "1" * 65}, "key-too-long", "terminal", 2),
        ({"sold_at": "noon"}, "sold-at-invalid", "sold_at", 2),
        ({"kind": "gift"}, "kind-unknown", "kind", 2),
    ],
)
def test_a_receipt_without_its_head_is_refused(cells: dict[str, str], code: str, column: str, position: int) -> None:
    entries, _ = read(rows(row(**{"line_no": "1", "sku": "A", "quantity": "1", "unit_price": "5"} | cells)))
    assert isinstance(entries[0], Rejected)
    assert (entries[0].code, entries[0].column, entries[0].position) == (code, column, position)


def test_rows_that_disagree_about_the_receipt_refuse_it() -> None:
    entries, _ = read(rows(goods("1", "A", "1", "5", kind="sale"), goods("2", "B", "1", "5", kind="return")))
    assert isinstance(entries[0], Rejected)
    assert (entries[0].code, entries[0].column) == ("rows-differ", "kind")


def test_payments_alone_are_no_sale() -> None:
    entries, _ = read(rows(paid("cash", "5")))
    assert isinstance(entries[0], Rejected)
    assert entries[0].code == "no-lines"


def test_a_receipt_has_a_bound() -> None:
    entries, _ = read(rows(*(goods(str(n), "A", "1", "5") for n in range(1, ROWS_MAX + 3)), paid("cash", "5", "R2")))
    assert [getattr(entry, "code", "ok") for entry in entries] == ["too-many-rows", "no-lines"]


@pytest.mark.parametrize(
    ("data", "code", "column"),
    [
        (b"", "header-missing", None),
        (b"<POSLog/>", "column-missing", "store"),
        (HEADER.replace("sold_at,", "").encode(), "column-missing", "sold_at"),
        (HEADER.replace(",sku", "").replace(",barcode", "").encode(), "column-missing", "sku"),
        (HEADER.encode() + b",SKU", "column-repeated", "sku"),
        (HEADER.encode("utf-16"), "encoding-unsupported", None),
    ],
)
def test_a_file_without_the_columns_is_refused_whole(data: bytes, code: str, column: str | None) -> None:
    with pytest.raises(FileInvalid) as caught:
        read(data)
    assert (caught.value.code, caught.value.column) == (code, column)


GOOD = rows(goods("1", "A", "2", "1100"), paid("cash", "2200"), goods("1", "B", "1", "5", "R2")).encode()


@settings(deadline=None, max_examples=200)
@given(st.integers(0, len(GOOD)), st.integers(0, 30), st.binary(max_size=20))
def test_a_file_with_pieces_exchanged_never_crashes(start: int, length: int, piece: bytes) -> None:
    with suppress(FileInvalid):
        entries, tally = read(GOOD[:start] + piece + GOOD[start + length :])
        assert tally.entries == len(entries)
