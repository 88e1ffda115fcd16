"""A shortage is a question: every option is one that can be carried out, and each is carried out whole."""

from __future__ import annotations

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, order, problem, shop, token_of
from tests.factories import make_sku, make_store

NOON = "2026-11-22T12:00+09:00"


@pytest.fixture
def picking(api, clock):
    """An order for two A and one B at S1, being picked; S2 and a warehouse have both too."""
    clock(NOON)
    shop(api)
    make_sku(api, "C")
    make_store(api, "S2", {"A": 5, "B": 5, "C": 5}, latitude=35.7)
    make_store(api, "W1", {"A": 50, "B": 50}, kind="warehouse", latitude=35.9, pickup=None)
    made = order(api)
    for action in ("accept", "start"):
        act(api, made["pickup"]["id"], action)
    return made


def short(api, made, sku="A", quantity=1, reason="damaged"):
    return act(api, made["pickup"]["id"], "short", {"sku": sku, "quantity": quantity, "reason": reason})


def pick(api, made, **pieces):
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in pieces.items()]
    return act(api, made["pickup"]["id"], "pick", {"lines": lines})


def choose(api, made, option, **facts):
    return act(api, made["pickup"]["id"], "choose", {"option": option, **facts})


def options(api, made):
    return api.get(f"/pickups/{made['pickup']['id']}/options").json


def test_no_question_no_answer(api, picking):
    assert options(api, picking) == {"reason": None, "until": None, "options": []}
    refused = api.post(f"/pickups/{picking['pickup']['id']}/choose", {"option": "cancel"})
    problem(refused, 409, "nothing-to-choose")


def test_partly_ready_says_what_can_be_chosen(api, picking):
    short(api, picking)
    pick(api, picking, A=1, B=1)
    ready = act(api, picking["pickup"]["id"], "ready")
    assert ready["state"] == "ready"
    asked = options(api, picking)
    assert (asked["reason"], asked["until"]) == ("short", "2026-11-23T03:00:00.000Z")
    assert asked["options"] == [
        {"option": "other_store", "location": "S2", "name": "S2店", "ready_by": "2026-11-22T04:00:00.000Z",
         "distance_km": 4.7},
        {"option": "transfer", "from": "W1", "ready_by": "2026-11-24T02:00:00.000Z"},
        {"option": "ship", "from": "W1", "needs_address": True},
        {"option": "part", "refund": 1100},
        {"option": "cancel", "refund": 2740},
    ]  # fmt: skip


def test_part_gives_the_missing_money_back_and_keeps_the_rest(api, app, picking):
    short(api, picking)
    pick(api, picking, A=1, B=1)
    act(api, picking["pickup"]["id"], "ready")
    shown = choose(api, picking, "part")
    assert (shown["state"], [(x["ordered"], x["picked"], x["short"]) for x in shown["lines"]]) == (
        "ready",
        [(1, 1, 0), (1, 1, 0)],
    )
    found = api.get(f"/orders/{picking['id']}").json
    assert (found["lines"][0]["cancelled"], found["payments"][0]["released"]) == (1, 1100)
    assert options(api, picking)["options"] == []
    problem(api.post(f"/pickups/{shown['id']}/choose", {"option": "part"}), 409, "nothing-to-choose")


def test_another_store_gets_a_pickup_with_a_pass_of_its_own(api, app, picking):
    short(api, picking)
    shown = choose(api, picking, "other_store", location="S2")
    assert shown["state"] == "picking"
    ways = api.get(f"/orders/{picking['id']}").json["fulfilments"]
    assert [(w["location"], w["pickup"]["state"]) for w in ways] == [("S1", "picking"), ("S2", "requested")]
    assert ways[0]["pickup"]["code"] != ways[1]["pickup"]["code"]
    assert (level(app, "A", "S1"), level(app, "A", "S2")) == ((9, 1), (5, 1))


def test_ship_home_needs_an_address(api, app, picking):
    short(api, picking)
    refused = api.post(f"/pickups/{picking['pickup']['id']}/choose", {"option": "ship"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/address")
    assert level(app, "A", "W1") == (50, 0)
    choose(api, picking, "ship", address={"postal_code": "150-0002", "city": "渋谷区"})
    shown = api.get(f"/orders/{picking['id']}").json
    assert (shown["shipping"]["state"], shown["shipping"]["ship_from"]) == ("open", "W1")
    assert level(app, "A", "W1") == (50, 1)


def test_all_moved_away_ends_this_pickup_and_not_the_order(api, app, picking):
    short(api, picking, quantity=2)
    short(api, picking, "B")
    shown = choose(api, picking, "transfer")
    assert (shown["state"], shown["reason"]) == ("cancelled", "moved")
    found = api.get(f"/orders/{picking['id']}").json
    assert (found["state"], [w["pickup"]["state"] for w in found["fulfilments"]]) == (
        "placed",
        ["cancelled", "awaiting_transfer"],
    )
    assert level(app, "A", "W1") == (50, 2)


def test_a_substitute_is_picked_at_the_price_of_what_was_ordered(api, app, picking):
    api.post("/stock/adjustments", {"location": "S1", "reason": "receipt", "lines": [{"sku": "C", "quantity": 3}]})
    short(api, picking)
    act(api, picking["pickup"]["id"], "substitute", {"sku": "A", "substitute": "C"})
    offered = next(one for one in options(api, picking)["options"] if one["option"] == "substitute")
    assert (offered["sku"], offered["name"]) == ("C", "商品C")
    choose(api, picking, "substitute", sku="C")
    assert (level(app, "A", "S1"), level(app, "C", "S1")) == ((9, 1), (3, 1))
    pick(api, picking, A=1, B=1, C=1)
    act(api, picking["pickup"]["id"], "ready")
    done = act(api, picking["pickup"]["id"], "hand-over", {"token": token_of(picking["pickup"])})
    assert done["state"] == "collected"
    found = api.get(f"/orders/{picking['id']}").json
    assert (found["state"], found["payments"][0]["capture_requested"]) == ("completed", 2740)
    assert (level(app, "A", "S1"), level(app, "C", "S1")) == ((8, 0), (2, 0))
    assert rows(app, "SELECT count(*) FROM claim WHERE state = 'reserved'") == [(0,)]


def test_a_substitute_that_is_gone_is_not_offered(api, picking):
    short(api, picking)
    act(api, picking["pickup"]["id"], "substitute", {"sku": "A", "substitute": "C"})
    assert "substitute" not in [one["option"] for one in options(api, picking)["options"]]
    refused = api.post(f"/pickups/{picking['pickup']['id']}/choose", {"option": "substitute", "sku": "C"})
    assert problem(refused, 409, "option-not-offered")["options"] == options(api, picking)["options"]
    nothing = api.post(f"/pickups/{picking['pickup']['id']}/substitute", {"sku": "B", "substitute": "C"})
    problem(nothing, 409, "nothing-short")


def test_given_what_is_there_and_asked_for_the_rest(api, app, picking):
    short(api, picking)
    pick(api, picking, A=1, B=1)
    act(api, picking["pickup"]["id"], "ready")
    given = act(api, picking["pickup"]["id"], "hand-over", {"token": token_of(picking["pickup"])})
    assert given["state"] == "awaiting_customer"
    assert api.get(f"/orders/{picking['id']}").json["state"] == "partly_fulfilled"
    shown = choose(api, picking, "part")
    assert shown["state"] == "collected"
    found = api.get(f"/orders/{picking['id']}").json
    assert (found["state"], found["payments"][0]["capture_requested"], found["payments"][0]["released"]) == (
        "completed",
        1640,
        1100,
    )


def test_cancel_sends_picked_goods_back_to_the_shelf(api, app, picking):
    short(api, picking)
    pick(api, picking, B=1)
    shown = choose(api, picking, "cancel")
    assert (shown["state"], shown["reshelve"]) == ("cancelled", "open")
    assert api.get(f"/orders/{picking['id']}").json["state"] == "cancelled"
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((9, 0), (10, 1))


def test_no_answer_in_time_keeps_what_is_there(api, app, clock, picking, run_jobs):
    short(api, picking)
    pick(api, picking, A=1, B=1)
    act(api, picking["pickup"]["id"], "ready")
    clock("2026-11-23T11:59+09:00")
    run_jobs()
    assert options(api, picking)["reason"] == "short"
    clock("2026-11-23T12:00+09:00")
    run_jobs()
    assert options(api, picking)["options"] == []
    found = api.get(f"/orders/{picking['id']}").json
    assert (found["state"], found["lines"][0]["cancelled"], found["pickup"]["state"]) == ("placed", 1, "ready")
    topics = rows(app, "SELECT topic FROM outbox_event WHERE aggregate_type = 'pickup' ORDER BY sequence DESC LIMIT 3")
    assert topics == [("pickup.reduced",), ("pickup.changed",), ("pickup.unanswered",)]


def test_a_rival_took_the_last_piece_meanwhile(api, app, picking):
    api.post("/stock/adjustments", {"location": "S2", "reason": "loss", "lines": [{"sku": "A", "quantity": -5}]})
    short(api, picking)
    refused = api.post(f"/pickups/{picking['pickup']['id']}/choose", {"option": "other_store", "location": "S2"})
    problem(refused, 409, "option-not-offered")
    assert api.get(f"/pickups/{picking['pickup']['id']}").json["state"] == "picking"


def test_a_hold_can_move_to_another_store(api, app, clock):
    clock(NOON)
    shop(api)
    make_store(api, "S2", {"A": 5}, latitude=35.7)
    held = api.post("/reservations", {"kind": "hold", "location": "S1", "lines": [{"sku": "A", "quantity": 2}]}).json
    pickup_id = held["pickup"]["id"]
    for action in ("accept", "start"):
        act(api, pickup_id, action)
    act(api, pickup_id, "short", {"sku": "A", "quantity": 2, "reason": "damaged"})
    assert [x["option"] for x in api.get(f"/pickups/{pickup_id}/options").json["options"]] == ["other_store", "cancel"]
    act(api, pickup_id, "choose", {"option": "other_store", "location": "S2"})
    assert rows(app, "SELECT location_id, state, amount_due FROM pickup ORDER BY id") == [
        ("S1", "cancelled", 0),
        ("S2", "requested", 2000),
    ]
    assert (level(app, "A", "S1"), level(app, "A", "S2")) == ((8, 0), (5, 2))


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/option", "required"),
        ({"option": "fly"}, "/option", "not-allowed"),
        ({"option": "other_store"}, "/location", "required"),
        ({"option": "part", "location": "S2"}, "/location", "not-allowed"),
        ({"option": "part", "address": "x"}, "/address", "not-allowed"),
    ],
)
def test_what_does_not_fit_the_option_is_pointed_at(api, picking, body, pointer, code):
    answer = api.post(f"/pickups/{picking['pickup']['id']}/choose", body)
    assert answer.status_code == 422
    assert {"pointer": pointer, "code": code}.items() <= answer.json["errors"][0].items()


def test_who_may_choose(api, make_api, picking):
    path = f"/pickups/{picking['pickup']['id']}/choose"
    assert make_api("pickups:read").post(path, {"option": "part"}).status_code == 403
    problem(make_api("pickups:write", locations=("S2",)).post(path, {"option": "part"}), 404, "unknown-pickup")
    problem(api.post(path, {"option": "part"}, key=None), 400, "idempotency-key-required")
    short(api, picking)
    first = api.post(path, {"option": "part"}, key="k-1")
    again = api.post(path, {"option": "part"}, key="k-1")
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
