"""Writing CSV that Excel opens safely, and that CP932 readers can take.

Text that a spreadsheet would run as a formula gets an apostrophe in front; characters that CP932 lacks are replaced
by their nearest and counted, so that an export warns instead of breaking off.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from typing import BinaryIO, Final, Literal

Cell = str | int | Decimal | dt.date | None
Encoding = Literal["utf-8-sig", "utf-8", "cp932"]

FORMULA_STARTS: Final = "=+-@\t\r\n"
REPLACEMENTS_KEPT: Final = 1_000

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?")
_PHONE = re.compile(r"\+\d[\d ()-]{5,20}")
_VOICED = re.compile("[\u3041-\u30ff][\u3099\u309a]")
# Nearest characters in CP932 for those that Japanese shops really meet in names and addresses.
_CP932_NEAREST: Final = {
    "—": "―", "–": "－", "‑": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "ゔ": "ヴ", "𠮷": "吉", "•": "・",
    "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "©": "(C)", "®": "(R)", "™": "TM",
}  # fmt: skip


@dataclass(slots=True)
class Written:
    """What a writer did: rows, and the rows (1 is the header) where characters were replaced."""

    rows: int = 0
    replaced: dict[int, str] = field(default_factory=dict)
    replaced_rows: int = 0

    def note(self, characters: str) -> None:
        """Remember a row's replaced characters, up to a bound; the count goes on."""
        self.replaced_rows += 1
        if len(self.replaced) < REPLACEMENTS_KEPT:
            self.replaced[self.rows] = characters


def write_rows(
    stream: BinaryIO,
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    encoding: Encoding = "utf-8-sig",
) -> Written:
    """Write a header and rows with CRLF line ends, and tell what had to be replaced."""
    written = Written()
    stream.writelines(encode_rows(header, rows, encoding=encoding, written=written))
    return written


def encode_rows(
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    encoding: Encoding = "utf-8-sig",
    written: Written | None = None,
) -> Iterator[bytes]:
    """Give the file row by row, for an answer that is streamed."""
    report = written if written is not None else Written()
    if encoding == "utf-8-sig":
        yield b"\xef\xbb\xbf"
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\r\n")
    for row in chain([header], rows):
        report.rows += 1
        writer.writerow([safe_cell(cell) for cell in row])
        text = line.getvalue()
        line.seek(0)
        line.truncate()
        if encoding == "cp932":
            text, lost = to_cp932(text)
            if lost:
                report.note(lost)
            yield text.encode("cp932")
        else:
            # A lone surrogate cannot be written in any encoding.
            yield text.encode("utf-8", errors="replace")


def safe_cell(cell: Cell) -> str:
    """Write a value as text that no spreadsheet runs: formulas get an apostrophe, numbers and phones do not."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if not isinstance(cell, str):
        return cell.isoformat() if isinstance(cell, dt.date) else str(cell)
    if not cell or cell[0] not in FORMULA_STARTS:
        return cell
    if _NUMBER.fullmatch(cell) or _PHONE.fullmatch(cell):
        return cell
    return "'" + cell


def to_cp932(text: str) -> tuple[str, str]:
    """Replace what CP932 lacks; answers the text and the characters that were replaced."""
    # Kana typed on a Mac come as letter and mark; CP932 has only the joined ones. The rest of the text is not
    # normalised, because that would exchange the old forms of name characters.
    joined = _VOICED.sub(lambda pair: unicodedata.normalize("NFC", pair[0]), text)
    try:
        joined.encode("cp932")
    except UnicodeEncodeError:
        pass
    else:
        return joined, ""
    lost: list[str] = []
    kept: list[str] = []
    for character in joined:
        if _fits(character):
            kept.append(character)
        else:
            lost.append(character)
            kept.append(_nearest(character))
    return "".join(kept), "".join(lost)


def _fits(text: str) -> bool:
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _nearest(character: str) -> str:
    known = _CP932_NEAREST.get(character)
    if known is not None:
        return known
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return ""
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    if plain and plain != character and _fits(plain):
        return plain
    return "〓" if unicodedata.east_asian_width(character) in "WFA" else "?"
