"""How an order's goods reach the customer: a registry of methods that the rooms above fill in.

An order collected at a store opens its pickup in the order's own transaction, though `orders` does not know `bopis`.
Each method answers the same few questions; `orders` claims the stock and hands the claim over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from app import stock
from app.core.errors import Invalid


class UnknownMethod(Invalid):
    """No such way to get the goods."""

    code = "unknown-fulfilment-method"


@dataclass(frozen=True, slots=True)
class Located:
    """Where the work item stands, and where its goods come from: another place means a transfer first."""

    location_id: str
    source_id: str


@dataclass(frozen=True, slots=True)
class OpenLine:
    """Pieces of one order line."""

    line_ref: str
    sku: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Opening:
    """What a method is told when an order opens or changes its work item.

    The claim is the order's already, and stays so: its owner is ("order", order_id) until it ends, also in the hands of
    the method that posts or voids it.
    """

    order_id: str
    number: str
    channel: str
    location_id: str
    source_id: str
    claim_id: str
    lines: Sequence[OpenLine]
    placed_at: dt.datetime
    pickup_at: dt.datetime | None
    amount_due: int
    phone: str | None
    name: str | None
    customer_id: str | None = None
    language: str = "ja"


@dataclass(frozen=True, slots=True)
class Promise:
    """When the goods would be ready, and until when they would be kept."""

    ready_by: dt.datetime | None
    keep_until: dt.datetime | None


class Method(Protocol):
    """One way to get the goods (`pickup`, `ship`). All calls run inside the order's transaction."""

    def locate(self, wanted: Mapping[str, Any], lines: Mapping[str, int], channel: str) -> Located:
        """Where it is done, and where the goods come from. `wanted` is the request's fulfilment, `lines` count by SKU.

        Raises a refusal (unknown or closed location, pickup not offered, nothing near has every line).
        """

    def promise(self, located: Located, *, at: dt.datetime, pickup_at: dt.datetime | None) -> Promise:
        """What a quote made at this moment says; changes nothing."""

    def open(self, opening: Opening) -> str:
        """Make the work item; returns its id."""

    def change(self, work_id: str, opening: Opening) -> str:
        """Fit the work item to changed lines, another location or another claim; returns the (possibly new) id.

        The order itself has made the new claim and ends the old one. Refused once picking has begun.
        """

    def cancel(self, work_id: str, parts: Mapping[str, int], *, whole: bool, reason: str) -> None:
        """Take `parts` ({line_ref: pieces}) out of the work item and end or reduce its claim; `whole` ends it."""

    def open_of(self, work_id: str) -> Mapping[str, int]:
        """The pieces by line that this work item still owes; none once it is over."""

    def describe(self, work_id: str) -> dict[str, Any]:
        """What the order's answer shows of the work item."""

    def settle(self, work_id: str, parts: Mapping[str, int], *, paid_at: dt.datetime, reference: str) -> None:
        """A till's sale has paid and handed over these pieces, by the work item's own lines."""

    def find(self, code: str) -> str | None:
        """The id of the order's work item that people know by this code (a pickup code); None where there is none."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a till's receipt need not move itself, by SKU, and what is odd about it."""

    given: Mapping[str, int]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class CounterLine:
    """What a work item's own line `ref` still gives at its counter for an order's line, and what it gave.

    The SKU is the one that is given, which may stand in for the order's.
    """

    ref: str
    line_ref: str
    sku: str
    left: int
    done: int


@runtime_checkable
class Counter(Protocol):
    """A method whose goods are given over a counter, where a till may also sell a hold without order."""

    def lines_at_counter(self, work_id: str) -> Sequence[CounterLine]:
        """What a till may sell of a work item; nothing is left of goods that are not at the counter's place yet."""

    def settle_hold(self, code: str, sold: Mapping[str, int], cause: stock.Cause) -> Held | None:
        """A till sold these pieces by SKU of the hold with this code; None where there is none."""


_methods: dict[str, Method] = {}


def offer(name: str, method: Method) -> None:
    """Register a method; called from the feature's `register(app)`."""
    _methods[name] = method


def method(name: str) -> Method:
    """The method of this name, or UnknownMethod."""
    found = _methods.get(name)
    if found is None:
        raise UnknownMethod(errors=[{"pointer": "/fulfilment/method", "code": "not-allowed"}])
    return found


def offered() -> list[Method]:
    """Every method there is."""
    return [_methods[name] for name in sorted(_methods)]
