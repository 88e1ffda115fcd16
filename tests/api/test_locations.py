from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app import stores
from app.core.db import db
from app.core.errors import NotFound
from tests import badinput
from tests.factories import TEN_TO_NINE, make_store, store_body

SHIBUYA = (35.658, 139.701)
KYOTO = (35.008, 135.769)
USUAL = {
    "lead_minutes": 60, "hold_days": 7, "orders_per_hour": None, "cut_off": None, "accept_minutes": 60,
    "reserve_days": 3, "transfer_hold_days": 14, "transfer_days": 2, "slot_minutes": None, "slot_capacity": None,
}  # fmt: skip


def rows(app) -> list[tuple[Any, ...]]:
    with app.app_context():
        sql = "SELECT code, name, version, pickup_enabled, safety_stock FROM location ORDER BY code"
        return [tuple(row) for row in db.session.execute(db.text(sql))]


def test_a_place_is_put_and_read(api, app):
    body = store_body("S1", closures=["2027-01-01", "2026-12-31"], safety_stock=2)
    body["pickup"] = {
        "enabled": True, "lead_minutes": 90, "hold_days": 3, "orders_per_hour": 20, "cut_off": "18:30",
        "accept_minutes": 30, "reserve_days": 2, "transfer_hold_days": 10, "transfer_days": 0, "slot_minutes": 15,
        "slot_capacity": 4,
    }  # fmt: skip
    put = api.put("/locations/S1", body)
    assert put.status_code == 200
    got = api.get("/locations/S1")
    assert got.status_code == 200
    assert got.data == put.data
    answer = dict(got.json)
    assert answer.pop("updated_at").endswith("Z")
    assert answer == {**body, "code": "S1", "closures": ["2026-12-31", "2027-01-01"]}
    assert list(answer["hours"]) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert rows(app) == [("S1", "S1店", 1, True, 2)]


def test_what_is_left_out_has_its_usual_value(api):
    answer = api.put("/locations/W", {"name": "倉庫", "kind": "warehouse", "timezone": "Asia/Tokyo"}).json
    assert answer["hours"] == {}
    assert answer["closures"] == []
    assert answer["safety_stock"] == 0
    assert answer["pickup"] == {"enabled": False, **USUAL}
    assert answer["latitude"] is None


def test_the_same_again_changes_nothing(api, app, clock):
    clock("2026-11-22T10:00+09:00")
    first = api.put("/locations/S1", store_body("S1"))
    clock("2026-11-22T11:00+09:00")
    assert api.put("/locations/S1", store_body("S1")).data == first.data
    assert rows(app) == [("S1", "S1店", 1, True, 0)]
    changed = api.put("/locations/S1", store_body("S1", name="新店")).json
    assert changed["updated_at"] == "2026-11-22T02:00:00.000Z"
    assert rows(app) == [("S1", "新店", 2, True, 0)]


def test_a_stale_tag_is_refused(api, app):
    make_store(api, "S1")
    tag = api.get("/locations/S1").headers["ETag"]
    assert api.put("/locations/S1", store_body("S1", name="甲"), headers={"If-Match": tag}).status_code == 200
    late = api.put("/locations/S1", store_body("S1", name="乙"), headers={"If-Match": tag})
    assert late.status_code == 412
    assert late.json["type"] == "/problems/precondition-failed"
    assert api.put("/locations/NEW", store_body("NEW"), headers={"If-Match": tag}).status_code == 412
    assert rows(app) == [("S1", "甲", 2, True, 0)]
    again = api.get("/locations/S1").headers["ETag"]
    assert api.get("/locations/S1", headers={"If-None-Match": again}).status_code == 304


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/locations/S1"), ("GET", "/locations/S1"), ("GET", "/locations")]
)
def test_a_key_is_needed(app, api, method, path):
    assert api.call(method, path, store_body("S1") if method == "PUT" else None,
                    headers={"Authorization": "Bearer wrong"}).status_code == 401  # fmt: skip
    assert rows(app) == []


def test_any_key_reads_and_catalog_write_writes(api, app, make_api):
    make_store(api, "S1")
    reader = make_api("reports:read")
    assert reader.get("/locations/S1").status_code == 200
    assert [item["code"] for item in reader.get("/locations").json["items"]] == ["S1"]
    refused = reader.put("/locations/S1", {"bad": 1})
    assert (refused.status_code, refused.json["scope"]) == (403, "catalog:write")
    assert rows(app) == [("S1", "S1店", 1, True, 0)]


def test_a_bound_key_sees_its_own_places_alone(api, app, make_api):
    make_store(api, "S1")
    make_store(api, "S2")
    bound = make_api(locations=("S1",))
    assert [item["code"] for item in bound.get("/locations").json["items"]] == ["S1"]
    absent, foreign = bound.get("/locations/S9"), bound.get("/locations/S2")
    assert absent.status_code == foreign.status_code == 404
    assert foreign.json["type"] == "/problems/unknown-location"
    assert bound.put("/locations/S2", store_body("S2", name="乗っ取り")).status_code == 404
    assert rows(app) == [("S1", "S1店", 1, True, 0), ("S2", "S2店", 1, True, 0)]


def test_the_list_goes_on_where_it_was(api, clock):
    for number in range(5):
        clock(f"2026-11-22T10:0{number // 2}+09:00")
        make_store(api, f"S{number}")
    seen, cursor = [], None
    while True:
        page = api.get("/locations?limit=2" + (f"&cursor={cursor}" if cursor else "")).json
        seen.append([item["code"] for item in page["items"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [["S0", "S1"], ["S2", "S3"], ["S4"]]
    late = api.get("/locations?updated_since=2026-11-22T10:01:00%2B09:00").json["items"]
    assert [item["code"] for item in late] == ["S2", "S3", "S4"]


HOURS_FAULTS = [
    ({"mon": [["10:00", "10:00"]]}, "/hours/mon/0", "no-time-between"),
    ({"mon": [["25:00", "26:00"]]}, "/hours/mon/0/0", "not-a-time"),
    ({"mon": [["10:00"]]}, "/hours/mon/0", "not-a-pair"),
    ({"mon": [["10:00", "15:00"], ["14:00", "20:00"]]}, "/hours/mon", "overlap"),
    ({"mon": "10:00-20:00"}, "/hours/mon", "not-a-list"),
    ({"mon": [[10, 20]]}, "/hours/mon/0/0", "not-a-time"),
    ({"someday": []}, "/hours/someday", "unknown-day"),
    ({"a\x00b": []}, "/hours/a\x00b", "unknown-day"),
    ([], "/hours", "not-an-object"),
]


@pytest.mark.parametrize(("hours", "pointer", "code"), HOURS_FAULTS)
def test_hours_that_cannot_be_read(api, app, hours, pointer, code):
    refused = api.put("/locations/S1", store_body("S1", hours=hours))
    assert refused.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in refused.json["errors"]] == [(pointer, code)]
    assert refused.json["errors"][0]["message"] != code
    assert rows(app) == []


BAD = {
    "/name": badinput.NOT_TEXTS,
    "/kind": ["shop", 1, None, ""],
    "/timezone": ["Tokyo", "+09:00", 9, None, "../etc/passwd", ""],
    "/latitude": [91, -91, "35", True, [], 1e308],
    "/longitude": [181, -181, "139"],
    "/closures": [["2026-13-01"], ["12-31"], [20261231], "2026-12-31", [None]],
    "/safety_stock": [v for v in badinput.NOT_INTEGERS if v is not None],
    "/pickup": badinput.NOT_OBJECTS,
    "/pickup/enabled": [1, "true", None],
    "/pickup/lead_minutes": badinput.NOT_INTEGERS,
    "/pickup/hold_days": [0, 31, 7.0, "7"],
    "/pickup/cut_off": ["9:00", "18:60", "48:00", "18:00 ", "18:00\n", "noon", "１８:００", 1800, True, [], ""],
    "/pickup/accept_minutes": [4, 1441, None, "60", 60.5],
    "/pickup/reserve_days": [0, 31, None],
    "/pickup/transfer_hold_days": [0, 31, None],
    "/pickup/transfer_days": [-1, 31, None],
    "/pickup/slot_minutes": [14, 241, "30", 0],
    "/pickup/slot_capacity": [0, 1001, "10", -1],
    "/phone": ["0" * 33, 312345678],
}


def test_no_bad_value_gets_in(api, app):
    for pointer, body in badinput.broken(store_body("S1"), BAD):
        badinput.assert_refused(api.put("/locations/S1", body), pointer)
    for name in ("name", "kind", "timezone"):
        badinput.assert_refused(api.put("/locations/S1", badinput.without(store_body("S1"), name)), f"/{name}")
    assert rows(app) == []


@pytest.mark.parametrize(("body", "content_type", "statuses"), badinput.RAW_BODIES)
def test_what_is_no_json_object_is_refused(api, app, body, content_type, statuses):
    answer = badinput.post_raw(api, "PUT", "/locations/S1", body, content_type)
    assert answer.status_code in statuses
    assert answer.content_type == "application/problem+json"
    assert rows(app) == []


def test_a_code_has_a_length(api):
    badinput.assert_refused(api.put("/locations/" + "S" * 65, store_body("S1")), "/code")
    assert api.put("/locations/%00", store_body("S1")).status_code == 400
    assert api.get("/locations/%E5%BA%97").status_code == 404


# --- the front door ---------------------------------------------------------------------------------------------


def test_the_directory_follows_every_change(api, app):
    make_store(api, "S1", closures=["2026-12-31"])
    with app.app_context():
        first = stores.directory()
        assert stores.directory() is first
    make_store(api, "S2")
    make_store(api, "S1", name="新")
    with app.app_context():
        places = stores.directory()
        assert {code: place.name for code, place in places.items()} == {"S1": "新", "S2": "S2店"}
        assert places["S2"].point == SHIBUYA
        assert stores.get("S2").closures == frozenset()
        with pytest.raises(NotFound):
            stores.get("S3")


def test_a_place_knows_its_time(api, app):
    make_store(api, "S1", closures=["2026-11-29"])
    make_store(api, "W", hours={}, kind="warehouse")
    with app.app_context():
        place, never = stores.get("S1"), stores.get("W")
    at = dt.datetime.fromisoformat
    assert stores.promise(place, at("2026-11-22T20:30+09:00")) == at("2026-11-23T10:30+09:00")
    assert stores.promise(never, at("2026-11-22T20:30+09:00")) is None
    assert stores.deadline(place, at("2026-11-21T15:10+09:00"), 7) == at("2026-11-28T21:00+09:00")
    assert stores.deadline(place, at("2026-11-22T15:10+09:00"), 7) == at("2026-11-30T21:00+09:00")
    assert stores.deadline(place, at("2026-11-22T21:30+09:00"), 7) == at("2026-11-30T21:00+09:00")
    assert stores.deadline(never, at("2026-11-22T15:10+09:00"), 7) == at("2026-11-30T00:00+09:00")
    assert stores.business_date(place, at("2026-11-22T16:00+00:00")) == dt.date(2026, 11, 23)


def test_distance_is_as_the_crow_flies():
    assert stores.distance_km(SHIBUYA, SHIBUYA) == 0.0
    assert stores.distance_km(SHIBUYA, KYOTO) == stores.distance_km(KYOTO, SHIBUYA) == 363.9
    assert stores.distance_km((0.0, 0.0), (0.0, 180.0)) == 20015.1


def test_a_factory_store_opens_at_ten(api):
    assert make_store(api, "S1")["hours"] == TEN_TO_NINE
