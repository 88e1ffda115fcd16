"""Waiting lists: who comes next when pieces are free again, and how much one customer may keep."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.core import jobs, settings
from bopis import notices, waiting
from tests.api.orders_kit import events, level, rows
from tests.api.pickups_kit import act, bring, order, problem, shop
from tests.factories import make_sku, make_store

NOON = "2026-11-22T12:00+09:00"
UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def body(person: str = "a", **over: Any) -> dict[str, Any]:
    return {"location": "S1", "sku": "A", "quantity": 1, "customer": {"email": f"{person}@example.jp"}} | over


def join(api: Any, person: str = "a", **over: Any) -> dict[str, Any]:
    answer = api.post("/waiting-list", body(person, **over))
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def hold(api: Any, person: str = "a", **over: Any) -> Any:
    facts = {"location": "S1", "kind": "hold", "lines": [{"sku": "A", "quantity": 1}]}
    return api.post("/reservations", facts | {"customer": {"email": f"{person}@example.jp"}} | over)


def drain(app: Flask) -> None:
    with app.app_context():
        jobs.drain()


def sweep(app: Flask) -> int:
    with app.app_context():
        return waiting.sweep()


def states(app: Flask) -> list[str]:
    """In the order in which they came."""
    return [str(state) for (state,) in rows(app, "SELECT state FROM waiting_customer ORDER BY id")]


# --- places -----------------------------------------------------------------------------------------------------------


def test_places_are_in_the_order_of_coming(api, app, clock):
    clock(NOON)
    shop(api, A=0, B=0)
    made = [join(api, person) for person in "abc"]
    assert [(one["state"], one["position"]) for one in made] == [("waiting", 1), ("waiting", 2), ("waiting", 3)]
    assert made[0] == {
        "id": made[0]["id"], "state": "waiting", "location": "S1", "sku": "A", "quantity": 1, "channel": "ec",
        "position": 1, "pickup": None, "created_at": "2026-11-22T03:00:00.000Z",
        "updated_at": "2026-11-22T03:00:00.000Z",
    }  # fmt: skip
    join(api, "a", sku="B")
    left = api.post(f"/waiting-list/{made[0]['id']}/leave").json
    assert (left["state"], left["position"]) == ("left", None)
    found = api.get("/waiting-list?location=S1&sku=A&state=waiting").json["items"]
    assert [(one["id"], one["position"]) for one in found] == [(made[1]["id"], 1), (made[2]["id"], 2)]
    assert len(api.get("/waiting-list").json["items"]) == 4
    again = problem(api.post(f"/waiting-list/{made[0]['id']}/leave"), 409, "illegal-transition")
    assert again["state"] == "left"
    assert [topic for topic, _ in events(app, "waitlist.")] == ["waitlist.joined"] * 4 + ["waitlist.left"]


def test_the_same_key_joins_once_and_answers_the_same_bytes(api, app):
    shop(api, A=0)
    first = api.post("/waiting-list", body(), key="w-1")
    again = api.post("/waiting-list", body(), key="w-1")
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert states(app) == ["waiting"]
    problem(api.post("/waiting-list", body("b"), key="w-1"), 422, "idempotency-key-reused")


def test_a_customer_has_one_place_for_a_sku(api, app):
    shop(api, A=0)
    make_store(api, "S2")
    made = join(api)
    refused = problem(api.post("/waiting-list", body()), 409, "already-waiting")
    assert refused["id"] == made["id"]
    join(api, location="S2")
    api.post(f"/waiting-list/{made['id']}/leave")
    join(api)
    assert states(app) == ["left", "waiting", "waiting"]


@pytest.mark.parametrize(
    ("over", "status", "code"),
    [
        ({"location": "S9"}, 404, "unknown-location"),
        ({"location": "W1"}, 409, "pickup-not-offered"),
        ({"sku": "ghost"}, 404, "unknown-sku"),
        ({"customer": {"id": UNKNOWN, "email": "a@example.jp"}}, 404, "unknown-customer"),
    ],
)
def test_what_cannot_be_waited_for(api, app, over, status, code):
    shop(api)
    make_store(api, "W1", kind="warehouse", pickup={"enabled": False})
    problem(api.post("/waiting-list", body(**over)), status, code)
    assert states(app) == []
    assert rows(app, "SELECT count(*) FROM customer") == [(0,)]


@pytest.mark.parametrize(
    ("over", "pointer", "code"),
    [
        ({"customer": {"name": "山田花子"}}, "/customer", "no-contact"),
        ({"quantity": 0}, "/quantity", "out-of-range"),
        ({"customer": {"email": "nowhere"}}, "/customer/email", "email"),
        ({"note": "x"}, "/note", "unknown-field"),
    ],
)
def test_what_cannot_be_read(api, app, over, pointer, code):
    shop(api)
    answer = problem(api.post("/waiting-list", body(**over)), 422, "invalid")
    assert [(fault["pointer"], fault["code"]) for fault in answer["errors"]] == [(pointer, code)]
    assert states(app) == []


def test_who_may(api, make_api, app):
    shop(api, A=0)
    make_store(api, "S2")
    made = join(api)
    problem(api.post("/waiting-list", body(), key=None), 400, "idempotency-key-required")
    problem(api.post(f"/waiting-list/{made['id']}/leave", key=None), 400, "idempotency-key-required")
    weak = make_api("stock:write")
    for call in (weak.get("/waiting-list"), weak.post("/waiting-list", body())):
        problem(call, 403, "forbidden")
    assert api.get("/waiting-list", headers={"Authorization": "Bearer x"}).status_code == 401
    for bound in (make_api(locations=("S2",)), make_api(channels=("app",))):
        assert bound.get("/waiting-list").json["items"] == []
        problem(bound.post(f"/waiting-list/{made['id']}/leave"), 404, "unknown-wait")
        assert bound.post("/waiting-list", body("b")).status_code == 404
    problem(api.post(f"/waiting-list/{UNKNOWN}/leave"), 404, "unknown-wait")
    problem(api.post("/waiting-list/x/leave"), 404, "unknown-wait")
    assert states(app) == ["waiting"]


def test_nothing_personal_is_in_the_open(api, app):
    shop(api, A=0)
    join(api, customer={"name": "山田花子", "email": "hanako@example.jp", "phone": "090-1234-5678"})
    seen = "".join(
        str(row) for table in ("waiting_customer", "outbox_event", "audit_entry", "customer_contact")
        for row in rows(app, f"SELECT * FROM {table}")
    )  # fmt: skip
    assert not [part for part in ("山田", "hanako", "12345678") if part in seen]


# --- offers -----------------------------------------------------------------------------------------------------------


def test_a_cancelled_pickup_goes_to_the_one_who_waits_longest(api, app, clock):
    clock(NOON)
    shop(api, A=1)
    shown = order(api, lines=[("1", "A", 1, 1100)])["pickup"]
    first, second = join(api, "a"), join(api, "b")
    drain(app)
    assert states(app) == ["waiting", "waiting"]
    act(api, shown["id"], "cancel", {"reason": "customer"})
    drain(app)
    offered, waits = api.get("/waiting-list").json["items"]
    if offered["id"] != first["id"]:
        offered, waits = waits, offered
    assert (offered["state"], offered["position"]) == ("offered", None)
    assert (waits["id"], waits["state"], waits["position"]) == (second["id"], "waiting", 1)
    held = api.get(f"/pickups/{offered['pickup']}").json
    assert (held["kind"], held["state"], held["amount_due"]) == ("hold", "requested", 1000)
    assert api.get(f"/reservations/{held['reservation']}").json["expires_at"] == "2026-11-23T03:00:00.000Z"
    assert level(app, "A", "S1") == (1, 1)
    told = rows(app, "SELECT kind FROM notice WHERE subject_id = :id", id=offered["pickup"])
    assert told == [("waitlist.available",)]


def test_an_offer_that_is_not_taken_goes_to_the_next(api, app, clock):
    clock(NOON)
    shop(api, A=0)
    join(api, "a"), join(api, "b")
    found = {"location": "S1", "reason": "found", "lines": [{"sku": "A", "quantity": 1}]}
    assert api.post("/stock/adjustments", found).status_code == 201
    assert sweep(app) == 1
    assert states(app) == ["offered", "waiting"]
    assert sweep(app) == 0
    clock("2026-11-23T12:00:01+09:00")
    with app.app_context():
        jobs.run_timed()
        jobs.drain()
    assert states(app) == ["offered", "offered"]
    assert rows(app, "SELECT state FROM pickup ORDER BY id") == [("expired",), ("requested",)]
    assert level(app, "A", "S1") == (1, 1)


def test_goods_that_were_picked_are_offered_when_they_are_back(api, app, clock):
    clock(NOON)
    shop(api, A=1)
    shown = order(api, lines=[("1", "A", 1, 1100)])["pickup"]
    bring(api, shown, "ready")
    join(api)
    act(api, shown["id"], "cancel", {"reason": "customer"})
    drain(app)
    assert states(app) == ["waiting"]
    act(api, shown["id"], "reshelve")
    drain(app)
    assert states(app) == ["offered"]


def test_who_wants_more_than_there_is_lets_others_pass(api, app):
    shop(api, A=0)
    join(api, "a", quantity=3), join(api, "b", quantity=1), join(api, "c", quantity=1)
    make_found(api, 2)
    assert sweep(app) == 2
    assert states(app) == ["waiting", "offered", "offered"]
    assert level(app, "A", "S1") == (2, 2)


def make_found(api: Any, quantity: int) -> None:
    found = {"location": "S1", "reason": "found", "lines": [{"sku": "A", "quantity": quantity}]}
    assert api.post("/stock/adjustments", found).status_code == 201


def test_a_channel_waits_for_its_own_share(api, app):
    shop(api, A=0)
    policy = {"channel": "ec", "location": "S1", "sku": "A", "safety": 1}
    assert api.put("/stock/policies", policy).status_code == 200
    join(api, "a")
    join(api, "b", channel="app")
    make_found(api, 1)
    assert sweep(app) == 1
    assert states(app) == ["waiting", "offered"]


def test_the_offer_in_words(api, app, clock):
    clock(NOON)
    shop(api, A=0)
    join(api, customer={"name": "山田花子", "email": "h@example.jp"})
    make_found(api, 1)
    sweep(app)
    ((pickup_id,),) = rows(app, "SELECT pickup_id FROM waiting_customer")
    with app.app_context():
        found = notices.compose("waitlist.available", str(pickup_id))
    assert found is not None
    assert (found.to.name, found.to.email, found.language) == ("山田花子", "h@example.jp", "en")
    assert sorted(found.facts) == ["lines", "name", "page_url", "store", "until"]
    assert found.facts["until"] == "Mon, Nov 23, 12:00"
    assert [(line["sku"], line["quantity"], line["price"]) for line in found.facts["lines"]] == [("A", 1, 1000)]
    drain(app)
    with app.app_context():
        app.extensions["post"].finish()
    assert rows(app, "SELECT kind, state FROM notice") == [("waitlist.available", "sent")]


# --- limits -----------------------------------------------------------------------------------------------------------


def test_a_customer_keeps_five_holds_at_most(api, app, clock):
    clock(NOON)
    shop(api, A=20)
    made = [hold(api) for _ in range(settings.MAX_OPEN_HOLDS)]
    assert {answer.status_code for answer in made} == {201}
    refused = hold(api, expires_in=600)
    assert problem(refused, 429, "too-many-holds")["limit"] == 5
    assert refused.headers["Retry-After"] == str(3 * 24 * 3600 + 9 * 3600)
    assert level(app, "A", "S1") == (20, 5)
    assert hold(api, "b").status_code == 201
    assert hold(api, customer=None).status_code == 201
    released = api.post(f"/reservations/{made[0].json['id']}/release")
    assert released.status_code == 200
    assert hold(api).status_code == 201
    clock("2026-11-25T21:00:01+09:00")
    assert hold(api).status_code == 201


def test_a_refused_hold_may_be_tried_again_under_its_key(api, app):
    shop(api, A=20)
    made = [hold(api) for _ in range(settings.MAX_OPEN_HOLDS)]
    wanted = {"location": "S1", "kind": "hold", "lines": [{"sku": "A", "quantity": 1}]}
    wanted["customer"] = {"email": "a@example.jp"}
    problem(api.post("/reservations", wanted, key="h-1"), 429, "too-many-holds")
    api.post(f"/reservations/{made[0].json['id']}/release")
    assert api.post("/reservations", wanted, key="h-1").status_code == 201


def test_a_customer_waits_for_ten_things_at_most(api, app):
    shop(api, A=0)
    for number in range(settings.MAX_WAITS + 1):
        make_sku(api, f"X{number}")
    made = [join(api, sku=f"X{number}") for number in range(settings.MAX_WAITS)]
    refused = api.post("/waiting-list", body(sku=f"X{settings.MAX_WAITS}"))
    assert problem(refused, 429, "too-many-holds")["limit"] == 10
    assert refused.headers["Retry-After"] == "2"
    api.post(f"/waiting-list/{made[0]['id']}/leave")
    join(api, sku=f"X{settings.MAX_WAITS}")


def test_who_keeps_enough_lets_the_next_in_line_pass(api, app):
    shop(api, A=5)
    for _ in range(settings.MAX_OPEN_HOLDS):
        hold(api)
    join(api, "a"), join(api, "b")
    make_found(api, 1)
    assert sweep(app) == 1
    assert states(app) == ["waiting", "offered"]


def test_no_shows_are_shown_to_the_store(api, app, clock):
    clock(NOON)
    shop(api, A=20)
    gone = [order(api, f"EC-{n}", [("1", "A", 1, 1100)])["pickup"] for n in range(2)]
    for shown in gone:
        bring(api, shown, "ready")
    assert api.get(f"/pickups/{gone[0]['id']}").json["no_shows"] == 0
    clock("2026-11-29T21:00:01+09:00")
    assert api.get(f"/pickups/{gone[0]['id']}").json["no_shows"] == 2
    with app.app_context():
        jobs.run_timed()
    later = order(api, "EC-9", [("1", "A", 1, 1100)])["pickup"]
    assert api.get(f"/pickups/{later['id']}").json["no_shows"] == 2
    nobody = hold(api, customer=None).json["pickup"]
    assert api.get(f"/pickups/{nobody['id']}").json["no_shows"] is None
