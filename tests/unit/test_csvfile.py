from __future__ import annotations

import csv
import datetime as dt
import io
import tracemalloc
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import csvfile
from app.core.csvfile import BadCell, CellInvalid, Column, CsvHeaderError, Limits, open_csv

COLUMNS = (
    Column("sku", ("品番", "商品コード"), required=True),
    Column("name", ("商品名",)),
    Column("list_price", ("定価",)),
    Column("option.", ("オプション.",), open_ended=True),
)
TOKYO = ZoneInfo("Asia/Tokyo")


def read(data: bytes, **limits: int) -> list[csvfile.Row]:
    return list(open_csv(io.BytesIO(data), COLUMNS, limits=Limits(**limits)))


def cells(data: bytes) -> list[dict[str, str]]:
    return [row.cells for row in read(data)]


@pytest.mark.parametrize(
    ("encoding", "found"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp932", "cp932"), ("ascii", "utf-8")]
)
def test_the_usual_encodings_are_found(encoding: str, found: str) -> None:
    name = "Tee" if encoding == "ascii" else "①髙島〜Tシャツ"
    header = "sku,name" if encoding == "ascii" else "品番,商品名"
    file = open_csv(io.BytesIO(f"{header}\r\n001,{name}\r\n".encode(encoding)), COLUMNS)
    assert file.encoding == found
    shown = name.replace("〜", "～") if encoding == "cp932" else name
    assert [row.cells for row in file] == [{"sku": "001", "name": shown}]


def test_the_encoding_is_decided_by_the_whole_file_not_by_its_start() -> None:
    lines = "sku,name\r\n" + "A,plain\r\n" * 8_000 + "B,帽子\r\n"
    assert cells(lines.encode("cp932"))[-1] == {"sku": "B", "name": "帽子"}
    assert cells(lines.encode())[-1] == {"sku": "B", "name": "帽子"}


def test_a_character_cut_by_the_end_of_the_file_spoils_only_its_row() -> None:
    rows = read("sku,name\nA,帽子\nB,帽子".encode()[:-1])
    assert rows[0].cells == {"sku": "A", "name": "帽子"}
    assert rows[1].problems == (BadCell("name", "unreadable-character"),)


def test_utf_16_is_named_as_unsupported() -> None:
    with pytest.raises(CsvHeaderError) as caught:
        open_csv(io.BytesIO("sku,name\n".encode("utf-16")), COLUMNS)
    assert caught.value.code == "encoding-unsupported"


def test_headers_are_mapped_by_any_accepted_spelling_and_unknown_ones_are_told() -> None:
    file = open_csv(
        io.BytesIO("ＳＫＵ , 商品 名,メモ,option.Color,オプション.サイズ\n007,帽子,x,navy,M\n".encode()), COLUMNS
    )
    assert file.unknown == ("メモ",)
    assert file.fields == ("sku", "name", None, "option.color", "option.サイズ")
    assert [row.cells for row in file] == [{"sku": "007", "name": "帽子", "option.color": "navy", "option.サイズ": "M"}]


@pytest.mark.parametrize(
    ("data", "code", "column"),
    [
        (b"", "header-missing", None),
        (b"\r\n,,\r\n", "header-missing", None),
        (b"name\nx\n", "column-missing", "sku"),
        ("sku,品番\n1,2\n".encode(), "column-repeated", "sku"),
        (b"sku" + b",x" * 300 + b"\n", "too-many-columns", None),
        (b'"sku\n', "header-unreadable", None),
    ],
)
def test_a_file_without_a_usable_header_is_refused(data: bytes, code: str, column: str | None) -> None:
    with pytest.raises(CsvHeaderError) as caught:
        open_csv(io.BytesIO(data), COLUMNS)
    assert (caught.value.code, caught.value.column) == (code, column)


def test_numbers_are_those_a_spreadsheet_shows_and_blank_rows_are_passed_over() -> None:
    rows = read(b"sku,name\nA,1\n\n,\nB,2\n")
    assert [(row.number, row.cells["sku"]) for row in rows] == [(2, "A"), (5, "B")]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_quoted_line_ends_stay_in_their_cell(end: str) -> None:
    data = end.join(["sku,name", f'A,"two{end}lines, ""quoted"""', "B,x", ""]).encode()
    assert cells(data) == [{"sku": "A", "name": f'two{end}lines, "quoted"'}, {"sku": "B", "name": "x"}]


def test_tabs_divide_when_the_header_has_no_comma() -> None:
    assert cells(b"sku\tname\nA\tx, y\n") == [{"sku": "A", "name": "x, y"}]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"A", BadCell(None, "too-few-cells")),
        (b"A,x,y", BadCell(None, "too-many-cells")),
        (b"A,x\0y", BadCell("name", "nul-character")),
        (b"A," + b"x" * 101, BadCell("name", "cell-too-long")),
        (b"A," + b"x" * 5_000, BadCell(None, "row-too-long")),
        (b'A,"x"y', BadCell(None, "quote-misplaced")),
        (b'A,"x', BadCell(None, "quote-unclosed")),
    ],
)
def test_a_bad_row_is_told_and_the_next_one_is_read(line: bytes, problem: BadCell) -> None:
    rows = read(b"sku,name\n" + line + b"\nB,fine\n", row_chars=1_000, cell_chars=100)
    assert [row.problems for row in rows] == [(problem,), ()]
    assert rows[1].cells == {"sku": "B", "name": "fine"}


def test_empty_cells_behind_the_last_column_are_harmless() -> None:
    assert cells(b"sku,name,,\nA,x,,\nB,y,,,\n") == [{"sku": "A", "name": "x"}, {"sku": "B", "name": "y"}]


def test_an_open_quote_does_not_swallow_the_file() -> None:
    data = b'sku,name\nA,"open\n' + b"".join(b"S%d,x\n" % n for n in range(5_000))
    rows = read(data, row_chars=1_000)
    assert rows[0].problems == (BadCell(None, "quote-unclosed"),)
    assert [row.cells["sku"] for row in rows[1:]] == [f"S{n}" for n in range(5_000)]


def test_an_overlong_line_behind_an_open_quote_costs_one_row() -> None:
    rows = read(b'sku,name\nA,"open\nB,' + b"x" * 9_000 + b"\nC,fine\n", row_chars=1_000)
    assert [row.problems[:1] for row in rows] == [
        (BadCell(None, "quote-unclosed"),),
        (BadCell(None, "row-too-long"),),
        (),
    ]
    assert rows[2].cells == {"sku": "C", "name": "fine"}


def test_memory_is_bounded_by_a_row_not_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.write(b"sku,name\n" + b"A," + b"x" * 6_000_000 + b"\n")
        for _ in range(20):
            file.write(b"A,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" * 1_000)
    tracemalloc.start()
    try:
        opened = open_csv(path, COLUMNS)
        count = sum(1 for _ in opened)
        peak = tracemalloc.get_traced_memory()[1]
        opened.close()
    finally:
        tracemalloc.stop()
    assert count == 20_001
    assert peak < 2_000_000


def test_a_stream_that_cannot_go_back_is_read_too() -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert [row.cells for row in open_csv(Pipe("sku\n帽子\n".encode("cp932")), COLUMNS)] == [{"sku": "帽子"}]


def test_the_callers_stream_stays_open() -> None:
    stream = io.BytesIO(b"sku\nA\n")
    file = open_csv(stream, COLUMNS)
    list(file)
    file.close()
    del file
    assert not stream.closed


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0", 0), ("1,234", 1234), ("１２３", 123), ("¥1,000", 1000), ("￥５００", 500), ("500円", 500), ("-3", -3),
        ("−3", -3), ("▲1,200", -1200), ("¥-5", -5), ("-¥5", -5), ("+7", 7), (" 8 ", 8), ("007", 7),
    ],
)  # fmt: skip
def test_whole_numbers_as_people_write_them(cell: str, value: int) -> None:
    assert csvfile.integer(cell) == value


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", "empty"), ("1.5", "not-an-integer"), ("12,34", "not-an-integer"), ("1e3", "not-an-integer"),
        ("--1", "not-an-integer"), ("-¥-1", "not-an-integer"), ("9" * 30, "out-of-range"), ("1001", "out-of-range"),
        ("٣x", "not-an-integer"),
    ],
)  # fmt: skip
def test_what_is_no_whole_number(cell: str, code: str) -> None:
    with pytest.raises(CellInvalid) as caught:
        csvfile.integer(cell, maximum=1_000)
    assert caught.value.code == code


@pytest.mark.parametrize("cell", ["2028/02/29", "2028-02-29", "2028/2/29", "２０２８／２／２９", "2028年2月29日"])
def test_dates(cell: str) -> None:
    assert csvfile.date(cell) == dt.date(2028, 2, 29)


@pytest.mark.parametrize("cell", ["2027/02/29", "2026/13/01", "2026/02-01", "22/11/2026", "20261122", "0000/01/01"])
def test_what_is_no_date(cell: str) -> None:
    with pytest.raises(CellInvalid, match="not-a-date"):
        csvfile.date(cell)


@pytest.mark.parametrize(
    ("cell", "hour"),
    [
        ("2026/11/22 15:10", 6), ("2026-11-22T15:10:00", 6), ("2026-11-22 15:10:00.000", 6),
        ("2026-11-22T15:10:00Z", 15), ("2026-11-22T15:10:00+0900", 6), ("2026-11-22 15:10:00 -05:00", 20),
    ],
)  # fmt: skip
def test_moments_take_the_stores_zone_unless_they_bring_their_own(cell: str, hour: int) -> None:
    assert csvfile.instant(cell, TOKYO) == dt.datetime(2026, 11, 22, hour, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize("cell", ["2026/11/22", "2026/11/22 25:00", "2026/11/22 1:2", "0001-01-01 00:00", "x 10:00"])
def test_what_is_no_moment(cell: str) -> None:
    with pytest.raises(CellInvalid):
        csvfile.instant(cell, TOKYO)


def test_yes_and_no() -> None:
    assert [csvfile.boolean(c) for c in ("1", "TRUE", "はい", "○", "0", "No", "なし")] == [True] * 4 + [False] * 3
    with pytest.raises(CellInvalid, match="not-a-boolean"):
        csvfile.boolean("maybe")


def written(rows: list[list[csvfile.Cell]], encoding: str = "utf-8-sig") -> bytes:
    out = io.BytesIO()
    csvfile.write_rows(out, ["a"], rows, encoding=encoding)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"), ("+SUM(A1)", "'+SUM(A1)"), ("-cmd", "'-cmd"), ("@x", "'@x"), ("-1,234", '"-1,234"'),
        ("+12.5%", "+12.5%"), ("+81 90-1234-5678", "+81 90-1234-5678"), ("\tx", "'\tx"), ("0012", "0012"), (-5, "-5"),
        (None, '""'), (True, "1"), (dt.date(2026, 11, 22), "2026-11-22"), ("-", "'-"),
    ],
)  # fmt: skip
def test_formulas_are_made_harmless_and_numbers_are_left_alone(cell: csvfile.Cell, shown: str) -> None:
    assert written([[cell]]) == b"\xef\xbb\xbfa\r\n" + shown.encode() + b"\r\n"


def test_what_we_wrote_is_read_back_as_it_was() -> None:
    out = io.BytesIO()
    csvfile.write_rows(out, ["sku", "name"], [["=A1", 'say "hi",\nyou'], ["007", "-5"]])
    out.seek(0)
    assert [row.cells for row in open_csv(out, COLUMNS)] == [
        {"sku": "=A1", "name": 'say "hi",\nyou'},
        {"sku": "007", "name": "-5"},
    ]


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("①", b"\x87\x40"), ("髙", b"\xee\xe0"), ("﨑", b"\xed\x95"), ("〜", b"\x81\x60"), ("−", b"\x81\x7c"),
        ("—", "―".encode("cp932")), ("a\u00a0b", b"a b"), ("é", b"e"), ("𠮷", "吉".encode("cp932")),
        ("♡", "〓".encode("cp932")),
        ("😀", "〓".encode("cp932")), ("ゔ", "ヴ".encode("cp932")), ("葛\U000e0100", "葛".encode("cp932")),
        ("か\u3099", "が".encode("cp932")), ("㈱Ⅳ～－", "㈱Ⅳ～－".encode("cp932")), ("\ud800", b"?"),
    ],
)  # fmt: skip
def test_cp932_takes_everything_with_its_nearest(text: str, stored: bytes) -> None:
    assert written([[text]], "cp932") == b"a\r\n" + stored + b"\r\n"


def test_replaced_characters_are_told_by_row() -> None:
    out = io.BytesIO()
    report = csvfile.write_rows(out, ["名"], [["髙橋"], ["é😀"], ["か\u3099"]], encoding="cp932")
    assert (report.rows, report.replaced, report.replaced_rows) == (4, {3: "é😀"}, 1)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=400), st.integers(1, 60))
def test_random_bytes_are_rows_or_a_header_fault(data: bytes, limit: int) -> None:
    rows = read(b"sku,name\n" + data, row_chars=limit + 8)
    assert all(row.problems or set(row.cells) == {"sku", "name"} for row in rows)
    with suppress(CsvHeaderError):
        read(data)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=8), st.sampled_from(["utf-8", "cp932"])
)
def test_any_text_can_be_written_and_has_the_same_shape_again(rows: list[list[str]], encoding: str) -> None:
    out = io.BytesIO()
    csvfile.write_rows(out, ["sku", "name"], rows, encoding=encoding)  # type: ignore[arg-type]
    again = list(csv.reader(io.StringIO(out.getvalue().decode(encoding), newline="")))
    assert [len(row) for row in again] == [2] * (len(rows) + 1)
