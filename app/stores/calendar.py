"""A store's time: when it is open, which day it is there, when goods are ready and how long they wait.

Pure functions of the hours, the closures and the time zone; nothing here reads a table or the clock. All moments that
go in and out are aware; what comes out is in UTC, because wall clocks of one zone cannot be subtracted safely.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jpholiday

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON_DAYS: Final = 400
SPANS_MAX: Final = 6
CLOSURES_MAX: Final = 1_000
DAY_MINUTES: Final = 1_440
DAYS_KEPT: Final = 1_000

_CLOCK = re.compile(r"([0-4]\d):([0-5]\d)")
_ONE_DAY = dt.timedelta(days=1)
_ONE_HOUR = dt.timedelta(hours=1)
_INSTANT = dt.timedelta(microseconds=1)
_EARLIEST = dt.datetime.min.replace(tzinfo=dt.UTC)

Moments = tuple[dt.datetime, dt.datetime]


class HoursInvalid(ValueError):
    """The hours, closures or time zone cannot be understood; `path` points into what was sent."""

    def __init__(self, code: str, path: str) -> None:
        """Keep the code and the place."""
        super().__init__(f"{code}: {path}")
        self.code = code
        self.path = path


@dataclass(frozen=True, slots=True)
class Span:
    """Open from and until, in minutes of the day; more than 1,440 is the next morning."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Hours:
    """A week of opening hours, Monday first. `holiday` replaces the weekday's on Japanese public holidays."""

    weekly: tuple[tuple[Span, ...], ...]
    holiday: tuple[Span, ...] | None = None

    def on(self, day: dt.date) -> tuple[Span, ...]:
        """Give the spans by the rule alone, without closures."""
        if self.holiday is not None and is_public_holiday(day):
            return self.holiday
        return self.weekly[day.weekday()]


@dataclass(frozen=True, slots=True)
class Calendar:
    """One store's hours with its closed days and its time zone."""

    hours: Hours
    zone: ZoneInfo
    closures: frozenset[dt.date] = frozenset()
    # Days already worked out: every promise asks for the same few, and wall clocks are dear to turn into moments.
    _known: dict[dt.date, tuple[Moments, ...]] = field(default_factory=dict, compare=False, repr=False)
    # By lead time, what was answered last: from when until when an answer of that kind holds, the answer at its
    # beginning, and whether it moves on with the question (work goes on) or stays (the doors are closed).
    _runs: dict[int, tuple[dt.datetime, dt.datetime, dt.datetime, bool]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def opening_on(self, day: dt.date) -> list[Moments]:
        """Give the opening and closing moments that begin on that local day, in order; none when closed."""
        return list(self._openings(day))

    def closing_on(self, day: dt.date) -> dt.datetime | None:
        """Give the moment when that local day's trade ends (perhaps after midnight), None on a closed day."""
        moments = self._openings(day)
        return moments[-1][1] if moments else None

    def is_open(self, at: dt.datetime) -> bool:
        """Say whether the doors are open: from the opening moment on, no longer at the closing one."""
        return self._trading_day(at) is not None

    def next_open_day(self, day: dt.date) -> dt.date | None:
        """Give the first day with trade, that day or later; None when there is none within the horizon."""
        return next((d for d in _days_from(day, HORIZON_DAYS) if self._openings(d)), None)

    def business_date(self, at: dt.datetime, day_start: str | dt.time = "00:00") -> dt.date:
        """Give the store's date; before `day_start` (04:00 for a bar) the night still belongs to the day before."""
        local = self._local(at)
        cut = day_start if isinstance(day_start, dt.time) else dt.time.fromisoformat(day_start)
        return local.date() - _ONE_DAY if local.time() < cut else local.date()

    def pickup_deadline(self, ready_at: dt.datetime, days: int) -> dt.datetime | None:
        """Give the closing moment until which ready goods wait.

        The days count from the day on which a customer could first come: goods made ready after closing, or on a
        closed day, count from the next open one. A last day that is closed moves on to the next open one.
        """
        first = self._trading_day(ready_at)
        if first is None:
            today = self._local(ready_at).date()
            closing = self.closing_on(today)
            first = self.next_open_day(today if closing and ready_at < closing else today + _ONE_DAY)
        last = self.next_open_day(first + dt.timedelta(days=days)) if first else None
        return self.closing_on(last) if last else None

    def counts_from(self, ordered_at: dt.datetime, cut_off: int | None) -> dt.datetime | None:
        """Give the moment from which an order counts: its own, or after the cut-off the next open day's opening.

        The cut-off is in minutes of the trading day; one that falls into a night's last hours (01:00 where the doors
        close at 26:00) is that night's. None when no open day follows.
        """
        if cut_off is None:
            return ordered_at
        day = self._trading_day(ordered_at) or self._local(ordered_at).date()
        if not self._openings(day):
            return ordered_at
        if cut_off + DAY_MINUTES <= self.hours.on(day)[-1].closes:
            cut_off += DAY_MINUTES
        if ordered_at <= self._moment(day, cut_off, late=True):
            return ordered_at
        following = self.next_open_day(day + _ONE_DAY)
        return max(self._openings(following)[0][0], ordered_at.astimezone(dt.UTC)) if following else None

    def ready_by(self, ordered_at: dt.datetime, lead_minutes: int) -> dt.datetime | None:
        """Give the moment after so many minutes of open time; with none to wait, the first open moment."""
        left = dt.timedelta(minutes=lead_minutes)
        reached = ordered_at.astimezone(dt.UTC)
        known = self._runs.get(lead_minutes)
        if known is not None and known[0] <= reached < known[1]:
            return known[2] + (reached - known[0]) if known[3] else known[2]
        first: Moments | None = None
        for opens, closes in self._open_from(ordered_at):
            first = first or (opens, closes)
            start = max(opens, reached)
            if start + left <= closes:
                ready, is_open = start + left, first[0] <= reached
                until = min(first[1], reached + (closes - ready)) if is_open else first[0]
                self._runs[lead_minutes] = (reached, until, ready, is_open)
                return ready
            left -= closes - start
        return None

    def working_hours(self, ready_by: dt.datetime) -> Iterator[Moments]:
        """Give the open hours of the clock in which work due at `ready_by` can be done, and when it is then done.

        The first is the hour that ends with or holds `ready_by`; in a later one the work is done when the hour ends,
        or when the doors close before.
        """
        before = ready_by - _INSTANT
        reached = self._hour_of(before if self.is_open(before) else ready_by)
        yield reached, ready_by
        for opens, closes in self._open_from(reached + _ONE_HOUR):
            hour = self._hour_of(opens)
            while hour < closes:
                if hour > reached:
                    yield hour, min(hour + _ONE_HOUR, closes)
                    reached = hour
                hour = self._hour_of(hour + _ONE_HOUR)

    def slots(self, since: dt.datetime, days: int, minutes: int) -> Iterator[Moments]:
        """Give the whole slots of so many minutes that begin at `since` or later, on that day and the days after.

        Slots begin with each opening; what is left before closing is none. One day's are those of its trade.
        """
        length = dt.timedelta(minutes=minutes)
        for opens, closes in self._stretches(self._local(since).date() - _ONE_DAY, days + 1):
            start = opens
            while start + length <= closes:
                if start >= since:
                    yield start, start + length
                start += length

    def slot_at(self, at: dt.datetime, minutes: int) -> Moments | None:
        """Give the whole slot in which that moment lies."""
        length = dt.timedelta(minutes=minutes)
        for opens, closes in self._stretches(self._local(at).date() - _ONE_DAY, 2):
            if opens <= at < closes:
                start = opens + (at - opens) // length * length
                return (start, start + length) if start + length <= closes else None
        return None

    def _openings(self, day: dt.date) -> tuple[Moments, ...]:
        known = self._known.get(day)
        if known is None:
            spans = () if day in self.closures else self.hours.on(day)
            moments = ((self._moment(day, s.opens), self._moment(day, s.closes, late=True)) for s in spans)
            known = tuple((opens, closes) for opens, closes in moments if opens < closes)
            if len(self._known) >= DAYS_KEPT:
                self._known.clear()
            self._known[day] = known
        return known

    def _stretches(self, first: dt.date, days: int) -> Iterator[Moments]:
        """Give the open stretches of the trade of those days, each moment once though spans of two days overlap."""
        before = self._openings(first - _ONE_DAY)
        reached = before[-1][1] if before else _EARLIEST
        for day in _days_from(first, days):
            for opens, closes in self._openings(day):
                if closes > reached:
                    yield (opens, closes) if opens >= reached else (reached, closes)
                    reached = closes

    def _open_from(self, at: dt.datetime) -> Iterator[Moments]:
        """Give the open stretches that end after `at`, the first perhaps begun before."""
        yesterday = self._local(at).date() - _ONE_DAY
        return (stretch for stretch in self._stretches(yesterday, HORIZON_DAYS) if stretch[1] > at)

    def _hour_of(self, at: dt.datetime) -> dt.datetime:
        """Give the moment at which the wall clock's hour began."""
        local = self._local(at)
        into = dt.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return at.astimezone(dt.UTC) - into

    def _trading_day(self, at: dt.datetime) -> dt.date | None:
        """Give the day whose trade is going on, yesterday's when it runs past midnight; None when closed."""
        today = self._local(at).date()
        for day in (today - _ONE_DAY, today):
            if any(opens <= at < closes for opens, closes in self._openings(day)):
                return day
        return None

    def _local(self, at: dt.datetime) -> dt.datetime:
        if at.tzinfo is None:
            msg = "a moment without a zone is not a moment"
            raise ValueError(msg)
        return at.astimezone(self.zone)

    def _moment(self, day: dt.date, minutes: int, *, late: bool = False) -> dt.datetime:
        """Turn the wall clock into a moment.

        An hour that the clocks repeat opens at its first and closes at its second coming; one that they skip is read
        with the offset before the change, which lands after the gap.
        """
        days, rest = divmod(minutes, DAY_MINUTES)
        wall = dt.datetime.combine(day + days * _ONE_DAY, dt.time(*divmod(rest, 60)), self.zone)
        first = wall.astimezone(dt.UTC)
        return max(first, wall.replace(fold=1).astimezone(dt.UTC)) if late else first


def parse_calendar(hours: object, closures: object, timezone: object) -> Calendar:
    """Read the three parts of a location; raises `HoursInvalid` with a path from the location's root."""
    return Calendar(parse_hours(hours), parse_zone(timezone), parse_closures(closures))


def parse_hours(raw: object) -> Hours:
    """Read `{"mon": [["10:00", "20:00"]], …}`; a day that is not named is closed, `holiday` is optional."""
    if not isinstance(raw, Mapping):
        raise HoursInvalid("not-an-object", "/hours")
    for key in raw:
        if key not in WEEKDAYS and key != "holiday":
            raise HoursInvalid("unknown-day", f"/hours/{str(key)[:20]}")
    weekly = tuple(_spans(raw.get(day, []), f"/hours/{day}") for day in WEEKDAYS)
    return Hours(weekly, _spans(raw["holiday"], "/hours/holiday") if "holiday" in raw else None)


def parse_closures(raw: object) -> frozenset[dt.date]:
    """Read the list of closed days, `["2026-12-31"]`."""
    if not isinstance(raw, list | tuple):
        raise HoursInvalid("not-a-list", "/closures")
    if len(raw) > CLOSURES_MAX:
        raise HoursInvalid("too-many", "/closures")
    return frozenset(_day(item, f"/closures/{index}") for index, item in enumerate(raw))


def parse_zone(raw: object) -> ZoneInfo:
    """Read a name of the time zone database."""
    try:
        if isinstance(raw, str) and re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", raw):
            return ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise HoursInvalid("unknown-timezone", "/timezone")


@lru_cache(maxsize=4_096)
def is_public_holiday(day: dt.date) -> bool:
    """Say whether the day is a public holiday in Japan, substitute holidays included."""
    return bool(jpholiday.is_holiday(day))


def minutes_of(clock_time: str) -> int:
    """Read HH:MM as minutes of the day; hours past 24 (`26:00`) are how Japanese shops write the small hours."""
    return int(clock_time[:2]) * 60 + int(clock_time[3:])


def _spans(raw: object, path: str) -> tuple[Span, ...]:
    if not isinstance(raw, list | tuple):
        raise HoursInvalid("not-a-list", path)
    if len(raw) > SPANS_MAX:
        raise HoursInvalid("too-many", path)
    spans = tuple(sorted((_span(pair, f"{path}/{i}") for i, pair in enumerate(raw)), key=lambda span: span.opens))
    for one, two in pairwise(spans):
        if two.opens < one.closes:
            raise HoursInvalid("overlap", path)
    return spans


def _span(raw: object, path: str) -> Span:
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        raise HoursInvalid("not-a-pair", path)
    opens, closes = _minutes(raw[0], f"{path}/0"), _minutes(raw[1], f"{path}/1")
    if opens >= DAY_MINUTES:
        raise HoursInvalid("not-a-time", f"{path}/0")
    if closes == opens:
        raise HoursInvalid("no-time-between", path)
    if closes < opens:
        closes += DAY_MINUTES
    if closes - opens > DAY_MINUTES:
        raise HoursInvalid("longer-than-a-day", path)
    return Span(opens, closes)


def _minutes(raw: object, path: str) -> int:
    if not isinstance(raw, str) or _CLOCK.fullmatch(raw) is None or minutes_of(raw) > 2 * DAY_MINUTES:
        raise HoursInvalid("not-a-time", path)
    return minutes_of(raw)


def _day(raw: object, path: str) -> dt.date:
    try:
        if isinstance(raw, dt.date) and not isinstance(raw, dt.datetime):
            return raw
        if isinstance(raw, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", raw, re.ASCII):
            return dt.date.fromisoformat(raw)
    except ValueError:
        pass
    raise HoursInvalid("not-a-date", path)


def _days_from(day: dt.date, days: int) -> Iterator[dt.date]:
    for _ in range(days):
        if day == dt.date.max:
            return
        yield day
        day += _ONE_DAY
