"""A server that dies by -9 in the middle of a call, at the very table where the test holds it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.faults.conftest import Ground
from tests.running import Web, until

# Who waits for the table and holds an Idempotency-Key: the call, and none of the jobs.
_WAITS = (
    "SELECT count(*) FROM pg_locks w JOIN pg_locks k ON k.pid = w.pid AND k.locktype = 'advisory' AND k.granted "
    "WHERE NOT w.granted AND w.relation = '{}'::regclass"
)
_OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'hitotsu'"


def connect(ground: Ground) -> psycopg.Connection:
    """A connection of the test's own."""
    return psycopg.connect(ground.url.replace("+psycopg", ""), autocommit=True)


def killed_at(ground: Ground, web: Web, held: str, call: Callable[[], Any]) -> None:
    """Kill the server while the call waits to write into the table `held`."""

    def send() -> None:
        with pytest.raises(OSError):  # noqa: PT011  whatever a cut line is called
            call()

    caller = threading.Thread(target=send)
    with connect(ground) as other, connect(ground) as watch:
        with other.transaction():
            other.execute(f"LOCK TABLE {held} IN SHARE ROW EXCLUSIVE MODE")
            caller.start()
            until(f"the call waits for {held}", lambda: count(watch, _WAITS.format(held)) == 1)
            web.kill9()
        caller.join()
        until("its connections are gone", lambda: count(watch, _OURS) == 0)


def count(connection: psycopg.Connection, query: str) -> int:
    """The number that a statement finds."""
    found = connection.execute(query).fetchone()
    assert found is not None
    return int(found[0])
