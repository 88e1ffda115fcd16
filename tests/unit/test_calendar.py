from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.stores.calendar import Calendar, Hours, HoursInvalid, parse_calendar, parse_hours

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def store(
    *spans: list[str], closures: tuple[str, ...] = (), zone: str = "Asia/Tokyo", **days: list[list[str]]
) -> Calendar:
    return parse_calendar({day: list(spans) for day in WEEK} | days, list(closures), zone)


def jst(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def est(text: str, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK, fold=fold)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


DAY = ["10:00", "21:00"]


@pytest.mark.parametrize(
    ("ready", "closures", "deadline"),
    [
        ("2026-11-22T15:10", (), "2026-11-29T21:00"),
        ("2026-11-22T15:10", ("2026-11-29",), "2026-11-30T21:00"),
        ("2026-11-22T21:30", (), "2026-11-30T21:00"),
        ("2026-11-22T21:00", (), "2026-11-30T21:00"),
        ("2026-11-22T20:59:59", (), "2026-11-29T21:00"),
        ("2026-11-22T08:00", (), "2026-11-29T21:00"),
        ("2026-11-22T15:10", ("2026-11-22",), "2026-11-30T21:00"),
        ("2026-11-22T21:30", ("2026-11-23", "2026-11-24"), "2026-12-02T21:00"),
        ("2028-02-22T12:00", (), "2028-02-29T21:00"),
        ("2027-02-22T12:00", (), "2027-03-01T21:00"),
    ],
)
def test_ready_goods_wait_until_closing_on_the_last_day(ready: str, closures: tuple[str, ...], deadline: str) -> None:
    assert store(DAY, closures=closures).pickup_deadline(jst(ready), 7) == jst(deadline)


def test_a_public_holiday_has_its_own_hours() -> None:
    # 2026-11-23 is Labour Thanksgiving Day, a Monday.
    shop = store(DAY, holiday=[["11:00", "18:00"]])
    assert shop.closing_on(dt.date(2026, 11, 23)) == jst("2026-11-23T18:00")
    assert shop.closing_on(dt.date(2026, 11, 30)) == jst("2026-11-30T21:00")
    assert store(DAY).closing_on(dt.date(2026, 11, 23)) == jst("2026-11-23T21:00")
    closed = store(DAY, holiday=[])
    assert closed.opening_on(dt.date(2026, 11, 23)) == []
    assert closed.pickup_deadline(jst("2026-11-16T12:00"), 7) == jst("2026-11-24T21:00")


def test_a_substitute_holiday_counts() -> None:
    # 2026-05-03 is a Sunday, so the holidays run on until Wednesday the 6th.
    assert store(DAY, holiday=[]).next_open_day(dt.date(2026, 5, 3)) == dt.date(2026, 5, 7)


def test_open_from_the_opening_moment_until_before_the_closing_one() -> None:
    shop = store(["10:00", "13:00"], ["15:00", "20:00"])
    at = ["09:59:59", "10:00", "12:59:59", "13:00", "15:00", "20:00"]
    assert [shop.is_open(jst(f"2026-11-24T{t}")) for t in at] == [False, True, True, False, True, False]
    assert shop.opening_on(dt.date(2026, 11, 24)) == [
        (utc("2026-11-24T01:00"), utc("2026-11-24T04:00")),
        (utc("2026-11-24T06:00"), utc("2026-11-24T11:00")),
    ]


def test_a_night_belongs_to_the_day_on_which_it_began() -> None:
    bar = store(["18:00", "02:00"], closures=("2026-11-25",))
    assert bar == store(["18:00", "26:00"], closures=("2026-11-25",))
    assert bar.closing_on(dt.date(2026, 11, 24)) == jst("2026-11-25T02:00")
    # The 25th is closed, but the night of the 24th still runs into it.
    assert bar.is_open(jst("2026-11-25T01:59"))
    assert not bar.is_open(jst("2026-11-25T18:00"))
    assert bar.pickup_deadline(jst("2026-11-25T01:00"), 2) == jst("2026-11-27T02:00")
    assert bar.pickup_deadline(jst("2026-11-25T03:00"), 2) == jst("2026-11-29T02:00")


def test_the_business_date_is_local_with_a_late_cut() -> None:
    shop = store(DAY)
    assert shop.business_date(utc("2026-11-21T15:00")) == dt.date(2026, 11, 22)
    assert shop.business_date(utc("2026-11-21T14:59:59")) == dt.date(2026, 11, 21)
    assert shop.business_date(jst("2026-11-22T03:59"), "04:00") == dt.date(2026, 11, 21)
    assert shop.business_date(jst("2026-11-22T04:00"), dt.time(4)) == dt.date(2026, 11, 22)
    assert shop.business_date(jst("2028-03-01T01:00"), "04:00") == dt.date(2028, 2, 29)


@pytest.mark.parametrize(
    ("ordered", "minutes", "ready"),
    [
        ("2026-11-24T12:00", 120, "2026-11-24T14:00"),
        ("2026-11-24T20:00", 120, "2026-11-25T11:00"),
        ("2026-11-24T20:00", 60, "2026-11-24T21:00"),
        ("2026-11-24T23:00", 0, "2026-11-25T10:00"),
        ("2026-11-24T12:00", 0, "2026-11-24T12:00"),
        ("2026-11-24T07:00", 30, "2026-11-24T10:30"),
        ("2026-11-25T20:30", 60, "2026-11-28T10:30"),
        ("2026-11-24T10:00", 11 * 60 * 2 + 1, "2026-11-28T10:01"),
    ],
)
def test_only_open_hours_count_until_goods_are_ready(ordered: str, minutes: int, ready: str) -> None:
    shop = store(DAY, closures=("2026-11-26", "2026-11-27"))
    assert shop.ready_by(jst(ordered), minutes) == jst(ready)


def test_a_shop_that_never_closes_and_one_that_never_opens() -> None:
    always, never = store(["00:00", "24:00"]), store()
    assert always.is_open(jst("2026-11-24T00:00"))
    assert always.closing_on(dt.date(2026, 11, 24)) == jst("2026-11-25T00:00")
    assert always.ready_by(jst("2026-11-24T23:50"), 3_000) == jst("2026-11-27T01:50")
    assert always.pickup_deadline(jst("2026-11-24T23:50"), 7) == jst("2026-12-02T00:00")
    assert not never.is_open(jst("2026-11-24T12:00"))
    assert never.next_open_day(dt.date(2026, 11, 24)) is None
    assert never.closing_on(dt.date(2026, 11, 24)) is None
    assert never.pickup_deadline(jst("2026-11-24T12:00"), 7) is None
    assert never.ready_by(jst("2026-11-24T12:00"), 0) is None


def test_a_lead_that_no_year_has_room_for_has_no_end() -> None:
    assert store(["10:00", "10:01"]).ready_by(jst("2026-11-24T12:00"), 1_000) is None


def test_clocks_that_change() -> None:
    # New York: forward on 2026-03-08 at 02:00, back on 2026-11-01 at 02:00.
    shop = store(["00:00", "24:00"], zone="America/New_York")
    spring, autumn = shop.opening_on(dt.date(2026, 3, 8))[0], shop.opening_on(dt.date(2026, 11, 1))[0]
    assert spring == (utc("2026-03-08T05:00"), utc("2026-03-09T04:00"))
    assert spring[1] - spring[0] == dt.timedelta(hours=23)
    assert autumn[1] - autumn[0] == dt.timedelta(hours=25)
    assert shop.ready_by(est("2026-03-08T01:30"), 60) == est("2026-03-08T03:30")
    assert shop.ready_by(est("2026-11-01T01:30"), 60) == utc("2026-11-01T06:30")


def test_an_hour_that_is_skipped_or_comes_twice() -> None:
    skipped = store(["02:30", "10:00"], zone="America/New_York")
    assert skipped.opening_on(dt.date(2026, 3, 8)) == [(est("2026-03-08T03:30"), est("2026-03-08T10:00"))]
    twice = store(["01:15", "01:45"], zone="America/New_York")
    first, last = utc("2026-11-01T05:15"), utc("2026-11-01T06:45")
    assert twice.opening_on(dt.date(2026, 11, 1)) == [(first, last)]
    bar = store(["20:00", "02:00"], zone="America/New_York")
    assert bar.pickup_deadline(est("2026-11-01T01:30", fold=1), 0) == utc("2026-11-01T07:00")


def test_a_holiday_rule_is_japans_also_for_a_store_elsewhere_only_if_asked() -> None:
    assert store(DAY, zone="America/New_York").opening_on(dt.date(2026, 11, 23)) != []
    assert store(DAY, zone="America/New_York", holiday=[]).opening_on(dt.date(2026, 11, 23)) == []


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        store(DAY).is_open(dt.datetime(2026, 11, 24, 12))  # noqa: DTZ001 - what is refused here


@pytest.mark.parametrize(
    ("raw", "code", "path"),
    [
        ([], "not-an-object", "/hours"),
        ({"monday": []}, "unknown-day", "/hours/monday"),
        ({"mon": None}, "not-a-list", "/hours/mon"),
        ({"mon": "10:00-20:00"}, "not-a-list", "/hours/mon"),
        ({"mon": [["10:00"]]}, "not-a-pair", "/hours/mon/0"),
        ({"mon": [["10:00", "20:00"], ["9", "9:30"]]}, "not-a-time", "/hours/mon/1/0"),
        ({"mon": [["10:60", "20:00"]]}, "not-a-time", "/hours/mon/0/0"),
        ({"mon": [["24:00", "25:00"]]}, "not-a-time", "/hours/mon/0/0"),
        ({"mon": [["10:00", "48:30"]]}, "not-a-time", "/hours/mon/0/1"),
        ({"mon": [["10:00", 20]]}, "not-a-time", "/hours/mon/0/1"),
        ({"mon": [["10:00", "10:00"]]}, "no-time-between", "/hours/mon/0"),
        ({"mon": [["10:00", "35:00"]]}, "longer-than-a-day", "/hours/mon/0"),
        ({"sun": [["10:00", "15:00"], ["14:00", "20:00"]]}, "overlap", "/hours/sun"),
        ({"holiday": [["1:00", "2:00"]]}, "not-a-time", "/hours/holiday/0/0"),
        ({"mon": [["10:00", "10:01"]] * 7}, "too-many", "/hours/mon"),
    ],
)
def test_hours_that_say_nothing_are_refused_with_their_place(raw: object, code: str, path: str) -> None:
    with pytest.raises(HoursInvalid) as caught:
        parse_hours(raw)
    assert (caught.value.code, caught.value.path) == (code, path)


@pytest.mark.parametrize(
    ("closures", "zone", "code", "path"),
    [
        ("2026-12-31", "Asia/Tokyo", "not-a-list", "/closures"),
        (["2026-12-31", "2027-02-29"], "Asia/Tokyo", "not-a-date", "/closures/1"),
        ([20261231], "Asia/Tokyo", "not-a-date", "/closures/0"),
        (["2026-12-31"] * 1_001, "Asia/Tokyo", "too-many", "/closures"),
        ([], "Tokyo", "unknown-timezone", "/timezone"),
        ([], "../../etc/passwd", "unknown-timezone", "/timezone"),
        ([], "Asia", "unknown-timezone", "/timezone"),
        ([], None, "unknown-timezone", "/timezone"),
    ],
)
def test_closures_and_zones_are_checked(closures: object, zone: object, code: str, path: str) -> None:
    with pytest.raises(HoursInvalid) as caught:
        parse_calendar({}, closures, zone)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_a_day_that_is_not_named_is_closed() -> None:
    assert parse_hours({"mon": [["10:00", "20:00"]]}) == Hours(
        (parse_hours({"mon": [["10:00", "20:00"]]}).weekly[0], (), (), (), (), (), ()), None
    )


@settings(deadline=None, max_examples=150)
@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    st.integers(0, 3_000),
    st.integers(1, 30),
    st.sampled_from([["10:00", "21:00"], ["18:00", "02:00"], ["00:00", "24:00"], ["22:00", "21:00"]]),
    st.sampled_from(["Asia/Tokyo", "America/New_York"]),
)
def test_promises_end_in_open_time(at: dt.datetime, lead: int, days: int, span: list[str], zone: str) -> None:
    shop = store(span, zone=zone, holiday=[], wed=[])
    ready, deadline = shop.ready_by(at, lead), shop.pickup_deadline(at, days)
    assert ready is not None
    assert deadline is not None
    assert ready - at >= dt.timedelta(minutes=lead)
    assert shop.is_open(ready - dt.timedelta(microseconds=1)) or shop.is_open(ready)
    assert shop.is_open(deadline - dt.timedelta(microseconds=1))
    assert deadline > at
