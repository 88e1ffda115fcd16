"""Bodies and answers of reservations."""

from __future__ import annotations

from app import orders
from app.core import settings
from app.core.fields import Choice, Code, Identifier, In, Instant, Integer, Items, Out, Part, Quantity

from .schemas import HeldPickupOut

_KINDS = ("cart", "hold", "pickup")
CHANNEL_LENGTH = 40


class ReservedLineIn(In):
    """Pieces of one SKU."""

    sku = Code(required=True)
    quantity = Quantity(required=True)


class HeldForIn(orders.OrderCustomerIn):
    """For whom, as in an order; kept encrypted."""


class ReservationIn(In):
    """What to keep, where, and for how long."""

    location = Code(required=True)
    lines = Items(Part(ReservedLineIn), low=1, required=True)
    kind = Choice(*_KINDS, required=True)
    channel = Code(high=CHANNEL_LENGTH, load_default="ec")
    expires_in = Integer(1, settings.MAX_CLAIM_SECONDS, load_default=None, allow_none=True)
    external_ref = Code(load_default=None, allow_none=True)
    customer = Part(HeldForIn, load_default=None, allow_none=True)


class ExtensionIn(In):
    """How long from now."""

    expires_in = Integer(1, settings.MAX_CLAIM_SECONDS, required=True)


class ReservedLineOut(Out):
    """Pieces claimed, and those of them still open."""

    sku = Code()
    quantity = Integer(0, settings.MAX_LEVEL)
    open = Integer(0, settings.MAX_LEVEL)


class ReservationOut(Out):
    """A claim on stock."""

    id = Identifier()
    state = Choice("reserved", "fulfilled", "released", "expired")
    kind = Code()
    location = Code()
    channel = Code()
    lines = Items(Part(ReservedLineOut))
    expires_at = Instant(allow_none=True)
    external_ref = Code(allow_none=True)
    pickup = Part(HeldPickupOut)
