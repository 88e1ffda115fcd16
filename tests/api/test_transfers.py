"""Transfers: asked for, sent, received short or over, cancelled; no piece is lost on the road."""

from __future__ import annotations

from typing import Any

import pytest

from app import stock
from tests.api.stock_kit import rows
from tests.factories import make_sku, make_store

X2Y1 = [{"sku": "X", "quantity": 2}, {"sku": "Y", "quantity": 1}]


@pytest.fixture
def shops(api) -> None:
    make_store(api, "A", {"X": 5, "Y": 3}, safety_stock=4)
    make_store(api, "B", {"X": 1})


def ask(api: Any, lines: Any = None, **over: Any) -> Any:
    return api.post("/transfers", {"from": "A", "to": "B", "lines": lines or X2Y1} | over)


def act(api: Any, made: Any, action: str, body: Any = None, **kwargs: Any) -> Any:
    return api.post(f"/transfers/{made.json['id']}/{action}", body, **kwargs)


def books(api: Any) -> dict[tuple[str, str], tuple[int, int, int]]:
    items = api.get("/stock").json["items"]
    return {(i["location"], i["sku"]): (i["on_hand"], i["reserved"], i["incoming"]) for i in items}


def sound(app: Any) -> None:
    with app.app_context():
        assert [result for result in stock.check.check().results if not result.holds] == []


def test_a_transfer_claims_all_that_is_free_without_safety(api, app, shops) -> None:
    made = ask(api, [{"sku": "X", "quantity": 3}, {"sku": "X", "quantity": 2}])
    assert made.status_code == 201
    assert made.json["state"] == "requested"
    assert made.json["lines"] == [{"sku": "X", "quantity": 5, "promised": 0, "shipped": 0, "received": 0}]
    assert books(api)["A", "X"] == (5, 5, 0)
    refused = ask(api, [{"sku": "X", "quantity": 1}, {"sku": "Y", "quantity": 1}])
    assert (refused.status_code, refused.json["type"]) == (409, "/problems/insufficient-stock")
    assert refused.json["lines"] == [{"sku": "X", "requested": 1, "available": 0}]
    assert refused.json["alternatives"] == [
        {"location": "B", "name": "B店", "distance_km": 0.0, "available_for_all_lines": False}
    ]
    assert len(api.get("/transfers").json["items"]) == 1
    sound(app)


def test_complaint_13_nothing_is_lost_in_transit(api, app, shops) -> None:
    made = ask(api)
    assert act(api, made, "ship").json["state"] == "shipped"
    assert books(api) == {("A", "X"): (3, 0, 0), ("A", "Y"): (2, 0, 0), ("B", "X"): (1, 0, 2), ("B", "Y"): (0, 0, 1)}
    sound(app)
    make_sku(api, "Z")
    arrived = {"lines": [{"sku": "X", "quantity": 3}, {"sku": "Z", "quantity": 1}]}
    got = act(api, made, "receive", arrived)
    assert got.json["state"] == "received"
    assert got.json["lines"] == [
        {"sku": "X", "quantity": 2, "promised": 0, "shipped": 2, "received": 3},
        {"sku": "Y", "quantity": 1, "promised": 0, "shipped": 1, "received": 0},
        {"sku": "Z", "quantity": 0, "promised": 0, "shipped": 0, "received": 1},
    ]
    assert books(api) == {
        ("A", "X"): (3, 0, 0), ("A", "Y"): (2, 0, 0),
        ("B", "X"): (4, 0, 0), ("B", "Y"): (0, 0, 0), ("B", "Z"): (1, 0, 0),
    }  # fmt: skip
    written = api.get("/stock/movements").json["items"]
    assert [(m["location"], m["sku"], m["kind"], m["quantity"]) for m in written if m["kind"] != "opening"] == [
        ("A", "X", "transfer_out", -2),
        ("A", "Y", "transfer_out", -1),
        ("B", "X", "transfer_in", 2),
        ("B", "Y", "transfer_in", 1),
        ("B", "Y", "transfer_short", -1),
        ("B", "X", "transfer_over", 1),
        ("B", "Z", "transfer_over", 1),
    ]
    assert {m["reference"]["id"] for m in written if m["kind"] != "opening"} == {made.json["id"]}
    sound(app)
    again = act(api, made, "receive", arrived)
    assert (again.status_code, again.json["state"], again.json["allowed"]) == (409, "received", [])
    assert api.get("/stock/movements").json["items"] == written


def test_all_arrives_when_nothing_is_said(api, app, shops) -> None:
    made = ask(api)
    act(api, made, "ship")
    got = act(api, made, "receive")
    assert [(line["sku"], line["received"]) for line in got.json["lines"]] == [("X", 2), ("Y", 1)]
    assert books(api)["B", "X"] == (3, 0, 0)
    sound(app)


def test_cancelled_before_it_left_not_after(api, app, shops) -> None:
    made = ask(api)
    assert act(api, made, "cancel").json["state"] == "cancelled"
    assert books(api)["A", "X"] == (5, 0, 0)
    assert act(api, made, "ship").json["type"] == "/problems/illegal-transition"
    sent = ask(api)
    act(api, sent, "ship")
    late = act(api, sent, "cancel")
    assert (late.status_code, late.json["state"], late.json["allowed"]) == (409, "shipped", ["receive"])
    sound(app)


def test_its_claim_is_its_own(api, app, shops) -> None:
    ask(api)
    with app.app_context():
        (held,) = rows("SELECT CAST(id AS text) AS id FROM claim WHERE state = 'reserved'")
        with pytest.raises(stock.ReservationAttached):
            stock.release(held["id"])
    assert books(api)["A", "X"] == (5, 2, 0)


def test_the_same_key_is_one_transfer(api, shops) -> None:
    first = ask(api)
    body = {"from": "A", "to": "B", "lines": [{"sku": "X", "quantity": 1}]}
    one, two = (api.post("/transfers", body, key="k-1") for _ in range(2))
    assert one.data == two.data
    assert two.headers["Idempotency-Replayed"] == "true"
    assert api.post("/transfers", body, key=None).json["type"] == "/problems/idempotency-key-required"
    assert [t["id"] for t in api.get("/transfers").json["items"]] == [first.json["id"], one.json["id"]]


@pytest.mark.parametrize(
    ("body", "status", "what"),
    [
        ({"to": "A"}, 422, "/to same-location"),
        ({"from": "Z"}, 404, "/problems/unknown-location"),
        ({"to": "Z"}, 404, "/problems/unknown-location"),
        ({"lines": [{"sku": "Q", "quantity": 1}]}, 404, "/problems/unknown-sku"),
        ({"lines": []}, 422, "/lines length"),
        ({"lines": [{"sku": "X", "quantity": 0}]}, 422, "/lines/0/quantity out-of-range"),
        ({"lines": [{"sku": "X", "quantity": 1.0}]}, 422, "/lines/0/quantity not-integer"),
        ({"when": "now"}, 422, "/when unknown-field"),
    ],
)
def test_bad_transfers_change_nothing(api, shops, body: dict[str, Any], status: int, what: str) -> None:
    before = books(api)
    answer = api.post("/transfers", {"from": "A", "to": "B", "lines": X2Y1} | body)
    assert answer.status_code == status
    problem = answer.json
    said = f"{problem['errors'][0]['pointer']} {problem['errors'][0]['code']}" if status == 422 else problem["type"]
    assert said == what
    assert books(api) == before
    assert api.get("/transfers").json["items"] == []


def test_who_may_and_who_sees(api, app, make_api, shops) -> None:
    made = ask(api)
    reader, sender = make_api("stock:read"), make_api("stock:write", locations=("A",))
    receiver, stranger = make_api("stock:write", locations=("B",)), make_api("stock:write", locations=("C",))
    address = f"/transfers/{made.json['id']}"
    assert app.test_client().get(f"/api/v1{address}").status_code == 401
    assert reader.post(f"{address}/ship").status_code == 403
    assert [who.get(address).status_code for who in (reader, sender, receiver, stranger)] == [200, 200, 200, 404]
    assert [len(who.get("/transfers").json["items"]) for who in (reader, sender, receiver, stranger)] == [1, 1, 1, 0]
    assert [who.post(f"{address}/ship").status_code for who in (stranger, receiver, sender)] == [404, 404, 200]
    assert [who.post(f"{address}/receive").status_code for who in (stranger, sender, receiver)] == [404, 404, 200]
    assert api.get("/transfers/nonsense").json["type"] == "/problems/unknown-transfer"
    assert api.post("/transfers/01a20412-7fd4-7356-91c7-9f7c110a74f3/ship").status_code == 404


def test_lists_by_place_and_state(api, shops) -> None:
    make_store(api, "C")
    one, two = ask(api), ask(api, [{"sku": "X", "quantity": 1}], to="C")
    act(api, one, "ship")
    ids = [one.json["id"], two.json["id"]]
    assert {t["id"] for t in api.get("/transfers?location=A").json["items"]} == set(ids)
    assert [t["id"] for t in api.get("/transfers?location=C").json["items"]] == [ids[1]]
    assert [t["id"] for t in api.get("/transfers?state=shipped").json["items"]] == [ids[0]]
