"""Notices are taken a few to a transaction, and what was taken goes out whatever comes after."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app import notifications
from app.core import settings
from app.core.errors import Unavailable
from tests.api.notices_kit import NOON, Shop
from tests.api.test_notices_flow import Scripted, give


@pytest.fixture
def shop(app: Flask) -> Shop:
    made = Shop(app)
    made.offer("pickup.ready")
    return made


def test_letters_are_written_a_few_to_a_transaction(app: Flask, shop: Shop, clock: Any, monkeypatch: Any) -> None:
    clock(NOON)
    mail = Scripted("mail")
    give(app, mail)
    for number in range(12):
        shop.request("pickup.ready", 1, subject=f"0199a000-0000-7000-8000-{number:012d}")
    monkeypatch.setattr(settings, "NOTICE_AT_ONCE", 5)
    together: list[int] = []
    begin = notifications.leasing._subjects

    def note(*args: Any) -> Any:
        subjects = list(begin(*args))
        together.append(len(subjects))
        return subjects

    monkeypatch.setattr(notifications.leasing, "_subjects", note)
    with app.app_context():
        assert len(notifications.leasing.lease(app.extensions["post"].senders)) == 12
    assert together == [5, 5, 2, 0]
    shop.post()
    assert mail.sent == []


def test_what_was_taken_goes_though_the_database_goes_away(
    app: Flask, shop: Shop, clock: Any, monkeypatch: Any
) -> None:
    clock(NOON)
    mail = Scripted("mail")
    give(app, mail)
    for number in range(2):
        shop.request("pickup.ready", 1, subject=f"0199a000-0000-7000-8000-{number:012d}")
    monkeypatch.setattr(settings, "NOTICE_AT_ONCE", 1)
    some, times = notifications.leasing._lease_some, iter((True, False))

    def away(*args: Any) -> Any:
        if next(times):
            return some(*args)
        raise Unavailable(reason="database")

    monkeypatch.setattr(notifications.leasing, "_lease_some", away)
    with app.app_context():
        app.extensions["post"].turn()
        app.extensions["post"].threads["mail"].join()
    assert [message.kind for message in mail.sent] == ["pickup.ready"]
