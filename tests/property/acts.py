"""Bodies of requests, and small arithmetic, for the random shop."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from werkzeug.test import TestResponse

PRICE = 1000


def summed(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Pieces by SKU."""
    total: dict[str, int] = defaultdict(int)
    for sku, quantity in pairs:
        total[sku] += quantity
    return dict(total)


def merged(pairs: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """One pair per SKU."""
    return sorted(summed(pairs).items())


def lines(pairs: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """As a reservation says it."""
    return [{"sku": sku, "quantity": quantity} for sku, quantity in pairs]


def sale(number: int, store: str, pairs: Sequence[tuple[str, int]], sold_at: dt.datetime) -> dict[str, Any]:
    """A receipt of the only till of a store."""
    total = sum(quantity for _, quantity in pairs) * PRICE
    return {
        "source": "life", "store": store, "terminal": "1", "receipt_no": str(number), "kind": "sale", "revision": 1,
        "business_date": "2026-11-24", "sold_at": sold_at.isoformat(),
        "lines": [
            {"line_no": n, "sku": sku, "quantity": quantity, "unit_price": PRICE}
            for n, (sku, quantity) in enumerate(pairs, start=1)
        ],
        "tenders": [{"method": "cash", "amount": total}],
    }  # fmt: skip


def lines_of(receipt: dict[str, Any]) -> dict[str, int]:
    """Pieces of a receipt by SKU."""
    return summed([(line["sku"], line["quantity"]) for line in receipt["lines"]])


def order(ref: str, place: str, pairs: Sequence[tuple[str, int]], method: str) -> dict[str, Any]:
    """An EC order, paid by card to the yen."""
    fulfilment = (
        {"method": "pickup", "location": place}
        if method == "pickup"
        else {"method": "ship", "ship_from": place, "address": {"postal_code": "150-0002", "city": "渋谷区"}}
    )
    return {
        "channel": "ec", "external_ref": ref, "fulfilment": fulfilment,
        "lines": [
            {"line_ref": str(n), "sku": sku, "quantity": quantity, "unit_price": PRICE}
            for n, (sku, quantity) in enumerate(pairs, start=1)
        ],
        "payments": [{"method": "card", "amount": PRICE * sum(q for _, q in pairs), "state": "authorized"}],
    }  # fmt: skip


def place_of(shown: dict[str, Any]) -> str:
    """Where an order's goods leave from."""
    return str(shown["fulfilment"]["location"])


def work(action: str, sku: str, quantity: int) -> dict[str, Any] | None:
    """The body of a clerk's step."""
    if action == "pick":
        return {"lines": [{"sku": sku, "quantity": quantity}]}
    if action == "short":
        return {"sku": sku, "quantity": quantity, "reason": "not_found"}
    return {"shelf": "A-1"} if action == "ready" else None


def token(shown: dict[str, Any]) -> str:
    """The token in the page's address."""
    return str(shown["page_url"]).rsplit("/", 1)[1]


def done(answer: TestResponse, status: int) -> dict[str, Any]:
    """The answer, which must have this status."""
    assert answer.status_code == status, answer.text
    return dict(answer.json)
