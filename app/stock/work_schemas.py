"""Bodies and answers of the store's work on its stock: counts that are owed, and shelves."""

from __future__ import annotations

from marshmallow import fields

from app.core import settings
from app.core.fields import Choice, Code, Identifier, In, Instant, Integer, Items, Out, PageQuery, Part, Text

from .recounts import Doubt
from .schemas import MovementReference
from .states import RecountState


class RecountQuery(PageQuery):
    """Recounts of a place, open or done."""

    location = Code()
    state = Choice(*RecountState)


class CountedIn(In):
    """Everything that lies there, with what is picked and waits for its customers."""

    counted = Integer(0, settings.MAX_QUANTITY, required=True)


class RecountOut(Out):
    """A count that somebody owes, or has made."""

    id = Identifier()
    location = Code(attribute="location_id")
    sku = Code()
    state = Choice(*RecountState)
    reason = Choice(*Doubt)
    missing = Integer(0, settings.MAX_LEVEL)
    blocked = Integer(0, settings.MAX_LEVEL)
    cause = Part(MovementReference)
    counted = Integer(0, settings.MAX_QUANTITY)
    difference = Integer(-settings.MAX_LEVEL, settings.MAX_LEVEL)
    requested_at = Instant()
    done_at = Instant()
    updated_at = Instant()


class RecountPage(Out):
    """One page of recounts."""

    items = fields.List(Part(RecountOut))
    next_cursor = Text(allow_none=True)


class ShelfLine(In):
    """Where a SKU lies; null where it has no shelf any more."""

    sku = Code(required=True)
    shelf = Text(high=60, required=True, allow_none=True)


class ShelvesIn(In):
    """Shelves of one place; SKUs that are not named stay where they are."""

    location = Code(required=True)
    lines = Items(Part(ShelfLine), 1, required=True)


class ShelfOut(Out):
    """Where a SKU lies."""

    sku = Code()
    shelf = Text(allow_none=True)


class ShelvesOut(Out):
    """What was put down."""

    location = Code()
    lines = fields.List(Part(ShelfOut))


class ShelfQuery(PageQuery):
    """Shelves of which place."""

    location = Code(required=True)


class ShelfPage(Out):
    """One page of shelves."""

    items = fields.List(Part(ShelfOut))
    next_cursor = Text(allow_none=True)
