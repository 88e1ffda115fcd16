"""What a place promises, to the minute: cut-off, lead time, picking hours, acceptance, transfers and deadlines."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import stores
from app.stores.calendar import parse_calendar

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = ["10:00", "21:00"]
BAR = ["18:00", "26:00"]
ALWAYS = ["00:00", "24:00"]


def place(
    *spans: list[str], zone: str = "Asia/Tokyo", closures: tuple[str, ...] = (), days: Any = None, **pickup: Any
) -> stores.Place:
    usual: dict[str, Any] = {
        "enabled": True, "lead_minutes": 60, "hold_days": 7, "orders_per_hour": None, "cut_off": None,
        "accept_minutes": 60, "reserve_days": 3, "transfer_hold_days": 14, "transfer_days": 2, "slot_minutes": None,
        "slot_capacity": None,
    }  # fmt: skip
    hours = {day: list(spans) for day in WEEK} | (days or {})
    return stores.Place(
        code="S", name="S店", name_en=None, kind="store", timezone=zone, postal_code=None, address=None, latitude=None,
        longitude=None, phone=None, safety_stock=0, calendar=parse_calendar(hours, list(closures), zone),
        **{f"pickup_{name}": value for name, value in (usual | pickup).items()},
    )  # fmt: skip


def at(text: str, zone: str = "Asia/Tokyo", fold: int = 0) -> dt.datetime:
    """A wall clock's moment in November 2026, `24T18:00`, or with the whole date."""
    whole = text if text.count("-") == 2 else f"2026-11-{text}"
    return dt.datetime.fromisoformat(whole).replace(tzinfo=ZoneInfo(zone), fold=fold)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def full(*hours: dt.datetime) -> stores.Load:
    return {"S": frozenset(hours)}


# --- the cut-off ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cut_off", "ordered", "ready"),
    [
        ("18:00", "24T17:59:59", "24T18:59:59"),
        ("18:00", "24T18:00", "24T19:00"),
        ("18:00", "24T18:00:00.000001", "25T11:00"),
        ("18:00", "24T08:00", "24T11:00"),
        ("18:00", "25T23:00", "28T11:00"),
        ("18:00", "26T12:00", "28T11:00"),
        ("18:00", "26T19:00", "28T11:00"),
        ("09:00", "24T08:59", "24T11:00"),
        ("09:00", "24T09:01", "25T11:00"),
        ("23:59", "24T20:30", "25T10:30"),
        (None, "24T20:00", "24T21:00"),
    ],
)
def test_an_order_after_the_cut_off_counts_from_the_next_open_day(
    cut_off: str | None, ordered: str, ready: str
) -> None:
    shop = place(DAY, cut_off=cut_off, closures=("2026-11-26", "2026-11-27"))
    assert stores.promise(shop, at(ordered)) == at(ready)


@pytest.mark.parametrize(
    ("cut_off", "ordered", "ready"),
    [
        ("01:00", "25T00:30", "25T01:30"),
        ("01:00", "25T01:00", "25T02:00"),
        ("01:00", "25T01:01", "25T19:00"),
        ("25:00", "25T01:01", "25T19:00"),
        ("22:00", "24T22:00", "24T23:00"),
        ("22:00", "24T23:00", "25T19:00"),
        ("22:00", "25T00:30", "25T19:00"),
        ("22:00", "25T03:00", "25T19:00"),
        ("22:00", "25T17:00", "25T19:00"),
        ("17:00", "25T17:01", "26T19:00"),
    ],
)
def test_a_nights_cut_off_is_its_own_also_after_midnight(cut_off: str, ordered: str, ready: str) -> None:
    assert stores.promise(place(BAR, cut_off=cut_off), at(ordered)) == at(ready)


def test_a_cut_off_in_an_hour_that_comes_twice_is_its_second_coming() -> None:
    zone = "America/New_York"
    shop = place(ALWAYS, zone=zone, cut_off="01:30")
    assert stores.promise(shop, at("2026-11-01T01:45", zone)) == utc("2026-11-01T06:45")
    assert stores.promise(shop, at("2026-11-01T01:30", zone, fold=1)) == utc("2026-11-01T07:30")
    assert stores.promise(shop, at("2026-11-01T01:31", zone, fold=1)) == at("2026-11-02T01:00", zone)


def test_a_cut_off_in_an_hour_that_is_skipped_comes_after_the_gap() -> None:
    zone = "Europe/Berlin"
    shop = place(ALWAYS, zone=zone, cut_off="02:30")
    assert stores.promise(shop, at("2026-03-29T03:30", zone)) == at("2026-03-29T04:30", zone)
    assert stores.promise(shop, at("2026-03-29T03:31", zone)) == at("2026-03-30T01:00", zone)


def test_a_place_that_closes_for_good_promises_nothing_more() -> None:
    gone = tuple((dt.date(2026, 11, 25) + dt.timedelta(days=n)).isoformat() for n in range(420))
    shop = place(DAY, cut_off="18:00", closures=gone)
    assert stores.promise(shop, at("24T17:00")) == at("24T18:00")
    assert stores.promise(shop, at("24T18:01")) is None
    assert stores.expect(shop, at("24T18:01")) is None
    assert stores.promise(place(cut_off="18:00"), at("24T12:00")) is None


# --- picking hours ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ordered", "taken", "ready"),
    [
        ("24T12:10", [], "24T13:10"),
        ("24T12:10", ["24T12:00", "24T14:00"], "24T13:10"),
        ("24T12:10", ["24T13:00"], "24T15:00"),
        ("24T12:10", ["24T13:00", "24T14:00", "24T15:00"], "24T17:00"),
        ("24T12:00", ["24T13:00"], "24T13:00"),
        ("24T12:00", ["24T12:00"], "24T14:00"),
        ("24T20:00", ["24T20:00"], "25T11:00"),
        ("24T20:10", ["24T20:00"], "25T10:10"),
        ("24T20:10", ["25T10:00"], "25T12:00"),
        ("25T20:00", ["25T20:00"], "27T11:00"),
    ],
)
def test_a_full_hour_moves_the_promise_to_the_end_of_the_next_with_room(
    ordered: str, taken: list[str], ready: str
) -> None:
    shop = place(DAY, orders_per_hour=3, closures=("2026-11-26",))
    assert stores.expect(shop, at(ordered), full(*map(at, taken))) == at(ready)


def test_nobody_is_promised_a_closed_hour() -> None:
    early = place(["10:30", "20:30"], orders_per_hour=3, lead_minutes=0)
    assert stores.expect(early, at("24T08:00"), full()) == at("24T10:30")
    assert stores.expect(early, at("24T08:00"), full(at("24T10:00"))) == at("24T12:00")
    assert stores.expect(early, at("24T19:40"), full(at("24T19:00"))) == at("24T20:30")
    assert stores.expect(early, at("24T20:29"), full(at("24T20:00"))) == at("25T11:00")
    pause = place(["10:00", "13:00"], ["15:00", "20:00"], orders_per_hour=3)
    assert stores.expect(pause, at("24T11:30"), full(at("24T12:00"))) == at("24T16:00")
    assert stores.expect(pause, at("24T12:00"), full(at("24T12:00"))) == at("24T16:00")
    bar = place(BAR, orders_per_hour=3)
    assert stores.expect(bar, at("24T23:30"), full(at("25T00:00"))) == at("25T02:00")
    assert stores.expect(bar, at("25T00:30"), full(at("25T01:00"))) == at("25T19:00")


def test_the_load_of_another_place_or_of_one_without_a_limit_is_nothing() -> None:
    shop = place(DAY, orders_per_hour=3)
    assert stores.expect(shop, at("24T12:10"), {"T": frozenset({at("24T13:00")})}) == at("24T13:10")
    assert stores.expect(place(DAY), at("24T12:10"), full(at("24T13:00"))) == at("24T13:10")


def test_an_hour_is_the_wall_clocks() -> None:
    zone = "Asia/Kolkata"
    shop = place(DAY, zone=zone, orders_per_hour=3)
    assert stores.expect(shop, at("24T12:10", zone), full(utc("2026-11-24T07:30"))) == at("24T15:00", zone)
    assert stores.expect(shop, at("24T12:10", zone), full(utc("2026-11-24T07:00"))) == at("24T13:10", zone)


@pytest.mark.parametrize(
    ("zone", "first"), [("America/New_York", "2026-11-01T05:00"), ("Europe/Berlin", "2026-10-25T00:00")]
)
def test_the_hour_that_comes_twice_is_two(zone: str, first: str) -> None:
    shop, once = place(ALWAYS, zone=zone, orders_per_hour=3, lead_minutes=0), utc(first)
    hour, quarter = dt.timedelta(hours=1), dt.timedelta(minutes=15)
    assert once.astimezone(ZoneInfo(zone)).hour == (once + hour).astimezone(ZoneInfo(zone)).hour
    assert stores.expect(shop, once + quarter, full(once + hour)) == once + quarter
    assert stores.expect(shop, once + hour + quarter, full(once)) == once + hour + quarter
    assert stores.expect(shop, once + quarter, full(once)) == once + 2 * hour
    assert stores.expect(shop, once + quarter, full(once, once + hour)) == once + 3 * hour


def test_no_hour_with_room_within_the_horizon() -> None:
    shop = place(["10:00", "11:00"], orders_per_hour=1, lead_minutes=10)
    every = full(*(at("24T10:00") + dt.timedelta(days=n) for n in range(420)))
    assert stores.expect(shop, at("24T10:00"), every) is None


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(0, 4 * 24 * 60 * 4), min_size=2, max_size=30),
    st.sampled_from([0, 1, 45, 60, 600, 3_000]),
    st.sampled_from([[DAY], [BAR], [ALWAYS], [["09:00", "12:00"], ["13:00", "13:30"], ["22:00", "23:00"]]]),
    st.sampled_from(["Asia/Tokyo", "Europe/Berlin"]),
)
def test_what_a_calendar_remembers_changes_no_promise(
    asked: list[int], lead: int, spans: list[list[str]], zone: str
) -> None:
    """Every quarter of a minute around the change of clocks, in whatever order, against a calendar without memory."""
    closures = ("2026-10-25",) if lead == 45 else ()
    warm = place(*spans, zone=zone, closures=closures, lead_minutes=lead, cut_off="20:00")
    for quarters in [*asked, *sorted(asked)]:
        moment = utc("2026-10-23T12:00") + dt.timedelta(seconds=15 * quarters)
        fresh = place(*spans, zone=zone, closures=closures, lead_minutes=lead, cut_off="20:00")
        assert stores.promise(warm, moment) == stores.promise(fresh, moment)


# --- acceptance, transfers, deadlines ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("came", "by"),
    [("24T12:00", "24T13:00"), ("24T20:30", "25T10:30"), ("24T20:00", "24T21:00"), ("25T22:00", "27T11:00")],
)
def test_work_is_taken_on_within_open_minutes(came: str, by: str) -> None:
    shop = place(DAY, closures=("2026-11-26",), cut_off="10:00")
    assert stores.accept_by(shop, at(came)) == at(by)


def test_a_place_that_never_opens_accepts_by_the_clock() -> None:
    assert stores.accept_by(place(accept_minutes=90), at("24T12:00")) == at("24T13:30")


def test_each_kind_waits_its_own_days() -> None:
    shop = place(DAY, hold_days=6, reserve_days=2, transfer_hold_days=10)
    assert [stores.hold_days(shop, kind) for kind in ("pickup", "hold", "transfer")] == [6, 2, 10]


@pytest.mark.parametrize(
    ("days", "shipped", "arrives"),
    [
        (2, "22T15:00", "24T10:00"),
        (2, "22T23:59", "24T10:00"),
        (3, "22T15:00", "26T10:00"),
        (1, "23T15:00", "24T10:00"),
        (0, "24T08:00", "24T10:00"),
        (0, "24T15:00", "24T15:00"),
        (0, "24T21:00", "26T10:00"),
        (0, "25T12:00", "26T10:00"),
    ],
)
def test_goods_arrive_as_the_doors_open(days: int, shipped: str, arrives: str) -> None:
    shop = place(DAY, closures=("2026-11-25",), transfer_days=days)
    assert stores.arrival(shop, at(shipped)) == at(arrives)


def test_goods_arrive_with_the_nights_opening_and_somehow_where_nobody_opens() -> None:
    assert stores.arrival(place(BAR, transfer_days=1), at("22T12:00")) == at("23T18:00")
    assert stores.arrival(place(), at("22T12:00")) == at("24T00:00")
    assert stores.arrival(place(transfer_days=0), at("22T12:00")) == at("22T12:00")


@pytest.mark.parametrize(
    ("ready", "closures", "until"),
    [
        ("22T15:10", (), "29T21:00"),
        ("22T15:10", ("2026-11-29",), "30T21:00"),
        ("22T21:30", (), "30T21:00"),
    ],
)
def test_bp2_goods_wait_until_closing_on_the_last_day(ready: str, closures: tuple[str, ...], until: str) -> None:
    shop = place(DAY, closures=closures)
    assert stores.deadline(shop, at(ready), stores.hold_days(shop, "pickup")) == at(until)


def test_the_worked_example_of_the_guide() -> None:
    shop = place(
        DAY, days={"sun": [["10:00", "19:00"]]}, closures=("2026-11-25",), cut_off="19:00", orders_per_hour=2,
        lead_minutes=90,
    )  # fmt: skip
    ordered = at("24T18:20")
    assert stores.promise(shop, ordered) == at("24T19:50")
    assert stores.expect(shop, ordered, full(at("24T19:00"))) == at("24T21:00")
    assert stores.expect(shop, ordered, full(at("24T19:00"), at("24T20:00"))) == at("26T11:00")
    assert stores.promise(shop, at("24T19:05")) == at("26T11:30")
    assert stores.deadline(shop, at("26T11:00"), 3) == at("29T19:00")
