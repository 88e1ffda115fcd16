"""Picking hours and collecting slots: listed, taken and given back, and what a place whose hours change tells."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from app import stores
from app.core import jobs
from app.core.db import db, use_case
from app.stores import bookings
from tests import badinput
from tests.factories import TEN_TO_NINE, make_store, store_body

DAY = "2026-11-24"


def at(clock_time: str, day: str = DAY) -> dt.datetime:
    return dt.datetime.fromisoformat(f"{day}T{clock_time}+09:00")


def pickup(**settings: Any) -> dict[str, Any]:
    return {"enabled": True, "lead_minutes": 60, "hold_days": 7} | settings


def slotted(api: Any, code: str = "S1", minutes: int = 30, capacity: int = 2, **over: Any) -> None:
    make_store(api, code, pickup=pickup(slot_minutes=minutes, slot_capacity=capacity), **over)


def rows(app: Any, table: str = "place_slot", columns: str = "location_id, purpose, starts_at, taken") -> list[Any]:
    with app.app_context():
        found = db.session.execute(db.text(f"SELECT {columns} FROM {table} ORDER BY {columns}"))
        return [tuple(_shown(value) for value in row) for row in found]


def _shown(value: Any) -> Any:
    """A moment as UTC text, whichever way the database keeps it."""
    if isinstance(value, dt.datetime):
        value = value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return value[:16] if isinstance(value, str) and value.startswith("2026-") else value


def book(app: Any, moment: str, code: str = "S1", day: str = DAY) -> dt.datetime | None:
    with app.app_context():
        return stores.book_slot(stores.get(code), at(moment, day))


def work(app: Any, ordered: Sequence[str], code: str = "S1") -> list[str]:
    """Take on orders of these times; until when each is promised, in the place's day and hour."""
    found = []
    for moment in ordered:
        with app.app_context():
            ready = stores.book_work(stores.get(code), at(moment)).ready_by
        assert ready is not None
        found.append(f"{ready.astimezone(dt.timezone(dt.timedelta(hours=9))):%dT%H:%M}")
    return found


# --- the list ---------------------------------------------------------------------------------------------------------


def test_slots_are_listed_with_what_is_left(api, app, clock):
    clock(at("19:15"))
    slotted(api, closures=["2026-11-25"])
    book(app, "20:10")
    found = api.get("/locations/S1/slots?days=3")
    assert found.status_code == 200
    items = found.json["items"]
    assert items[:4] == [
        {"starts_at": "2026-11-24T10:30:00.000Z", "ends_at": "2026-11-24T11:00:00.000Z", "capacity": 2, "free": 2},
        {"starts_at": "2026-11-24T11:00:00.000Z", "ends_at": "2026-11-24T11:30:00.000Z", "capacity": 2, "free": 1},
        {"starts_at": "2026-11-24T11:30:00.000Z", "ends_at": "2026-11-24T12:00:00.000Z", "capacity": 2, "free": 2},
        {"starts_at": "2026-11-26T01:00:00.000Z", "ends_at": "2026-11-26T01:30:00.000Z", "capacity": 2, "free": 2},
    ]
    assert len(items) == 3 + 22
    later = api.get("/locations/S1/slots?since=2026-11-26T20:00:00%2B09:00&days=1").json["items"]
    assert [item["starts_at"] for item in later] == ["2026-11-26T11:00:00.000Z", "2026-11-26T11:30:00.000Z"]
    assert len(api.get("/locations/S1/slots").json["items"]) == 3 + 5 * 22


def test_a_place_without_slots_and_one_that_never_opens_list_none(api):
    make_store(api, "S1")
    slotted(api, "W1", hours={}, kind="warehouse")
    assert api.get("/locations/S1/slots").json == {"items": []}
    assert api.get("/locations/W1/slots?days=31").json == {"items": []}


def test_who_may_see_the_slots(api, make_api):
    slotted(api)
    slotted(api, "S2")
    assert api.get("/locations/S1/slots", headers={"Authorization": "Bearer wrong"}).status_code == 401
    bound = make_api("reports:read", locations=("S1",))
    assert bound.get("/locations/S1/slots").status_code == 200
    foreign, absent = bound.get("/locations/S2/slots"), bound.get("/locations/S9/slots")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json["type"] == "/problems/unknown-location"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("days=0", "/days"), ("days=32", "/days"), ("days=x", "/days"), ("days=1.5", "/days"),
        ("since=2026-11-24", "/since"), ("since=2026-11-24T10:00:00", "/since"), ("since=", "/since"),
        ("since=9999-12-31T23:59:59Z", "/since"), ("until=2026-11-24T10:00:00Z", "/until"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_read(api, query, pointer):
    slotted(api)
    badinput.assert_refused(api.get(f"/locations/S1/slots?{query}"), pointer)


def test_slots_need_a_capacity(api, app):
    refused = api.put("/locations/S1", store_body("S1", pickup=pickup(slot_minutes=30)))
    badinput.assert_refused(refused, "/pickup/slot_capacity")
    assert rows(app, "location", "code") == []


# --- a time to collect ------------------------------------------------------------------------------------------------


def test_any_time_in_a_slot_takes_it_until_it_is_full(api, app, clock):
    clock(at("09:00"))
    slotted(api)
    assert book(app, "10:00") == book(app, "10:29:59") == at("10:00")
    assert book(app, "10:30") == at("10:30")
    with pytest.raises(stores.SlotFull) as caught:
        book(app, "10:15")
    assert caught.value.facts == {
        "location": "S1",
        "alternatives": [
            {"starts_at": f"2026-11-24T{start}:00.000Z", "ends_at": f"2026-11-24T{end}:00.000Z", "free": free}
            for start, end, free in [
                ("01:30", "02:00", 1), ("02:00", "02:30", 2), ("02:30", "03:00", 2), ("03:00", "03:30", 2),
                ("03:30", "04:00", 2),
            ]
        ],
    }  # fmt: skip
    assert rows(app) == [
        ("S1", "collecting", "2026-11-24T01:00", 2),
        ("S1", "collecting", "2026-11-24T01:30", 1),
    ]


@pytest.mark.parametrize(
    ("moment", "refusal", "code"),
    [
        ("09:59:59", stores.SlotClosed, "closed"), ("21:00", stores.SlotClosed, "closed"),
        ("20:30", stores.SlotUnknown, "no-such-slot"), ("20:59", stores.SlotUnknown, "no-such-slot"),
    ],
)  # fmt: skip
def test_no_slot_then(api, app, moment, refusal, code):
    slotted(api, minutes=45)
    with pytest.raises(refusal) as caught:
        book(app, moment)
    assert caught.value.status == 422
    assert caught.value.facts == {"errors": [{"pointer": "/fulfilment/pickup_at", "code": code}]}
    assert rows(app) == []


def test_a_closed_day_has_no_slot(api, app):
    slotted(api, closures=[DAY])
    with pytest.raises(stores.SlotClosed):
        book(app, "12:00")


def test_without_slots_every_time_will_do(api, app):
    make_store(api, "S1")
    assert book(app, "03:00") is None
    with app.app_context():
        stores.free_slot("S1", None)
        stores.free_work("S1", None)
    assert rows(app) == []


def test_a_place_given_back_can_be_taken_again_and_no_more(api, app):
    slotted(api, capacity=1)
    start = book(app, "10:10")
    for _ in range(3):
        with app.app_context():
            stores.free_slot("S1", start)
    assert rows(app) == [("S1", "collecting", "2026-11-24T01:00", 0)]
    assert book(app, "10:20") == at("10:00")
    with pytest.raises(stores.SlotFull):
        book(app, "10:20")


def test_a_refused_order_takes_nothing(api, app):
    slotted(api)
    make_store(api, "S2", pickup=pickup(orders_per_hour=1))

    @use_case
    def order() -> None:
        assert stores.book_slot(stores.get("S1"), at("10:00")) == at("10:00")
        assert stores.book_work(stores.get("S2"), at("10:00")) == stores.Work(at("11:00"), at("10:00"))
        raise stores.SlotFull

    with app.app_context(), pytest.raises(stores.SlotFull):
        order()
    assert rows(app) == []


def test_a_capacity_below_what_is_taken_leaves_nothing_and_nothing_negative(api, app, clock):
    clock(at("09:00"))
    slotted(api, capacity=3)
    for _ in range(3):
        book(app, "10:00")
    slotted(api, capacity=1)
    assert api.get("/locations/S1/slots?days=1").json["items"][0]["free"] == 0
    with app.app_context():
        stores.free_slot("S1", at("10:00"))
    with pytest.raises(stores.SlotFull):
        book(app, "10:00")
    assert rows(app) == [("S1", "collecting", "2026-11-24T01:00", 2)]


def test_alternatives_go_over_closed_days(api, app, clock):
    clock(at("09:00"))
    slotted(api, minutes=240, capacity=1, closures=["2026-11-25", "2026-11-26"])
    book(app, "14:00")
    with pytest.raises(stores.SlotFull) as caught:
        book(app, "15:00")
    facts: Any = caught.value.facts["alternatives"]
    assert [slot["starts_at"] for slot in facts] == [
        f"2026-11-{day}T{hour}:00:00.000Z" for day, hour in [(27, "01"), (27, "05"), (28, "01"), (28, "05"), (29, "01")]
    ]


# --- picking hours ----------------------------------------------------------------------------------------------------


def test_orders_fill_one_hour_after_the_other(api, app):
    make_store(api, "S1", pickup=pickup(orders_per_hour=2))
    assert work(app, ["18:10"] * 6) == ["24T19:10", "24T19:10", "24T21:00", "24T21:00", "25T11:00", "25T11:00"]
    assert rows(app) == [
        ("S1", "picking", "2026-11-24T10:00", 2),
        ("S1", "picking", "2026-11-24T11:00", 2),
        ("S1", "picking", "2026-11-25T01:00", 2),
    ]
    with app.app_context():
        assert stores.expect(stores.get("S1"), at("18:10")) == at("12:00", "2026-11-25")
        stores.free_work("S1", at("20:00"))
        assert stores.expect(stores.get("S1"), at("18:10")) == at("21:00")
        assert stores.expect(stores.get("S1"), at("17:10")) == at("18:10")
    assert work(app, ["18:10", "18:10", "17:10"]) == ["24T21:00", "25T12:00", "24T18:10"]


def test_what_is_expected_is_what_is_booked(api, app):
    make_store(api, "S1", pickup=pickup(orders_per_hour=1, cut_off="18:00", lead_minutes=90))
    for moment in ["09:00", "10:30", "10:30", "17:59", "18:01", "18:00", "20:00", "09:00"]:
        with app.app_context():
            place = stores.get("S1")
            expected = stores.expect(place, at(moment))
            assert stores.book_work(place, at(moment)).ready_by == expected
    assert [row[3] for row in rows(app)] == [1] * 8


def test_without_a_limit_nothing_is_counted(api, app):
    make_store(api, "S1")
    make_store(api, "W1", hours={}, pickup=pickup(orders_per_hour=1))
    with app.app_context():
        assert stores.book_work(stores.get("S1"), at("12:00")) == stores.Work(at("13:00"), None)
        assert stores.book_work(stores.get("W1"), at("12:00")) == stores.Work(None, None)
        assert stores.expect(stores.get("W1"), at("12:00")) is None
    assert rows(app) == []


def test_a_limit_below_what_is_taken_fills_the_hour(api, app):
    make_store(api, "S1", pickup=pickup(orders_per_hour=3))
    work(app, ["12:10"] * 2)
    make_store(api, "S1", pickup=pickup(orders_per_hour=1))
    assert work(app, ["12:10"]) == ["24T15:00"]
    make_store(api, "S1", pickup=pickup(orders_per_hour=3))
    assert work(app, ["12:10"]) == ["24T13:10"]


def test_no_hour_left_is_no_promise(api, app):
    one_morning = [(dt.date(2026, 11, 25) + dt.timedelta(days=n)).isoformat() for n in range(420)]
    make_store(api, "S1", pickup=pickup(orders_per_hour=1), hours={"tue": [["10:00", "12:00"]]}, closures=one_morning)
    assert work(app, ["10:00", "10:00"]) == ["24T11:00", "24T12:00"]
    with app.app_context():
        assert stores.book_work(stores.get("S1"), at("10:00")) == stores.Work(None, None)
    assert [row[3] for row in rows(app)] == [1, 1]


def test_the_load_of_many_places_is_one_statement(api, app, monkeypatch):
    for number in range(6):
        make_store(api, f"S{number}", pickup=pickup(orders_per_hour=1 if number else None))
    work(app, ["12:10", "12:10"], "S1")
    work(app, ["12:10"], "S2")
    asked = []
    plain = bookings.ask_one

    def counting(*call: Any) -> Any:
        asked.append(call)
        return plain(*call)

    monkeypatch.setattr(bookings, "ask_one", counting)
    with app.app_context():
        places = list(stores.directory().values())
        load = stores.load(places, at("12:00"))
        assert {place.code: stores.expect(place, at("12:10"), load) for place in places} == {
            "S0": at("13:10"), "S1": at("16:00"), "S2": at("15:00"), "S3": at("13:10"), "S4": at("13:10"),
            "S5": at("13:10"),
        }  # fmt: skip
        assert stores.load(places, at("14:30")) == {"S1": frozenset({at("14:00")})}
        assert len(asked) == 2
        assert stores.load([stores.get("S0")], at("12:00")) == {}
        assert len(asked) == 2


def test_what_is_available_names_a_time_that_knows_the_work(api, app, clock):
    clock(at("12:10"))
    make_store(api, "S1", {"A": 1, "B": 1}, pickup=pickup(orders_per_hour=1))
    make_store(api, "S2", {"A": 1}, pickup=pickup(orders_per_hour=1))
    make_store(api, "S3", {"A": 1}, pickup=pickup(enabled=False))
    work(app, ["12:10", "12:10"])
    found = api.get("/availability?sku=A&sku=B").json["items"]
    assert [{spot["location"]: spot["pickup"]["ready_by"] for spot in item["locations"]} for item in found] == [
        {"S1": "2026-11-24T07:00:00.000Z", "S2": "2026-11-24T04:10:00.000Z", "S3": None},
        {"S1": "2026-11-24T07:00:00.000Z"},
    ]


def test_hours_long_gone_are_forgotten(api, app, clock):
    make_store(api, "S1", pickup=pickup(orders_per_hour=1))
    work(app, ["10:00", "10:00"])
    for moment, left in [("10:00", 2), ("10:01", 1), ("11:00", 1), ("11:01", 0)]:
        clock(at(moment, "2026-12-24"))
        with app.app_context():
            bookings.forget_old()
        assert len(rows(app)) == left, moment


# --- a place whose hours change ---------------------------------------------------------------------------------------


def events(app: Any) -> list[Any]:
    return rows(app, "outbox_event", "aggregate_type, aggregate_id, sequence, topic, location_id")


def test_a_place_that_opens_at_other_times_tells_of_it_without_a_gap(api, app):
    body = store_body("S1")
    for change in [
        {}, {"name": "新店"}, {"closures": [DAY]}, {"pickup": pickup(cut_off="18:00")}, {"timezone": "Asia/Seoul"},
        {"timezone": "Asia/Seoul"}, {"hours": TEN_TO_NINE | {"sun": []}}, {"safety_stock": 3},
    ]:  # fmt: skip
        body |= change
        assert api.put("/locations/S1", body).status_code == 200
    assert events(app) == [("location", "S1", n, "location.changed", "S1") for n in (1, 2, 3)]
    with app.app_context():
        payloads = db.session.execute(db.text("SELECT payload FROM outbox_event")).scalars().all()
    assert [str(payload).replace("'", '"').replace(" ", "") for payload in payloads] == ['{"code":"S1"}'] * 3


def test_a_refused_change_tells_nothing(api, app):
    make_store(api, "S1")
    tag = api.get("/locations/S1").headers["ETag"]
    make_store(api, "S1", name="新店")
    stale = api.put("/locations/S1", store_body("S1", closures=[DAY]), headers={"If-Match": tag})
    assert stale.status_code == 412
    assert events(app) == []


def test_the_sheet_knows_the_settings_of_a_promise(api, app):
    make_store(api, "S1")
    sheet = (
        "店舗コード,受付締切時刻,受付期限(分),取り置き日数(未払い),取り寄せ保管日数,取り寄せ日数,受取時間枠(分),受取枠の定員,休業日\n"
        "S1,１９:００,30,2,10,1,30,8,2026-11-24\n"
    )
    made = api.post("/imports/locations", data=sheet.encode(), content_type="text/csv")
    assert made.status_code == 202, made.text
    with app.app_context():
        jobs.drain()
    assert api.get("/locations/S1").json["pickup"] == {
        "enabled": True, "lead_minutes": 60, "hold_days": 7, "orders_per_hour": None, "cut_off": "19:00",
        "accept_minutes": 30, "reserve_days": 2, "transfer_hold_days": 10, "transfer_days": 1, "slot_minutes": 30,
        "slot_capacity": 8,
    }  # fmt: skip
    assert [event for event in events(app) if event[0] == "location"] == [
        ("location", "S1", 1, "location.changed", "S1")
    ]
