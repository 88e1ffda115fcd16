"""Waves: several pickups in one walk, sorted by shelf; each piece goes to the most urgent that still wants it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, order, problem, shop
from tests.factories import make_sku, make_store

NOON = "2026-11-22T12:00+09:00"
JAN = "4901234567894"
UNKNOWN = "019a0000-0000-7000-8000-000000000000"


@pytest.fixture
def three(api, clock):
    """Three pickups at S1 of A, A and B, and C; the third is wanted first, the first last."""
    shop(api, A=10, B=10)
    make_sku(api, "C")
    more = {"location": "S1", "reason": "receipt", "lines": [{"sku": "C", "quantity": 5}]}
    assert api.post("/stock/adjustments", more).status_code == 201
    shelves = {"location": "S1", "lines": [{"sku": "A", "shelf": "B-2"}, {"sku": "B", "shelf": "A-1"}]}
    assert api.put("/stock/shelves", shelves).status_code == 200
    made = []
    for at, ref, lines in (
        ("14:00", "EC-1", [("1", "A", 2, 1100)]),
        ("13:00", "EC-2", [("1", "A", 1, 1100), ("2", "B", 1, 540)]),
        ("12:00", "EC-3", [("1", "C", 1, 1000), ("2", "A", 1, 1100)]),
    ):
        clock(f"2026-11-22T{at}+09:00")
        made.append(order(api, ref, lines)["pickup"])
    clock("2026-11-22T14:10+09:00")
    return made


def open_wave(api: Any, **body: Any) -> dict[str, Any]:
    answer = api.post("/waves", {"location": "S1"} | body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def pick(api: Any, wave: dict[str, Any], **body: Any) -> Any:
    return api.post(f"/waves/{wave['id']}/pick", {"quantity": 1} | body)


def picked(api: Any, shown: dict[str, Any]) -> list[tuple[str, int, int]]:
    found = api.get(f"/pickups/{shown['id']}").json["lines"]
    return [(line["sku"], line["ordered"], line["picked"]) for line in found]


def test_a_walk_goes_along_the_shelves_and_knows_whose_each_piece_is(api, app, three):
    wave = open_wave(api, limit=8)
    ids = [one["id"] for one in three]
    assert [(one["id"], one["state"], one["tote"]) for one in wave["pickups"]] == [
        (ids[2], "picking", 3), (ids[1], "picking", 2), (ids[0], "picking", 1),
    ]  # fmt: skip
    assert [(one["shelf"], one["sku"], one["quantity"], one["barcodes"]) for one in wave["picks"]] == [
        ("A-1", "B", 1, []), ("B-2", "A", 4, [JAN]), (None, "C", 1, []),
    ]  # fmt: skip
    assert [(one["id"], one["line_ref"], one["quantity"], one["tote"]) for one in wave["picks"][1]["pickups"]] == [
        (ids[2], "2", 1, 3), (ids[1], "1", 1, 2), (ids[0], "1", 2, 1),
    ]  # fmt: skip
    assert api.get(f"/waves/{wave['id']}").json == wave
    assert api.get(f"/pickups/{ids[0]}").json["wave"] == wave["id"]
    topics = rows(app, "SELECT topic FROM outbox_event WHERE aggregate_type = 'picking_wave'")
    assert topics == [("wave.opened",)]


def test_the_most_urgent_come_first_and_the_rest_wait_for_the_next_wave(api, three):
    first, second = open_wave(api, limit=2), open_wave(api, limit=2)
    assert [one["id"] for one in first["pickups"]] == [three[2]["id"], three[1]["id"]]
    assert [one["id"] for one in second["pickups"]] == [three[0]["id"]]
    assert problem(api.post("/waves", {"location": "S1", "limit": 1}), 409, "nothing-to-pick")["location"] == "S1"


def test_each_piece_goes_to_the_most_urgent_that_still_wants_it(api, app, three):
    wave = open_wave(api, limit=8)
    first = pick(api, wave, barcode=JAN, quantity=3).json
    assert [(one["id"], one["tote"], one["quantity"]) for one in first["pickups"]] == [
        (three[2]["id"], 3, 1), (three[1]["id"], 2, 1), (three[0]["id"], 1, 1),
    ]  # fmt: skip
    assert (first["sku"], first["name"]) == ("A", "商品A")
    assert [(one["sku"], one["quantity"]) for one in first["wave"]["picks"]] == [("B", 1), ("A", 1), ("C", 1)]
    assert pick(api, wave, sku="A").json["pickups"][0]["id"] == three[0]["id"]
    refused = problem(pick(api, wave, sku="A"), 409, "picked-too-many")
    assert (refused["sku"], refused["quantity"], refused["open"]) == ("A", 1, 0)
    assert [picked(api, one) for one in three] == [
        [("A", 2, 2)], [("A", 1, 1), ("B", 1, 0)], [("C", 1, 0), ("A", 1, 1)],
    ]  # fmt: skip
    assert level(app, "A", "S1") == (10, 4)


def test_a_piece_may_be_meant_for_one(api, three):
    wave = open_wave(api, limit=8)
    assert pick(api, wave, sku="A", pickup=three[0]["id"]).json["pickups"][0]["id"] == three[0]["id"]
    problem(pick(api, wave, sku="A", quantity=2, pickup=three[0]["id"]), 409, "picked-too-many")
    problem(pick(api, wave, sku="B", pickup=three[0]["id"]), 409, "wrong-item")
    problem(pick(api, wave, sku="A", pickup=UNKNOWN), 404, "unknown-pickup")
    assert [picked(api, one)[0][2] for one in three] == [1, 0, 0]


def test_what_belongs_to_nobody_is_told_at_once(api, three):
    wave = open_wave(api, pickups=[three[0]["id"]])
    for body in ({"sku": "B"}, {"sku": "nothing"}, {"barcode": "4512345678906"}):
        problem(pick(api, wave, **body), 409, "wrong-item")
    assert picked(api, three[0]) == [("A", 2, 0)]


def test_what_is_short_or_cancelled_leaves_the_walk(api, three):
    wave = open_wave(api, limit=8)
    act(api, three[1]["id"], "short", {"sku": "B", "quantity": 1, "reason": "damaged"})
    act(api, three[2]["id"], "cancel", {"reason": "customer"})
    left = api.get(f"/waves/{wave['id']}").json
    assert [(one["sku"], one["quantity"]) for one in left["picks"]] == [("A", 3)]
    assert [one["state"] for one in left["pickups"]] == ["cancelled", "picking", "picking"]


def test_a_finished_walk_leaves_the_rest_to_the_pickups_or_to_another(api, app, three):
    wave = open_wave(api, pickups=[three[0]["id"], three[1]["id"]])
    pick(api, wave, sku="A")
    busy = problem(api.post("/waves", {"location": "S1", "pickups": [three[0]["id"]]}), 409, "in-another-wave")
    assert (busy["pickup"], busy["wave"]) == (three[0]["id"], wave["id"])
    done = api.post(f"/waves/{wave['id']}/finish")
    assert (done.status_code, done.json["state"]) == (200, "done")
    problem(api.post(f"/waves/{wave['id']}/finish"), 409, "illegal-transition")
    problem(pick(api, wave, sku="A"), 409, "illegal-transition")
    act(api, three[1]["id"], "pick", {"lines": [{"sku": "B", "quantity": 1}]})
    again = open_wave(api, pickups=[three[0]["id"]])
    assert [(one["sku"], one["quantity"]) for one in again["picks"]] == [("A", 2)]
    topics = "SELECT topic, sequence FROM outbox_event WHERE aggregate_id = :id ORDER BY sequence"
    assert rows(app, topics, id=wave["id"]) == [("wave.opened", 1), ("wave.finished", 2)]


@pytest.mark.parametrize("state", ["ready", "cancelled"])
def test_what_cannot_be_picked_joins_no_wave_and_nothing_else_does(api, app, three, state):
    if state == "cancelled":
        act(api, three[1]["id"], "cancel", {"reason": "customer"})
    else:
        for step in ("accept", "start"):
            act(api, three[1]["id"], step)
        act(api, three[1]["id"], "pick", {"lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}]})
        act(api, three[1]["id"], "ready")
    refused = problem(
        api.post("/waves", {"location": "S1", "pickups": [three[0]["id"], three[1]["id"]]}), 409, "illegal-transition"
    )
    assert (refused["id"], refused["state"]) == (three[1]["id"], state)
    assert api.get(f"/pickups/{three[0]['id']}").json["state"] == "requested"
    assert rows(app, "SELECT count(*) FROM picking_wave") == [(0,)]


@pytest.mark.parametrize(
    ("body", "pointer", "fault"),
    [
        ({"limit": 1}, "/location", "required"),
        ({"location": "S1"}, "", "ids-or-limit"),
        ({"location": "S1", "limit": 1, "pickups": [UNKNOWN]}, "", "ids-or-limit"),
        ({"location": "S1", "limit": 0}, "/limit", "out-of-range"),
        ({"location": "S1", "limit": 31}, "/limit", "out-of-range"),
        ({"location": "S1", "pickups": []}, "/pickups", "length"),
        ({"location": "S1", "pickups": ["x"]}, "/pickups/0", "not-id"),
    ],
)
def test_what_cannot_be_read(api, body, pointer, fault):
    refused = problem(api.post("/waves", body), 422, "invalid")
    assert (pointer, fault) in [(e["pointer"], e["code"]) for e in refused["errors"]]


def test_a_pick_names_one_thing(api, three):
    wave = open_wave(api, limit=1)
    for body, fault in (({}, "sku-or-barcode"), ({"sku": "A", "quantity": 0}, "out-of-range")):
        refused = problem(pick(api, wave, **body), 422, "invalid")
        assert refused["errors"][0]["code"] == fault


def test_another_stores_pickup_is_none_of_this_wave(api, three):
    make_store(api, "S2", {"A": 5})
    there = order(api, "EC-9", [("1", "A", 1, 1100)], fulfilment={"method": "pickup", "location": "S2"})["pickup"]
    body = {"location": "S1", "pickups": [three[0]["id"], there["id"]]}
    assert problem(api.post("/waves", body), 422, "invalid")["errors"][0]["pointer"] == "/pickups/1"
    problem(api.post("/waves", body | {"pickups": [UNKNOWN]}), 404, "unknown-pickup")
    problem(api.post("/waves", {"location": "S9", "limit": 1}), 404, "unknown-location")


def test_who_may_pick_and_who_sees_it(api, make_api, app, three):
    wave = open_wave(api, limit=1)
    calls = [("/waves", {"location": "S1", "limit": 1}), (f"/waves/{wave['id']}/pick", {"sku": "C", "quantity": 1})]
    calls.append((f"/waves/{wave['id']}/finish", None))
    weak = make_api("pickups:read")
    assert weak.get(f"/waves/{wave['id']}").json["id"] == wave["id"]
    for path, body in calls:
        assert weak.post(path, body).status_code == 403
        problem(api.post(path, body, key=None), 400, "idempotency-key-required")
    weak.key = "hk_nobody"
    assert [weak.post(path, body).status_code for path, body in calls] == [401, 401, 401]
    assert weak.get("/waves").status_code == 401
    assert make_api("stock:read").get("/waves").status_code == 403
    for stranger in (make_api(locations=("S2",)), make_api(channels=("mall",))):
        assert stranger.get("/waves").json["items"] == []
        problem(stranger.get(f"/waves/{wave['id']}"), 404, "unknown-wave")
        for path, body in calls[1:]:
            problem(stranger.post(path, body), 404, "unknown-wave")
    problem(make_api(locations=("S2",)).post(*calls[0]), 404, "unknown-location")
    problem(make_api(channels=("mall",)).post(*calls[0]), 409, "nothing-to-pick")
    for bad in (UNKNOWN, "x"):
        problem(api.get(f"/waves/{bad}"), 404, "unknown-wave")
    assert rows(app, "SELECT count(*), min(state) FROM picking_wave") == [(1, "open")]


def test_lists_by_place_and_state(api, three):
    first, second = open_wave(api, limit=1), open_wave(api, limit=1)
    assert api.post(f"/waves/{first['id']}/finish").status_code == 200
    for query, ids in (
        ("location=S1&state=open", [second["id"]]), ("state=done", [first["id"]]), ("location=S2", []),
    ):  # fmt: skip
        assert [one["id"] for one in api.get(f"/waves?{query}").json["items"]] == ids
    page = api.get("/waves?limit=1").json
    rest = api.get(f"/waves?limit=1&cursor={page['next_cursor']}").json
    assert ({page["items"][0]["id"], rest["items"][0]["id"]}, rest["next_cursor"]) == (
        {first["id"], second["id"]},
        None,
    )


def test_a_wave_and_a_pick_under_one_key_happen_once(api, app, three):
    body = {"location": "S1", "limit": 3}
    first, again = (api.post("/waves", body, key="w1") for _ in range(2))
    assert (first.status_code, again.data, again.headers["Idempotency-Replayed"]) == (201, first.data, "true")
    path = f"/waves/{first.json['id']}/pick"
    one, two = (api.post(path, {"sku": "C", "quantity": 1}, key="p1") for _ in range(2))
    assert (one.status_code, two.data) == (200, one.data)
    assert rows(app, "SELECT count(*) FROM picking_wave") == [(1,)]
