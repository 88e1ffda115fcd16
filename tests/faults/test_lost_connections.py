"""A connection that the database has closed costs one answer, a clean 503, and no more."""

from __future__ import annotations

from typing import Any

import psycopg


def close_all(database_url: str) -> None:
    """End every backend of this database, as a restart of the server does."""
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_reader_hears_503_and_the_next_one_its_answer(api: Any, database_url: str) -> None:
    assert api.get("/locations").status_code == 200
    close_all(database_url)
    told = api.get("/locations")
    assert (told.status_code, told.json["type"]) == (503, "/problems/unavailable")
    assert api.get("/locations").status_code == 200


def test_readiness_says_no_and_then_yes(app: Any, database_url: str) -> None:
    client = app.test_client()
    assert client.get("/readyz").status_code == 200
    close_all(database_url)
    assert [client.get("/readyz").status_code for _ in range(2)] == [503, 200]
