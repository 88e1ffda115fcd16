"""Bodies of requests, and small arithmetic, for the random shop."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from werkzeug.test import TestResponse

PRICE = 1000
FEE = 500
HOME = {"postal_code": "150-0002", "city": "渋谷区"}


def summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Pieces by SKU."""
    total: dict[str, int] = defaultdict(int)
    for sku, quantity in pairs:
        total[sku] += quantity
    return dict(total)


def merged(pairs: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """One pair per SKU."""
    return sorted(summed(pairs).items())


def lines(pairs: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
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


def order(
    ref: str, ways: Sequence[tuple[dict[str, Any], Sequence[tuple[str, int]]]], *, in_store: bool, fee: int
) -> dict[str, Any]:
    """An EC order whose lines come each its own way, paid to the yen: by card, or in the store what is given there."""
    numbered = [
        (way, [(f"{w}-{n}", sku, q) for n, (sku, q) in enumerate(pairs)]) for w, (way, pairs) in enumerate(ways)
    ]
    total = fee + PRICE * sum(quantity for _, pairs in ways for _, quantity in pairs)
    sent_home = PRICE * sum(quantity for way, pairs in ways if way["method"] == "ship" for _, quantity in pairs)
    by_card = (sent_home + fee if sent_home else 0) if in_store else total
    paid = [
        {"method": method, "state": state, "amount": amount}
        for method, state, amount in (("card", "authorized", by_card), ("pay_in_store", "due", total - by_card))
        if amount
    ]
    fulfilments = [
        way | {"lines": [{"line_ref": line_ref, "quantity": quantity} for line_ref, _, quantity in part]}
        for way, part in numbered
    ]
    return {
        "channel": "ec", "external_ref": ref, "shipping_fee": fee,
        "lines": [
            {"line_ref": line_ref, "sku": sku, "quantity": quantity, "unit_price": PRICE}
            for _, part in numbered
            for line_ref, sku, quantity in part
        ],
        "payments": paid,
    } | ({"fulfilment": ways[0][0]} if len(ways) == 1 else {"fulfilments": fulfilments})  # fmt: skip


def sent(shown: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Pieces by place and SKU that left in an order's parcels."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for way in shown["fulfilments"]:
        for parcel in way.get("shipping", {}).get("shipments", []):
            for line in parcel["lines"]:
                found[way["shipping"]["ship_from"], line["sku"]] += line["quantity"]
    return found


def done(answer: TestResponse, status: int) -> dict[str, Any]:
    """The answer, which must have this status."""
    assert answer.status_code == status, answer.text
    return dict(answer.json)
