"""How an order's goods get there, as the calls read and answer it; and how a person's address is read."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import Choice, Code, In, Instant, Items, Mapping, Out, Part, Quantity, Text
from app.customers import normal_phone

_ADDRESS_KEYS = 20


class Address(fields.Field[Any]):
    """Where to send it: one text, or an object of texts (`postal_code`, `prefecture`, `city`, …)."""

    default_error_messages = {"required": "required", "null": "null", "invalid": "not-object"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = Text(high=300, low=0)
        if isinstance(value, str):
            return Text(high=300).deserialize(value)
        if not isinstance(value, dict) or not value:
            raise self.make_error("invalid")
        if len(value) > _ADDRESS_KEYS:
            raise ValidationError("length")
        faults: dict[str, list[Any] | dict[Any, Any]] = {}
        read = {}
        for name, part in value.items():
            try:
                read[Code(high=40).deserialize(name)] = None if part is None else text.deserialize(part)
            except ValidationError as error:
                faults[str(name)] = error.messages
        if faults:
            raise ValidationError(faults)
        return read


class Phone(Text):
    """A phone number in any usual spelling."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(high=32, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if normal_phone(text) is None:
            raise ValidationError("phone")
        return text


class Email(Text):
    """A mail address, judged by its form alone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(high=254, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        name, _, host = text.rpartition("@")
        if not name or not host or any(c.isspace() for c in text):
            raise ValidationError("email")
        return text


class FulfilmentIn(In):
    """How the goods get there. A pickup with `ship_from` another place is sent to the store first."""

    method = Choice("pickup", "ship", required=True)
    location = Code()
    pickup_at = Instant()
    address = Address()
    ship_from = Code()

    @validates_schema(skip_on_field_errors=False)
    def _fits(self, data: dict[str, Any], **kwargs: Any) -> None:
        needed = {"pickup": "location", "ship": "address"}.get(str(data.get("method")))
        if needed is not None and needed not in data:
            raise ValidationError("required", needed)
        foreign = {"pickup": ("address",), "ship": ("location", "pickup_at")}.get(str(data.get("method")))
        for name in foreign or ():
            if name in data:
                raise ValidationError("not-allowed", name)


class WayPartIn(In):
    """Some pieces of a line that come this way."""

    line_ref = Code(required=True)
    quantity = Quantity(required=True)


class WayIn(FulfilmentIn):
    """One of several ways, with the pieces that come by it."""

    lines = Items(Part(WayPartIn), low=1, required=True)


class FulfilmentOut(Out):
    """How the goods get there."""

    method = fields.String()
    location = fields.String()
    pickup_at = Instant(allow_none=True)


class WayOut(Out):
    """One way in which pieces come: `pickup` or `shipping` is its work item. From `source` goods are sent first."""

    method = fields.String()
    location = fields.String()
    source = fields.String()
    pickup_at = Instant(allow_none=True)
    pickup = Mapping()
    shipping = Mapping()


class WayQuotedOut(Out):
    """When the pieces of one way would be ready, and until when they would be kept."""

    method = fields.String()
    location = fields.String()
    source = fields.String()
    ready_by = Instant(allow_none=True)
    deadline = Instant(allow_none=True)
