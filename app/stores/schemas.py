"""A place's body and answer."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

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
    QueryInteger,
    Text,
)

from .calendar import WEEKDAYS, HoursInvalid, parse_closures, parse_hours, parse_zone

LEAD_MINUTES = 60
HOLD_DAYS = 7
ACCEPT_MINUTES = 60
RESERVE_DAYS = 3
TRANSFER_HOLD_DAYS = 14
TRANSFER_DAYS = 2
_CLOCK_TIME = r"^([0-3]\d|4[0-7]):[0-5]\d$"


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


def _clock_time(**kwargs: Any) -> fields.String:
    """HH:MM on the wall; `26:00` is two at night."""
    checks = [validate.Length(equal=5, error="not-a-time"), validate.Regexp(_CLOCK_TIME, error="not-a-time")]
    return fields.String(
        allow_none=True, validate=checks, error_messages={"invalid": "not-text", "invalid_utf8": "not-text"}, **kwargs
    )


class PickupIn(In):
    """How a place takes part in click-and-collect."""

    enabled = Flag(required=True)
    lead_minutes = Integer(0, settings.MAX_LEAD_MINUTES, load_default=LEAD_MINUTES)
    hold_days = Integer(1, settings.MAX_HOLD_DAYS, load_default=HOLD_DAYS)
    orders_per_hour = Integer(1, settings.MAX_ORDERS_PER_HOUR, load_default=None, allow_none=True)
    cut_off = _clock_time(load_default=None)
    accept_minutes = Integer(
        settings.MIN_ACCEPT_MINUTES, settings.MAX_ACCEPT_MINUTES, load_default=ACCEPT_MINUTES
    )  # fmt: skip
    reserve_days = Integer(1, settings.MAX_HOLD_DAYS, load_default=RESERVE_DAYS)
    transfer_hold_days = Integer(1, settings.MAX_HOLD_DAYS, load_default=TRANSFER_HOLD_DAYS)
    transfer_days = Integer(0, settings.MAX_TRANSFER_DAYS, load_default=TRANSFER_DAYS)
    slot_minutes = Integer(
        settings.MIN_SLOT_MINUTES, settings.MAX_SLOT_MINUTES, load_default=None, allow_none=True
    )  # fmt: skip
    slot_capacity = Integer(1, settings.MAX_SLOT_CAPACITY, load_default=None, allow_none=True)

    @validates_schema
    def slots_have_a_capacity(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Slots without a capacity would be full from the start."""
        if data["slot_minutes"] is not None and data["slot_capacity"] is None:
            raise ValidationError({"slot_capacity": ["required"]})


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
        pickup = data.pop("pickup") or PickupIn().load({"enabled": False})
        return data | {f"pickup_{name}": value for name, value in pickup.items()}


class PickupSettingsOut(Out):
    """Pickup settings."""

    enabled = Flag()
    lead_minutes = Integer(0, settings.MAX_LEAD_MINUTES)
    hold_days = Integer(1, settings.MAX_HOLD_DAYS)
    orders_per_hour = Integer(1, settings.MAX_ORDERS_PER_HOUR, allow_none=True)
    cut_off = _clock_time()
    accept_minutes = Integer(settings.MIN_ACCEPT_MINUTES, settings.MAX_ACCEPT_MINUTES)
    reserve_days = Integer(1, settings.MAX_HOLD_DAYS)
    transfer_hold_days = Integer(1, settings.MAX_HOLD_DAYS)
    transfer_days = Integer(0, settings.MAX_TRANSFER_DAYS)
    slot_minutes = Integer(settings.MIN_SLOT_MINUTES, settings.MAX_SLOT_MINUTES, allow_none=True)
    slot_capacity = Integer(1, settings.MAX_SLOT_CAPACITY, allow_none=True)


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


class SlotsQuery(In):
    """From when and for how many days."""

    since = Instant()
    days = QueryInteger(1, settings.MAX_SLOT_DAYS, load_default=settings.SLOT_DAYS)


class SlotOut(Out):
    """A time to collect, and for how many orders more."""

    starts_at = Instant()
    ends_at = Instant()
    capacity = Integer(1, settings.MAX_SLOT_CAPACITY)
    free = Integer(0, settings.MAX_SLOT_CAPACITY)


class SlotsOut(Out):
    """The slots, in their order; none where a place has no slots."""

    items = Items(Part(SlotOut), high=settings.MAX_SLOTS_SHOWN)
