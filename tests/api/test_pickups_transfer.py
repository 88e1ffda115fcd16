"""店舗取り寄せ: goods from the warehouse or another store for a pickup; promised all the way, conserved all the way."""

from __future__ import annotations

import pytest

from app.core import jobs
from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, problem, shop
from tests.factories import make_store

NOON = "2026-11-22T12:00+09:00"


@pytest.fixture
def made(api, clock):
    clock(NOON)
    shop(api)
    make_store(api, "W1", {"A": 50, "B": 50}, kind="warehouse", latitude=35.9, pickup=None)
    return order(api, fulfilment={"method": "pickup", "location": "S1", "ship_from": "W1"})


def transfer(api, made):
    found = [t for t in api.get("/transfers?location=S1").json["items"] if t["for"]]
    assert [t["for"] for t in found] == [{"type": "order", "id": made["id"]}]
    return found[0]


def step(api, made, action, body=None):
    answer = api.post(f"/transfers/{transfer(api, made)['id']}/{action}", body)
    assert answer.status_code == 200, answer.text
    return answer.json


def drain(app):
    with app.app_context():
        jobs.drain()


def state(api, made):
    return api.get(f"/pickups/{made['pickup']['id']}").json["state"]


def test_it_waits_for_its_goods_and_then_goes_on_like_any_other(api, app, made):
    assert made["pickup"]["state"] == "awaiting_transfer"
    assert (level(app, "A", "W1"), level(app, "A", "S1")) == ((50, 2), (10, 0))
    problem(api.post(f"/pickups/{made['pickup']['id']}/accept"), 409, "illegal-transition")
    step(api, made, "ship")
    assert (level(app, "A", "W1"), level(app, "A", "S1")) == ((48, 0), (10, 0))
    step(api, made, "receive")
    assert level(app, "A", "S1") == (12, 2)  # promised in the moment of arrival, before anybody heard of it
    drain(app)
    assert state(api, made) == "requested"
    collected = bring(api, made["pickup"], "collected")
    assert [line["collected"] for line in collected["lines"]] == [2, 1]
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((10, 0), (10, 0))
    assert api.get(f"/orders/{made['id']}").json["state"] == "completed"


def test_the_store_may_accept_before_the_event_was_heard(api, app, made):
    step(api, made, "ship")
    step(api, made, "receive")
    assert state(api, made) == "awaiting_transfer"
    assert act(api, made["pickup"]["id"], "accept")["state"] == "accepted"
    drain(app)
    assert state(api, made) == "accepted"
    bring(api, made["pickup"], "collected")
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((10, 0), (10, 0))


def test_ready_goods_sent_here_wait_longer(api, app, clock, made):
    step(api, made, "ship")
    clock("2026-11-24T11:00+09:00")
    step(api, made, "receive")
    drain(app)
    ready = bring(api, made["pickup"], "ready")
    assert ready["expires_at"] == "2026-12-08T12:00:00.000Z"  # 14 days, at closing time


def test_what_did_not_arrive_is_asked(api, app, made):
    step(api, made, "ship")
    step(api, made, "receive", {"lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}]})
    drain(app)
    shown = api.get(f"/pickups/{made['pickup']['id']}").json
    assert (shown["state"], shown["choice_reason"]) == ("requested", "transfer")
    assert [(line["ordered"], line["short"], line["undecided"]) for line in shown["lines"]] == [(2, 1, 1), (1, 0, 0)]
    told = act(api, made["pickup"]["id"], "choose", {"option": "part"})
    assert [(line["ordered"], line["short"]) for line in told["lines"]] == [(1, 0), (1, 0)]
    assert api.get(f"/orders/{made['id']}").json["lines"][0]["cancelled"] == 1
    bring(api, made["pickup"], "collected")
    assert api.get(f"/orders/{made['id']}").json["state"] == "completed"


def test_a_transfer_that_is_called_off_is_a_question(api, app, made):
    step(api, made, "cancel")
    drain(app)
    assert state(api, made) == "awaiting_customer"
    asked = api.get(f"/pickups/{made['pickup']['id']}/options").json
    assert [one["option"] for one in asked["options"]] == ["transfer", "ship", "cancel"]
    act(api, made["pickup"]["id"], "choose", {"option": "transfer"})
    shown = api.get(f"/orders/{made['id']}").json
    assert [w["pickup"]["state"] for w in shown["fulfilments"]] == ["cancelled", "awaiting_transfer"]
    assert level(app, "A", "W1") == (50, 2)


@pytest.mark.parametrize("stage", ["requested", "shipped", "received", "heard"])
def test_a_cancelled_order_leaks_nothing_wherever_the_goods_are(api, app, made, stage):
    if stage != "requested":
        step(api, made, "ship")
    if stage in {"received", "heard"}:
        step(api, made, "receive")
    if stage == "heard":
        drain(app)
    assert api.post(f"/orders/{made['id']}/cancel", {"reason": "customer"}).status_code == 200
    assert state(api, made) == "cancelled"
    if stage == "shipped":
        step(api, made, "receive")
    drain(app)
    assert rows(app, "SELECT count(*) FROM claim WHERE state = 'reserved'") == [(0,)]
    assert [level(app, "A", place) for place in ("W1", "S1")] == {
        "requested": [(50, 0), (10, 0)],
    }.get(stage, [(48, 0), (12, 0)])


def test_a_piece_cancelled_on_the_road_arrives_as_free_stock(api, app, made):
    step(api, made, "ship")
    answer = api.post(f"/orders/{made['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 1}]})
    assert answer.status_code == 200
    step(api, made, "receive")
    drain(app)
    assert level(app, "A", "S1") == (12, 1)
    collected = bring(api, made["pickup"], "collected")
    assert [line["collected"] for line in collected["lines"]] == [1, 1]


def test_a_sender_without_the_goods_refuses(api, app, made):
    wanted = {"method": "pickup", "location": "S1", "ship_from": "W1"}
    body = {
        "channel": "ec", "external_ref": "EC-2", "fulfilment": wanted,
        "lines": [{"line_ref": "1", "sku": "A", "quantity": 60, "unit_price": 1}],
        "payments": [{"method": "card", "amount": 60, "state": "authorized"}],
    }  # fmt: skip
    assert problem(api.post("/orders", body), 409, "insufficient-stock")["lines"][0]["available"] == 48
    wanted["ship_from"] = "NOWHERE"
    problem(api.post("/orders", body), 404, "unknown-location")
