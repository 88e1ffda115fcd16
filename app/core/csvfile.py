"""Reading CSV that strangers made: any of the usual encodings, any header wording, bounded memory.

`open_csv` decides on the encoding without holding the file, maps the header through a table of accepted names and
gives row after row; a row that cannot be trusted carries its problems and never stops the others. Cells stay text, so
that leading zeros live. Reading, cell values and writing are three files; this one is their front door.
"""

from __future__ import annotations

import codecs
import csv
import io
import shutil
import tempfile
import unicodedata
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from app.core.csvcells import CellInvalid, boolean, date, instant, integer
from app.core.csvwrite import FORMULA_STARTS, Cell, Written, encode_rows, safe_cell, to_cp932, write_rows

__all__ = [
    "BadCell", "Cell", "CellInvalid", "Column", "CsvFile", "CsvHeaderError", "Limits", "Row", "Written", "boolean",
    "date", "encode_rows", "instant", "integer", "open_csv", "safe_cell", "to_cp932", "write_rows",
]  # fmt: skip

_CHUNK: Final = 1 << 16
_SPOOL: Final = 1 << 20
_UNREADABLE: Final = "\ufffd"


class CsvHeaderError(ValueError):
    """The file cannot be read as a whole: no header, a required column is missing, or one comes twice."""

    def __init__(self, code: str, column: str | None = None) -> None:
        """Keep the code and the column it is about."""
        super().__init__(code if column is None else f"{code}: {column}")
        self.code = code
        self.column = column


@dataclass(frozen=True, slots=True)
class Column:
    """An accepted column. `also` are other names of it; an open one (`option.`) takes every name that starts so."""

    field: str
    also: tuple[str, ...] = ()
    required: bool = False
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a stranger's file is taken at once, in characters and cells."""

    row_chars: int = 65_536
    cell_chars: int = 8_192
    columns: int = 200


@dataclass(frozen=True, slots=True)
class BadCell:
    """Why a row is not to be trusted; `column` is None when it is the row as a whole."""

    column: str | None
    code: str


@dataclass(frozen=True, slots=True)
class Row:
    """One record. The header is number 1, as a spreadsheet shows it. With problems, `cells` may be incomplete."""

    number: int
    cells: dict[str, str]
    raw: tuple[str, ...]
    problems: tuple[BadCell, ...] = ()


def open_csv(source: BinaryIO | Path, columns: Sequence[Column], *, limits: Limits | None = None) -> CsvFile:
    """Open a file for reading: find its encoding, read and map its header. Raises `CsvHeaderError`."""
    stream = source.open("rb") if isinstance(source, Path) else _rewindable(source)
    try:
        encoding, exact = _encoding(stream)
        stream.seek(0)
        text = _Text(stream, encoding=encoding, errors="strict" if exact else "replace", newline="")
        text.owns_stream = stream is not source
        return CsvFile(text, columns, limits or Limits(), encoding)
    except CsvHeaderError:
        if stream is not source:
            stream.close()
        raise


class CsvFile:
    """An opened file: iterate once over its rows. `unknown` are headers that nobody asked for."""

    def __init__(self, text: io.TextIOWrapper, columns: Sequence[Column], limits: Limits, encoding: str) -> None:
        """Read the header at once, so that a wrong file fails before any row is taken."""
        self.encoding = encoding
        self._limits = limits
        self._text = text
        self._records = _Records(text, limits.row_chars)
        self.header = self._read_header()
        self.fields, self.unknown = _mapped(self.header, columns)

    def __iter__(self) -> Iterator[Row]:
        """Give each record that is not blank."""
        number = 1
        for raw, fault in self._records:
            number += 1
            if fault is not None:
                yield Row(number, {}, raw, (BadCell(None, fault),))
            elif any(raw):
                yield self._row(number, raw)

    def close(self) -> None:
        """Close what `open_csv` opened itself; the caller's own stream stays open."""
        self._text.close()

    def _read_header(self) -> tuple[str, ...]:
        for raw, fault in self._records:
            if fault is not None:
                raise CsvHeaderError("header-unreadable")
            if len(raw) > self._limits.columns:
                raise CsvHeaderError("too-many-columns")
            cells = tuple(cell.strip().removeprefix("\ufeff") for cell in raw)
            while cells and not cells[-1]:
                cells = cells[:-1]
            if cells:
                return cells
        raise CsvHeaderError("header-missing")

    def _row(self, number: int, raw: tuple[str, ...]) -> Row:
        width = len(self.fields)
        if len(raw) < width:
            return Row(number, {}, raw, (BadCell(None, "too-few-cells"),))
        if any(raw[width:]):
            return Row(number, {}, raw, (BadCell(None, "too-many-cells"),))
        cells: dict[str, str] = {}
        problems: list[BadCell] = []
        for field, cell in zip(self.fields, raw, strict=False):
            if field is None:
                continue
            if "\0" in cell:
                problems.append(BadCell(field, "nul-character"))
            elif _UNREADABLE in cell:
                problems.append(BadCell(field, "unreadable-character"))
            elif len(cell) > self._limits.cell_chars:
                problems.append(BadCell(field, "cell-too-long"))
            else:
                cells[field] = _typed(cell)
        return Row(number, cells, raw, tuple(problems))


class _Text(io.TextIOWrapper):
    """A decoder that leaves the caller's stream open when it is thrown away."""

    owns_stream = False

    def close(self) -> None:
        if self.owns_stream:
            super().close()


class _Records:
    """Records of a CSV text with a bound on each, also when a quote is opened and never closed."""

    def __init__(self, text: io.TextIOWrapper, limit: int) -> None:
        self._text = text
        self._limit = limit
        self._waiting: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0
        self._dialect: str = self._delimiter()

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], str | None]]:
        reader = self._reader()
        while True:
            self._taken, self._size = [], 0
            try:
                yield tuple(next(reader)), None
            except StopIteration:
                return
            except _TooLong:
                yield self._give_up("row-too-long")
                reader = self._reader()
            except csv.Error as error:
                # In strict mode the end of the file inside quotes is an error as well.
                ended = "unexpected end" in str(error) or "field larger" in str(error)
                yield self._give_up("quote-unclosed" if ended else "quote-misplaced")
                reader = self._reader()

    def _reader(self) -> Iterator[list[str]]:
        return cast("Iterator[list[str]]", csv.reader(self._lines(), delimiter=self._dialect, strict=True))

    def _lines(self) -> Iterator[str]:
        while True:
            line = self._waiting.popleft() if self._waiting else self._text.readline(self._limit + 1)
            if not line:
                return
            self._taken.append(line)
            self._size += len(line)
            if self._size > self._limit:
                self._finish(line)
                self._taken[-1] = line.rstrip("\r\n") + "\n"
                raise _TooLong
            yield line

    def _finish(self, line: str) -> None:
        """Read the rest of a line that was longer than the bound, without keeping it."""
        while line and not self._waiting and not line.endswith(("\n", "\r")):
            line = self._text.readline(self._limit)

    def _give_up(self, code: str) -> tuple[tuple[str, ...], str]:
        """Only the first line is lost; what a stray quote swallowed after it is read again."""
        first, rest = self._taken[0], self._taken[1:]
        self._waiting.extendleft(reversed(rest))
        return (first.rstrip("\r\n")[:1_000],), "quote-unclosed" if rest else code

    def _delimiter(self) -> str:
        first = self._text.readline(self._limit + 1)
        if first:
            self._waiting.append(first)
        return "\t" if "\t" in first and "," not in first else ","


class _TooLong(Exception):
    pass


def _mapped(header: tuple[str, ...], columns: Sequence[Column]) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    exact = {_key(name): c.field for c in columns if not c.open_ended for name in (c.field, *c.also)}
    starts = [(_key(name), c.field) for c in columns if c.open_ended for name in (c.field, *c.also)]
    fields: list[str | None] = []
    unknown: list[str] = []
    for name in header:
        key = _key(name)
        field = exact.get(key) or next((f + key[len(s) :] for s, f in starts if key.startswith(s) and key != s), None)
        if field is not None and field in fields:
            raise CsvHeaderError("column-repeated", field)
        if field is None:
            unknown.append(name)
        fields.append(field)
    for column in columns:
        if column.required and column.field not in fields:
            raise CsvHeaderError("column-missing", column.field)
    return tuple(fields), tuple(unknown)


def _key(name: str) -> str:
    """Make a header comparable: width, case, spaces and the marks of a required column do not matter."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(text.split()).strip("*※'\"")


def _typed(cell: str) -> str:
    """Undo what our own writer put before a would-be formula, so that a returned file can be sent in again."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] and text[1] in FORMULA_STARTS else text


def _rewindable(stream: BinaryIO) -> BinaryIO:
    if stream.seekable():
        return stream
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 - lives as long as the reader
    shutil.copyfileobj(stream, spool, _CHUNK)
    spool.seek(0)
    return cast("BinaryIO", spool)


def _encoding(stream: BinaryIO) -> tuple[str, bool]:
    """Find the encoding: a mark, else UTF-8 if the whole file is, else CP932; and whether all of it is readable."""
    stream.seek(0)
    start = stream.read(3)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise CsvHeaderError("encoding-unsupported")
    marked = start == codecs.BOM_UTF8
    utf8 = _readable_until(stream, "utf-8")
    if utf8 is None or marked:
        return ("utf-8-sig" if marked else "utf-8"), utf8 is None
    cp932 = _readable_until(stream, "cp932")
    if cp932 is None:
        return "cp932", True
    # A damaged file is read in the encoding that holds longer; its bad cells are reported row by row.
    return ("utf-8", False) if utf8 > cp932 else ("cp932", False)


def _readable_until(stream: BinaryIO, encoding: str) -> int | None:
    """Give the place of the first chunk that cannot be decoded, or None when everything can."""
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    place = 0
    while True:
        chunk = stream.read(_CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return place + error.start
        if not chunk:
            return None
        place += len(chunk)
