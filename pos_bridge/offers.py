"""A sale as a till offers it: its natural key, its own words, and what was understood of them. Pure.

Reading has two steps. Without a readable natural key there is nothing to remember a sale by, and it is refused
(`KeyUnreadable`). Whatever else is wrong becomes a problem of a receipt that is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

Problem = dict[str, str]
DOCUMENT = ("store", "terminal", "business_date", "receipt_no")


class KeyUnreadable(ValueError):
    """No natural key can be read; `problems` says why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("key-unreadable")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Key:
    """By what a receipt is known: `(source, source_id)`, else the number on the paper."""

    source: str
    source_id: str | None
    store: str | None
    terminal: str | None
    business_date: str | None
    receipt_no: str | None

    @property
    def natural(self) -> str:
        """As text. No part holds a slash, and the two forms differ in their number of parts."""
        return f"{self.source}/{self.source_id}" if self.source_id else str(self.document)

    @property
    def document(self) -> str | None:
        """The number on the paper, where it is readable."""
        parts = (self.store, self.terminal, self.business_date, self.receipt_no)
        return "/".join((self.source, *map(str, parts))) if all(parts) else None


@dataclass(frozen=True, slots=True)
class Offer:
    """One sale of a request. `sale` is None when its words cannot be understood; `problems` then says why.

    Of a sale that is understood, `problems` is what its file's format had to remark.
    """

    key: Key
    raw: Mapping[str, Any]
    revision: int
    sale: Mapping[str, Any] | None
    problems: list[Problem] = field(default_factory=list)

    @property
    def kind(self) -> str | None:
        """sale, return or void, where that is readable."""
        return self.sale["kind"] if self.sale else None

    @property
    def original(self) -> str | None:
        """The number of the paper that this one voids or returns."""
        named = self.sale.get("original") if self.sale and self.kind != "sale" else None
        return "/".join((self.key.source, *(str(named[part]) for part in DOCUMENT))) if named else None

    @property
    def sold_at(self) -> dt.datetime | None:
        """When it happened, by the till's clock."""
        return self.sale["sold_at"] if self.sale else None

    @property
    def names(self) -> set[str]:
        """Everything that two offers may meet in; they are worked on one after the other."""
        return {name for name in (self.key.natural, self.key.document, self.original) if name}

    @property
    def content(self) -> bytes:
        """What must be equal for a repeat to be a repeat; the revision is compared apart."""
        kept = {name: value for name, value in self.raw.items() if name != "revision"}
        return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)


@dataclass(slots=True)
class Result:
    """What became of one offer: the status that a call of its own would have had, and the answer's fields."""

    status: int
    id: str | None = None
    state: str | None = None
    problems: list[Problem] = field(default_factory=list)
    totals: Mapping[str, Any] | None = None
    duplicate: bool = False
    stale: bool = False
    code: str | None = None

    def show(self) -> dict[str, Any]:
        """As the API answers it: what does not apply is left out."""
        facts = {
            "id": self.id, "state": self.state, "problems": self.problems, "totals": self.totals,
            "duplicate": self.duplicate or None, "stale": self.stale or None,
            "type": f"/problems/{self.code}" if self.code else None,
        }  # fmt: skip
        return {name: value for name, value in facts.items() if value is not None}
