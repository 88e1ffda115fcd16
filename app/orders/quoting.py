"""What an order would cost and when it would be ready: every figure of an order, and no effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core import clock

from . import fulfilment, placing
from .placing import Basket
from .reckoning import Document


@dataclass(frozen=True, slots=True)
class Quote:
    """A priced basket, and what the place promises."""

    ways: list[placing.Way]
    document: Document
    promises: list[fulfilment.Promise]
    points: dict[str, Any]
    coupons: list[dict[str, Any]]


def quote(basket: Basket) -> Quote:
    """Price the basket where it would be placed. Points and coupons that cannot be used are told, not refused."""
    ways, document = placing.priced(basket)
    promises = [
        fulfilment.method(way.method).promise(way.located, at=clock.now(), pickup_at=way.wanted.get("pickup_at"))
        for way in ways
    ]
    points: dict[str, Any] = {"requested": basket.points_to_use, "used": 0, "available": 0, "reason": None}
    if basket.points_to_use or basket.points_hold is not None:
        points["reason"] = "insufficient_points"
    coupons = [
        {"code": code, "discount": 0, "reason": "unknown_code"} for code in (*basket.coupons, *basket.coupon_holds)
    ]
    return Quote(ways, document, promises, points, coupons)
