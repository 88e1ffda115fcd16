"""The worked numbers of a sale, through the API: totals at placing, and money back piece by piece."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core import settings
from tests.api.orders_kit import level, place, shop

VECTORS = {v["id"]: v for v in json.loads((Path(__file__).parents[1] / "data/vectors/money.json").read_text())}
SALES = (
    "T01-floor", "T01-half_up", "T01-ceil", "T02a", "T02b", "T03", "T03b-floor", "T03b-half_up", "T03b-ceil", "T04",
    "T05", "T06", "T10", "T17",
)  # fmt: skip
SKU = {10: "A", 8: "B"}


def body_of(given: dict[str, Any], total: int) -> dict[str, Any]:
    """The vector as an order: what it takes off the whole (a coupon, points) is the order's discount here."""
    goods = [line for line in given["lines"] if line.get("kind") != "shipping"]
    return {
        "channel": "ec",
        "external_ref": "V-1",
        "fulfilment": {"method": "ship", "address": "東京都", "ship_from": "W1"},
        "prices": given["prices"],
        "lines": [
            {"line_ref": str(n), "sku": SKU[line["rate"]], "quantity": line["quantity"],
             "unit_price": line["unit_price"]}
            for n, line in enumerate(goods, start=1)
        ],
        "shipping_fee": sum(line["unit_price"] for line in given["lines"] if line.get("kind") == "shipping"),
        "order_discount": sum(cut["amount"] for cut in given.get("discounts", ())),
        "expected_total": total,
        "payments": [
            {**tender, "state": "authorized"}
            for tender in given.get("tenders", [{"method": "card", "amount": total}])
        ],
    }  # fmt: skip


@pytest.mark.parametrize("vector", SALES)
def test_sale(api, monkeypatch, vector):
    given, expect = VECTORS[vector]["given"], VECTORS[vector]["expect"]
    monkeypatch.setattr(settings, "TAX_ROUNDING", given.get("rounding", "floor"))
    shop(api, A=50, B=50)
    order = place(api, body_of(given, expect["total"]))
    assert order["totals"]["total"] == expect["total"]
    assert {str(one["rate"]): one["tax"] for one in order["totals"]["tax"]} == expect["tax"]
    nets = expect.get("nets", [])[: len(order["lines"])]
    assert [line["net"] for line in order["lines"]][: len(nets)] == nets


def test_rate_is_that_of_the_local_day_at_the_place(api):
    shop(api)
    old = {
        "channel": "ec", "external_ref": "1", "lines": [{"line_ref": "1", "sku": "A", "quantity": 1,
        "unit_price": 1080}], "fulfilment": {"method": "ship", "address": "東京都", "ship_from": "W1"},
        "payments": [{"method": "card", "amount": 1080, "state": "captured"}],
    }  # fmt: skip
    before = place(api, {**old, "placed_at": "2019-09-30T14:59:59Z"})
    after = place(api, {**old, "external_ref": "2", "placed_at": "2019-09-30T15:00:00Z"})
    assert before["totals"]["tax"] == [{"rate": 8, "taxable": 1080, "tax": 80}]
    assert after["totals"]["tax"] == [{"rate": 10, "taxable": 1080, "tax": 98}]
    # T20: the tax of that day comes back, whatever the rate is now.
    back = api.post(f"/orders/{before['id']}/cancel", {}).json["refund_due"]
    assert (back["total"], back["tax"]) == (1080, [{"rate": 8, "taxable": 1080, "tax": 80}])


def test_t11_one_line_of_a_discounted_order_goes_back(api):
    shop(api)
    given = VECTORS["T05"]["given"]
    expect = VECTORS["T11"]["expect"]
    order = place(api, body_of(given, 4460))
    due = api.post(f"/orders/{order['id']}/cancel", {"lines": [{"line_ref": "2", "quantity": 1}]}).json["refund_due"]
    assert due["total"] == expect["refund"]
    assert due["tax"] == [{"rate": 8, "taxable": 1764, "tax": 130}]
    rest = api.post(f"/orders/{order['id']}/cancel", {}).json["refund_due"]
    assert (rest["total"], rest["tax"]) == (2696, [{"rate": 10, "taxable": 2696, "tax": 245}])


@pytest.mark.parametrize("vector", ["T12", "T13"])
def test_one_by_one_adds_up(api, app, vector):
    given, refunds = VECTORS[vector]["given"], VECTORS[vector]["expect"]["refunds"]
    shop(api)
    order = place(api, body_of(given, sum(refunds)))
    found = []
    for left in (2, 1, 0):
        answer = api.post(f"/orders/{order['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 1}]})
        found.append(answer.json["refund_due"]["total"])
        assert level(app) == (10, left)
    assert found == refunds
    assert answer.json["state"] == "cancelled"


@pytest.mark.parametrize("vector", ["T12", "T13"])
def test_parcels_and_cancellations_of_one_line_add_up_in_any_order(api, vector):
    given, refunds = VECTORS[vector]["given"], VECTORS[vector]["expect"]["refunds"]
    total = sum(refunds)
    shop(api)
    one = {"lines": [{"line_ref": "1", "quantity": 1}]}
    for ref, verbs in enumerate((("ship", "cancel", "ship"), ("cancel", "ship", "cancel"), ("ship", "ship", "cancel"))):
        order = place(api, body_of(given, total) | {"external_ref": f"V-{ref}"})
        for verb in verbs:
            after = api.post(f"/orders/{order['id']}/{verb}", one).json
        assert after["state"] == "completed"
        paid = after["payments"][0]
        assert paid["capture_requested"] + paid["released"] == total


def test_two_tenders_share_what_goes_and_what_comes(api):
    shop(api)
    body = body_of({"prices": "tax_included", "lines": [{"unit_price": 1000, "rate": 10, "quantity": 3}]}, 3000)
    body["payments"] = [
        {"method": "card", "amount": 2000, "state": "authorized"},
        {"method": "qr", "amount": 1000, "state": "captured"},
    ]
    order = place(api, body)
    one = {"lines": [{"line_ref": "1", "quantity": 1}]}
    shipped = api.post(f"/orders/{order['id']}/ship", one).json
    assert [p["capture_requested"] for p in shipped["payments"]] == [667, 0]
    back = api.post(f"/orders/{order['id']}/cancel", one).json
    assert [(t["method"], t["amount"]) for t in back["refund_due"]["tenders"]] == [("card", 667), ("qr", 333)]
    assert [(r["method"], r["amount"], r["state"]) for r in back["refunds"]] == [("qr", 333, "requested")]
    last = api.post(f"/orders/{order['id']}/ship", one).json
    # 667 + 667 (void) + 666: never more than was authorised, the last piece takes the remainder.
    assert [p["capture_requested"] for p in last["payments"]] == [1333, 0]
    assert [p["released"] for p in last["payments"]] == [667, 333]
    assert last["state"] == "completed"
