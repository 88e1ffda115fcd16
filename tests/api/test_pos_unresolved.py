from __future__ import annotations

from typing import Any

import pytest

from tests.factories import make_sku, make_store
from tests.till import DAY, level, line, movements, sale

UNKNOWN = {"barcode": "4901234567894", "name": "なぞの帽子"}


@pytest.fixture
def shop(api: Any) -> Any:
    make_sku(api, "B")
    make_store(api, "S1", stock={"A": 5})
    make_store(api, "S2")
    return api


def hat(number: int, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return sale(number, [line("A", 1, 1000), {**line(None, quantity, 100), **UNKNOWN}], 1000 + 100 * quantity, **more)


def test_unknown_codes_are_kept_and_posted_once_they_are_known(app: Any, shop: Any) -> None:
    sold = shop.post("/pos/sales", hat(1, 2))
    assert sold.json["problems"] == [{"pointer": "/lines/1/barcode", "code": "unknown-barcode"}]
    assert (sold.json["state"], sold.json["totals"]["total"]) == ("posted", 1200)
    shop.post("/pos/sales", hat(2, 3, store="S2"))
    shop.post("/pos/sales", hat(3, 1, kind="return"))
    shop.post("/pos/sales", sale(4, [line("ghost", 1, 100)], 100))
    listed = shop.get("/pos/unresolved").json
    assert [(one["code"], one["lines"], one["quantity"], one["locations"]) for one in listed["items"]] == [
        ("4901234567894", 3, -4, ["S1", "S2"]), ("ghost", 1, -1, ["S1"]),
    ]  # fmt: skip
    first = listed["items"][0]
    assert (first["name"], first["source"]) == ("なぞの帽子", "register")
    page = shop.get("/pos/unresolved?limit=1").json
    assert [one["code"] for one in shop.get(f"/pos/unresolved?cursor={page['next_cursor']}").json["items"]] == ["ghost"]
    before = len(movements(app))
    done = shop.post(f"/pos/unresolved/{first['id']}/resolve", {"sku": "B"})
    assert done.json == {
        "id": first["id"], "source": "register", "code": "4901234567894", "sku": "B", "lines": 3, "quantity": -4,
    }  # fmt: skip
    assert (level(shop, "S1", "B"), level(shop, "S2", "B")) == (-1, -3)
    ledger = shop.get("/stock/movements?sku=B").json["items"]
    assert {one["occurred_at"] for one in ledger} == {"2026-11-22T06:10:00.000Z"}
    again = shop.post(f"/pos/unresolved/{first['id']}/resolve", {"sku": "B"})
    assert (again.status_code, again.json["lines"], len(movements(app))) == (200, 0, before + 3)
    other = shop.post(f"/pos/unresolved/{first['id']}/resolve", {"sku": "A"})
    assert (other.status_code, other.json["type"]) == (409, "/problems/already-resolved")
    assert [one["code"] for one in shop.get("/pos/unresolved").json["items"]] == ["ghost"]
    shop.post("/pos/sales", hat(5))
    assert level(shop, "S1", "B") == -2


def test_what_is_taken_back_needs_no_resolving_and_what_was_resolved_is_taken_back(shop: Any) -> None:
    original = {"store": "S1", "terminal": "1", "receipt_no": "1", "business_date": DAY}
    shop.post("/pos/sales", hat(1))
    shop.post("/pos/sales", hat(2))
    shop.post("/pos/sales", sale(3, [], 0, kind="void", original=original))
    (waiting,) = shop.get("/pos/unresolved").json["items"]
    assert waiting["lines"] == 1
    shop.post(f"/pos/unresolved/{waiting['id']}/resolve", {"sku": "B"})
    assert level(shop, "S1", "B") == -1
    shop.post("/pos/sales", sale(4, [], 0, kind="void", original=original | {"receipt_no": "2"}))
    assert (level(shop, "S1", "A"), level(shop, "S1", "B")) == (5, 0)


def test_an_unknown_sku_or_a_foreign_store_resolves_nothing(shop: Any, make_api: Any) -> None:
    shop.post("/pos/sales", hat(1))
    (waiting,) = shop.get("/pos/unresolved").json["items"]
    path = f"/pos/unresolved/{waiting['id']}/resolve"
    assert shop.post(path, {"sku": "nothing"}).json["type"] == "/problems/unknown-sku"
    assert shop.post(path, {}).json["errors"][0]["pointer"] == "/sku"
    stranger = make_api("pos:write", locations=("S2",))
    assert stranger.get("/pos/unresolved").json["items"] == []
    assert stranger.post(path, {"sku": "B"}).status_code == 404
    shop.post("/pos/sales", hat(2, store="S2"))
    assert make_api("pos:write", locations=("S1",)).post(path, {"sku": "B"}).status_code == 404
    assert shop.get("/pos/unresolved").json["items"][0]["lines"] == 2
