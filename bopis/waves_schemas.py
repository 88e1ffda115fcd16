"""Bodies and answers of waves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from app.core import settings
from app.core.fields import Choice, Code, Identifier, In, Instant, Integer, Items, Out, PageQuery, Part, Quantity, Text

from .schemas import ScannedIn
from .states import PickupState, WaveState

_STATES = tuple(str(state) for state in WaveState)


class WaveQuery(PageQuery):
    """Which waves."""

    location = Code()
    state = Choice(*_STATES)


class WaveIn(In):
    """Where, and which pickups: by id, or so many of the most urgent."""

    location = Code(required=True)
    pickups = Items(Identifier(), low=1, high=settings.MAX_WAVE)
    limit = Integer(1, settings.MAX_WAVE)

    @validates_schema
    def _one_way(self, data: Mapping[str, Any], **_rest: object) -> None:
        if ("pickups" in data) == ("limit" in data):
            raise ValidationError("ids-or-limit")


class WavePickIn(ScannedIn):
    """What was taken from the shelf; for one pickup if the clerk says so."""

    pickup = Identifier()


class PortionOut(Out):
    """Pieces for one pickup's line."""

    id = Identifier()
    code = Text()
    line_ref = Code()
    quantity = Quantity()
    tote = Integer(1, settings.MAX_WAVE)


class WavePickupOut(Out):
    """A pickup of the wave."""

    id = Identifier()
    code = Text()
    order_number = Text(allow_none=True)
    state = Choice(*(str(state) for state in PickupState))
    ready_by = Instant(allow_none=True)
    tote = Integer(1, settings.MAX_WAVE)


class ShelfPickOut(Out):
    """A stop of the walk: what to take there, and for whom."""

    shelf = Text(allow_none=True)
    sku = Code()
    name = Text()
    barcodes = Items(Text())
    quantity = Quantity()
    pickups = Items(Part(PortionOut))


class WaveOut(Out):
    """A wave; `picks` is what is still to be taken, in the order of the walk."""

    id = Identifier()
    location = Code()
    state = Choice(*_STATES)
    pickups = Items(Part(WavePickupOut))
    picks = Items(Part(ShelfPickOut))
    version = Integer(1, settings.MAX_LEVEL)
    created_at = Instant()
    updated_at = Instant()


class WavePickOut(Out):
    """Into which totes the pieces go, and what is left of the wave."""

    sku = Code()
    name = Text()
    pickups = Items(Part(PortionOut))
    wave = Part(WaveOut)


class WavePageOut(Out):
    """A page of waves."""

    items = Items(Part(WaveOut), high=settings.MAX_PAGE)
    next_cursor = Text(allow_none=True)
