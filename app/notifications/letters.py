"""What a notice is written from: the letter a composer hands over, and the facts that its templates may use.

Facts are plain text, whole yen, flags and lists of these; times are text in the store's zone, as people read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from app.customers import Contact

Language = Literal["ja", "en"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice as it is true now: to whom, in which language, from which store, with which facts.

    `timezone` is the store's, for the quiet hours. Nothing of it is kept.
    """

    to: Contact
    language: Language
    location_id: str
    timezone: str
    facts: Mapping[str, Any]


class StoreFacts(TypedDict):
    """The store as its customers find it. `hours` is a line such as `10:00〜21:00`."""

    name: str
    address: str
    phone: str
    hours: str
    map_url: str


class LineFacts(TypedDict):
    """Goods of one kind. `options` is colour and size as one text, `price` what all pieces cost with tax."""

    sku: str
    name: str
    options: str
    quantity: int
    price: int
    reduced: bool


class PickupFacts(TypedDict):
    """What every `pickup.…` template may use. Text that is not known is empty, an amount that is not, zero.

    `choose_by` is empty where a question may stay open for as long as the customer likes.
    """

    name: str
    order_number: str
    code: str
    pin: str
    page_url: str
    qr_url: str
    store: StoreFacts
    deadline: str
    ready_by: str
    choose_by: str
    amount_due: int
    paid: bool
    lines: Sequence[LineFacts]
    refund_total: int
    reason: str
    options: Sequence[str]
    return_policy: str


class ReminderFacts(PickupFacts):
    """`pickup.reminder`: on the day before the deadline, or in the middle of the time."""

    day_before: bool


class WaitlistFacts(TypedDict):
    """`waitlist.available`: something that a customer waits for is to be had at a store."""

    name: str
    store: StoreFacts
    lines: Sequence[LineFacts]
    page_url: str
    until: str
