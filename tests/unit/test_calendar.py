from __future__ import annotations

import datetime as dt
from itertools import islice
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


# --- slots ------------------------------------------------------------------------------------------------------------


def starts(shop: Calendar, since: dt.datetime, days: int, minutes: int) -> list[str]:
    return [f"{opens.astimezone(shop.zone):%dT%H:%M}" for opens, _ in shop.slots(since, days, minutes)]


def test_slots_fill_the_open_hours_and_a_short_rest_is_none() -> None:
    shop = store(["10:00", "13:10"], ["15:00", "16:00"], closures=("2026-11-25",))
    assert starts(shop, jst("2026-11-24T00:00"), 3, 60) == [
        "24T10:00", "24T11:00", "24T12:00", "24T15:00", "26T10:00", "26T11:00", "26T12:00", "26T15:00",
    ]  # fmt: skip
    assert starts(shop, jst("2026-11-24T11:00"), 1, 60) == ["24T11:00", "24T12:00", "24T15:00"]
    assert starts(shop, jst("2026-11-24T11:00:01"), 1, 60) == ["24T12:00", "24T15:00"]
    assert starts(shop, jst("2026-11-25T00:00"), 1, 60) == []
    assert starts(shop, jst("2026-11-24T00:00"), 1, 240) == []
    assert starts(store(), jst("2026-11-24T00:00"), 31, 15) == []
    many = list(store(DAY).slots(jst("2026-11-24T00:00"), 1, 45))
    assert (len(many), many[-1]) == (14, (jst("2026-11-24T19:45"), jst("2026-11-24T20:30")))


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        ("10:00", "10:00"), ("10:44:59", "10:00"), ("10:45", "10:45"), ("20:29:59", "19:45"), ("20:30", None),
        ("20:59", None), ("21:00", None), ("09:59:59", None),
    ],
)  # fmt: skip
def test_any_moment_of_a_slot_means_that_slot(moment: str, start: str | None) -> None:
    found = store(DAY).slot_at(jst(f"2026-11-24T{moment}"), 45)
    begins = jst(f"2026-11-24T{start}") if start else None
    assert found == (begins and (begins, begins + dt.timedelta(minutes=45)))


def test_a_nights_slots_are_those_of_the_day_it_began() -> None:
    bar = store(["18:00", "26:00"], closures=("2026-11-25",))
    assert starts(bar, jst("2026-11-24T12:00"), 1, 120) == ["24T18:00", "24T20:00", "24T22:00", "25T00:00"]
    assert starts(bar, jst("2026-11-25T00:00"), 1, 120) == ["25T00:00"]
    assert starts(bar, jst("2026-11-25T00:01"), 1, 120) == []
    assert bar.slot_at(jst("2026-11-25T01:59"), 120) == (jst("2026-11-25T00:00"), jst("2026-11-25T02:00"))
    assert bar.slot_at(jst("2026-11-25T20:00"), 120) is None


def test_two_days_that_overlap_share_no_slot() -> None:
    shop = store(mon=[["10:00", "34:00"]], tue=[["09:00", "12:00"]])
    everything = starts(shop, jst("2026-11-23T00:00"), 2, 60)
    assert (len(everything), everything[-3:]) == (26, ["24T09:00", "24T10:00", "24T11:00"])
    assert len(set(everything)) == 26
    assert starts(shop, jst("2026-11-24T09:00"), 1, 60) == ["24T09:00", "24T10:00", "24T11:00"]
    assert shop.slot_at(jst("2026-11-24T09:30"), 60) == (jst("2026-11-24T09:00"), jst("2026-11-24T10:00"))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", "2026-03-08", 23), ("America/New_York", "2026-11-01", 25),
        ("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25), ("Asia/Tokyo", "2026-03-08", 24),
    ],
)  # fmt: skip
def test_a_day_has_as_many_slots_as_it_has_hours(zone: str, day: str, hours: int) -> None:
    shop = store(["00:00", "24:00"], zone=zone)
    midnight = dt.datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    found = list(shop.slots(midnight, 1, 60))
    assert len(found) == hours
    assert {end - start for start, end in found} == {dt.timedelta(hours=1)}
    assert [shop.slot_at(start, 60) for start, _ in found] == found
    assert [shop.slot_at(end - dt.timedelta(microseconds=1), 60) for _, end in found] == found


def test_the_repeated_hour_has_two_slots() -> None:
    shop = store(["00:00", "24:00"], zone="America/New_York")
    first, second = (shop.slot_at(est("2026-11-01T01:15", fold=fold), 60) for fold in (0, 1))
    assert first == (utc("2026-11-01T05:00"), utc("2026-11-01T06:00"))
    assert second == (utc("2026-11-01T06:00"), utc("2026-11-01T07:00"))


def test_working_hours_come_once_each_and_end_with_the_doors() -> None:
    shop = store(["10:00", "13:20"], ["13:40", "15:30"])
    found = list(islice(shop.working_hours(jst("2026-11-24T12:10")), 5))
    assert found == [
        (jst("2026-11-24T12:00"), jst("2026-11-24T12:10")),
        (jst("2026-11-24T13:00"), jst("2026-11-24T13:20")),
        (jst("2026-11-24T14:00"), jst("2026-11-24T15:00")),
        (jst("2026-11-24T15:00"), jst("2026-11-24T15:30")),
        (jst("2026-11-25T10:00"), jst("2026-11-25T11:00")),
    ]
    always = list(islice(store(["00:00", "24:00"]).working_hours(jst("2026-11-24T12:10")), 30))
    assert [hour for hour, _ in always] == [jst("2026-11-24T12:00") + dt.timedelta(hours=n) for n in range(30)]
