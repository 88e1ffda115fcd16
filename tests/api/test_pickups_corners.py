"""Ways that few pickups go: what a till sold before the store was done, choices after choices, undone receipts."""

from __future__ import annotations

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, pick_all, shop, token_of
from tests.factories import make_sku, make_store
from tests.till import line, sale

NOON = "2026-11-22T12:00+09:00"
TWO = [("1", "A", 2, 1100)]


@pytest.fixture
def places(api, clock):
    """S1 with A and C, S2 with all but C's like, S3 with C alone, and a warehouse."""
    clock(NOON)
    make_sku(api, "C", list_price=3000)
    shop(api, A=10, B=10, C=5)
    make_store(api, "S2", {"A": 5, "B": 5}, latitude=35.7)
    make_store(api, "S3", {"C": 5}, latitude=35.75)
    make_store(api, "W1", {"A": 50, "B": 50}, kind="warehouse", latitude=35.9, pickup=None)


def held(api, *lines, **over):
    body = {"location": "S1", "kind": "hold", "lines": [{"sku": sku, "quantity": n} for sku, n in lines]}
    answer = api.post("/reservations", body | over)
    assert answer.status_code == 201, answer.text
    return answer.json["pickup"]


def sold(api, shown, *lines, number=1):
    body = sale(
        number, list(lines), sum(one["quantity"] * one["unit_price"] for one in lines), pickup_code=shown["code"]
    )
    answer = api.post("/pos/sales", body)
    assert (answer.status_code, answer.json["state"]) == (201, "posted"), answer.text
    return [one["code"] for one in answer.json["problems"]]


def state(api, shown):
    return api.get(f"/pickups/{shown['id']}").json


def options(api, shown):
    return [one["option"] for one in api.get(f"/pickups/{shown['id']}/options").json["options"]]


def picking(api, shown):
    for action in ("accept", "start"):
        act(api, shown["id"], action)


def short(api, shown, sku="A", quantity=1, instead=None):
    act(api, shown["id"], "short", {"sku": sku, "quantity": quantity, "reason": "damaged"})
    if instead is not None:
        act(api, shown["id"], "substitute", {"sku": sku, "substitute": instead})


def open_claims(app):
    return rows(app, "SELECT location_id, reserved FROM stock_level WHERE reserved <> 0 ORDER BY location_id, sku")


# --- a till was there first -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", ["requested", "accepted", "picking"])
def test_what_a_till_left_open_can_be_cancelled_wherever_the_work_stands(api, app, places, begun):
    made = order(api, lines=TWO, pay="due")
    bring(api, made["pickup"], begun)
    assert sold(api, made["pickup"], line("A", 1, 1100)) == ["short-of-order"]
    answer = api.post(f"/orders/{made['id']}/cancel", {"reason": "customer"})
    assert answer.status_code == 200, answer.text
    assert (state(api, made["pickup"])["state"], open_claims(app)) == ("collected", [])
    assert api.get(f"/orders/{made['id']}").json["state"] == "completed"


def test_when_a_till_sells_what_is_there_the_question_about_the_rest_is_asked(api, app, clock, places, run_jobs):
    made = order(api, lines=TWO, pay="due")
    picking(api, made["pickup"])
    short(api, made["pickup"])
    sold(api, made["pickup"], line("A", 1, 1100))
    asked = state(api, made["pickup"])
    assert (asked["state"], asked["choice_reason"], asked["choose_by"]) == (
        "awaiting_customer", "short", "2026-11-23T03:00:00.000Z",
    )  # fmt: skip
    clock("2026-11-23T12:01+09:00")
    run_jobs()
    assert state(api, made["pickup"])["state"] == "collected"
    assert api.get(f"/orders/{made['id']}").json["state"] == "completed"


def test_what_a_till_took_and_a_manager_took_back_waits_with_a_deadline(api, app, clock, places, run_jobs):
    made = order(api, lines=TWO, pay="due")
    sold(api, made["pickup"], line("A", 2, 1100))
    act(api, made["pickup"]["id"], "undo", {})
    again = state(api, made["pickup"])
    assert (again["state"], again["ready_at"], again["expires_at"]) == (
        "ready", "2026-11-22T03:00:00.000Z", "2026-11-29T12:00:00.000Z",
    )  # fmt: skip
    assert [one["id"] for one in api.get("/pickups?state=ready").json["items"]] == [made["pickup"]["id"]]
    clock("2026-11-29T21:01+09:00")
    run_jobs()
    assert state(api, made["pickup"])["state"] == "expired"
    act(api, made["pickup"]["id"], "reshelve")
    assert (level(app, "A", "S1"), open_claims(app)) == ((10, 0), [])
    assert [one["amount"] for one in api.get(f"/orders/{made['id']}").json["refunds"]] == [2200]


def test_a_voided_receipt_brings_nothing_back_that_an_undo_brought_back_before(api, app, clock, places):
    shown = held(api, ("A", 2))
    sold(api, shown, line("A", 3, 1100))
    act(api, shown["id"], "undo", {})
    assert level(app, "A", "S1") == (9, 2)
    original = {"store": "S1", "terminal": "1", "receipt_no": "1", "business_date": "2026-11-22"}
    assert api.post("/pos/sales", sale(2, [], 0, kind="void", original=original)).json["state"] == "posted"
    assert level(app, "A", "S1") == (10, 2)
    clock("2026-11-24T12:00+09:00")
    act(api, shown["id"], "cancel", {"reason": "customer"})
    act(api, shown["id"], "reshelve")
    assert (level(app, "A", "S1"), open_claims(app)) == ((10, 0), [])


def test_a_till_that_sells_goods_just_arrived_takes_them_by_their_promise(api, app, places):
    made = order(api, lines=TWO, pay="due", fulfilment={"method": "pickup", "location": "S1", "ship_from": "W1"})
    transfer = state(api, made["pickup"])["transfer"]
    for step in ("ship", "receive"):
        assert api.post(f"/transfers/{transfer}/{step}", {}).status_code == 200
    assert sold(api, made["pickup"], line("A", 2, 1100)) == []
    assert (state(api, made["pickup"])["state"], level(app, "A", "S1")) == ("collected", (10, 0))


def test_a_receipt_for_a_hold_also_tells_what_a_clerk_gave_before(api, app, places):
    shown = held(api, ("A", 2))
    bring(api, shown, "ready")
    act(api, shown["id"], "hand-over", {"token": token_of(shown), "lines": [{"sku": "A", "quantity": 1}]})
    assert sold(api, shown, line("A", 2, 1100)) == ["collected-before"]
    assert (state(api, shown)["state"], level(app, "A", "S1")) == ("collected", (8, 0))
    assert sold(api, shown, line("A", 1, 1100), number=2) == ["order-not-open"]
    assert level(app, "A", "S1") == (7, 0)


def test_a_till_sells_the_substitute_by_the_pickups_promise(api, app, places):
    made = order(api, lines=TWO, pay="due")
    picking(api, made["pickup"])
    short(api, made["pickup"], instead="C")
    act(api, made["pickup"]["id"], "choose", {"option": "substitute", "sku": "C"})
    bring(api, made["pickup"], "ready")
    assert sold(api, made["pickup"], line("C", 1, 1100)) == ["short-of-order"]
    assert (level(app, "C", "S1"), level(app, "A", "S1"), open_claims(app)) == ((4, 0), (9, 1), [("S1", 1)])
    assert sold(api, made["pickup"], line("A", 1, 1100), number=2) == []
    assert (level(app, "C", "S1"), level(app, "A", "S1"), open_claims(app)) == ((4, 0), (8, 0), [])
    paid = api.get(f"/orders/{made['id']}").json
    assert (paid["state"], [one["captured"] for one in paid["payments"]]) == ("completed", [0, 1100, 1100])
    assert state(api, made["pickup"])["state"] == "collected"


def in_ways(api, *ways, state="authorized"):
    """Two pieces of A, each of them another way."""
    answer = api.post("/orders", {
        "channel": "ec", "external_ref": "EC-1",
        "fulfilments": [
            {"method": "pickup", "lines": [{"line_ref": "1", "quantity": 1}], **one} for one in ways
        ],
        "lines": [{"line_ref": "1", "sku": "A", "quantity": 2, "unit_price": 1100}],
        "payments": [{"method": "card" if state == "authorized" else "pay_in_store", "amount": 2200, "state": state}],
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    return answer.json, [way["pickup"] for way in answer.json["fulfilments"]]


def test_what_another_store_gave_is_not_on_this_stores_receipt(api, app, places):
    made, (_, there) = in_ways(api, {"location": "S1"}, {"location": "S2"})
    bring(api, there, "collected")
    answer = api.post("/pos/sales", sale(1, [line("A", 2, 1100)], 2200, order=made["number"]))
    assert [one["code"] for one in answer.json["problems"]] == ["beyond-order"]
    assert (level(app, "A", "S1"), level(app, "A", "S2")) == ((8, 0), (4, 0))


def test_a_receipt_after_a_clerk_is_the_money_of_its_own_stores_pickup(api, app, places):
    made, (here, there) = in_ways(api, {"location": "S1"}, {"location": "S2"}, state="due")
    first = sale(1, [line("A", 1, 1100)], 1100, order=made["number"]) | {"store": "S2"}
    assert api.post("/pos/sales", first).json["problems"] == []
    bring(api, here, "collected")
    answer = api.post("/pos/sales", sale(2, [line("A", 1, 1100)], 1100, order=made["number"]))
    assert [one["code"] for one in answer.json["problems"]] == ["collected-before"]
    assert (level(app, "A", "S1"), level(app, "A", "S2")) == ((9, 0), (4, 0))
    assert [state(api, one)["state"] for one in (here, there)] == ["collected", "collected"]


def test_goods_on_the_road_do_not_stop_a_till_from_selling_those_that_are_there(api, app, places):
    made, _ = in_ways(api, {"location": "S1", "ship_from": "W1"}, {"location": "S1"}, state="due")
    answer = api.post("/pos/sales", sale(1, [line("A", 1, 1100)], 1100, order=made["number"]))
    assert answer.json["problems"] == []
    assert [way["pickup"]["state"] for way in api.get(f"/orders/{made['id']}").json["fulfilments"]] == [
        "awaiting_transfer", "collected",
    ]  # fmt: skip
    assert (level(app, "A", "S1"), level(app, "A", "W1")) == ((9, 0), (50, 1))


def test_nothing_is_ready_when_all_that_was_there_is_gone_and_the_rest_is_missing(api, places):
    made = order(api, lines=TWO, pay="due")
    picking(api, made["pickup"])
    sold(api, made["pickup"], line("A", 1, 1100))
    short(api, made["pickup"])
    asked = state(api, made["pickup"])
    assert (asked["state"], asked["choice_reason"]) == ("awaiting_customer", "short")
    assert act(api, made["pickup"]["id"], "choose", {"option": "cancel"})["state"] == "collected"
    assert api.get(f"/orders/{made['id']}").json["state"] == "completed"


# --- choices after choices --------------------------------------------------------------------------------------------


def test_a_substitute_for_goods_that_never_left_their_sender_is_claimed_at_the_store(api, app, places, run_jobs):
    made = order(api, lines=TWO, fulfilment={"method": "pickup", "location": "S1", "ship_from": "W1"})
    assert api.post(f"/transfers/{state(api, made['pickup'])['transfer']}/cancel", {}).status_code == 200
    run_jobs()
    act(api, made["pickup"]["id"], "substitute", {"sku": "A", "substitute": "C"})
    assert act(api, made["pickup"]["id"], "choose", {"option": "substitute", "sku": "C"})["state"] == "requested"
    assert (level(app, "C", "S1"), open_claims(app)) == ((5, 2), [("S1", 2)])
    bring(api, made["pickup"], "collected")
    assert (level(app, "C", "S1"), open_claims(app)) == ((3, 0), [])
    act(api, made["pickup"]["id"], "undo", {})
    assert level(app, "C", "S1") == (5, 2)


def test_one_substitute_for_two_lines_is_offered_when_there_is_enough_for_both(api, places):
    made = order(api, lines=[("1", "A", 4, 1100), ("2", "B", 2, 540)])
    picking(api, made["pickup"])
    short(api, made["pickup"], "A", 4, instead="C")
    short(api, made["pickup"], "B", 2, instead="C")
    assert "substitute" not in options(api, made["pickup"])


def test_who_loses_the_substitute_too_is_offered_what_was_ordered_at_first(api, app, places):
    made = order(api, lines=TWO)
    picking(api, made["pickup"])
    short(api, made["pickup"], quantity=2, instead="C")
    act(api, made["pickup"]["id"], "choose", {"option": "substitute", "sku": "C"})
    picking(api, made["pickup"])
    short(api, made["pickup"], "C", 2)
    offered = api.get(f"/pickups/{made['pickup']['id']}/options").json["options"]
    assert [one["location"] for one in offered if one["option"] == "other_store"] == ["S2"]
    act(api, made["pickup"]["id"], "choose", {"option": "other_store", "location": "S2"})
    assert (level(app, "A", "S2"), level(app, "C", "S1")) == ((5, 2), (3, 0))


def test_a_parcel_is_not_offered_for_goods_that_are_paid_in_the_store(api, places):
    made = order(api, lines=TWO, pay="due")
    picking(api, made["pickup"])
    short(api, made["pickup"], quantity=2)
    assert options(api, made["pickup"]) == ["other_store", "transfer", "cancel"]


def test_a_hold_asks_for_what_its_other_goods_cost_when_a_substitute_is_given_up(api, places):
    shown = held(api, ("A", 1), ("B", 2))
    assert state(api, shown)["amount_due"] == 3000
    picking(api, shown)
    short(api, shown, instead="C")
    act(api, shown["id"], "choose", {"option": "substitute", "sku": "C"})
    assert state(api, shown)["amount_due"] == 3000
    short(api, shown, "C")
    act(api, shown["id"], "pick", {"lines": [{"sku": "B", "quantity": 2}]})
    act(api, shown["id"], "ready", {})
    act(api, shown["id"], "choose", {"option": "part"})
    assert state(api, shown)["amount_due"] == 2000


def test_a_hold_that_goes_on_with_a_substitute_ends_as_any_other(api, app, clock, places, run_jobs):
    shown = held(api, ("A", 2))
    picking(api, shown)
    short(api, shown, quantity=2, instead="C")
    act(api, shown["id"], "choose", {"option": "substitute", "sku": "C"})
    assert open_claims(app) == [("S1", 2)]
    clock("2026-11-25T20:59+09:00")
    run_jobs()
    assert state(api, shown)["state"] == "requested"
    clock("2026-11-25T21:00+09:00")
    run_jobs()
    assert (state(api, shown)["state"], open_claims(app)) == ("expired", [])


def test_what_is_to_be_picked_again_has_no_deadline_until_it_is_ready(api, places):
    made = order(api, lines=TWO)
    picking(api, made["pickup"])
    short(api, made["pickup"])
    pick_all(api, made["pickup"]["id"])
    act(api, made["pickup"]["id"], "ready", {})
    act(api, made["pickup"]["id"], "hand-over", {"token": token_of(made["pickup"])})
    act(api, made["pickup"]["id"], "substitute", {"sku": "A", "substitute": "C"})
    again = act(api, made["pickup"]["id"], "choose", {"option": "substitute", "sku": "C"})
    assert (again["state"], again["expires_at"]) == ("requested", None)


def test_nobody_is_asked_to_pay_for_what_may_never_come(api, places):
    made = order(api, lines=TWO, pay="due")
    picking(api, made["pickup"])
    short(api, made["pickup"])
    pick_all(api, made["pickup"]["id"])
    assert act(api, made["pickup"]["id"], "ready", {})["amount_due"] == 1100
    assert act(api, made["pickup"]["id"], "choose", {"option": "part"})["amount_due"] == 1100


@pytest.mark.parametrize("by", ["customer", "channel"])
def test_what_is_not_given_at_the_counter_is_not_paid_there_and_the_parcel_is_paid_by_card(api, places, by):
    ways = [
        {"method": "pickup", "location": "S1", "lines": [{"line_ref": "1", "quantity": 2}]},
        {
            "method": "ship",
            "address": {"city": "渋谷区"},
            "ship_from": "W1",
            "lines": [{"line_ref": "2", "quantity": 1}],
        },
    ]
    answer = api.post("/orders", {
        "channel": "ec", "external_ref": "EC-1", "fulfilments": ways,
        "lines": [
            {"line_ref": "1", "sku": "A", "quantity": 2, "unit_price": 1000},
            {"line_ref": "2", "sku": "A", "quantity": 1, "unit_price": 900},
        ],
        "payments": [
            {"method": "card", "amount": 900, "state": "authorized"},
            {"method": "pay_in_store", "amount": 2000, "state": "due"},
        ],
    })  # fmt: skip
    assert answer.status_code == 201, answer.text
    shown, path = answer.json["fulfilments"][0]["pickup"], f"/orders/{answer.json['id']}"
    if by == "customer":
        picking(api, shown)
        short(api, shown)
        act(api, shown["id"], "choose", {"option": "part"})
        pick_all(api, shown["id"])
        act(api, shown["id"], "ready", {})
    else:
        assert api.post(f"{path}/cancel", {"lines": [{"line_ref": "1", "quantity": 1}]}).status_code == 200
    assert state(api, shown)["amount_due"] == 1000
    assert api.post(f"{path}/ship", {}).status_code == 200
    bring(api, shown, "collected")
    paid = [(one["capture_requested"], one["captured"], one["released"]) for one in api.get(path).json["payments"]]
    assert paid == [(900, 0, 0), (1000, 1000, 1000)]


def test_a_store_that_answers_late_leaves_the_question_about_what_did_not_come(api, clock, places, run_jobs):
    made = order(api, lines=TWO, fulfilment={"method": "pickup", "location": "S1", "ship_from": "W1"})
    transfer = state(api, made["pickup"])["transfer"]
    api.post(f"/transfers/{transfer}/ship", {})
    api.post(f"/transfers/{transfer}/receive", {"lines": [{"sku": "A", "quantity": 1}]})
    for at in ("2026-11-22T12:00+09:00", "2026-11-22T13:01+09:00", "2026-11-22T14:02+09:00"):
        clock(at)
        run_jobs()
    assert state(api, made["pickup"])["choice_reason"] == "not_accepted"
    accepted = act(api, made["pickup"]["id"], "accept")
    assert (accepted["choice_reason"], accepted["choose_by"]) == ("short", "2026-11-23T05:02:00.000Z")
    clock("2026-11-23T14:03+09:00")
    run_jobs()
    assert [(one["ordered"], one["undecided"]) for one in state(api, made["pickup"])["lines"]] == [(1, 0)]


def test_goods_taken_back_after_their_deadline_wait_anew(api, clock, places, run_jobs):
    made = order(api, lines=TWO)
    bring(api, made["pickup"], "ready")
    clock("2026-11-29T20:59+09:00")
    act(api, made["pickup"]["id"], "hand-over", {"token": token_of(made["pickup"])})
    clock("2026-11-29T21:00+09:00")
    again = act(api, made["pickup"]["id"], "undo", {})
    run_jobs()
    assert (again["state"], state(api, made["pickup"])["state"]) == ("ready", "ready")


@pytest.mark.parametrize(
    ("steps", "headline"), [(0, "お取り置きを承りました"), (1, "お取り置きはキャンセルされました")]
)
def test_the_page_of_a_hold_does_not_speak_of_an_order(app, api, places, steps, headline):
    shown = held(api, ("A", 2))
    for action in ["cancel"][:steps]:
        act(api, shown["id"], action, {"reason": "customer"})
    page = app.test_client().get(f"/p/{token_of(shown)}?lang=ja").text
    assert f"<h1>{headline}</h1>" in page
    assert "ご注文" not in page


# --- places that are free again ---------------------------------------------------------------------------------------


def test_who_comes_before_their_slot_leaves_it_to_others(api, app, clock):
    clock(NOON)
    shop(api)
    slots = {"slot_minutes": 60, "slot_capacity": 1}
    make_store(api, "S1", pickup={"enabled": True, "lead_minutes": 30, "hold_days": 7, **slots})
    wanted = {"method": "pickup", "location": "S1", "pickup_at": "2026-11-22T18:00+09:00"}
    made = order(api, lines=TWO, fulfilment=wanted)
    taken = "SELECT taken FROM place_slot WHERE purpose = 'collecting'"
    assert rows(app, taken) == [(1,)]
    bring(api, made["pickup"], "collected")
    assert rows(app, taken) == [(0,)]


@pytest.mark.parametrize("closes", ["24:00", "25:00"])
def test_a_deadline_at_midnight_stays_when_another_day_is_closed(api, clock, run_jobs, closes):
    clock(NOON)
    shop(api)
    hours = {day: [["10:00", closes]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    make_store(api, "S1", hours=hours)
    made = order(api, lines=TWO)
    deadline = bring(api, made["pickup"], "ready")["expires_at"]
    make_store(api, "S1", hours=hours, closures=["2026-12-24"])
    run_jobs()
    assert state(api, made["pickup"])["expires_at"] == deadline


def test_a_deadline_after_the_new_closing_time_moves_to_the_next_day(api, clock, run_jobs):
    clock(NOON)
    shop(api)
    made = order(api, lines=TWO)
    assert bring(api, made["pickup"], "ready")["expires_at"] == "2026-11-29T12:00:00.000Z"
    hours = {day: [["10:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    make_store(api, "S1", hours=hours)
    run_jobs()
    assert state(api, made["pickup"])["expires_at"] == "2026-11-30T09:00:00.000Z"
