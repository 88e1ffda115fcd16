"""Promise 12: no event is passed over, whoever commits late. A twin trusts the clock and loses one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask

from app.core import horizon
from app.core.ids import new_id
from app.core.sql import Sql
from tests.api.webhook_kit import deliver, endpoint, let_private, reserve, shop
from tests.standins.receiver import Receiver, receiving

_LATE = (
    "INSERT INTO outbox_event (id, location_id, topic, aggregate_type, aggregate_id, sequence, payload, occurred_at, "
    "state, due_at, attempts) VALUES (%s, 'S1', 'transfer.requested', 'transfer', 'late', 1, '{}', clock_timestamp(), "
    "'done', now(), 0)"
)


@pytest.fixture
def site(api: Any, app: Flask) -> Iterator[Receiver]:
    let_private(app)
    shop(api)
    with receiving() as receiver:
        endpoint(api, receiver.url, "transfer.*", "reservation.*")
        yield receiver


@pytest.fixture
def late(site: Receiver, database_url: str) -> Iterator[psycopg.Connection]:
    """A transaction that has written its event and does not commit yet."""
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute(_LATE, (new_id(),))
        yield connection


def told(api: Any, after: str = "") -> tuple[list[str], str]:
    page = api.get(f"/events?after={after}").json
    return [event["type"] for event in page["items"]], page["resume_cursor"]


def test_readers_and_senders_wait_for_who_commits_late(
    api: Any, app: Flask, site: Receiver, late: psycopg.Connection
) -> None:
    reserve(api)
    seen, cursor = told(api)
    deliver(app)
    assert (seen, site.types) == ([], [])
    late.commit()
    seen, cursor = told(api, cursor)
    deliver(app)
    assert seen == ["transfer.requested", "reservation.created"]
    assert sorted(site.types) == sorted(seen)
    assert told(api, cursor) == ([], cursor)


def test_twin_a_feed_that_trusts_the_clock_passes_it_over(
    api: Any, app: Flask, site: Receiver, late: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(horizon, "_SETTLED", Sql("SELECT statement_timestamp()"))
    reserve(api)
    seen, cursor = told(api)
    deliver(app)
    assert (seen, site.types) == (["reservation.created"], ["reservation.created"])
    late.commit()
    deliver(app)
    assert told(api, cursor) == ([], cursor)
    assert site.types == ["reservation.created"]  # nobody will ever hear of the transfer


def test_a_dump_holds_nobody_up(api: Any, app: Flask, site: Receiver, database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", ""), application_name="pg_dump") as dump:
        dump.execute("SELECT 1 FROM outbox_event")
        reserve(api)
        deliver(app)
        assert site.types == ["reservation.created"]
