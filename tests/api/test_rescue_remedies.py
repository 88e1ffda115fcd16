"""Each remedy is carried out whole: levels, money and the pickup afterwards; an incident waits for whom it asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, pick_all
from tests.api.rescue_kit import (
    NOON,
    apply,
    board,
    bought,
    broken,
    cart,
    hold,
    incident,
    kinds,
    money,
    pickup,
    remedy,
    sell,
    sent,
    shops,
)  # fmt: skip


@pytest.fixture(autouse=True)
def sound(app, clock) -> Iterator[None]:
    """The books are right after every test."""
    clock(NOON)
    yield
    assert broken(app) == []


# --- each remedy ------------------------------------------------------------------------------------------------------


def test_recount_asks_for_a_count_and_takes_nothing_from_anybody(api, app) -> None:
    shops(api, 2)
    bought(api, "EC-1", 2)
    sell(app, 1)
    shown = apply(api, remedy(api, "recount"))
    (task,) = api.get("/recounts").json["items"]
    assert (shown["recount"], task["reason"], task["missing"]) == (task["id"], "other", 1)
    assert "recount" not in [one["kind"] for one in shown["remedies"]]
    assert level(app, "A", "S1") == (1, 2)
    api.post(f"/recounts/{task['id']}/done", {"counted": 2})
    assert (incident(api)["state"], level(app, "A", "S1")) == ("resolved", (2, 2))


def test_a_cart_is_released(api, app) -> None:
    shops(api, 2)
    held = cart(api, 2)
    sell(app, 1)
    shown = apply(api, remedy(api, "release"))
    assert (shown["state"], shown["remedies"], level(app, "A", "S1")) == ("resolved", [], (1, 0))
    assert api.get(f"/reservations/{held['id']}").json["state"] == "released"


def test_a_hold_is_released_with_a_notice(api, app) -> None:
    shops(api, 2)
    held = hold(api, 2)
    sell(app, 1)
    offered = remedy(api, "release")
    assert (offered["customer"], offered["written"], offered["quantity"]) == ("released", True, 2)
    apply(api, offered)
    found = api.get(f"/pickups/{held['pickup']['id']}").json
    assert (found["state"], found["reason"], level(app, "A", "S1")) == ("cancelled", "rescue", (1, 0))


def test_goods_on_their_way_back_to_the_shelf_are_put_there(api, app) -> None:
    shops(api, 2)
    made = bought(api, "EC-1", 2)
    bring(api, made["pickup"], "ready")
    act(api, made["pickup"]["id"], "cancel", {"reason": "customer"})
    sell(app, 1)
    assert kinds(board(api)) == [("recount", None, 1), ("reshelve", made["number"], 1)]
    shown = apply(api, remedy(api, "reshelve"))
    assert (shown["state"], level(app, "A", "S1")) == ("resolved", (1, 1))


def test_a_move_that_has_not_left_is_stopped(api, app) -> None:
    shops(api, 2)
    lines = [{"sku": "A", "quantity": 2}]
    made = api.post("/transfers", {"from": "S1", "to": "S2", "lines": lines}).json
    sell(app, 1)
    offered = remedy(api, "stop_transfer")
    assert (offered["transfer"], offered["paid"], offered["customer"]) == (made["id"], None, "nothing")
    apply(api, offered)
    assert api.get(f"/transfers/{made['id']}").json["state"] == "cancelled"
    assert level(app, "A", "S1") == (1, 0)


@pytest.mark.parametrize("state", ["requested", "accepted", "picking", "ready"])
def test_goods_are_sent_here_instead(api, app, state: str) -> None:
    shops(api, 2)
    made = bought(api, "EC-1", 2)
    bring(api, made["pickup"], state)
    sell(app, 1)
    shown = apply(api, remedy(api, "transfer"))
    assert (shown["state"], shown["waiting"]) == ("resolved", [])
    ways = api.get(f"/orders/{made['id']}").json["fulfilments"]
    assert [(way["location"], way["source"], way["pickup"]["state"]) for way in ways] == [
        ("S1", "S1", state),
        ("S1", "W1", "awaiting_transfer"),
    ]
    assert (level(app, "A", "S1"), level(app, "A", "W1")) == ((1, 1), (5, 1))
    assert money(api, made) == ("placed", 0, 0)
    assert [line["ordered"] for line in pickup(api, made)["lines"]] == [1]


def test_all_of_an_order_is_sent_here_instead(api, app) -> None:
    shops(api, 2)
    made = bought(api, "EC-1", 2)
    sell(app, 2)
    apply(api, remedy(api, "transfer"))
    assert (pickup(api, made)["state"], pickup(api, made)["reason"]) == ("cancelled", "moved")
    assert (money(api, made), level(app, "A", "S1")) == (("placed", 0, 0), (0, 0))


def test_a_parcel_is_sent_from_another_place(api, app) -> None:
    shops(api, 2)
    made = sent(api, "EC-1", 2)
    sell(app, 1)
    offered = remedy(api, "send_from")
    assert (offered["from"], offered["whose"], offered["customer"]) == ("W1", "parcel", "nothing")
    apply(api, offered)
    ways = api.get(f"/orders/{made['id']}").json["fulfilments"]
    assert [(way["source"], way["shipping"]["state"]) for way in ways] == [("S1", "open"), ("W1", "open")]
    assert (level(app, "A", "S1"), level(app, "A", "W1")) == ((1, 1), (5, 1))
    assert api.post(f"/orders/{made['id']}/ship").json["state"] == "completed"
    assert (level(app, "A", "S1"), level(app, "A", "W1")) == ((0, 0), (4, 0))


def test_a_parcels_pieces_are_cancelled_with_their_money(api, app) -> None:
    shops(api, 2)
    made = sent(api, "EC-1", 2)
    sell(app, 1)
    offered = remedy(api, "cancel")
    assert (offered["refund"], offered["written"]) == (1100, False)
    apply(api, offered)
    assert (money(api, made), level(app, "A", "S1")) == (("placed", 1, 1100), (1, 1))


@pytest.mark.parametrize("state", ["requested", "picking", "ready"])
def test_pieces_are_cancelled_with_their_money(api, app, state: str) -> None:
    shops(api, 2)
    made = bought(api, "EC-1", 2)
    bring(api, made["pickup"], state)
    sell(app, 1)
    apply(api, remedy(api, "cancel"))
    found = pickup(api, made)
    assert (found["state"], [line["ordered"] for line in found["lines"]]) == (state, [1])
    assert (money(api, made), level(app, "A", "S1")) == (("placed", 1, 1100), (1, 1))
    assert rows(app, "SELECT count(*) FROM reshelve_task") == [(0,)]


def test_a_whole_order_is_cancelled(api, app) -> None:
    shops(api, 1)
    made = bought(api, "EC-1")
    sell(app, 1)
    offered = remedy(api, "cancel")
    assert offered["written"] is True
    apply(api, offered)
    assert (pickup(api, made)["state"], pickup(api, made)["reason"]) == ("cancelled", "rescue")
    assert (money(api, made), level(app, "A", "S1")) == (("cancelled", 1, 1100), (0, 0))


def test_a_hold_that_is_being_picked_loses_pieces_and_their_price(api, app) -> None:
    shops(api, 2)
    held = hold(api, 2)
    for action in ("accept", "start"):
        act(api, held["pickup"]["id"], action)
    sell(app, 1)
    apply(api, remedy(api, "cancel"))
    found = api.get(f"/pickups/{held['pickup']['id']}").json
    assert (found["state"], found["amount_due"], level(app, "A", "S1")) == ("picking", 1000, (1, 1))


# --- asking -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["requested", "accepted", "picking", "ready"])
def test_the_customer_is_asked_and_the_incident_waits(api, app, run_jobs, state: str) -> None:
    shops(api, 2)
    made = bought(api, "EC-1", 2)
    bring(api, made["pickup"], state)
    sell(app, 1)
    shown = apply(api, remedy(api, "ask"))
    assert (shown["state"], shown["shortage"], shown["remedies"]) == ("open", 0, [])
    assert shown["waiting"] == [
        {"pickup": made["pickup"]["id"], "code": made["pickup"]["code"], "order_number": made["number"], "quantity": 1,
         "until": "2026-11-23T03:00:00.000Z"}
    ]  # fmt: skip
    assert (incident(api)["state"], incident(api)["waiting"], level(app, "A", "S1")) == ("open", 1, (1, 1))
    found = pickup(api, made)
    assert (found["state"], found["choice_reason"]) == (state, "rescue")
    asked = api.get(f"/pickups/{found['id']}/options").json
    assert [one["option"] for one in asked["options"]] == ["other_store", "transfer", "ship", "part", "cancel"]
    run_jobs()
    assert incident(api)["state"] == "open"
    act(api, found["id"], "choose", {"option": "part"})
    run_jobs()
    closed = incident(api)
    assert (closed["state"], closed["waiting"], board(api)["waiting"]) == ("resolved", 0, [])
    assert closed["resolved_at"] == "2026-11-22T03:00:00.000Z"
    assert (money(api, made), level(app, "A", "S1")) == (("placed", 1, 1100), (1, 1))


@pytest.mark.parametrize("state", ["requested", "accepted", "picking", "ready"])
def test_asked_about_all_of_it_the_pickup_waits(api, app, run_jobs, state: str) -> None:
    shops(api, 1)
    made = bought(api, "EC-1")
    bring(api, made["pickup"], state)
    sell(app, 1)
    apply(api, remedy(api, "ask"))
    assert (pickup(api, made)["state"], level(app, "A", "S1")) == ("awaiting_customer", (0, 0))
    act(api, made["pickup"]["id"], "choose", {"option": "other_store", "location": "S2"})
    run_jobs()
    assert (incident(api)["state"], level(app, "A", "S2")) == ("resolved", (5, 1))
    assert (pickup(api, made)["state"], pickup(api, made)["reason"]) == ("cancelled", "moved")


def test_nobody_answers(api, app, clock, run_jobs) -> None:
    shops(api, 1)
    made = bought(api, "EC-1")
    sell(app, 1)
    apply(api, remedy(api, "ask"))
    clock("2026-11-23T12:00+09:00")
    run_jobs()
    assert (incident(api)["state"], pickup(api, made)["reason"]) == ("resolved", "no_choice")
    assert money(api, made) == ("cancelled", 1, 1100)


def test_a_hold_is_asked(api, app, run_jobs) -> None:
    shops(api, 2)
    held = hold(api, 2)
    sell(app, 1)
    apply(api, remedy(api, "ask"))
    found = act(api, held["pickup"]["id"], "choose", {"option": "part"})
    assert (found["state"], found["amount_due"], level(app, "A", "S1")) == ("requested", 1000, (1, 1))
    run_jobs()
    assert incident(api)["state"] == "resolved"


def test_a_changed_order_answers_the_question(api, app, run_jobs) -> None:
    shops(api, 2)
    made = bought(api, "EC-1", 2)
    sell(app, 1)
    apply(api, remedy(api, "ask"))
    lines = [{"line_ref": "1", "sku": "A", "quantity": 1, "unit_price": 1100}]
    assert api.post(f"/orders/{made['id']}/change", {"lines": lines}).status_code == 200
    run_jobs()
    assert (incident(api)["state"], pickup(api, made)["choice_reason"]) == ("resolved", None)


def test_a_new_shortage_while_somebody_is_asked_is_the_same_incident(api, app, run_jobs) -> None:
    shops(api, 3)
    first, second = bought(api, "EC-1"), bought(api, "EC-2")
    third = bought(api, "EC-3")
    sell(app, 1)
    apply(api, remedy(api, "ask"))
    sell(app, 1, "r-2")
    shown = board(api)
    assert (shown["shortage"], len(shown["waiting"]), shown["state"]) == (1, 1, "open")
    apply(api, remedy(api, "ask"))
    assert [one["order_number"] for one in board(api)["waiting"]] == [third["number"], second["number"]]
    act(api, third["pickup"]["id"], "choose", {"option": "cancel"})
    run_jobs()
    assert (incident(api)["state"], incident(api)["waiting"]) == ("open", 1)
    act(api, second["pickup"]["id"], "cancel", {"reason": "customer"})
    run_jobs()
    assert (incident(api)["state"], pickup(api, first)["state"]) == ("resolved", "requested")


def test_goods_that_travel_for_another_stores_pickup(api, app, run_jobs) -> None:
    """The promise is S2's pickup, the shortage here: other places can send it there, or its customer is asked."""
    shops(api, 2)
    way = {"method": "pickup", "location": "S2", "ship_from": "S1"}
    made = bought(api, "EC-1", 2, fulfilment=way)
    sell(app, 1)
    assert [(one["kind"], one["from"]) for one in board(api)["remedies"]] == [
        ("recount", None),
        ("transfer", "W1"),
        ("ask", None),
        ("cancel", None),
    ]
    apply(api, remedy(api, "ask"))
    assert (pickup(api, made)["state"], level(app, "A", "S1")) == ("awaiting_transfer", (1, 1))
    act(api, made["pickup"]["id"], "choose", {"option": "part"})
    run_jobs()
    assert (incident(api)["state"], money(api, made)) == ("resolved", ("placed", 1, 1100))
    sell(app, 1, "r-2")
    (_, second) = sorted(api.get("/incidents").json["items"], key=lambda one: one["opened_at"])
    wanted = next(
        one for one in api.get(f"/incidents/{second['id']}/remedies").json["remedies"] if one["kind"] == "transfer"
    )
    assert api.post(f"/incidents/{second['id']}/apply", {"remedy": wanted["remedy"]}).json["state"] == "resolved"
    assert (level(app, "A", "S1"), level(app, "A", "W1")) == ((0, 0), (5, 1))
    assert (pickup(api, made)["state"], pickup(api, made)["reason"]) == ("cancelled", "moved")


def test_what_the_customer_is_told_when_all_that_was_picked_is_gone(api, app, run_jobs) -> None:
    shops(api, 2)
    made = bought(api, "EC-1", 2)
    bring(api, made["pickup"], "picking")
    pick_all(api, made["pickup"]["id"])
    sell(app, 2)
    apply(api, remedy(api, "ask"))
    run_jobs()
    assert pickup(api, made)["state"] == "awaiting_customer"
    kinds_told = [kind for (kind,) in rows(app, "SELECT kind FROM notice WHERE kind = 'pickup.choose'")]
    assert kinds_told == ["pickup.choose"]
