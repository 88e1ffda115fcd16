"""Bodies and answers of stock."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields

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
    Number,
    Out,
    PageQuery,
    Part,
    Quantity,
    QueryInteger,
    SignedQuantity,
    Text,
)

from .adjustments import Reason
from .incidents import CODES, OTHER
from .states import TransferState

_LEVEL = settings.MAX_LEVEL


class Near(Text):
    """A point as `latitude,longitude`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            latitude, longitude = (float(part) for part in text.split(","))
        except ValueError as error:
            raise ValidationError("not-point") from error
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise ValidationError("not-point")
        return latitude, longitude


def _level(**kwargs: Any) -> Integer:
    return Integer(-_LEVEL, _LEVEL, **kwargs)


def _one_or_more_skus(low: int) -> Items:
    return Items(Code(), low, settings.MAX_SKUS_ASKED, required=bool(low), metadata={"many": True})


class AvailabilityQuery(In):
    """Which SKUs, for which channel, where."""

    sku = _one_or_more_skus(1)
    location = Code()
    channel = Code(high=40)
    near = Near(high=60)
    limit = QueryInteger(1, settings.MAX_PAGE, load_default=settings.MAX_LOCATIONS_SHOWN)


class PickupOffer(Out):
    """Whether and when ordered goods could be collected."""

    enabled = Flag()
    ready_by = Instant()


class SpotOut(Out):
    """What can be promised at one place."""

    location = Code()
    name = Text()
    available = Integer(0, _LEVEL)
    state = Choice("in_stock", "low", "out")
    pickup = Part(PickupOffer)
    distance_km = Number(0, 40_100)


class SkuAvailability(Out):
    """What can be promised of one SKU."""

    sku = Code()
    total_available = Integer(0, _LEVEL)
    locations = fields.List(Part(SpotOut))


class AvailabilityOut(Out):
    """Figures, all true at `as_of`."""

    items = fields.List(Part(SkuAvailability))
    as_of = Instant()


class StockQuery(PageQuery):
    """Levels of some SKUs, of one place, or all."""

    sku = _one_or_more_skus(0)
    location = Code()


class LevelOut(Out):
    """The books at one place."""

    sku = Code()
    location = Code()
    on_hand = _level()
    reserved = Integer(0, _LEVEL)
    safety = Integer(0, _LEVEL)
    available = Integer(0, _LEVEL)
    incoming = _level()
    changed_at = Instant()


class StockPage(Out):
    """One page of levels."""

    items = fields.List(Part(LevelOut))
    next_cursor = Text(allow_none=True)


class ChangesPage(StockPage):
    """One page of the feed."""

    resume_cursor = Text()


class ChangesQuery(In):
    """Where to go on."""

    cursor = Text(high=600)
    limit = QueryInteger(1, settings.MAX_PAGE, load_default=settings.MAX_PAGE)
    location = Code()


class PolicyIn(In):
    """How much of the stock a channel may sell; what is left out is decided by a wider policy."""

    channel = Code(high=40, required=True)
    location = Code(load_default=None, allow_none=True)
    sku = Code(load_default=None, allow_none=True)
    share = Integer(0, 100, load_default=None, allow_none=True)
    safety = Integer(0, settings.MAX_QUANTITY, load_default=None, allow_none=True)
    buffer = Integer(0, settings.MAX_QUANTITY, load_default=None, allow_none=True)


class PolicyOut(Out):
    """A policy; null means all places, all SKUs, or a figure that a wider policy decides."""

    channel = Code()
    location = Code(allow_none=True)
    sku = Code(allow_none=True)
    share = Integer(0, 100, allow_none=True)
    safety = Integer(0, settings.MAX_QUANTITY, allow_none=True)
    buffer = Integer(0, settings.MAX_QUANTITY, allow_none=True)
    updated_at = Instant()


class PolicyQuery(PageQuery):
    """Policies of a channel, a place, a SKU."""

    channel = Code(high=40)
    location = Code()
    sku = Code()


class PolicyPage(Out):
    """One page of policies."""

    items = fields.List(Part(PolicyOut))
    next_cursor = Text(allow_none=True)


class SignedLine(In):
    """Pieces that came (+) or went (−)."""

    sku = Code(required=True)
    quantity = SignedQuantity(required=True)


class AdjustmentIn(In):
    """What somebody found out about the shelf."""

    location = Code(required=True)
    reason = Choice(*Reason, required=True)
    note = Text(high=settings.MAX_NOTE, multiline=True)
    lines = Items(Part(SignedLine), 1, required=True)


class WrittenOut(Out):
    """A written line of the ledger."""

    id = Identifier()
    sku = Code()
    location = Code(attribute="location_id")
    quantity = SignedQuantity()
    balance_after = _level()


class AdjustmentOut(Out):
    """The adjustment and what it wrote."""

    id = Identifier()
    movements = fields.List(Part(WrittenOut))


class MovementQuery(In):
    """Lines of the ledger."""

    sku = Code()
    location = Code()
    since = Instant()
    cursor = Text(high=400)
    limit = QueryInteger(1, settings.MAX_PAGE, load_default=settings.DEFAULT_PAGE)


class MovementReference(Out):
    """The document a movement belongs to."""

    type = Text()
    id = Text()


class MovementOut(Out):
    """A line of the ledger."""

    id = Identifier()
    sku = Code()
    location = Code()
    quantity = SignedQuantity()
    kind = Text()
    reference = Part(MovementReference)
    occurred_at = Instant()
    recorded_at = Instant()
    actor = Text()
    balance_after = _level()
    note = Text(allow_none=True)


class MovementPage(Out):
    """One page of the ledger."""

    items = fields.List(Part(MovementOut))
    next_cursor = Text(allow_none=True)


class TransferLineIn(In):
    """Pieces of a SKU."""

    sku = Code(required=True)
    quantity = Quantity(required=True)


class CountedLine(In):
    """Pieces of a SKU that left or arrived; none is possible."""

    sku = Code(required=True)
    quantity = Integer(0, settings.MAX_QUANTITY, required=True)


class TransferIn(In):
    """From where to where, and what."""

    sender = Code(required=True, data_key="from")
    receiver = Code(required=True, data_key="to")
    note = Text(high=settings.MAX_NOTE, multiline=True)
    expected_at = Instant()
    lines = Items(Part(TransferLineIn), 1, required=True)


class SendIn(In):
    """What was sent, where it is less than was asked for; nothing given means all."""

    lines = Items(Part(CountedLine), 1)


class ReceiveIn(In):
    """What arrived; nothing given means that all did."""

    lines = Items(Part(CountedLine), 1)


class TransferLineOut(Out):
    """What was asked for, sent and received of one SKU."""

    sku = Code()
    quantity = Integer(0, _LEVEL)
    promised = Integer(0, _LEVEL)
    shipped = Integer(0, _LEVEL)
    received = Integer(0, _LEVEL)


class TransferOut(Out):
    """A transfer; `for` is whom the promised pieces travel for."""

    id = Identifier()
    state = Choice(*TransferState)
    sender = Code(data_key="from")
    receiver = Code(data_key="to")
    whom = Part(MovementReference, data_key="for")
    lines = fields.List(Part(TransferLineOut))
    note = Text(allow_none=True)
    expected_at = Instant(allow_none=True)
    shipped_at = Instant(allow_none=True)
    received_at = Instant(allow_none=True)
    created_at = Instant()
    updated_at = Instant()


class TransferQuery(PageQuery):
    """Transfers from or to a place."""

    location = Code()
    state = Choice(*TransferState)


class TransferPage(Out):
    """One page of transfers."""

    items = fields.List(Part(TransferOut))
    next_cursor = Text(allow_none=True)


class IncidentOut(Out):
    """Fewer pieces are there than are promised; `waiting` counts customers who are asked and have not chosen."""

    id = Identifier()
    location = Code(attribute="location_id")
    sku = Code()
    kind = Choice("oversell")
    state = Choice("open", "resolved")
    shortage = Integer(0, _LEVEL)
    waiting = Integer(0, _LEVEL)
    cause = Part(MovementReference)
    cause_code = Choice(*sorted({*CODES.values(), OTHER}))
    opened_at = Instant()
    resolved_at = Instant(allow_none=True)
    updated_at = Instant()


class IncidentQuery(PageQuery):
    """Incidents of a place, open or resolved."""

    location = Code()
    state = Choice("open", "resolved")


class IncidentPage(Out):
    """One page of incidents."""

    items = fields.List(Part(IncidentOut))
    next_cursor = Text(allow_none=True)


class CountIn(In):
    """A row of a file of counted or opening quantities."""

    location = Code(required=True)
    sku = Code(required=True)
    quantity = Integer(0, settings.MAX_QUANTITY, required=True)
