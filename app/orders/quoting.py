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

    location: str
    document: Document
    promise: fulfilment.Promise
    points: dict[str, Any]
    coupons: list[dict[str, Any]]


def quote(basket: Basket) -> Quote:
    """Price the basket where it would be placed. Points and coupons that cannot be used are told, not refused."""
    location, document = placing.priced(basket)
    method = fulfilment.method(basket.fulfilment["method"])
    promise = method.promise(location, at=clock.now(), pickup_at=basket.fulfilment.get("pickup_at"))
    points: dict[str, Any] = {"requested": basket.points_to_use, "used": 0, "available": 0, "reason": None}
    if basket.points_to_use or basket.points_hold is not None:
        points["reason"] = "insufficient_points"
    coupons = [
        {"code": code, "discount": 0, "reason": "unknown_code"} for code in (*basket.coupons, *basket.coupon_holds)
    ]
    return Quote(location, document, promise, points, coupons)
