"""Orders that are collected at a store, as far as the order goes; the pickup's own life is tested elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.orders_kit import claims, level, place, rows
from tests.factories import make_store


def collect(ref: str = "EC-1", store: str = "S1", **over: Any) -> dict[str, Any]:
    return {
        "channel": "ec",
        "external_ref": ref,
        "fulfilment": {"method": "pickup", "location": store},
        "customer": {"name": "山田花子", "phone": "090-1234-5678"},
        "lines": [{"line_ref": "1", "sku": "A", "quantity": 2, "unit_price": 1100}],
        "payments": [{"method": "pay_in_store", "amount": 2200, "state": "due"}],
    } | over


@pytest.fixture
def stores(api, clock) -> None:
    clock("2026-11-22T15:10+09:00")
    make_store(api, "S1", {"A": 5})
    make_store(api, "S2", {"A": 2})


def test_order_opens_its_pickup(api, app, stores):
    order = place(api, collect())
    assert (order["state"], order["location"], order["balance_due"]) == ("placed", "S1", 2200)
    assert order["payments"][0]["due_at"] is None
    assert order["pickup"]["state"] == "requested"
    assert {"id", "code", "pin", "collect_by_estimate", "expires_at", "qr_url", "page_url"} <= set(order["pickup"])
    assert order["pickup"]["expires_at"] is None
    assert claims(app) == [("pickup", "reserved")]
    assert level(app, "A", "S1") == (5, 2)


def test_quote_says_when_and_until_when(api, app, stores):
    quoted = api.post("/orders/quote", collect()).json
    assert quoted["totals"]["total"] == 2200
    assert quoted["ready_by"] == "2026-11-22T07:10:00.000Z"
    assert quoted["deadline"] == "2026-11-29T12:00:00.000Z"
    assert rows(app, "SELECT count(*) FROM pickup") == [(0,)]
    assert level(app, "A", "S1") == (5, 0)


def test_change_of_store(api, app, stores):
    order = place(api, collect())
    there = api.post(f"/orders/{order['id']}/change", {"location": "S2"})
    assert there.status_code == 200, there.text
    assert (there.json["location"], there.json["pickup"]["state"]) == ("S2", "requested")
    assert there.json["pickup"]["id"] != order["pickup"]["id"]
    assert (level(app, "A", "S1"), level(app, "A", "S2")) == ((5, 0), (2, 2))
    other = place(api, collect("EC-2"))
    refused = api.post(f"/orders/{other['id']}/change", {"location": "S2"})
    assert (refused.status_code, refused.json["type"]) == (409, "/problems/insufficient-stock")
    assert (level(app, "A", "S1"), level(app, "A", "S2")) == ((5, 2), (2, 2))


def test_change_of_lines_until_picking(api, app, stores):
    order = place(api, collect())
    change = {"lines": [{"line_ref": "1", "sku": "A", "quantity": 3}]}
    more = api.post(f"/orders/{order['id']}/change", change).json
    assert (more["totals"]["total"], more["balance_due"], level(app, "A", "S1")) == (3300, 3300, (5, 3))
    pickup = more["pickup"]["id"]
    for step in ("accept", "start"):
        assert api.post(f"/pickups/{pickup}/{step}").status_code == 200
    late = api.post(f"/orders/{order['id']}/change", {"lines": [{"line_ref": "1", "sku": "A", "quantity": 1}]})
    assert (late.status_code, late.json["type"]) == (409, "/problems/illegal-transition")
    assert level(app, "A", "S1") == (5, 3)


def test_cancel_of_a_piece_and_of_the_rest(api, app, stores):
    order = place(api, collect())
    part = api.post(f"/orders/{order['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 1}]}).json
    assert (part["refund_due"]["total"], part["balance_due"], level(app, "A", "S1")) == (1100, 1100, (5, 1))
    gone = api.post(f"/orders/{order['id']}/cancel", {}).json
    assert (gone["state"], gone["pickup"]["state"], level(app, "A", "S1")) == ("cancelled", "cancelled", (5, 0))
    assert gone["payments"][0]["state"] == "voided"
    assert api.post(f"/orders/{order['id']}/ship", {}).json["type"] == "/problems/not-shippable"


def test_refusals_of_the_place(api, app, stores):
    make_store(api, "S3", {"A": 5}, pickup={"enabled": False, "lead_minutes": 60, "hold_days": 7})
    for store, status, code in (("NOPE", 404, "unknown-location"), ("S3", 409, "pickup-not-offered")):
        answer = api.post("/orders", collect(store=store))
        assert (answer.status_code, answer.json["type"]) == (status, f"/problems/{code}")
    assert rows(app, "SELECT count(*) FROM sales_order") == [(0,)]


def test_closed_store_is_no_refusal(api, app, clock, stores):
    clock("2026-11-22T23:30+09:00")
    assert place(api, collect())["pickup"]["state"] == "requested"
