"""What the webhook calls read and answer."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core import settings
from app.core.fields import (
    Choice,
    Code,
    Flag,
    Identifier,
    In,
    Instant,
    Integer,
    Items,
    Mapping,
    Out,
    PageQuery,
    Part,
    QueryInteger,
    Text,
)

from .states import DeliveryState, EndpointState
from .topics import is_pattern

_MAX_TOPIC = 60
_MAX_AGGREGATE = 160


class Pattern(Text):
    """An event's name, `noun.*`, or `*`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(high=_MAX_TOPIC, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not is_pattern(text):
            message = "unknown-event"
            raise ValidationError(message)
        return text


class EndpointIn(In):
    """An address, and what it wants to hear."""

    url = Text(high=settings.MAX_URL, required=True)
    events = Items(Pattern(), low=1, high=settings.MAX_WEBHOOK_PATTERNS, required=True)


class EndpointOut(Out):
    """An endpoint."""

    id = fields.String()
    url = fields.String()
    events = fields.List(fields.String())
    state = Choice(*EndpointState)
    channels = fields.List(fields.String())
    locations = fields.List(fields.String())
    failures = fields.Integer()
    rests_until = Instant()
    old_secret_until = Instant()
    replaying = Flag()
    created_at = Instant()
    updated_at = Instant()


class SecretOut(EndpointOut):
    """An endpoint with its secret, which is shown this once."""

    secret = fields.String()


class EndpointPage(Out):
    """Some endpoints."""

    items = fields.List(fields.Nested(EndpointOut))
    next_cursor = fields.String()


class AggregateIn(In):
    """Whose story."""

    type = Code(required=True)
    id = Text(high=_MAX_AGGREGATE, required=True)


class ReplayIn(In):
    """From when on, or of what and after which number."""

    since = Instant()
    aggregate = Part(AggregateIn)
    after_sequence = Integer(0, settings.MAX_LEVEL)

    @validates_schema
    def one_way(self, data: dict[str, Any], **_: Any) -> None:
        """A time, or an aggregate with a number."""
        ways = "since" in data, "aggregate" in data and "after_sequence" in data
        if sum(ways) != 1 or ("since" in data and len(data) > 1):
            raise ValidationError({"since": ["one-of-two"]})


class AggregateOut(Out):
    """Whose story an event belongs to."""

    type = fields.String()
    id = fields.String()


class DeliveryOut(Out):
    """An event on its way to an endpoint."""

    id = fields.String()
    endpoint = fields.String()
    event = fields.String()
    type = fields.String()
    aggregate = fields.Nested(AggregateOut)
    sequence = fields.Integer()
    state = Choice(*DeliveryState)
    attempts = fields.Integer()
    next_attempt_at = Instant()
    last_status = fields.Integer()
    last_error = fields.String()
    delivered_at = Instant()
    created_at = Instant()
    updated_at = Instant()


class DeliveryPage(Out):
    """Some deliveries."""

    items = fields.List(fields.Nested(DeliveryOut))
    next_cursor = fields.String()


class DeliveryQuery(PageQuery):
    """Which deliveries."""

    endpoint = Identifier()
    state = Choice(*DeliveryState)


class EventsQuery(In):
    """From where on, and which."""

    after = Text(high=400, low=0)
    limit = QueryInteger(1, settings.MAX_PAGE, load_default=settings.DEFAULT_PAGE)
    type = Items(Pattern(), high=settings.MAX_WEBHOOK_PATTERNS, metadata={"many": True})


class EventOut(Out):
    """What happened, as a webhook tells it."""

    type = fields.String()
    id = fields.String()
    timestamp = fields.String()
    sequence = fields.Integer()
    aggregate = fields.Nested(AggregateOut)
    location = fields.String()
    data = Mapping()


class EventsPage(Out):
    """Some events, and where to ask on: `resume_cursor` is set at the end, too."""

    items = fields.List(fields.Nested(EventOut))
    next_cursor = fields.String()
    resume_cursor = fields.String()
