"""Orders that are collected at a store, as far as the order goes; the pickup's own life is tested elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import pickups_kit
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


def due_shown(api: Any, app: Any, order: dict[str, Any]) -> tuple[int, int, bool]:
    """What is due for a pickup: by its own answer, by the list, and whether the customer's page names a sum."""
    pickup = order["pickup"]
    one = api.get(f"/pickups/{pickup['id']}").json["amount_due"]
    listed = {x["id"]: x["amount_due"] for x in api.get("/pickups").json["items"]}[pickup["id"]]
    page = app.test_client().get("/p/" + pickups_kit.token_of(pickup), headers={"Accept-Language": "ja"}).text
    return one, listed, f"{one:,}円" in page


def test_pickup_shows_what_is_due_now(api, app, stores):
    order = place(api, collect())
    assert due_shown(api, app, order) == (2200, 2200, True)
    api.post(f"/orders/{order['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 1}]})
    assert due_shown(api, app, order) == (1100, 1100, True)
    paid = api.post(f"/orders/{order['id']}/payments", {"method": "card", "amount": 1100, "state": "captured"})
    assert paid.status_code == 201, paid.text
    assert due_shown(api, app, order) == (0, 0, False)
    moved = place(api, collect("EC-2"))
    there = api.post(f"/orders/{moved['id']}/change", {"location": "S2"}).json
    assert due_shown(api, app, there) == (2200, 2200, True)
    assert api.get(f"/pickups/{moved['pickup']['id']}").json["amount_due"] == 0


def test_undone_hand_over_of_a_failed_payment_leaves_no_debt(api, stores):
    body = collect(payments=[{"method": "card", "amount": 2200, "state": "authorized"}])
    order = place(api, body)
    pickups_kit.bring(api, order["pickup"], "collected")
    card = order["payments"][0]["id"]
    failed = api.post(f"/orders/{order['id']}/payments/{card}/result", {"state": "failed"}).json
    assert failed["balance_due"] == 2200
    pickups_kit.act(api, order["pickup"]["id"], "undo")
    ended = api.post(f"/orders/{order['id']}/cancel", {}).json
    assert (ended["state"], ended["refund_due"]["total"], ended["balance_due"]) == ("cancelled", 2200, 0)
    assert ended["refunds"] == []
