"""What reading a till's file gives: sales with warnings, refused entries with their text, and a tally."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

RAW_KEPT_CHARS: Final = 4_000


class FileInvalid(ValueError):
    """The file as a whole cannot be read. Entries given before the fault was met were read truly."""

    def __init__(self, code: str, position: int = 0, column: str | None = None) -> None:
        """Keep the code, how many entries had been read, and the column it is about."""
        super().__init__(code)
        self.code = code
        self.position = position
        self.column = column


@dataclass(frozen=True, slots=True)
class Warned:
    """Something odd in a sale that is read all the same."""

    pointer: str
    code: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """One sale in the canonical form. `cancelled_lines` were rung up and taken off again at the till."""

    position: int
    sale: dict[str, Any]
    warnings: tuple[Warned, ...] = ()
    cancelled_lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """An entry that cannot be read: where, why, and its own text. `key` is its natural key where that is readable."""

    position: int
    code: str
    raw: str
    key: dict[str, str] | None = None
    column: str | None = None


class EntryInvalid(Exception):
    """Inside a parser: this entry is to be rejected."""

    def __init__(self, code: str, column: str | None = None) -> None:
        """Keep the code and the column it is about."""
        super().__init__(code)
        self.code = code
        self.column = column


@dataclass(slots=True)
class Tally:
    """What the file held besides sales, so that nothing is passed over silently."""

    entries: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unknown_columns: tuple[str, ...] = ()
    encoding: str | None = None
