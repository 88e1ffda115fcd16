"""POST /reservations and what may follow: carts, claims awaiting an order, holds with their pickup."""

from __future__ import annotations

from typing import Any

import pytest

from app.core import settings
from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, problem, shop, token_of
from tests.factories import make_sku, make_store

NOON = "2026-11-22T12:00+09:00"
UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def body(kind: str = "cart", **over: Any) -> dict[str, Any]:
    return {"location": "S1", "kind": kind, "lines": [{"sku": "A", "quantity": 2}]} | over


def reserve(api: Any, kind: str = "cart", **over: Any) -> dict[str, Any]:
    answer = api.post("/reservations", body(kind, **over))
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def nothing_happened(app: Any) -> None:
    assert rows(app, "SELECT count(*) FROM claim") == [(0,)]
    assert rows(app, "SELECT count(*) FROM pickup") == [(0,)]
    assert level(app, "A", "S1") == (10, 0)


@pytest.mark.parametrize(("kind", "until"), [("cart", "03:15:00.000"), ("pickup", "03:30:00.000")])
def test_a_claim_has_its_kinds_own_time(api, app, clock, kind, until):
    clock(NOON)
    shop(api)
    made = reserve(api, kind, external_ref="CART-1")
    expected = {
        "id": made["id"], "state": "reserved", "kind": kind, "location": "S1", "channel": "ec",
        "lines": [{"sku": "A", "quantity": 2, "open": 2}], "expires_at": f"2026-11-22T{until}Z",
        "external_ref": "CART-1",
    }  # fmt: skip
    assert made == expected
    assert api.get(f"/reservations/{made['id']}").json == expected
    assert level(app, "A", "S1") == (10, 2)


def test_the_same_key_claims_once_and_answers_the_same_bytes(api, app):
    shop(api)
    first = api.post("/reservations", body(), key="r-1")
    again = api.post("/reservations", body(), key="r-1")
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert level(app, "A", "S1") == (10, 2)
    problem(
        api.post("/reservations", body(lines=[{"sku": "A", "quantity": 1}]), key="r-1"), 422, "idempotency-key-reused"
    )


def test_a_key_is_required(api, app):
    shop(api)
    for path in ("", f"/{UNKNOWN}/release", f"/{UNKNOWN}/extend"):
        problem(api.post(f"/reservations{path}", body(), key=None), 400, "idempotency-key-required")
    nothing_happened(app)


def test_lines_of_one_sku_are_one_demand(api, app):
    shop(api)
    lines = [{"sku": "A", "quantity": 6}, {"sku": "B", "quantity": 1}, {"sku": "A", "quantity": 5}]
    refused = problem(api.post("/reservations", body(lines=lines)), 409, "insufficient-stock")
    assert refused["lines"] == [{"sku": "A", "requested": 11, "available": 10}]
    nothing_happened(app)


def test_who_may(api, make_api, app):
    shop(api)
    weak = make_api("stock:write")
    assert weak.post("/reservations", body()).status_code == 403
    assert weak.get(f"/reservations/{UNKNOWN}").status_code == 403
    weak.key = "hk_nobody"
    assert weak.post("/reservations", body()).status_code == 401
    nothing_happened(app)


def test_outside_the_keys_bounds_there_is_nothing(api, make_api, app):
    shop(api)
    elsewhere = make_api("reservations:write", locations=("S2",))
    problem(elsewhere.post("/reservations", body()), 404, "unknown-location")
    problem(elsewhere.post("/reservations", body("hold")), 404, "unknown-location")
    mall = make_api("reservations:write", channels=("mall",))
    problem(mall.post("/reservations", body()), 404, "not-found")
    problem(mall.post("/reservations", body("hold")), 404, "not-found")
    nothing_happened(app)
    made = reserve(api)
    for stranger in (elsewhere, mall):
        problem(stranger.get(f"/reservations/{made['id']}"), 404, "unknown-reservation")
        problem(stranger.post(f"/reservations/{made['id']}/release"), 404, "unknown-reservation")
        problem(stranger.post(f"/reservations/{made['id']}/extend", {"expires_in": 9}), 404, "unknown-reservation")
    assert mall.post("/reservations", body(channel="mall")).status_code == 201
    assert level(app, "A", "S1") == (10, 4)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"lines": []}, "/lines", "length"),
        ({"lines": [{"sku": "A", "quantity": 0}]}, "/lines/0/quantity", "out-of-range"),
        ({"lines": [{"sku": "A", "quantity": 1.0}]}, "/lines/0/quantity", "not-integer"),
        ({"lines": [{"sku": "A", "quantity": "1"}]}, "/lines/0/quantity", "not-integer"),
        ({"lines": [{"sku": "A\u0000", "quantity": 1}]}, "/lines/0/sku", "characters"),
        ({"kind": "gift"}, "/kind", "not-allowed"),
        ({"expires_in": 0}, "/expires_in", "out-of-range"),
        ({"expires_in": settings.MAX_CLAIM_SECONDS + 1}, "/expires_in", "out-of-range"),
        ({"channel": ""}, "/channel", "length"),
        ({"colour": "red"}, "/colour", "unknown-field"),
        ({"customer": {"id": "me"}}, "/customer/id", "not-id"),
        ({"customer": {"phone": "12"}}, "/customer/phone", "phone"),
        ({"customer": {"email": "hanako"}}, "/customer/email", "email"),
    ],
)
def test_what_cannot_be_read(api, app, change, pointer, code):
    shop(api)
    refused = problem(api.post("/reservations", body(**change)), 422, "invalid")
    assert [(e["pointer"], e["code"]) for e in refused["errors"]] == [(pointer, code)]
    nothing_happened(app)


def test_unknown_things(api, app):
    shop(api)
    problem(api.post("/reservations", body(location="S9")), 404, "unknown-location")
    refused = problem(api.post("/reservations", body(lines=[{"sku": "Z", "quantity": 1}])), 404, "unknown-sku")
    assert refused["skus"] == ["Z"]
    for bad in (UNKNOWN, "x"):
        problem(api.get(f"/reservations/{bad}"), 404, "unknown-reservation")
        problem(api.post(f"/reservations/{bad}/release"), 404, "unknown-reservation")
        problem(api.post(f"/reservations/{bad}/extend", {"expires_in": 60}), 404, "unknown-reservation")
    nothing_happened(app)


def test_a_past_due_claim_is_dead_though_nobody_swept_it(api, app, clock):
    clock(NOON)
    shop(api)
    made = reserve(api, expires_in=60)
    clock("2026-11-22T12:01+09:00")
    assert api.get(f"/reservations/{made['id']}").json["state"] == "expired"
    for path, sent in (("release", None), ("extend", {"expires_in": 60})):
        refused = problem(api.post(f"/reservations/{made['id']}/{path}", sent), 409, "reservation-ended")
        assert refused["state"] == "expired"
    assert reserve(api, lines=[{"sku": "A", "quantity": 10}])["state"] == "reserved"


def test_extending_and_releasing(api, app, clock):
    clock(NOON)
    shop(api)
    made = reserve(api)
    longer = api.post(f"/reservations/{made['id']}/extend", {"expires_in": 3600})
    assert longer.json["expires_at"] == "2026-11-22T04:00:00.000Z"
    ended = api.post(f"/reservations/{made['id']}/release")
    assert (ended.status_code, ended.json["state"], ended.json["lines"][0]["open"]) == (200, "released", 0)
    assert level(app, "A", "S1") == (10, 0)
    refused = problem(api.post(f"/reservations/{made['id']}/release"), 409, "reservation-ended")
    assert refused["state"] == "released"
    problem(api.post(f"/reservations/{made['id']}/extend", {"expires_in": 0}), 422, "invalid")


# --- holds ---------------------------------------------------------------------------------------------------------


def hold(api: Any, **over: Any) -> dict[str, Any]:
    return reserve(api, "hold", **over)


@pytest.mark.parametrize("kind", ["hold", "pickup"])
@pytest.mark.parametrize("place", [{"pickup": None}, {"hours": {}}])
def test_where_nothing_can_be_collected_nothing_is_kept_for_it(api, app, kind, place):
    shop(api)
    make_store(api, "S1", **place)
    assert problem(api.post("/reservations", body(kind)), 409, "pickup-not-offered")["location"] == "S1"
    nothing_happened(app)


def test_a_hold_worth_more_than_a_sum_can_be_is_refused(api, app):
    shop(api)
    make_sku(api, "A", list_price=settings.MAX_YEN)
    refused = problem(api.post("/reservations", body("hold")), 422, "invalid")
    assert [(e["pointer"], e["code"]) for e in refused["errors"]] == [("/lines", "out-of-range")]
    nothing_happened(app)
    one = hold(api, lines=[{"sku": "A", "quantity": 1}])
    assert api.get(f"/pickups/{one['pickup']['id']}").json["amount_due"] == settings.MAX_YEN


def test_a_hold_opens_a_pickup_and_waits_three_days(api, app, clock):
    clock("2026-11-22T15:10+09:00")
    shop(api)
    made = hold(api, customer={"name": "山田花子", "phone": "090-1234-5678"})
    assert made["expires_at"] == "2026-11-25T12:00:00.000Z"
    shown = made["pickup"]
    assert (shown["state"], shown["expires_at"], len(shown["code"]), len(shown["pin"])) == ("requested", None, 8, 6)
    assert len(token_of(shown)) == 26
    pickup = api.get(f"/pickups/{shown['id']}").json
    assert (pickup["kind"], pickup["reservation"], pickup["order_id"]) == ("hold", made["id"], None)
    assert pickup["amount_due"] == 2000
    assert pickup["lines"] == [
        {"line_ref": "1", "order_ref": "1", "sku": "A", "substitute": None, "name": "商品A", "ordered": 2, "picked": 0,
         "short": 0, "undecided": 0, "collected": 0}
    ]  # fmt: skip
    assert [p["id"] for p in api.get("/pickups?q=5678").json["items"]] == [shown["id"]]
    assert level(app, "A", "S1") == (10, 2)


def test_a_hold_needs_a_store_that_hands_over(api, app):
    shop(api)
    make_store(api, "W1", {"A": 5}, pickup={"enabled": False, "lead_minutes": 0, "hold_days": 3})
    problem(api.post("/reservations", body("hold", location="W1")), 409, "pickup-not-offered")
    assert rows(app, "SELECT count(*) FROM claim") == [(0,)]


def test_releasing_a_hold_cancels_its_pickup(api, app):
    shop(api)
    made = hold(api)
    ended = api.post(f"/reservations/{made['id']}/release")
    assert ended.json["state"] == "released"
    pickup = api.get(f"/pickups/{made['pickup']['id']}").json
    assert (pickup["state"], pickup["reason"]) == ("cancelled", "released")
    assert level(app, "A", "S1") == (10, 0)
    problem(api.post(f"/reservations/{made['id']}/release"), 409, "reservation-ended")


def test_a_past_due_hold_is_dead_and_its_pickup_reads_expired(api, app, clock):
    clock(NOON)
    shop(api)
    made = hold(api, expires_in=600)
    pickup_id = made["pickup"]["id"]
    act(api, pickup_id, "accept")
    clock("2026-11-22T12:10+09:00")
    assert api.get(f"/pickups/{pickup_id}").json["state"] == "expired"
    assert [p["id"] for p in api.get("/pickups?state=expired").json["items"]] == [pickup_id]
    assert api.get("/pickups?state=accepted").json["items"] == []
    refused = problem(api.post(f"/pickups/{pickup_id}/start"), 409, "illegal-transition")
    assert (refused["state"], refused["allowed"]) == ("expired", [])
    problem(api.post(f"/pickups/{pickup_id}/hand-over", {"token": token_of(made["pickup"])}), 409, "pickup-expired")
    assert reserve(api, lines=[{"sku": "A", "quantity": 10}])["state"] == "reserved"


def test_once_picking_starts_the_pickups_deadline_counts(api, app, clock):
    clock("2026-11-22T15:10+09:00")
    shop(api)
    made = hold(api, expires_in=600)
    longer = api.post(f"/reservations/{made['id']}/extend", {"expires_in": 1200}).json
    assert longer["expires_at"] == "2026-11-22T06:30:00.000Z"
    clock("2026-11-22T15:25+09:00")
    found = bring(api, made["pickup"], "ready")
    assert found["expires_at"] == "2026-11-25T12:00:00.000Z"
    assert api.get(f"/reservations/{made['id']}").json["expires_at"] is None
    problem(api.post(f"/reservations/{made['id']}/extend", {"expires_in": 60}), 409, "reservation-attached")
    act(api, made["pickup"]["id"], "hand-over", {"token": token_of(made["pickup"])})
    assert api.get(f"/reservations/{made['id']}").json["state"] == "fulfilled"
    assert level(app, "A", "S1") == (8, 0)
    assert rows(app, "SELECT kind, quantity FROM stock_movement WHERE kind = 'pickup'") == [("pickup", -2)]
