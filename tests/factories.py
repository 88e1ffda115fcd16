"""Things a test needs before it begins, made through the API like anybody's."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TEN_TO_NINE = {day: [["10:00", "21:00"]] for day in WEEK}


def store_body(code: str, **over: Any) -> dict[str, Any]:
    """A store in Tokyo, open from ten to nine every day, with pickup."""
    body = {
        "name": f"{code}店",
        "name_en": f"Store {code}",
        "kind": "store",
        "timezone": "Asia/Tokyo",
        "postal_code": "150-0002",
        "address": "東京都渋谷区渋谷1-1-1",
        "latitude": 35.658,
        "longitude": 139.701,
        "phone": "03-1234-5678",
        "hours": TEN_TO_NINE,
        "closures": [],
        "pickup": {"enabled": True, "lead_minutes": 60, "hold_days": 7},
        "safety_stock": 0,
    }
    return body | over


def sku_body(code: str, **over: Any) -> dict[str, Any]:
    """A thing at the standard rate for 1,000 yen."""
    body = {
        "product": code,
        "name": f"商品{code}",
        "name_en": f"Thing {code}",
        "barcodes": [],
        "tax_category": "standard",
        "list_price": 1000,
        "options": {},
    }
    return body | over


def put(api: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.put(path, body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def make_sku(api: Any, code: str, **over: Any) -> dict[str, Any]:
    """A SKU; whatever is not given is plain."""
    return put(api, f"/skus/{quote(code, safe='')}", sku_body(code, **over))


def make_store(api: Any, code: str, stock: dict[str, int] | None = None, **over: Any) -> dict[str, Any]:
    """A place and, with `stock`, its opening quantities by SKU; SKUs that are missing are made."""
    place = put(api, f"/locations/{quote(code, safe='')}", store_body(code, **over))
    if stock:
        for sku in stock:
            if api.get(f"/skus/{quote(sku, safe='')}").status_code == 404:
                make_sku(api, sku)
        lines = [{"sku": sku, "quantity": quantity} for sku, quantity in stock.items()]
        answer = api.post("/stock/adjustments", {"location": code, "reason": "opening", "lines": lines})
        assert answer.status_code == 201, answer.text
    return place
