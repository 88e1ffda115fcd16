"""What one cell of a Japanese spreadsheet means: whole numbers, dates, moments, yes and no.

Each function takes the text as it was typed and gives a value, or raises `CellInvalid` with a code; the sentence for
people is made elsewhere.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

INTEGER_MAX = 10**15

_YES = frozenset({"1", "true", "yes", "y", "on", "はい", "有", "有効", "あり", "○", "◯", "可"})
_NO = frozenset({"0", "false", "no", "n", "off", "いいえ", "無", "無効", "なし", "×", "✕", "不可"})
# NFKC leaves the mathematical minus and the dashes that people type for it alone.
_MINUS = str.maketrans({"−": "-", "‐": "-", "–": "-", "▲": "-", "△": "-"})
_INTEGER = re.compile(r"([+-]?)¥?([+-]?)(\d{1,3}(?:,\d{3})+|\d+)円?")
_DATE = re.compile(r"(\d{4})(?:([/-])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日)")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)


class CellInvalid(ValueError):
    """The cell does not hold what its column promises."""

    def __init__(self, code: str) -> None:
        """Keep the code; there is no sentence here."""
        super().__init__(code)
        self.code = code


def integer(cell: str, *, minimum: int = -INTEGER_MAX, maximum: int = INTEGER_MAX) -> int:
    """Read a whole number, also written `1,234`, `¥500`, `１２３` or `▲500` (the accountant's minus)."""
    found = _INTEGER.fullmatch(_plain(cell).translate(_MINUS).replace(" ", ""))
    if found is None or (found[1] and found[2]):
        raise CellInvalid("not-an-integer")
    digits = found[3].replace(",", "").lstrip("0") or "0"
    if len(digits) > len(str(INTEGER_MAX)):
        raise CellInvalid("out-of-range")
    value = -int(digits) if "-" in (found[1], found[2]) else int(digits)
    if not minimum <= value <= maximum:
        raise CellInvalid("out-of-range")
    return value


def date(cell: str) -> dt.date:
    """Read `2026/11/22`, `2026-11-22`, `2026/1/5` (as spreadsheets write it) or `2026年1月5日`."""
    return _date(_plain(cell))


def instant(cell: str, zone: dt.tzinfo) -> dt.datetime:
    """Read a date and time; without an offset it is the wall clock of `zone`. The answer is in UTC.

    An hour that the clocks repeat is taken the first time; one that they skip is read as if they had not.
    """
    text = _plain(cell)
    day, _, clock = text.replace("t", "T").replace("T", " ").partition(" ")
    found = _TIME.fullmatch(clock.replace(" ", ""))
    if found is None:
        raise CellInvalid("not-a-time")
    hour, minute, second, fraction, offset = found.groups()
    try:
        time = dt.time(int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(6, "0")))
        moment = dt.datetime.combine(_date(day), time, _offset(offset) or zone)
        return moment.astimezone(dt.UTC)
    except CellInvalid:
        raise
    except (ValueError, OverflowError):
        raise CellInvalid("not-a-time") from None


def boolean(cell: str) -> bool:
    """Read yes or no as people write it in either language."""
    text = _plain(cell).casefold()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise CellInvalid("not-a-boolean")


def _plain(cell: str) -> str:
    text = unicodedata.normalize("NFKC", cell).strip()
    if not text:
        raise CellInvalid("empty")
    return text


def _date(text: str) -> dt.date:
    found = _DATE.fullmatch(text)
    if found is None:
        raise CellInvalid("not-a-date")
    try:
        return dt.date(int(found[1]), int(found[3] or found[5]), int(found[4] or found[6]))
    except ValueError:
        raise CellInvalid("not-a-date") from None


def _offset(text: str | None) -> dt.tzinfo | None:
    if text is None:
        return None
    if text in "Zz":
        return dt.UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return dt.timezone(dt.timedelta(minutes=-minutes if text[0] == "-" else minutes))
