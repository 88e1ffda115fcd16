"""Why a promise is refused, and where else every line can be had: facts for the customer's next choice."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.db import Again

from . import availability
from .errors import InsufficientStock


def explain(location: str, channel: str, wanted: Mapping[str, int]) -> InsufficientStock:
    """The refusal: every short line, and other locations by distance with whether they have all lines.

    Raises Again when nothing is short any more: a rival gave pieces back between the refusal and this look.
    """
    here = availability.at(location, channel, list(wanted))
    short = [
        {"sku": sku, "requested": quantity, "available": here.get(sku, 0)}
        for sku, quantity in wanted.items()
        if here.get(sku, 0) < quantity
    ]
    if not short:
        raise Again
    return InsufficientStock(
        location=location, lines=short, alternatives=availability.alternatives(location, channel, wanted)
    )
