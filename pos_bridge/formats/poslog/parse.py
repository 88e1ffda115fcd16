"""Reads a POSLog file as a stream of transactions, safely.

The file comes from outside: a document type, an entity, an endless transaction or a deep nest ends it with
`FileInvalid`. Whatever stands inside a transaction never raises; it is given as `Rejected`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from datetime import tzinfo
from typing import BinaryIO, Final, cast
from xml.etree.ElementTree import Element, TreeBuilder, XMLPullParser, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from app.core import settings
from pos_bridge.formats.poslog.receipt import NOTHING_SOLD, natural_key, not_a_sale, read_receipt
from pos_bridge.formats.poslog.tree import name_of
from pos_bridge.formats.result import RAW_KEPT_CHARS, EntryInvalid, FileInvalid, Parsed, Rejected, Tally

TRANSACTION_BYTES_MAX: Final = 4 * 1024 * 1024
DEPTH_MAX: Final = 64

_CHUNK: Final = 1 << 16
_ROOTS: Final = frozenset({"POSLog", "Transaction"})
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
# The XML parser itself knows no multi-byte encoding but UTF-8 and UTF-16; Japanese tills still write these.
_TRANSCODED: Final = {
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "cp932": "cp932",
    "ms932": "cp932", "windows-31j": "cp932", "euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp",
}  # fmt: skip


def parse(
    stream: BinaryIO,
    *,
    source: str,
    zone: Callable[[str], tzinfo | None],
    tally: Tally | None = None,
) -> Iterator[Parsed | Rejected]:
    """Give each sale of the file in its order; `zone` answers a store's time zone, None for an unknown store."""
    count = tally if tally is not None else Tally()
    for transaction in _transactions(stream, count):
        count.entries += 1
        reason = not_a_sale(transaction)
        entry = _read(transaction, count.entries, source, zone) if reason is None else None
        if isinstance(entry, Rejected) and entry.code == NOTHING_SOLD:
            reason, entry = NOTHING_SOLD, None
        if entry is not None:
            yield entry
        elif reason is not None:
            count.skipped[reason] += 1


def _read(transaction: Element, position: int, source: str, zone: Callable[[str], tzinfo | None]) -> Parsed | Rejected:
    key: dict[str, str] | None = None
    try:
        key = natural_key(transaction, source)
        return read_receipt(transaction, key, zone(key["store"]), position)
    except EntryInvalid as fault:
        raw = tostring(transaction, encoding="unicode")[:RAW_KEPT_CHARS]
        return Rejected(position, fault.code, raw, key, fault.column)


def _transactions(stream: BinaryIO, tally: Tally) -> Iterator[Element]:
    path: list[Element] = []
    inside: Element | None = None
    for event, element in _events(stream, tally):
        if event == "start":
            if not path and name_of(element) not in _ROOTS:
                raise FileInvalid("not-poslog")
            path.append(element)
            if len(path) > DEPTH_MAX:
                raise FileInvalid("too-deep", tally.entries)
            if inside is None and name_of(element) == "Transaction":
                inside = element
            continue
        path.pop()
        if element is inside:
            yield element
            inside = None
        if inside is None and path:
            # Read, or not a transaction: let it go, or the whole file would stay in memory.
            path[-1].remove(element)


def _events(stream: BinaryIO, tally: Tally) -> Iterator[tuple[str, Element]]:
    """Feed the parser piece by piece; the bound on one transaction is on what was fed since the last one ended."""
    start = stream.read(_CHUNK)
    if not start.strip():
        raise FileInvalid("empty")
    decoder = _decoder(start)
    parser = DefusedXMLParser(target=TreeBuilder(), forbid_dtd=True)
    pull = XMLPullParser(("start", "end"), _parser=parser)
    total = since = 0
    chunk = start
    while chunk:
        total += len(chunk)
        since += len(chunk)
        if total > settings.MAX_FILE_BYTES or since > TRANSACTION_BYTES_MAX:
            raise FileInvalid("too-big", tally.entries)
        for event, element in _fed(pull, decoder.decode(chunk) if decoder else chunk, tally):
            if event == "end" and name_of(element) == "Transaction":
                since = 0
            yield event, element
        chunk = stream.read(_CHUNK)
    yield from _fed(pull, None, tally)


def _fed(pull: XMLPullParser[Element], data: str | bytes | None, tally: Tally) -> Iterator[tuple[str, Element]]:
    """Give what the piece completed; a fault in it comes after what stood before it."""
    try:
        if data is None:
            pull.close()
        else:
            pull.feed(data)
    except DefusedXmlException:
        raise FileInvalid("forbidden-xml", tally.entries) from None
    except (SyntaxError, ValueError, LookupError):
        raise FileInvalid("not-xml", tally.entries) from None
    events = pull.read_events()
    while True:
        try:
            found = cast(tuple[str, Element], next(events))
        except StopIteration:
            return
        except SyntaxError:
            raise FileInvalid("not-xml", tally.entries) from None
        yield found


def _decoder(start: bytes) -> codecs.IncrementalDecoder | None:
    declared = _DECLARED.match(start.lstrip())
    codec = _TRANSCODED.get(declared[1].decode("ascii").lower()) if declared else None
    return codecs.getincrementaldecoder(codec)(errors="replace") if codec else None
