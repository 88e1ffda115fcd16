"""Adjustments: what people found out about the shelf. Facts: they are written down, never refused for stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app import catalog, stores
from app.core import actor
from app.core.db import use_case
from app.core.ids import new_id

from . import ledger


class Reason(StrEnum):
    """Why a figure changes; it becomes the movement's kind."""

    RECEIPT = "receipt"
    DAMAGE = "damage"
    LOSS = "loss"
    FOUND = "found"
    STOCKTAKE = "stocktake"
    CORRECTION = "correction"
    OPENING = "opening"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What was written: its id is the reference of every movement."""

    id: str
    location_id: str
    movements: list[ledger.Movement]


@use_case
def adjust(*, location: str, reason: Reason, lines: Sequence[tuple[str, int]], note: str | None = None) -> Adjustment:
    """Write signed pieces by SKU. Below zero, or below what is promised, opens an incident.

    Raises UnknownLocation, UnknownSku.
    """
    actor.within(location=location, missing=stores.UnknownLocation)
    stores.get(location)
    catalog.require([sku for sku, _ in lines])
    adjustment_id = new_id()
    goods = [ledger.Goods(location, sku, quantity) for sku, quantity in lines]
    cause = ledger.Cause(kind=str(reason), type="adjustment", id=adjustment_id, note=note)
    return Adjustment(adjustment_id, location, ledger.record(goods, cause))
