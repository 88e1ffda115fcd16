"""Promise 12: each story in its order, no endpoint held up by another, and leases that outlive their sender."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask

from app.core import settings
from app.core.sql import Sql
from app.webhooks import Courier, Post, dealing, deliveries, feed
from app.webhooks.addresses import Rules
from tests.api.webhook_kit import deliver, endpoint, let_private, reserve, shop, story
from tests.api.webhook_kit import deliveries as logged
from tests.standins.receiver import OK, Receiver, receiving, status

FAIL = status(500)
NOON = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def site(app: Flask, api: Any) -> Iterator[Receiver]:
    """A shop, and an EC site that can be reached."""
    let_private(app)
    shop(api)
    with receiving() as receiver:
        yield receiver


def test_a_story_is_told_in_its_order_and_holds_up_no_other(api: Any, app: Flask, site: Receiver, clock: Any) -> None:
    clock(NOON)
    endpoint(api, site.url, "reservation.*")
    one = story(api, extensions=3)
    site.script = [FAIL]  # the beginning of the first story
    deliver(app)
    other = story(api, extensions=3)
    deliver(app)
    assert [came.story for came in site.received] == [(one, 1), *((other, n) for n in range(1, 6))]
    assert [item["state"] for item in logged(api)] == ["failed", *["queued"] * 4, *["delivered"] * 5]
    clock(NOON + dt.timedelta(seconds=6))
    deliver(app)
    assert [came.story for came in site.received[6:]] == [(one, n) for n in range(1, 6)]
    assert all(item["state"] == "delivered" for item in logged(api))


def test_after_a_parked_one_the_story_goes_on_with_a_gap_to_be_seen(api: Any, app: Flask, site: Receiver) -> None:
    endpoint(api, site.url, "reservation.*")
    made = story(api, extensions=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "WEBHOOK_RETRY_SECONDS", ())
        site.script = [OK, FAIL]
        deliver(app)
    assert [came.story for came in site.received] == [(made, 1), (made, 2), (made, 3)]
    assert [item["state"] for item in logged(api)] == ["delivered", "parked", "delivered"]


def test_events_dated_the_wrong_way_round_are_told_the_right_way_round(
    api: Any, app: Flask, site: Receiver, clock: Any
) -> None:
    """Two transactions that waited for one another: the second event is dated before the first."""
    clock(NOON)
    endpoint(api, site.url, "reservation.*")
    made = _dated_the_wrong_way_round(api, app)
    clock(NOON + dt.timedelta(seconds=5))  # the horizon lies between them
    deliver(app)
    assert [came.story for came in site.received] == [(made, 1), (made, 2)]
    clock(NOON + dt.timedelta(seconds=10))
    deliver(app)
    assert len(site.received) == 2
    told = api.get("/events?type=reservation.*&limit=1").json
    assert [(event["type"], event["sequence"]) for event in told["items"]] == [
        ("reservation.created", 1), ("reservation.released", 2),
    ]  # fmt: skip


def test_twin_without_the_forerunners_the_end_comes_first(
    api: Any, app: Flask, site: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_forerunners", lambda _found, _reached: [])
    clock(NOON)
    endpoint(api, site.url, "reservation.*")
    made = _dated_the_wrong_way_round(api, app)
    for second in (5, 10):
        clock(NOON + dt.timedelta(seconds=second))
        deliver(app)
    assert [came.story for came in site.received] == [(made, 2), (made, 1)]


def _dated_the_wrong_way_round(api: Any, app: Flask) -> str:
    made = reserve(api)
    assert api.post(f"/reservations/{made}/release").status_code == 200
    with app.app_context():
        engine = deliveries.db.engine
        with engine.begin() as connection:
            for sequence, second in ((1, "07"), (2, "03")):
                connection.exec_driver_sql(
                    f"UPDATE outbox_event SET occurred_at = '2026-11-22T03:00:{second}.000000+00:00' "
                    f"WHERE aggregate_id = '{made}' AND sequence = {sequence}"
                )
    return made


def without(statement: Sql, guard: str) -> Sql:
    """A statement with one of its conditions taken away, on either database."""
    twin = Sql("")
    twin.sqlite, twin.postgresql = (re.sub(guard, "", text) for text in (statement.sqlite, statement.postgresql))
    assert twin.sqlite != statement.sqlite
    return twin


def test_twin_a_lease_that_looks_at_no_forerunner_tells_the_end_before_the_beginning(
    api: Any, app: Flask, site: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "_LEASE", without(deliveries._LEASE, r"AND NOT EXISTS \(.*?'sending'\)\) "))
    clock(NOON)
    endpoint(api, site.url, "reservation.*")
    story(api, extensions=3)
    site.script = [FAIL]
    deliver(app)
    clock(NOON + dt.timedelta(seconds=6))
    deliver(app)
    accepted = [came.story[1] for came in site.received][1:]
    assert sorted(accepted) == [1, 2, 3, 4, 5]
    assert accepted != [1, 2, 3, 4, 5]


# --- one endpoint does not hold up another ----------------------------------------------------------------------------


def test_dead_endpoints_beside_a_good_one(
    api: Any, app: Flask, site: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three receivers hang as long as this test lasts; the fourth gets forty events meanwhile."""
    monkeypatch.setattr(settings, "WEBHOOK_TOTAL_SECONDS", 60.0)
    with receiving() as dead:
        dead.behave = dead.hang
        for _ in range(3):
            endpoint(api, dead.url, "reservation.created")
        endpoint(api, site.url, "reservation.created")
        for _ in range(40):
            reserve(api)
        bell = threading.Event()
        with app.app_context(), closing(Post(Rules(allow_private=True))) as post:
            carrier = Courier(post.send, bell.set)
            while len(site.received) < 40:
                bell.clear()
                if not carrier.turn():
                    assert bell.wait(5), "the good one waits for the dead ones"
            assert len(dead.received) == 6  # two each
            dead.released.set()
            while not carrier.is_idle():
                bell.clear()
                carrier.turn()
                dead.behave = FAIL
                assert carrier.is_idle() or bell.wait(5)


def test_a_receiver_that_fails_rests_and_is_caught_up_with_when_it_is_back(
    api: Any, app: Flask, site: Receiver, clock: Any
) -> None:
    clock(NOON)
    made = endpoint(api, site.url, "reservation.created")
    site.behave = FAIL
    for _ in range(12):
        reserve(api)
    deliver(app)
    tried = len(site.received)
    assert tried == settings.WEBHOOK_REST_AFTER
    shown = api.get(f"/webhook-endpoints/{made['id']}").json
    assert (shown["failures"], shown["rests_until"]) == (tried, "2026-11-22T03:00:05.000Z")
    site.behave = OK
    clock(NOON + dt.timedelta(seconds=4))
    deliver(app)
    assert len(site.received) == tried
    clock(NOON + dt.timedelta(seconds=5))
    deliver(app)
    assert len({came.id for came in site.received[tried:]}) == 12
    shown = api.get(f"/webhook-endpoints/{made['id']}").json
    assert (shown["failures"], shown["rests_until"]) == (0, None)
    assert all(item["state"] == "delivered" for item in logged(api))


# --- a sender that dies -----------------------------------------------------------------------------------------------


def test_a_lease_that_runs_out_is_taken_again_and_the_late_answer_counts_for_nothing(
    api: Any, app: Flask, site: Receiver, clock: Any
) -> None:
    clock(NOON)
    made = endpoint(api, site.url, "reservation.created")
    reserve(api)
    with app.app_context():
        assert dealing.deal() is False
        (lost,) = deliveries.lease(made["id"], 2)
        assert deliveries.lease(made["id"], 2) == []
        clock(NOON + dt.timedelta(seconds=31))
        (again,) = deliveries.lease(made["id"], 2)
        assert (again.headers["webhook-id"], again.body) == (lost.headers["webhook-id"], lost.body)
        deliveries.record(lost, deliveries.Outcome(status=200))
        assert logged(api)[0]["state"] == "sending"
        deliveries.record(again, deliveries.Outcome(status=200))
    assert (logged(api)[0]["state"], logged(api)[0]["attempts"]) == ("delivered", 2)


def test_a_connection_lost_while_events_are_dealt_costs_no_turn(
    api: Any, app: Flask, site: Receiver, monkeypatch: Any
) -> None:
    endpoint(api, site.url, "reservation.*")
    reserve(api)
    deal = dealing.deal

    def deal_at_the_second_try() -> bool:
        dealing.db.session().expire_all()  # as a transaction begins, and as it ends when the connection breaks
        dealing.db.session().invalidate()
        return deal()

    monkeypatch.setattr(dealing, "deal", deal_at_the_second_try)
    deliver(app)
    assert [item["state"] for item in logged(api)] == ["delivered"]
