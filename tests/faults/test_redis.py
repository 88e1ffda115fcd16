"""Promises 18 and 20: without Redis the shop goes on, and what is due is done once it is back, once."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests import servers
from tests.faults.conftest import Ground, open_shop
from tests.running import Web, Worker, until

HEADER = "sku,product,name,tax_category,list_price\n"


@pytest.fixture
def doorbell() -> Iterator[servers.RedisServer]:
    """A Redis of our own."""
    with servers.RedisServer().start() as redis:
        yield redis


@pytest.fixture
def web(ground: Ground, doorbell: servers.RedisServer) -> Iterator[Web]:
    """A web server that leaves jobs to workers."""
    started = Web(ground.url, redis_url=doorbell.url(), workers=1).start()
    yield started
    started.stop()


def _import(web: Web, key: str, first: int, rows: int = 40) -> str:
    body = HEADER + "".join(f"N{n},P,名前{n},standard,100\n" for n in range(first, first + rows))
    status, answer = web.call("POST", "/api/v1/imports/skus", body.encode(), key=key)
    assert status == 202, answer
    return str(answer["id"])


def _imported(web: Web, key: str, run: str) -> bool:
    found = web.call("GET", f"/api/v1/imports/{run}", key=key)[1]
    assert found["rows_failed"] == 0
    return bool(found["state"] == "done")


def _once(ground: Ground) -> None:
    """Every job done, each effect once."""
    with psycopg.connect(ground.url.replace("+psycopg", "")) as connection:
        left = connection.execute("SELECT count(*) FROM outbox_event WHERE state <> 'done'").fetchone()
        versions = connection.execute("SELECT max(version) FROM sku WHERE code LIKE 'N%'").fetchone()
    assert left == (0,)
    assert versions == (1,)


def test_the_shop_goes_on_without_redis_and_jobs_catch_up(
    ground: Ground, doorbell: servers.RedisServer, web: Web
) -> None:
    open_shop(web, ground.key, stock=50)
    worker = Worker(ground.url, doorbell.url()).start()
    try:
        first = _import(web, ground.key, 0)
        until("an import is done while Redis is there", lambda: _imported(web, ground.key, first))
        doorbell.kill9()
        status, answer = web.call("GET", "/readyz")
        assert (status, answer["degraded"]) == (200, ["redis"])
        _trade(web, ground.key)
        second = _import(web, ground.key, 100)
        assert web.call("GET", f"/api/v1/imports/{second}", key=ground.key)[1]["state"] == "queued"
        doorbell.start()
        worker.stop()
        worker.start()
        until("the waiting import is done", lambda: _imported(web, ground.key, second), seconds=60)
    finally:
        worker.stop()
    _once(ground)


def test_a_worker_killed_at_work_and_a_flushed_redis_lose_and_double_nothing(
    ground: Ground, doorbell: servers.RedisServer, web: Web
) -> None:
    open_shop(web, ground.key, stock=50)
    worker = Worker(ground.url, doorbell.url()).start()
    try:
        runs = [_import(web, ground.key, 1000 * n, rows=300) for n in range(1, 4)]
        until(
            "a worker has begun",
            lambda: web.call("GET", f"/api/v1/imports/{runs[0]}", key=ground.key)[1]["state"] != "queued",
        )
        worker.kill9()
        doorbell.flushall()
        worker.start()
        for run in runs:
            until("every import is done", lambda run=run: _imported(web, ground.key, run), seconds=120)
    finally:
        worker.stop()
    _once(ground)


def _trade(web: Web, key: str) -> None:
    claim = {"location": "ginza", "kind": "cart", "lines": [{"sku": "S0", "quantity": 1}]}
    assert web.call("POST", "/api/v1/reservations", claim, key=key, idempotency="r1")[0] == 201
    order = {
        "channel": "ec", "external_ref": "E1", "fulfilment": {"method": "pickup", "location": "ginza"},
        "lines": [{"line_ref": "1", "sku": "S1", "quantity": 1, "unit_price": 1000}],
        "payments": [{"method": "card", "amount": 1000, "state": "authorized"}],
    }  # fmt: skip
    assert web.call("POST", "/api/v1/orders", order, key=key, idempotency="o1")[0] == 201
    sale = {
        "source": "t", "store": "ginza", "terminal": "1", "receipt_no": "1", "kind": "sale",
        "business_date": "2026-11-22", "sold_at": "2026-11-22T12:00:00+09:00",
        "lines": [{"line_no": 1, "sku": "S2", "quantity": 1, "unit_price": 1000}],
        "tenders": [{"method": "cash", "amount": 1000}],
    }  # fmt: skip
    status, answer = web.call("POST", "/api/v1/pos/sales", sale, key=key)
    assert (status, answer["state"]) == (201, "posted")
