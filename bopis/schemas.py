"""Bodies and answers of pickups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from app.core import ids, settings
from app.core.fields import (
    Choice,
    Code,
    Flag,
    Identifier,
    In,
    Instant,
    Integer,
    Items,
    Out,
    PageQuery,
    Part,
    Quantity,
    QueryFlag,
    Text,
    Yen,
)

from .passes import Kind
from .scans import CONFLICTS
from .states import PickupState, ReshelveState
from .work import SHORT_REASONS

_STATES = tuple(str(state) for state in PickupState)
_TOKEN_LENGTH = 64
_NONCE_LENGTH = 64
_SHELF_LENGTH = 40
_REASON_LENGTH = 200


class PickupQuery(PageQuery):
    """Which pickups."""

    location = Code()
    state = Choice(*_STATES)
    q = Text(high=settings.MAX_CODE)
    conflict = QueryFlag()


class FindIn(In):
    """What was scanned."""

    token = Text(high=_TOKEN_LENGTH, required=True)


class ScannedIn(In):
    """Pieces of one thing, by SKU or by barcode."""

    sku = Code()
    barcode = Text(high=settings.MAX_CODE)
    quantity = Quantity(required=True)

    @validates_schema
    def _one_name(self, data: Mapping[str, Any], **_rest: object) -> None:
        if ("sku" in data) == ("barcode" in data):
            raise ValidationError("sku-or-barcode")


class PickIn(In):
    """What was taken from the shelf."""

    lines = Items(Part(ScannedIn), low=1, required=True)


class ShortIn(In):
    """What cannot be had."""

    sku = Code(required=True)
    quantity = Quantity(required=True)
    reason = Choice(*SHORT_REASONS, required=True)


class ReadyIn(In):
    """Where it waits."""

    shelf = Text(high=_SHELF_LENGTH, allow_none=True, load_default=None)


class GivenIn(In):
    """Pieces handed over, by SKU or by line."""

    sku = Code()
    line_ref = Code()
    quantity = Quantity(required=True)

    @validates_schema
    def _one_name(self, data: Mapping[str, Any], **_rest: object) -> None:
        if ("sku" in data) == ("line_ref" in data):
            raise ValidationError("sku-or-line")


class HandOverIn(In):
    """The proof, and what was given. `proxy` is the proxy by name who stands there.

    `occurred_at` is the device's word for when it happened. With a `nonce` it says that the goods were given while
    there was no network: a fact, judged by that moment.
    """

    token = Text(high=_TOKEN_LENGTH)
    code = Text(high=settings.MAX_CODE)
    pin = Text(high=ids.PIN_LENGTH * 2)
    receiver = Choice("customer", "proxy", load_default="customer")
    proxy = Identifier()
    identity_checked = Flag(load_default=None, allow_none=True)
    lines = Items(Part(GivenIn), low=1)
    occurred_at = Instant()
    nonce = Text(high=_NONCE_LENGTH)

    @validates_schema
    def _one_proof(self, data: Mapping[str, Any], **_rest: object) -> None:
        by_token, by_pin = "token" in data, "code" in data and "pin" in data
        if by_token == by_pin or (by_token and ("code" in data or "pin" in data)):
            raise ValidationError("token-or-pin")


class CancelIn(In):
    """Why."""

    reason = Text(high=_REASON_LENGTH, required=True)


class ReshelveIn(In):
    """What is back on the shelf; everything, unless named."""

    lines = Items(Part(ScannedIn), low=1)


class PickupLineOut(Out):
    """One line's counts."""

    line_ref = Code()
    order_ref = Code()
    sku = Code()
    substitute = Code(allow_none=True)
    name = Text()
    ordered = Integer(0, settings.MAX_QUANTITY)
    picked = Integer(0, settings.MAX_QUANTITY)
    short = Integer(0, settings.MAX_QUANTITY)
    undecided = Integer(0, settings.MAX_QUANTITY)
    collected = Integer(0, settings.MAX_QUANTITY)


class ProxyOut(Out):
    """Somebody who may collect in the customer's stead."""

    id = Identifier()
    kind = Choice(*(str(kind) for kind in Kind))
    name = Text(allow_none=True)
    expires_at = Instant(allow_none=True)


class StorePickupOut(Out):
    """A pickup as the store sees it."""

    id = Identifier()
    kind = Choice("pickup", "hold")
    state = Choice(*_STATES)
    location = Code()
    channel = Code()
    order_id = Identifier(allow_none=True)
    order_number = Text(allow_none=True)
    reservation = Identifier()
    external_ref = Code(allow_none=True)
    code = Text()
    pin_locked = Flag()
    amount_due = Yen()
    shelf = Text(allow_none=True)
    reason = Text(allow_none=True)
    reshelve = Choice(*(str(state) for state in ReshelveState), allow_none=True)
    lines = Items(Part(PickupLineOut))
    proxies = Items(Part(ProxyOut))
    no_shows = Integer(0, settings.MAX_LEVEL, allow_none=True)
    transfer = Identifier(allow_none=True)
    wave = Identifier(allow_none=True)
    conflict = Choice(*CONFLICTS, allow_none=True)
    extensions = Integer(0, settings.MAX_EXTENSIONS)
    accept_by = Instant(allow_none=True)
    choose_by = Instant(allow_none=True)
    choice_reason = Text(allow_none=True)
    slot_at = Instant(allow_none=True)
    arrived_at = Instant(allow_none=True)
    arrival_note = Text(allow_none=True)
    cancel_asked_at = Instant(allow_none=True)
    placed_at = Instant()
    pickup_at = Instant(allow_none=True)
    ready_by = Instant(allow_none=True)
    collect_by_estimate = Instant(allow_none=True)
    ready_at = Instant(allow_none=True)
    expires_at = Instant(allow_none=True)
    collected_at = Instant(allow_none=True)
    version = Integer(1, settings.MAX_LEVEL)
    created_at = Instant()
    updated_at = Instant()


class StorePickupWithPassOut(StorePickupOut):
    """The same with what the customer shows."""

    pin = Text()
    qr_url = Text()
    page_url = Text()


class PickupPageOut(Out):
    """A page of pickups."""

    items = Items(Part(StorePickupOut), high=settings.MAX_PAGE)
    next_cursor = Text(allow_none=True)


class HeldPickupOut(Out):
    """A pickup as the answer to an order or a hold shows it."""

    id = Identifier()
    state = Choice(*_STATES)
    code = Text()
    pin = Text()
    collect_by_estimate = Instant(allow_none=True)
    expires_at = Instant(allow_none=True)
    qr_url = Text()
    page_url = Text()
