"""Bodies and answers of the rescue desk."""

from __future__ import annotations

from app.core import settings
from app.core.fields import Choice, Code, Flag, Identifier, In, Instant, Integer, Items, Number, Out, Part, Text, Yen

from .at_risk import Whose
from .remedies import Effect, Kind
from .states import PickupState


class ApplyIn(In):
    """Which remedy, by the id that the list gives."""

    remedy = Text(high=settings.MAX_TEXT, required=True)


class RemedyOut(Out):
    """One thing that can be done now, whose pieces it takes, and what the customer notices.

    `promised_at` is what the customer was told, `ready_by` what it would be then. `written` says whether the customer
    gets a notice of it; without one, somebody has to tell them.
    """

    remedy = Text()
    kind = Choice(*(str(kind) for kind in Kind))
    words = Text()
    customer = Choice(*(str(effect) for effect in Effect))
    written = Flag()
    quantity = Integer(0, settings.MAX_LEVEL)
    whose = Choice(*(str(whose) for whose in Whose))
    claim = Identifier()
    channel = Text()
    order_id = Identifier()
    order_number = Text()
    pickup = Identifier()
    code = Code()
    state = Choice(*(str(state) for state in PickupState))
    transfer = Identifier()
    paid = Flag()
    picked = Flag()
    promised_at = Instant()
    from_ = Code(data_key="from", attribute="from")
    from_name = Text()
    distance_km = Number(0, 21_000)
    ready_by = Instant()
    refund = Yen()


class WaitingOut(Out):
    """A customer who was asked and has not chosen."""

    pickup = Identifier()
    code = Code()
    order_number = Text()
    quantity = Integer(1, settings.MAX_LEVEL)
    until = Instant()


class RemediesOut(Out):
    """What can be done about an incident, ranked; for whom it waits; the recount that was asked for.

    `uncovered` is the part of the shortage that no promise within the caller's bounds explains.
    """

    incident = Identifier()
    location = Code()
    sku = Code()
    state = Choice("open", "resolved")
    shortage = Integer(0, settings.MAX_LEVEL)
    uncovered = Integer(0, settings.MAX_LEVEL)
    cause_code = Text()
    recount = Identifier()
    waiting = Items(Part(WaitingOut), high=settings.MAX_LEVEL)
    remedies = Items(Part(RemedyOut), high=settings.MAX_LEVEL)
