"""Early ends: cancel, expire, a partial cancel, a till that settles; picked goods go back to the shelf first."""

from __future__ import annotations

import datetime as dt

import pytest

from app import orders
from app.core.db import use_case
from bopis import ending, jobs
from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, problem, shop, token_of

READY_AT = "2026-11-22T15:10+09:00"
DEADLINE = "2026-11-29T21:00+09:00"


@pytest.fixture
def made(api, clock):
    """A paid order for two A and one B."""
    clock(READY_AT)
    shop(api)
    return order(api)


def levels(app):
    return level(app, "A", "S1"), level(app, "B", "S1")


def claims(app):
    return sorted(rows(app, "SELECT kind, state FROM claim"))


def test_what_was_not_picked_is_free_at_once(api, app, made):
    bring(api, made["pickup"], "accepted")
    ended = act(api, made["pickup"]["id"], "cancel", {"reason": "customer asked"})
    assert (ended["state"], ended["reason"], ended["reshelve"]) == ("cancelled", "customer asked", None)
    assert levels(app) == ((10, 0), (10, 0))
    assert claims(app) == [("pickup", "released")]
    assert api.get(f"/orders/{made['id']}").json["state"] == "cancelled"
    problem(api.post(f"/pickups/{ended['id']}/reshelve"), 409, "nothing-to-reshelve")


def test_picked_goods_are_free_when_they_are_back_on_the_shelf(api, app, made):
    pickup_id = made["pickup"]["id"]
    bring(api, made["pickup"], "picking")
    act(api, pickup_id, "pick", {"lines": [{"sku": "A", "quantity": 1}]})
    ended = act(api, pickup_id, "cancel", {"reason": "store"})
    assert ended["reshelve"] == "open"
    assert levels(app) == ((10, 1), (10, 0))
    assert claims(app) == [("pickup", "released"), ("reshelve", "reserved")]
    problem(api.post(f"/pickups/{pickup_id}/reshelve", {"lines": [{"sku": "B", "quantity": 1}]}), 409, "wrong-item")
    over = {"lines": [{"sku": "A", "quantity": 2}]}
    assert problem(api.post(f"/pickups/{pickup_id}/reshelve", over), 409, "more-than-picked")["picked"] == 1
    assert levels(app) == ((10, 1), (10, 0))
    back = act(api, pickup_id, "reshelve", {"lines": [{"barcode": "4901234567894", "quantity": 1}]})
    assert (back["state"], back["reshelve"]) == ("cancelled", "done")
    assert levels(app) == ((10, 0), (10, 0))
    problem(api.post(f"/pickups/{pickup_id}/reshelve"), 409, "nothing-to-reshelve")


def test_the_order_cancels_its_pickup(api, app, made):
    bring(api, made["pickup"], "ready")
    answer = api.post(f"/orders/{made['id']}/cancel", {"reason": "customer"})
    assert (answer.status_code, answer.json["refund_due"]["total"]) == (200, 2740), answer.text
    found = api.get(f"/pickups/{made['pickup']['id']}").json
    assert (found["state"], found["reshelve"]) == ("cancelled", "open")
    assert levels(app) == ((10, 2), (10, 1))
    act(api, found["id"], "reshelve")
    assert levels(app) == ((10, 0), (10, 0))
    problem(
        api.post(f"/pickups/{found['id']}/hand-over", {"token": token_of(made["pickup"])}), 409, "illegal-transition"
    )


def test_a_partial_cancel_takes_unpicked_pieces_first(api, app, made):
    pickup_id = made["pickup"]["id"]
    bring(api, made["pickup"], "picking")
    act(api, pickup_id, "pick", {"lines": [{"sku": "A", "quantity": 1}]})
    answer = api.post(f"/orders/{made['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 1}]})
    assert answer.status_code == 200, answer.text
    line = api.get(f"/pickups/{pickup_id}").json["lines"][0]
    assert (line["ordered"], line["picked"]) == (1, 1)
    assert (levels(app), claims(app)) == (((10, 1), (10, 1)), [("pickup", "reserved")])
    api.post(f"/orders/{made['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 1}]})
    found = api.get(f"/pickups/{pickup_id}").json
    assert (found["state"], found["reshelve"], found["lines"][0]["ordered"]) == ("picking", "open", 0)
    assert (levels(app), claims(app)) == (((10, 1), (10, 1)), [("pickup", "reserved"), ("reshelve", "reserved")])


def test_cancelling_what_is_left_completes_a_part_already_given(api, app, made):
    shown = made["pickup"]
    bring(api, shown, "ready")
    act(api, shown["id"], "hand-over", {"token": token_of(shown), "lines": [{"sku": "B", "quantity": 1}]})
    answer = api.post(f"/orders/{made['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 2}]})
    assert answer.status_code == 200, answer.text
    assert levels(app) == ((10, 2), (9, 0))
    found = api.get(f"/pickups/{shown['id']}").json
    assert (found["state"], found["reshelve"], found["collected_at"]) == (
        "collected", "open", "2026-11-22T06:10:00.000Z",
    )  # fmt: skip
    assert api.get(f"/orders/{made['id']}").json["state"] == "completed"


def test_time_expires_ready_goods_and_the_order_is_refunded(api, app, clock, made):
    shown = made["pickup"]
    bring(api, shown, "ready")
    with app.app_context():
        assert jobs.expire_due() == 0
    clock(DEADLINE)
    with app.app_context():
        assert (jobs.expire_due(), jobs.expire_due()) == (1, 0)
    found = api.get(f"/pickups/{shown['id']}").json
    assert (found["state"], found["reason"], found["reshelve"]) == ("expired", "expired", "open")
    assert (levels(app), claims(app)) == (((10, 2), (10, 1)), [("pickup", "released"), ("reshelve", "reserved")])
    assert api.get(f"/orders/{made['id']}").json["state"] == "cancelled"
    last = "SELECT topic FROM outbox_event WHERE aggregate_type = 'pickup' ORDER BY sequence DESC LIMIT 1"
    assert rows(app, last) == [("pickup.expired",)]
    act(api, shown["id"], "reshelve")
    assert levels(app) == ((10, 0), (10, 0))


@pytest.mark.parametrize("kind", ["order", "hold"])
def test_goods_past_their_deadline_go_back_to_the_shelf_though_nobody_swept(api, app, clock, kind):
    clock(READY_AT)
    shop(api)
    wanted = {"kind": "hold", "location": "S1", "lines": [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]}
    shown = (order(api) if kind == "order" else api.post("/reservations", wanted).json)["pickup"]
    bring(api, shown, "ready")
    problem(api.post(f"/pickups/{shown['id']}/reshelve"), 409, "nothing-to-reshelve")
    clock(DEADLINE)
    found = act(api, shown["id"], "reshelve")
    assert (found["state"], found["reason"], found["reshelve"]) == ("expired", "expired", "done")
    assert (levels(app), rows(app, "SELECT state FROM claim WHERE state = 'reserved'")) == (((10, 0), (10, 0)), [])


def test_time_expires_a_hold_whose_claim_was_swept(api, app, clock, made):
    body = {"location": "S1", "kind": "hold", "lines": [{"sku": "A", "quantity": 2}], "expires_in": 60}
    held = api.post("/reservations", body).json
    clock("2026-11-22T15:11+09:00")
    with app.app_context():
        assert jobs.expire_due() == 1
    found = api.get(f"/pickups/{held['pickup']['id']}").json
    assert (found["state"], found["reshelve"]) == ("expired", None)
    assert api.get(f"/reservations/{held['id']}").json["state"] == "expired"
    assert api.post("/reservations", body | {"lines": [{"sku": "A", "quantity": 8}]}).status_code == 201


@pytest.mark.parametrize(
    ("until", "code"),
    [("2026-11-29T21:00:00+09:00", "not-later"), ("2026-12-22T15:10:01+09:00", "too-late")],
)
def test_an_extension_has_bounds(api, app, made, until, code):
    shown = made["pickup"]
    bring(api, shown, "ready")
    refused = problem(api.post(f"/pickups/{shown['id']}/extend", {"until": until}), 422, "invalid")
    assert [(e["pointer"], e["code"]) for e in refused["errors"]] == [("/until", code)]
    assert api.get(f"/pickups/{shown['id']}").json["expires_at"] == "2026-11-29T12:00:00.000Z"


def test_an_extended_pickup_waits_longer(api, app, clock, made):
    shown = made["pickup"]
    bring(api, shown, "ready")
    act(api, shown["id"], "extend", {"until": "2026-12-22T15:10:00+09:00"})
    clock(DEADLINE)
    assert act(api, shown["id"], "hand-over", {"token": token_of(shown)})["state"] == "collected"


@pytest.mark.parametrize("state", ["requested", "accepted", "picking", "ready"])
def test_a_tills_receipt_settles_it_wherever_the_work_stands(api, app, clock, state):
    clock(READY_AT)
    shop(api)
    made = order(api, pay="due")
    bring(api, made["pickup"], state)
    at = dt.datetime.fromisoformat(READY_AT)
    with app.app_context():
        taken = [("cash", 2740)]
        till = orders.at_counter(made["number"], location="S1")
        use_case(orders.settle_at_till)(till, till.left, tenders_taken=taken, at=at, reference="S1-1-0001")
    found = api.get(f"/pickups/{made['pickup']['id']}").json
    assert (found["state"], [line["collected"] for line in found["lines"]]) == ("collected", [2, 1])
    assert (levels(app), claims(app)) == (((8, 0), (9, 0)), [("pickup", "fulfilled")])
    assert api.get(f"/orders/{made['id']}").json["state"] == "completed"
    assert rows(app, "SELECT proof, outcome FROM pickup_scan") == [("till", "done")]


def test_a_pickup_that_cannot_end_keeps_no_other_waiting(api, app, clock, made, monkeypatch):
    second = order(api, "EC-2", [("1", "A", 1, 1100)])["pickup"]
    for shown in (made["pickup"], second):
        bring(api, shown, "ready")
    clock(DEADLINE)
    plain = ending.expire

    def stubborn(*, pickup_id: str) -> bool:
        if pickup_id == made["pickup"]["id"]:
            raise RuntimeError("stuck")
        return plain(pickup_id=pickup_id)

    monkeypatch.setattr(ending, "expire", stubborn)
    with app.app_context():
        assert jobs.expire_due() == 1
    topics = "SELECT aggregate_id FROM outbox_event WHERE topic = 'pickup.expired'"
    assert rows(app, topics) == [(second["id"],)]
