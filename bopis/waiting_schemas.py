"""Bodies and answers of waiting lists."""

from __future__ import annotations

from app.core import settings
from app.core.fields import Choice, Code, Identifier, In, Instant, Integer, Items, Out, PageQuery, Part, Quantity, Text

from .reservation_schemas import CHANNEL_LENGTH, HeldForIn
from .states import WaitState

_STATES = tuple(str(state) for state in WaitState)


class WaitIn(In):
    """What somebody waits for, and how to reach them."""

    location = Code(required=True)
    sku = Code(required=True)
    quantity = Quantity(load_default=1)
    channel = Code(high=CHANNEL_LENGTH, load_default="ec")
    customer = Part(HeldForIn, required=True)


class WaitQuery(PageQuery):
    """Whose places."""

    location = Code()
    sku = Code()
    state = Choice(*_STATES)


class WaitOut(Out):
    """A place in a waiting list; `position` 1 is next, `pickup` the hold that was offered."""

    id = Identifier()
    state = Choice(*_STATES)
    location = Code()
    sku = Code()
    quantity = Integer(1, settings.MAX_QUANTITY)
    channel = Code()
    position = Integer(1, settings.MAX_LEVEL, allow_none=True)
    pickup = Identifier(allow_none=True)
    created_at = Instant()
    updated_at = Instant()


class WaitPageOut(Out):
    """A page of places."""

    items = Items(Part(WaitOut), high=settings.MAX_PAGE)
    next_cursor = Text(allow_none=True)
