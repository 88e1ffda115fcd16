"""Bodies and answers of choosing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from app import orders
from app.core import settings
from app.core.fields import Choice, Code, Flag, In, Instant, Items, Number, Out, Part, Text, Yen

from .asking import REASONS, WAITS
from .options import OPTIONS, OTHER_STORE


class ChooseIn(In):
    """What is chosen: `location` with another store, `address` with a parcel, `sku` where several stand in."""

    option = Choice(*OPTIONS, required=True)
    location = Code()
    address = orders.Address()
    sku = Code()

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: Mapping[str, Any], **_rest: object) -> None:
        if data.get("option") == OTHER_STORE and "location" not in data:
            raise ValidationError("required", "location")
        for name, option in (("location", OTHER_STORE), ("address", "ship"), ("sku", "substitute")):
            if name in data and data.get("option") != option:
                raise ValidationError("not-allowed", name)


class SubstituteIn(In):
    """What is missing, and what is offered instead."""

    sku = Code(required=True)
    substitute = Code(required=True)


class OptionOut(Out):
    """One thing that can be chosen now."""

    option = Choice(*OPTIONS)
    location = Code()
    name = Text()
    sku = Code()
    from_ = Code(data_key="from", attribute="from")
    ready_by = Text(allow_none=True)
    distance_km = Number(0, 21_000)
    needs_address = Flag()
    refund = Yen()


class OptionsOut(Out):
    """Why the customer is asked, until when, and what can be chosen."""

    reason = Choice(*REASONS, WAITS, allow_none=True)
    until = Instant(allow_none=True)
    options = Items(Part(OptionOut), high=settings.MAX_PAGE)
