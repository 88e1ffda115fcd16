"""The four requests that are measured, as one client sends them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from bench.capture import LOCATION, SKUS, UNIQUE

_numbers = itertools.count()


def _unique() -> str:
    """`UNIQUE-77` in the recorded (third) request, other names before it."""
    number = next(_numbers) % 3
    return UNIQUE if number == 2 else f"warm-{number}"


def reservation(key: str) -> Callable[[Any], Any]:
    """One piece of one SKU for a cart."""
    body = {"location": LOCATION, "lines": [{"sku": SKUS[0], "quantity": 1}], "kind": "cart"}
    return lambda client: client.post(
        "/api/v1/reservations",
        json=body,
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": _unique()},
    )


def availability(key: str) -> Callable[[Any], Any]:
    """One SKU in all stores."""
    return lambda client: client.get(f"/api/v1/availability?sku={SKUS[0]}", headers={"Authorization": f"Bearer {key}"})


def till(key: str) -> Callable[[Any], Any]:
    """A receipt of three lines."""

    def send(client: Any) -> Any:
        sale = {
            "source": "bench", "store": LOCATION, "terminal": "1", "receipt_no": _unique(), "kind": "sale",
            "business_date": "2026-11-22", "sold_at": "2026-11-22T00:00:01Z",
            "lines": [{"line_no": n, "sku": sku, "quantity": 1, "unit_price": 1000} for n, sku in enumerate(SKUS, 1)],
            "tenders": [{"method": "cash", "amount": 3000}],
        }  # fmt: skip
        return client.post("/api/v1/pos/sales", json=sale, headers={"Authorization": f"Bearer {key}"})

    return send
