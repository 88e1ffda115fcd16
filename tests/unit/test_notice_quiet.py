"""The quiet hours are the store's: from nine in the evening to eight in the morning, on days that lack an hour too."""

from __future__ import annotations

import datetime as dt

import pytest

from app.notifications import quiet


@pytest.mark.parametrize(
    ("at", "zone", "until"),
    [
        ("2026-11-22T20:59:59+09:00", "Asia/Tokyo", None),
        ("2026-11-22T21:00:00+09:00", "Asia/Tokyo", "2026-11-23T08:00:00+09:00"),
        ("2026-11-23T00:00:00+09:00", "Asia/Tokyo", "2026-11-23T08:00:00+09:00"),
        ("2026-11-23T07:59:59+09:00", "Asia/Tokyo", "2026-11-23T08:00:00+09:00"),
        ("2026-11-23T08:00:00+09:00", "Asia/Tokyo", None),
        ("2026-11-22T21:00:00+09:00", "Europe/Paris", None),
        ("2026-12-31T23:30:00+09:00", "Asia/Tokyo", "2027-01-01T08:00:00+09:00"),
        ("2026-03-28T22:00:00+01:00", "Europe/Paris", "2026-03-29T08:00:00+02:00"),
        ("2026-10-24T22:00:00+02:00", "Europe/Paris", "2026-10-25T08:00:00+01:00"),
    ],
)
def test_until_when_it_is_quiet(at: str, zone: str, until: str | None) -> None:
    found = quiet.until(dt.datetime.fromisoformat(at), zone)
    assert found == (dt.datetime.fromisoformat(until) if until else None)
