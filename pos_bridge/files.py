"""Tills' files: read by their format, taken in like any other sale, some hundred receipts in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from itertools import chain
from typing import Any, BinaryIO, Final

import orjson

from app import imports, stores
from app.imports import Fault, FileUnreadable, Record, UnknownImport, UnknownImportKind

from .errors import ReceiptConflict
from .formats.generic.parse import parse as parse_generic
from .formats.poslog.parse import parse as parse_poslog
from .formats.result import FileInvalid, Parsed, Rejected, Tally
from .offers import KeyUnreadable, Offer, Result
from .receipts import receive
from .schemas import read_offer

PREFIX: Final = "pos-"
_FORMATS: Final[Mapping[str, Callable[..., Iterator[Parsed | Rejected]]]] = {
    "generic": parse_generic,
    "poslog": parse_poslog,
}
_RETURNED: Final = ("quantity", "discount", "amount")


def kind_of(adapter: str) -> str:
    """The kind of import that reads this adapter's files. Raises UnknownImportKind."""
    if adapter not in _FORMATS:
        raise UnknownImportKind(kinds=sorted(_FORMATS))
    return PREFIX + adapter


def find(adapter: str, run_id: str) -> Any:
    """A till's file on its way in. Raises UnknownImport."""
    run = imports.find(run_id)
    if run.kind != PREFIX + adapter:
        raise UnknownImport
    return run


def offer_kinds() -> None:
    """Let files of every format be imported."""
    for adapter in _FORMATS:
        imports.read_with(PREFIX + adapter, _reader(adapter), _answer, prepare=_take_in, scope="pos:write")


def _reader(adapter: str) -> Callable[[BinaryIO, Mapping[str, Any]], TillFile]:
    def read(file: BinaryIO, facts: Mapping[str, Any]) -> TillFile:
        return TillFile(file, adapter, str(facts["source"]))

    return read


class TillFile:
    """A till's file as rows: one receipt each. What makes it no such file at all is told at once, if it is early."""

    header: tuple[str, ...] = ("receipt",)

    def __init__(self, file: BinaryIO, adapter: str, source: str) -> None:
        tally = Tally()
        self._entries = _FORMATS[adapter](file, source=source, zone=_zone, tally=tally)
        try:
            self._first = list(_some(self._entries))
        except FileInvalid as fault:
            raise FileUnreadable(fault.code, fault.column) from fault
        self.ignored: tuple[str, ...] = tally.unknown_columns

    def __iter__(self) -> Iterator[Record]:
        try:
            for entry in chain(self._first, self._entries):
                yield _record(entry)
        except FileInvalid as fault:
            raise FileUnreadable(fault.code, fault.column) from fault


def _some(entries: Iterator[Parsed | Rejected]) -> Iterator[Parsed | Rejected]:
    for entry in entries:
        yield entry
        return


def _zone(store: str) -> tzinfo | None:
    place = stores.directory().get(store)
    return place.calendar.zone if place else None


def _record(entry: Parsed | Rejected) -> Record:
    if isinstance(entry, Rejected):
        return Record(entry.position, None, (entry.raw,), (Fault(entry.column, entry.code),))
    sale = entry.sale | {"lines": [_signed(line) for line in entry.sale["lines"]]}
    raw = (orjson.dumps(sale).decode(),)
    try:
        offer = read_offer(sale)
    except KeyUnreadable as fault:
        faults = tuple(Fault(one["pointer"][1:], one["code"]) for one in fault.problems)
        return Record(entry.position, None, raw, faults)
    offer.problems.extend({"pointer": one.pointer, "code": one.code} for one in entry.warnings)
    return Record(entry.position, offer, raw)


def _signed(line: Mapping[str, Any]) -> dict[str, Any]:
    """Goods that came back on a sale's paper are written with a minus; here they are pieces that were returned."""
    if line["quantity"] >= 0:
        return dict(line)
    return {**line, **{name: -line[name] for name in _RETURNED if name in line}, "returned": True}


def _take_in(offers: Sequence[Offer]) -> dict[int, Result]:
    """All receipts of a batch at once."""
    return {id(offer): result for offer, result in zip(offers, receive(offers), strict=True)}


def _answer(offer: Offer, results: dict[int, Result]) -> bool:
    """Whether the receipt changed anything. Raises ReceiptConflict, UnknownLocation."""
    result = results[id(offer)]
    if result.status == 404:
        raise stores.UnknownLocation(location=offer.key.store)
    if result.status == 409:
        raise ReceiptConflict(id=result.id, state=result.state, revision=offer.revision)
    return result.status == 201
