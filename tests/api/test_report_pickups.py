"""GET /reports/pickups: exact figures of a day that a test can count by hand."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.core.db import ask_one, use_case
from app.core.sql import Sql
from tests.api.orders_kit import rows
from tests.api.pickups_kit import act, bring, order, pick_all, problem, shop, token_of
from tests.factories import make_store
from tests.till import line, sale

DAY = "2026-11-22"
SUNDAY = f"/reports/pickups?since={DAY}&until={DAY}"
_ARRIVED = Sql("UPDATE pickup SET arrived_at = :at WHERE id = :id")
NOTHING = {
    "orders": 0, "became_ready": 0, "promise_kept": 0, "promise_kept_percent": None,
    "ready_minutes": {"median": None, "p90": None}, "wait_seconds": {"median": None, "p90": None}, "no_shows": 0,
    "no_show_percent": None, "pieces": 0, "short_pieces": 0, "short_percent": None, "cancelled": 0,
    "cancelled_percent": None, "incidents": 0,
}  # fmt: skip


def one(api: Any, ref: str, quantity: int = 1) -> dict[str, Any]:
    """A pickup of some pieces of A."""
    made: dict[str, Any] = order(api, ref, [("1", "A", quantity, 1100)])["pickup"]
    return made


def arrive(app: Flask, pickup_id: str, at: str) -> None:
    """The customer stands at the counter."""
    with app.app_context():
        use_case(lambda: ask_one(_ARRIVED, {"at": at, "id": pickup_id}))()


def test_a_sunday_in_figures(api, app, clock):
    clock(f"{DAY}T10:00+09:00")
    shop(api, A=30)
    in_time, late, missing, unfit, open_ = (one(api, f"EC-{n}", n) for n in range(1, 6))
    clock(f"{DAY}T10:30+09:00")
    bring(api, in_time, "ready")
    clock(f"{DAY}T11:45:59+09:00")
    bring(api, late, "ready")
    arrive(app, in_time["id"], "2026-11-22T02:45:00.000000+00:00")
    act(api, in_time["id"], "hand-over", {"token": token_of(in_time)})
    bring(api, missing, "picking")
    act(api, missing["id"], "short", {"sku": "A", "quantity": 1, "reason": "not_found"})
    clock(f"{DAY}T12:00+09:00")
    pick_all(api, missing["id"])
    act(api, missing["id"], "ready", {"shelf": None})
    bring(api, unfit, "cancelled")
    clock("2026-12-05T10:00+09:00")
    assert api.get(f"/pickups/{open_['id']}").json["state"] == "requested"
    found = api.get(SUNDAY).json
    sunday = {
        "orders": 5, "became_ready": 3, "promise_kept": 1, "promise_kept_percent": 33.3,
        "ready_minutes": {"median": 105, "p90": 120}, "wait_seconds": {"median": 59, "p90": 59},
        "no_shows": 2, "no_show_percent": 66.7, "pieces": 15, "short_pieces": 1, "short_percent": 6.7,
        "cancelled": 1, "cancelled_percent": 20.0, "incidents": 0,
    }  # fmt: skip
    assert found == {"items": [{"location": "S1", "date": DAY, **sunday}], "totals": sunday}


def test_days_and_stores_are_told_apart_by_the_stores_own_clock(api, app, clock):
    clock(f"{DAY}T12:00+09:00")
    shop(api, A=30)
    make_store(api, "NY", {"A": 30}, timezone="America/New_York")
    clock("2026-11-22T23:59:59+09:00")
    one(api, "EC-1")
    clock("2026-11-23T00:00+09:00")
    one(api, "EC-2")
    order(api, "EC-3", [("1", "A", 2, 1100)], fulfilment={"method": "pickup", "location": "NY"})
    found = api.get("/reports/pickups?since=2026-11-22&until=2026-11-23").json
    assert [(i["location"], i["date"], i["orders"], i["pieces"]) for i in found["items"]] == [
        ("NY", "2026-11-22", 1, 2), ("S1", "2026-11-22", 1, 1), ("S1", "2026-11-23", 1, 1),
    ]  # fmt: skip
    assert (found["totals"]["orders"], found["totals"]["pieces"]) == (3, 4)
    only = api.get("/reports/pickups?since=2026-11-22&until=2026-11-23&location=NY").json
    assert [(i["location"], i["orders"]) for i in only["items"]] == [("NY", 1)]
    assert only["totals"]["orders"] == 1


def test_a_broken_promise_is_an_incident_of_its_day(api, clock):
    clock(f"{DAY}T12:00+09:00")
    shop(api, A=2)
    one(api, "EC-1", 2)
    assert api.post("/pos/sales", sale(1, [line("A", 1, 1000)], 1000)).status_code == 201
    (found,) = api.get(SUNDAY).json["items"]
    assert (found["orders"], found["incidents"]) == (1, 1)


@pytest.mark.parametrize(
    ("minutes", "median", "ninth"),
    [((7,), 7, 7), ((1, 2), 1, 2), ((1, 2, 3), 2, 3), (tuple(range(1, 11)), 5, 9), (tuple(range(1, 12)), 6, 10)],
)
def test_percentiles_are_by_nearest_rank(api, clock, minutes, median, ninth):
    start = clock(f"{DAY}T12:00+09:00")
    shop(api, A=30)
    made = [one(api, f"EC-{n}") for n in minutes]
    for shown, after in zip(made, minutes, strict=True):
        clock(start.replace(minute=after))
        bring(api, shown, "ready")
    assert api.get(SUNDAY).json["totals"]["ready_minutes"] == {"median": median, "p90": ninth}


def test_what_a_customer_gave_up_stays_a_short_pick(api, app, clock):
    clock(f"{DAY}T12:00+09:00")
    shop(api, A=10)
    shown = one(api, "EC-1", 2)
    bring(api, shown, "picking")
    act(api, shown["id"], "short", {"sku": "A", "quantity": 1, "reason": "not_found"})
    pick_all(api, shown["id"])
    act(api, shown["id"], "ready", {"shelf": None})
    act(api, shown["id"], "choose", {"option": "part"})
    assert rows(app, "SELECT ordered, short, missed FROM pickup_line") == [(1, 0, 1)]
    totals = api.get(SUNDAY).json["totals"]
    assert (totals["pieces"], totals["short_pieces"], totals["short_percent"]) == (2, 1, 50.0)


def test_days_without_anything_are_left_out(api, clock):
    clock(f"{DAY}T12:00+09:00")
    shop(api)
    assert api.get(SUNDAY).json == {"items": [], "totals": NOTHING}


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("since=2026-11-22", "/until", "required"),
        ("since=2026-11-22&until=2026-11-21", "/until", "before-since"),
        ("since=2026-01-01&until=2026-04-03", "/until", "too-many-days"),
        ("since=22.11.2026&until=2026-11-22", "/since", "not-date"),
        ("since=2026-11-22&until=2026-11-22&day=1", "/day", "unknown-field"),
    ],
)
def test_what_cannot_be_asked(api, query, pointer, code):
    shop(api)
    answer = problem(api.get(f"/reports/pickups?{query}"), 422, "invalid")
    assert [(fault["pointer"], fault["code"]) for fault in answer["errors"]] == [(pointer, code)]
    assert api.get("/reports/pickups?since=2026-01-01&until=2026-04-02").status_code == 200


def test_who_may_ask_and_what_they_see(api, make_api, clock):
    clock(f"{DAY}T12:00+09:00")
    shop(api, A=30)
    make_store(api, "S2", {"A": 30})
    one(api, "EC-1")
    order(api, "EC-2", [("1", "A", 1, 1100)], fulfilment={"method": "pickup", "location": "S2"}, channel="app")
    assert make_api("orders:read").get(SUNDAY).status_code == 403
    assert api.get(SUNDAY, headers={"Authorization": "Bearer x"}).status_code == 401
    bound = make_api("reports:read", locations=("S2",))
    assert [i["location"] for i in bound.get(SUNDAY).json["items"]] == ["S2"]
    assert bound.get(SUNDAY).json["totals"]["orders"] == 1
    problem(bound.get(f"{SUNDAY}&location=S1"), 404, "unknown-location")
    problem(api.get(f"{SUNDAY}&location=S9"), 404, "unknown-location")
    ec = make_api("reports:read", channels=("ec",))
    assert [(i["location"], i["orders"]) for i in ec.get(SUNDAY).json["items"]] == [("S1", 1)]
