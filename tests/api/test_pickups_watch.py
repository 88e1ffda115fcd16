"""What time does: a store that does not answer, a promise that is late, slots and picking hours given back."""

from __future__ import annotations

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, problem, shop
from tests.factories import make_store

NOON = "2026-11-22T12:00+09:00"
SLOTS = {"enabled": True, "lead_minutes": 60, "slot_minutes": 60, "slot_capacity": 1, "orders_per_hour": 1}


def topics(app):
    found = rows(app, "SELECT topic FROM outbox_event WHERE aggregate_type = 'pickup' ORDER BY id")
    return [topic for (topic,) in found]


@pytest.fixture
def made(api, clock):
    clock(NOON)
    shop(api)
    return order(api)


def test_a_store_that_does_not_answer_is_alarmed_then_the_customer_is_asked(api, app, clock, made, run_jobs):
    pickup_id = made["pickup"]["id"]
    clock("2026-11-22T12:59+09:00")
    run_jobs()
    assert topics(app) == ["pickup.requested"]
    clock("2026-11-22T13:00+09:00")
    run_jobs()
    run_jobs()
    assert topics(app) == ["pickup.requested", "pickup.escalated"]
    clock("2026-11-22T14:00+09:00")
    run_jobs()
    assert topics(app)[2:] == ["pickup.escalated", "pickup.awaiting_customer", "pickup.asked"]
    shown = api.get(f"/pickups/{pickup_id}").json
    assert shown["state"] == "awaiting_customer"
    asked = api.get(f"/pickups/{pickup_id}/options").json
    assert (asked["reason"], [one["option"] for one in asked["options"]]) == ("not_accepted", ["wait", "cancel"])
    assert level(app, "A", "S1") == (10, 2)  # the promise stands while the customer thinks
    assert act(api, pickup_id, "accept")["state"] == "accepted"


def test_closed_hours_do_not_count_against_the_store(api, app, clock, run_jobs):
    clock("2026-11-22T20:30+09:00")
    shop(api)
    order(api)
    clock("2026-11-23T10:29+09:00")
    run_jobs()
    assert topics(app) == ["pickup.requested"]
    clock("2026-11-23T10:30+09:00")
    run_jobs()
    assert topics(app) == ["pickup.requested", "pickup.escalated"]


def test_who_waits_gives_the_store_its_time_anew(api, app, clock, made, run_jobs):
    pickup_id = made["pickup"]["id"]
    for at in ("13:00", "14:00"):
        clock(f"2026-11-22T{at}+09:00")
        run_jobs()
    assert act(api, pickup_id, "choose", {"option": "wait"})["state"] == "requested"
    clock("2026-11-22T14:59+09:00")
    run_jobs()
    assert topics(app)[-1] == "pickup.resumed"
    clock("2026-11-22T15:00+09:00")
    run_jobs()
    assert topics(app)[-1] == "pickup.escalated"


def test_nobody_chose_and_nobody_accepted_ends_with_the_money_back(api, app, clock, made, run_jobs):
    for at in ("2026-11-22T13:00", "2026-11-22T14:00", "2026-11-23T14:00"):
        clock(f"{at}+09:00")
        run_jobs()
    shown = api.get(f"/orders/{made['id']}").json
    assert (shown["state"], shown["cancel_reason"], shown["pickup"]["state"]) == ("cancelled", "no_choice", "cancelled")
    assert level(app, "A", "S1") == (10, 0)


def test_a_late_store_is_told_once_and_waiting_is_enough(api, app, clock, made, run_jobs):
    bring(api, made["pickup"], "picking")
    clock("2026-11-22T13:14+09:00")
    run_jobs()
    assert "pickup.asked" not in topics(app)
    clock("2026-11-22T13:15+09:00")
    run_jobs()
    run_jobs()
    assert topics(app).count("pickup.asked") == 1
    asked = api.get(f"/pickups/{made['pickup']['id']}/options").json
    assert (asked["reason"], asked["until"]) == ("late", None)
    assert [one["option"] for one in asked["options"]] == ["wait", "cancel"]
    act(api, made["pickup"]["id"], "choose", {"option": "wait"})
    clock("2026-11-22T18:00+09:00")
    run_jobs()
    assert topics(app).count("pickup.asked") == 1
    bring(api, made["pickup"], "collected")


def test_a_hold_is_alarmed_and_ends_at_its_own_time(api, app, clock, run_jobs):
    clock(NOON)
    shop(api)
    api.post("/reservations", {"kind": "hold", "location": "S1", "lines": [{"sku": "A", "quantity": 2}]})
    for at in ("13:00", "14:00", "15:00"):
        clock(f"2026-11-22T{at}+09:00")
        run_jobs()
    assert topics(app) == ["pickup.requested", "pickup.escalated", "pickup.escalated"]
    clock("2026-11-25T21:00+09:00")
    run_jobs()
    assert (topics(app)[-1], level(app, "A", "S1")) == ("pickup.expired", (10, 0))


def test_a_full_slot_offers_the_next_and_takes_nothing(api, app, clock):
    clock(NOON)
    shop(api)
    make_store(api, "S1", pickup=SLOTS)
    first = order(api, fulfilment={"method": "pickup", "location": "S1", "pickup_at": "2026-11-22T15:10+09:00"})
    wanted = {"method": "pickup", "location": "S1", "pickup_at": "2026-11-22T15:40+09:00"}
    body = {
        "channel": "ec", "external_ref": "EC-2", "fulfilment": wanted,
        "lines": [{"line_ref": "1", "sku": "A", "quantity": 1, "unit_price": 100}],
        "payments": [{"method": "card", "amount": 100, "state": "authorized"}],
    }  # fmt: skip
    refused = problem(api.post("/orders", body), 409, "slot-full")
    assert refused["alternatives"][0]["starts_at"] == "2026-11-22T07:00:00.000Z"
    assert (level(app, "A", "S1"), rows(app, "SELECT count(*) FROM sales_order")) == ((10, 2), [(1,)])
    assert api.post(f"/orders/{first['id']}/cancel", {}).status_code == 200
    assert api.post("/orders", body | {"external_ref": "EC-3"}).status_code == 201  # the slot is free again


def test_the_queue_of_work_moves_the_promise(api, clock):
    clock(NOON)
    shop(api)
    make_store(api, "S1", pickup=SLOTS | {"slot_minutes": None, "slot_capacity": None})
    promised = [order(api, f"EC-{n}", [("1", "A", 1, 100)])["pickup"]["id"] for n in range(3)]
    shown = [api.get(f"/pickups/{pickup_id}").json["ready_by"] for pickup_id in promised]
    assert shown == ["2026-11-22T04:00:00.000Z", "2026-11-22T05:00:00.000Z", "2026-11-22T06:00:00.000Z"]
    act(api, promised[1], "cancel", {"reason": "x"})
    again = order(api, "EC-9", [("1", "A", 1, 100)])["pickup"]["id"]
    assert api.get(f"/pickups/{again}").json["ready_by"] == "2026-11-22T05:00:00.000Z"


def test_a_day_closed_afterwards_moves_the_deadline_and_asks_who_would_come(api, app, clock, run_jobs):
    clock(NOON)
    shop(api)
    ready = order(api, "EC-1", [("1", "A", 1, 100)])["pickup"]
    bring(api, ready, "ready")
    wanted = {"method": "pickup", "location": "S1", "pickup_at": "2026-11-29T15:00+09:00"}
    coming = order(api, "EC-2", [("1", "A", 1, 100)], fulfilment=wanted)["pickup"]
    assert api.get(f"/pickups/{ready['id']}").json["expires_at"] == "2026-11-29T12:00:00.000Z"
    make_store(api, "S1", closures=["2026-11-29"])
    run_jobs()
    assert api.get(f"/pickups/{ready['id']}").json["expires_at"] == "2026-11-30T12:00:00.000Z"
    asked = api.get(f"/pickups/{coming['id']}/options").json
    assert (asked["reason"], [one["option"] for one in asked["options"]]) == ("closed", ["wait", "cancel"])
    assert act(api, coming["id"], "choose", {"option": "wait"})["pickup_at"] is None
    make_store(api, "S1")
    run_jobs()
    assert api.get(f"/pickups/{ready['id']}").json["expires_at"] == "2026-11-30T12:00:00.000Z"  # never earlier
