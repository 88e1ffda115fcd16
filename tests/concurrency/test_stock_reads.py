"""Readers during trade: promise 6, and a feed that passes no late commit over. A twin reads without the guard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask import Flask

from app.core import horizon
from app.core.sql import Sql
from tests.concurrency import tasks
from tests.concurrency.crowd import Crowd
from tests.factories import make_store

PIECES = 60
SNAPSHOTS = 2_500


def test_no_snapshot_breaks_a_sum_or_loses_a_piece(api, crowd: Crowd, database_url: str) -> None:
    make_store(api, "A", {"X": PIECES - 20})
    make_store(api, "B", {"X": 20})
    jobs: list[tuple[Any, ...]] = [
        (tasks.watch, SNAPSHOTS, PIECES),
        (tasks.churn, api.key, 15),
        (tasks.watch, SNAPSHOTS, PIECES),
        (tasks.churn, api.key, 15),
    ]
    watched, wrote, watched_too, wrote_too = crowd.run(database_url, jobs).values
    assert watched + watched_too == []
    assert set(wrote + wrote_too) <= {200}
    assert len(wrote + wrote_too) == 90


def test_twin_two_reads_lose_pieces_that_move_between_them(api, app: Flask) -> None:
    make_store(api, "A", {"X": PIECES - 20})
    make_store(api, "B", {"X": 20})
    a = api.get("/stock?sku=X&location=A").json["items"]
    assert tasks.move(app, api.key, "A", "B", [{"sku": "X", "quantity": 5}]) == 200
    b = api.get("/stock?sku=X&location=B").json["items"]
    assert sum(item["on_hand"] + item["incoming"] for item in a + b) == PIECES + 5


@pytest.fixture
def late(api, database_url: str) -> Iterator[psycopg.Connection]:
    """A transaction that changed X at A some time ago and has not committed yet; Y changed and committed since."""
    make_store(api, "A", {"X": 5, "Y": 5})
    address = database_url.replace("+psycopg", "")
    with psycopg.connect(address, application_name="late") as connection:
        connection.execute(
            "UPDATE stock_level SET on_hand = 4, changed_at = clock_timestamp() WHERE location_id = 'A' AND sku = 'X'"
        )
        lines = [{"sku": "Y", "quantity": 1}]
        assert api.post("/stock/adjustments", {"location": "A", "reason": "found", "lines": lines}).status_code == 201
        yield connection


def feed(api: Any, cursor: str = "") -> tuple[list[tuple[str, int]], str]:
    page = api.get("/stock/changes" + (f"?cursor={cursor}" if cursor else "")).json
    return [(item["sku"], item["on_hand"]) for item in page["items"]], page["resume_cursor"]


def test_the_feed_waits_for_a_change_that_is_not_committed_yet(api, late: psycopg.Connection) -> None:
    seen, cursor = feed(api)
    assert seen == [("X", 5)]  # neither what is not committed nor what came after it
    late.commit()
    seen, cursor = feed(api, cursor)
    assert seen == [("X", 4), ("Y", 6)]
    assert feed(api, cursor) == ([], cursor)


def test_twin_a_feed_that_trusts_the_clock_passes_it_over(
    api, late: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(horizon, "_SETTLED", Sql("SELECT statement_timestamp()"))
    seen, cursor = feed(api)
    assert seen == [("X", 5), ("Y", 6)]
    late.commit()
    assert feed(api, cursor) == ([], cursor)  # X is 4 by now, and nobody will hear of it
