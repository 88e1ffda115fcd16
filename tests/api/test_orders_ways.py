"""One order, several ways: two stores, a parcel for the rest; each gives, is paid and ends by itself."""

from __future__ import annotations

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, pick_all, problem, shop, token_of
from tests.factories import make_store

NOON = "2026-11-22T12:00+09:00"
ADDRESS = {"postal_code": "150-0002", "city": "渋谷区"}


def way(method: str, parts: list[tuple[str, int]], **facts):
    return {"method": method, "lines": [{"line_ref": ref, "quantity": q} for ref, q in parts], **facts}


def mixed(api, ways, *, payments=None, ref="EC-1", **over):
    body = {
        "channel": "ec",
        "external_ref": ref,
        "customer": {"external_id": "u-1", "name": "山田花子", "phone": "090-1234-5678"},
        "fulfilments": ways,
        "lines": [
            {"line_ref": "1", "sku": "A", "quantity": 4, "unit_price": 1000},
            {"line_ref": "2", "sku": "B", "quantity": 1, "unit_price": 500},
        ],
        "payments": payments or [{"method": "card", "amount": 4500, "state": "authorized"}],
    } | over
    return api.post("/orders", body)


def three(api, **kwargs):
    ways = [
        way("pickup", [("1", 1)], location="S1"),
        way("pickup", [("1", 1), ("2", 1)], location="S2"),
        way("ship", [("1", 2)], address=ADDRESS, ship_from="W1"),
    ]
    answer = mixed(api, ways, **kwargs)
    assert answer.status_code == 201, answer.text
    return answer.json


@pytest.fixture
def places(api, clock):
    clock(NOON)
    shop(api)
    make_store(api, "S2", {"A": 5, "B": 5}, latitude=35.7)
    make_store(api, "W1", {"A": 50, "B": 50}, kind="warehouse", latitude=35.9, pickup=None)


def test_two_stores_and_a_parcel_each_claim_where_they_are(api, app, places):
    made = three(api)
    assert [(w["method"], w["location"], w["source"]) for w in made["fulfilments"]] == [
        ("pickup", "S1", "S1"),
        ("pickup", "S2", "S2"),
        ("ship", "W1", "W1"),
    ]
    assert made["pickup"] == made["fulfilments"][0]["pickup"]
    assert made["shipping"] == made["fulfilments"][2]["shipping"]
    assert [level(app, "A", place) for place in ("S1", "S2", "W1")] == [(10, 1), (5, 1), (50, 2)]
    assert level(app, "B", "S2") == (5, 1)
    assert rows(app, "SELECT DISTINCT owner_type, state FROM claim") == [("order", "reserved")]


def test_each_way_ends_by_itself_and_the_money_follows_the_goods(api, app, places):
    made = three(api)
    first, second = (w["pickup"] for w in made["fulfilments"][:2])
    bring(api, first, "collected")
    assert api.get(f"/orders/{made['id']}").json["state"] == "partly_fulfilled"
    assert api.post(f"/orders/{made['id']}/ship", {"carrier": "yamato"}).status_code == 200
    shown = api.get(f"/orders/{made['id']}").json
    assert (shown["state"], shown["payments"][0]["capture_requested"]) == ("partly_fulfilled", 3000)
    assert act(api, second["id"], "cancel", {"reason": "no show"})["state"] == "cancelled"
    shown = api.get(f"/orders/{made['id']}").json
    assert (shown["state"], shown["payments"][0]["released"]) == ("completed", 1500)
    assert [level(app, "A", place) for place in ("S1", "S2", "W1")] == [(9, 0), (5, 0), (48, 0)]
    assert rows(app, "SELECT count(*) FROM claim WHERE state = 'reserved'") == [(0,)]


def test_a_cancelled_piece_leaves_the_latest_way_first(api, app, places):
    made = three(api)
    answer = api.post(f"/orders/{made['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 3}]})
    assert (answer.status_code, answer.json["refund_due"]["total"]) == (200, 3000)
    assert [level(app, "A", place) for place in ("S1", "S2", "W1")] == [(10, 1), (5, 0), (50, 0)]
    assert [w.get("shipping", {}).get("state") for w in answer.json["fulfilments"]] == [None, None, "cancelled"]


def test_what_is_paid_in_the_store_is_asked_for_there_only(api, app, places):
    due = [
        {"method": "card", "amount": 2000, "state": "authorized"},
        {"method": "pay_in_store", "amount": 2500, "state": "due"},
    ]
    made = three(api, payments=due)
    assert api.post(f"/orders/{made['id']}/ship", {}).status_code == 200
    paid = api.get(f"/orders/{made['id']}").json["payments"]
    assert [(p["method"], p["capture_requested"], p["captured"]) for p in paid] == [
        ("card", 2000, 0),
        ("pay_in_store", 0, 0),
    ]
    first = made["fulfilments"][0]["pickup"]
    bring(api, first, "collected")
    paid = api.get(f"/orders/{made['id']}").json["payments"]
    assert [p["captured"] for p in paid] == [0, 1000]


def test_a_parcel_cannot_be_paid_in_a_store(api, app, places):
    due = [
        {"method": "card", "amount": 1999, "state": "authorized"},
        {"method": "pay_in_store", "amount": 2501, "state": "due"},
    ]
    ways = [
        way("pickup", [("1", 2), ("2", 1)], location="S1"),
        way("ship", [("1", 2)], address=ADDRESS, ship_from="W1"),
    ]
    answer = mixed(api, ways, payments=due)
    assert answer.status_code == 422, answer.text
    assert {"pointer": "/payments/1/method", "code": "not-allowed"}.items() <= answer.json["errors"][0].items()
    assert rows(app, "SELECT count(*) FROM sales_order") == [(0,)]
    due[0]["amount"], due[1]["amount"] = 2000, 2500
    assert mixed(api, ways, payments=due).status_code == 201


def test_a_tills_receipt_settles_the_pickup_of_its_own_store(api, app, places):
    due = [
        {"method": "card", "amount": 2000, "state": "authorized"},
        {"method": "pay_in_store", "amount": 2500, "state": "due"},
    ]
    made = three(api, payments=due)
    sale = {
        "source": "till-2", "source_id": "r1", "store": "S2", "terminal": "1", "receipt_no": "1", "kind": "sale",
        "business_date": "2026-11-22", "sold_at": NOON.replace("+", ":00+"), "order": made["number"],
        "lines": [
            {"line_no": 1, "sku": "A", "quantity": 1, "unit_price": 1000},
            {"line_no": 2, "sku": "B", "quantity": 1, "unit_price": 500},
        ],
        "tenders": [{"method": "cash", "amount": 1500}],
    }  # fmt: skip
    answer = api.post("/pos/sales", sale)
    assert (answer.status_code, answer.json["state"], answer.json["problems"]) == (201, "posted", [])
    shown = api.get(f"/orders/{made['id']}").json
    assert [(p["method"], p["captured"], p["released"]) for p in shown["payments"]] == [
        ("card", 0, 0),
        ("pay_in_store", 0, 1500),
        ("cash", 1500, 0),
    ]
    states = [w["pickup"]["state"] for w in shown["fulfilments"][:2]]
    assert states == ["requested", "collected"]
    assert [level(app, "A", place) for place in ("S1", "S2", "W1")] == [(10, 1), (4, 0), (50, 2)]


@pytest.mark.parametrize(
    ("ways", "pointer", "code"),
    [
        ([way("pickup", [("1", 4)], location="S1")], "/fulfilments", "lines-uneven"),
        ([way("pickup", [("1", 5), ("2", 1)], location="S1")], "/fulfilments", "lines-uneven"),
        ([way("pickup", [("9", 1)], location="S1")], "/fulfilments/0/lines/0/line_ref", "unknown-line"),
        ([{"method": "pickup", "location": "S1"}], "/fulfilments/0/lines", "required"),
        ([], "/fulfilments", "length"),
    ],
)
@pytest.mark.usefixtures("places")
def test_ways_that_do_not_add_up_are_refused_and_take_nothing(api, app, ways, pointer, code):
    answer = mixed(api, ways)
    assert answer.status_code == 422, answer.text
    assert {"pointer": pointer, "code": code}.items() <= answer.json["errors"][0].items()
    assert rows(app, "SELECT count(*) FROM sales_order") == [(0,)]
    assert level(app, "A", "S1") == (10, 0)


def test_one_way_or_several_not_both(api, places):
    answer = mixed(api, [way("pickup", [("1", 4), ("2", 1)], location="S1")], fulfilment={"method": "pickup"})
    assert answer.status_code == 422
    assert {e["pointer"] for e in answer.json["errors"]} >= {"/fulfilments"}


def test_one_short_place_refuses_the_whole_order(api, app, places):
    ways = [way("pickup", [("1", 1), ("2", 1)], location="S1"), way("pickup", [("1", 3)], location="S2")]
    api.post("/stock/adjustments", {"location": "S2", "reason": "loss", "lines": [{"sku": "A", "quantity": -4}]})
    refused = problem(mixed(api, ways), 409, "insufficient-stock")
    assert refused["lines"] == [{"sku": "A", "requested": 3, "available": 1}]
    assert [level(app, "A", place) for place in ("S1", "S2")] == [(10, 0), (1, 0)]
    assert rows(app, "SELECT count(*) FROM claim WHERE kind = 'pickup'") == [(0,)]


def test_each_store_sees_its_own_way_only(api, make_api, places):
    made = three(api)
    clerk = make_api("pickups:write", locations=("S2",))
    seen = clerk.get(f"/orders/{made['id']}").json
    assert [w["location"] for w in seen["fulfilments"]] == ["S2"]
    second = made["fulfilments"][1]["pickup"]
    for action in ("accept", "start"):
        act(clerk, second["id"], action)
    pick_all(clerk, second["id"])
    act(clerk, second["id"], "ready")
    assert act(clerk, second["id"], "hand-over", {"token": token_of(second)})["state"] == "collected"
    problem(clerk.get(f"/pickups/{made['fulfilments'][0]['pickup']['id']}"), 404, "unknown-pickup")
    assert make_api("orders:write", locations=("S9",)).get(f"/orders/{made['id']}").status_code == 404


def test_lines_and_place_of_a_mixed_order_stay(api, app, places):
    made = three(api)
    problem(api.post(f"/orders/{made['id']}/change", {"location": "S2"}), 409, "several-fulfilments")
    assert api.post(f"/orders/{made['id']}/change", {"address": {"city": "目黒区"}}).status_code == 200


def test_a_quote_says_when_each_way_is_ready(api, places):
    ways = [
        way("pickup", [("1", 2)], location="S1"),
        way("pickup", [("1", 2), ("2", 1)], location="S2", ship_from="W1"),
    ]
    body = {
        "channel": "ec", "external_ref": "Q", "fulfilments": ways,
        "lines": [
            {"line_ref": "1", "sku": "A", "quantity": 4, "unit_price": 1000},
            {"line_ref": "2", "sku": "B", "quantity": 1, "unit_price": 500},
        ],
    }  # fmt: skip
    told = api.post("/orders/quote", body).json["fulfilments"]
    assert [(w["location"], w["source"], w["ready_by"], w["deadline"]) for w in told] == [
        ("S1", "S1", "2026-11-22T04:00:00.000Z", "2026-11-29T12:00:00.000Z"),
        ("S2", "W1", "2026-11-24T02:00:00.000Z", "2026-12-08T12:00:00.000Z"),
    ]
