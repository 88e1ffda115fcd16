"""A place's body and answer."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_load

from app.core import settings
from app.core.fields import (
    Choice,
    Code,
    Flag,
    In,
    Instant,
    Integer,
    Items,
    Number,
    Out,
    Part,
    Text,
)

from .calendar import WEEKDAYS, HoursInvalid, parse_closures, parse_hours, parse_zone

LEAD_MINUTES = 60
HOLD_DAYS = 7


class _Parsed(fields.Field[Any]):
    """A part that `calendar` reads; what it refuses is pointed at inside the part."""

    default_error_messages = {"required": "required", "null": "null"}
    parse: Any = None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            self.parse(value)
        except HoursInvalid as error:
            messages: Any = [error.code]
            for step in reversed(error.path.split("/")[2:]):
                messages = {step: messages}
            raise ValidationError(messages) from error
        return self.plain(value)

    def plain(self, value: Any) -> Any:
        """As it is stored: what was sent."""
        return value


class HoursField(_Parsed):
    """Opening hours by weekday, and for public holidays."""

    parse = staticmethod(parse_hours)

    def plain(self, value: Any) -> Any:
        """In the order of the week, so that the same hours are stored the same."""
        return {day: [list(span) for span in value[day]] for day in (*WEEKDAYS, "holiday") if day in value}


class ClosuresField(_Parsed):
    """Closed days."""

    parse = staticmethod(parse_closures)

    def plain(self, value: Any) -> Any:
        """Sorted, each once."""
        return sorted(set(value))


class ZoneField(_Parsed):
    """A name of the time zone database."""

    parse = staticmethod(parse_zone)


class PickupIn(In):
    """How a place takes part in click-and-collect."""

    enabled = Flag(required=True)
    lead_minutes = Integer(0, settings.MAX_LEAD_MINUTES, load_default=LEAD_MINUTES)
    hold_days = Integer(1, settings.MAX_HOLD_DAYS, load_default=HOLD_DAYS)
    orders_per_hour = Integer(1, settings.MAX_ORDERS_PER_HOUR, load_default=None, allow_none=True)


class LocationIn(In):
    """All of a place but its code, which is in the address."""

    name = Text(required=True)
    name_en = Text(load_default=None, allow_none=True)
    kind = Choice("store", "warehouse", required=True)
    timezone = ZoneField(required=True)
    postal_code = Text(high=16, load_default=None, allow_none=True)
    address = Text(high=300, load_default=None, allow_none=True)
    latitude = Number(-90, 90, load_default=None, allow_none=True)
    longitude = Number(-180, 180, load_default=None, allow_none=True)
    phone = Text(high=32, load_default=None, allow_none=True)
    hours = HoursField(load_default=dict)
    closures = ClosuresField(load_default=list)
    pickup = Part(PickupIn, load_default=None)
    safety_stock = Integer(0, settings.MAX_QUANTITY, load_default=0)

    @post_load
    def columns(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """As the table has it; a place without pickup settings takes no part."""
        pickup = data.pop("pickup") or {
            "enabled": False, "lead_minutes": LEAD_MINUTES, "hold_days": HOLD_DAYS, "orders_per_hour": None,
        }  # fmt: skip
        return data | {f"pickup_{name}": value for name, value in pickup.items()}


class PickupSettingsOut(Out):
    """Pickup settings."""

    enabled = Flag()
    lead_minutes = Integer(0, settings.MAX_LEAD_MINUTES)
    hold_days = Integer(1, settings.MAX_HOLD_DAYS)
    orders_per_hour = Integer(1, settings.MAX_ORDERS_PER_HOUR, allow_none=True)


class LocationOut(Out):
    """A place."""

    code = Code()
    name = Text()
    name_en = Text(allow_none=True)
    kind = Choice("store", "warehouse")
    timezone = ZoneField()
    postal_code = Text(high=16, allow_none=True)
    address = Text(high=300, allow_none=True)
    latitude = Number(-90, 90, allow_none=True)
    longitude = Number(-180, 180, allow_none=True)
    phone = Text(high=32, allow_none=True)
    hours = HoursField()
    closures = ClosuresField()
    pickup = Part(PickupSettingsOut)
    safety_stock = Integer(0, settings.MAX_QUANTITY)
    updated_at = Instant()


class LocationPage(Out):
    """A page of places."""

    items = Items(Part(LocationOut), high=settings.MAX_PAGE)
    next_cursor = Text(high=400, allow_none=True)
