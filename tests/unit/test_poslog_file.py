from __future__ import annotations

import io
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_bridge.formats.poslog.parse import TRANSACTION_BYTES_MAX, parse
from pos_bridge.formats.result import FileInvalid, Parsed, Rejected
from tests.unit.poslog_text import SMALL, TOKYO, item, line, log, read, tender, transaction


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
OUTSIDE = '<!DOCTYPE POSLog [<!ENTITY x SYSTEM "/etc/passwd">]>'


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
    stream = parse(io.BytesIO(log(*[good] * 400) + b"<again/>"), source="till", zone=lambda _store: TOKYO)
    entries: list[Parsed | Rejected] = []
    with pytest.raises(FileInvalid) as caught:
        entries.extend(stream)
    assert (caught.value.code, caught.value.position, len(entries)) == ("not-xml", 400, 400)


def test_a_long_file_is_read_in_little_memory() -> None:
    class Journal(io.BytesIO):
        """A long journal that is never there at once."""

        def __init__(self) -> None:
            super().__init__()
            self.parts = [b"<POSLog>", *[transaction(item(1, "5") + tender("5")).encode() * 100] * 8, b"</POSLog>"]

        def read(self, size: int | None = -1) -> bytes:
            return self.parts.pop(0) if self.parts else b""

    tracemalloc.start()
    try:
        count = sum(1 for _ in parse(Journal(), source="till", zone=lambda _store: TOKYO))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 800
    assert peak < 4_000_000


def only_known_faults(data: bytes) -> None:
    with suppress(FileInvalid):
        entries, _ = read(data)
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
