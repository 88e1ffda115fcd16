"""What a channel may sell of what is there: the one formula, and the policies that feed it.

available(channel) = max(0, ⌊(on_hand − reserved) × share⌋ − safety − buffer); share 100 % unless set, safety the
location's own unless a policy sets one. A more special policy wins field by field: location and SKU, then SKU, then
location, then the channel as a whole. Moves between our own places are no channel: they may take all that is free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import catalog, stores
from app.core import actor
from app.core.db import ask
from app.core.sql import Call, Rowset, Sql, json_param

from .levels import Take

INTERNAL = ""  # no caller can name it: a channel's code has at least one character

_SKUS = Rowset("wanted", "skus", {"sku": "text"})
_POLICIES = Sql(
    "SELECT location_id, sku, share, safety, buffer FROM stock_policy WHERE channel = :channel "
    "AND (sku = '' OR sku IN (SELECT wanted.sku FROM {wanted}))",
    _SKUS,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What applies at one place to one SKU."""

    share: int = 100
    safety: int = 0
    buffer: int = 0

    def available(self, on_hand: int, reserved: int) -> int:
        """Pieces the channel may promise."""
        return max(0, (on_hand - reserved) * self.share // 100 - self.safety - self.buffer)


Policies = Mapping[tuple[str, str], tuple[int | None, int | None, int | None]]


def policies_call(channel: str, skus: Sequence[str]) -> Call:
    """The statement that reads the policies of a channel for some SKUs."""
    return _POLICIES, {"channel": channel, "skus": json_param([{"sku": s} for s in skus])}


def policies_of(rows: Sequence[tuple[object, ...]]) -> Policies:
    """Its rows, by (location, SKU)."""
    return {(str(r[0]), str(r[1])): (r[2], r[3], r[4]) for r in rows}  # type: ignore[misc]


def rule_for(channel: str, policies: Policies, location: str, sku: str, safety: int) -> Rule:
    """The rule at one place; `safety` is the location's own."""
    if channel == INTERNAL:
        return Rule()
    values: list[int | None] = [None, None, None]
    for place in ((location, sku), ("", sku), (location, ""), ("", "")):
        found = policies.get(place)
        if found is not None:
            values = [f if v is None else v for v, f in zip(values, found, strict=True)]
    share, own_safety, buffer = values
    return Rule(
        share=100 if share is None else share, safety=safety if own_safety is None else own_safety, buffer=buffer or 0
    )


def takes(location: str, channel: str, wanted: Mapping[str, int]) -> list[Take]:
    """The rows to take for a promise. Raises UnknownLocation, UnknownSku; a place out of bounds is unknown."""
    actor.within(location=location, missing=stores.UnknownLocation)
    skus = list(wanted)
    found, policies = ask(stores.safety_call(location), policies_call(channel, skus))
    if not found.rows:
        raise stores.UnknownLocation(location=location)
    catalog.require(skus)
    known = policies_of(policies.rows)
    result = []
    for sku, quantity in wanted.items():
        rule = rule_for(channel, known, location, sku, int(found.rows[0][0]))
        result.append(Take(sku=sku, quantity=quantity, share=rule.share, keep=rule.safety + rule.buffer))
    return result
