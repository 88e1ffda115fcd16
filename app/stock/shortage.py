"""Why a promise is refused, and where else every line can be had: facts for the customer's next choice."""

from __future__ import annotations

from collections.abc import Mapping

from . import availability
from .errors import InsufficientStock

MAX_ALTERNATIVES = 5


def explain(location: str, channel: str, wanted: Mapping[str, int]) -> InsufficientStock:
    """The refusal: every short line, and other locations by distance with whether they have all lines."""
    here = availability.at(location, channel, list(wanted))
    short = [
        {"sku": sku, "requested": quantity, "available": here.get(sku, 0)}
        for sku, quantity in wanted.items()
        if here.get(sku, 0) < quantity
    ]
    return InsufficientStock(
        location=location, lines=short, alternatives=availability.alternatives(location, channel, wanted)
    )
