"""What can be imported: a registry that features fill, and the shape in which rows come.

`offer` is for CSV files at `POST /imports/{kind}`: named columns, one row after the other. `read_with` is for files
with a form of their own (tills' files), whose feature has its own address and its own reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from app.core.csvfile import Column, CsvHeaderError, open_csv

from .errors import FileUnreadable, UnknownImportKind

ROW_ID = "#"
Cells = dict[str, str]
Apply = Callable[[Any, Any], bool]
Prepare = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is refused; `column` is None when it is the row as a whole."""

    column: str | None
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One row. Numbers rise; `raw` is what is sent back if it is refused; `faults` refuse it before it is applied."""

    number: int
    data: Any
    raw: tuple[str, ...]
    faults: tuple[Fault, ...] = ()


class Source(Protocol):
    """An opened file. Iterating may raise FileUnreadable; rows given before count."""

    header: tuple[str, ...]
    ignored: tuple[str, ...]

    def __iter__(self) -> Iterator[Record]:
        """Give its rows."""


Open = Callable[[BinaryIO, Mapping[str, Any]], Source]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file. `public` ones have an address of their own here."""

    name: str
    open: Open
    apply: Apply
    prepare: Prepare
    scope: str | None
    blame: Mapping[str, str]
    public: bool


_kinds: dict[str, Kind] = {}


def nothing(_rows: Sequence[Any]) -> None:
    """Prepare nothing."""


def offer(
    kind: str,
    columns: Sequence[Column],
    apply: Apply,
    *,
    prepare: Prepare = nothing,
    scope: str | None = None,
    blame: Mapping[str, str] | None = None,
    numbered: bool = False,
) -> None:
    """Take CSV files of `kind` at `POST /imports/{kind}`.

    `apply(cells, prepared)` puts one row (text by column) in, says whether anything changed, and refuses by raising an
    AppError; it runs in a savepoint, five hundred rows in one transaction. `prepare(rows)` is called before them and
    may load at once what all of them need. `scope` is needed beside `catalog:write`; `blame` names the column for the
    code of an error that points nowhere. With `numbered`, cells[ROW_ID] says which row of which file it is, so that a
    row whose meaning depends on the moment is put in once, however often its file comes.
    """

    def read(file: BinaryIO, facts: Mapping[str, Any]) -> Source:
        return _Sheet(file, columns, str(facts["sha256"]) if numbered else None)

    _kinds[kind] = Kind(kind, read, apply, prepare, scope, blame or {}, public=True)


def read_with(kind: str, reader: Open, apply: Apply, *, prepare: Prepare = nothing, scope: str | None = None) -> None:
    """Run files of `kind` through `reader(file, facts)`; a feature starts them itself with `start`."""
    _kinds[kind] = Kind(kind, reader, apply, prepare, scope, {}, public=False)


def kind_named(name: str, *, public: bool = False) -> Kind:
    """The kind, or UnknownImportKind."""
    kind = _kinds.get(name)
    if kind is None or (public and not kind.public):
        raise UnknownImportKind(kinds=sorted(k.name for k in _kinds.values() if k.public))
    return kind


class _Sheet:
    """A CSV file as a source."""

    def __init__(self, file: BinaryIO, columns: Sequence[Column], mark: str | None) -> None:
        self._mark = mark
        try:
            self._csv = open_csv(file, columns)
        except CsvHeaderError as error:
            raise FileUnreadable(error.code, error.column) from error
        self.header = self._csv.header
        self.ignored = self._csv.unknown

    def __iter__(self) -> Iterator[Record]:
        for row in self._csv:
            cells = row.cells if self._mark is None else {**row.cells, ROW_ID: f"{self._mark}:{row.number}"}
            yield Record(row.number, cells, row.raw, tuple(Fault(bad.column, bad.code) for bad in row.problems))
