"""What the rooms above tell an order: goods were given, a hand-over was undone, pieces will not come.

A room that moves its own work item first takes the order's lock (`lock`), then its own: one lock order for all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Parts = Mapping[str, int]  # line_ref: pieces


def lock(order_id: str) -> None:
    """Take the order's lock for this transaction. Raises UnknownOrder."""
    raise NotImplementedError


def record_fulfilment(order_id: str, parts: Parts, *, at: dt.datetime, reference: tuple[str, str]) -> None:
    """The pieces were given (the method has posted the claim): moves the order, asks for capture of just their value.

    `pay_in_store` and `cod` count as taken. Raises TooManyPieces, IllegalTransition.
    """
    raise NotImplementedError


def reverse_fulfilment(order_id: str, parts: Parts, *, claim_id: str | None, reason: str) -> None:
    """A hand-over was undone: the pieces are open again, under the new claim. Captured money stays for the next one."""
    raise NotImplementedError


def cancel_parts(order_id: str, parts: Parts, *, reason: str) -> RefundDue:
    """A short pick or an expiry: the pieces will not come. The work item has settled its claim and is not called."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RefundDue:
    """Money that goes back or is never taken: in all, per rate, per tender."""

    total: int
    tax: list[dict[str, int]]
    tenders: list[dict[str, Any]]
    points_returned: int = 0
    coupons_restored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineSummary:
    """An order line as a work item sees it; `open` is neither given nor cancelled."""

    line_ref: str
    sku: str
    name: str
    quantity: int
    open: int
    fulfilled: int
    cancelled: int
    unit_price: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a counter needs to know of an order. `amount_due` is to be paid at hand-over."""

    id: str
    number: str | None
    channel: str
    external_ref: str
    state: str
    location_id: str
    method: str
    claim_id: str | None
    work_id: str | None
    total: int
    amount_due: int
    language: str
    contact_id: str | None
    placed_at: dt.datetime
    lines: list[LineSummary]


def summary(order_id: str) -> Summary:
    """The order in brief. Raises UnknownOrder."""
    raise NotImplementedError


def find_for_pickup(code: str) -> str | None:
    """The order meant by an order number, a channel's reference or a work item's own code; None where none is."""
    raise NotImplementedError


def settle_at_till(
    order_id: str, *, tenders: Sequence[tuple[str, int]], at: dt.datetime, reference: tuple[str, str]
) -> None:
    """A till's receipt paid what was due and handed everything over: the method settles its work item.

    The goods leave stock by the order's own claim: the till's receipt is neither a second order nor a second movement.
    """
    raise NotImplementedError
