"""Promise 3 at one moment: fifty identical requests over several processes have one effect and one answer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import stock
from app.core.db import db
from tests.api.orders_kit import basket, level, rows, shop
from tests.concurrency.crowd import Crowd
from tests.concurrency.key_tasks import post_as, without_key_lock

CART = {"location": "W1", "kind": "cart", "lines": [{"sku": "A", "quantity": 1}]}
CALLS = [("/orders", basket(), "sales_order"), ("/reservations", CART, "claim")]
HANDS = 50


def fifty(api: Any, path: str, body: Any) -> list[tuple[Any, ...]]:
    shop(api, A=200)
    return [(post_as, api.key, path, body, "one-key")] * HANDS


def without_unique_keys() -> None:
    """Only what stands behind the lock: the stored reply's key, and the order's own natural key."""
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE idempotency_reply DROP CONSTRAINT idempotency_reply_pkey"))
        connection.execute(text("ALTER TABLE sales_order DROP CONSTRAINT ux_sales_order_external_ref"))


def sound(app: Flask) -> None:
    with app.app_context():
        assert [result for result in stock.check.check().results if not result.holds] == []


@pytest.mark.parametrize("call", CALLS)
def test_fifty_identical_requests_at_once_have_one_effect(
    api: Any, app: Flask, crowd: Crowd, database_url: str, call: tuple[str, Any, str]
) -> None:
    path, body, table = call
    answers = crowd.run(database_url, fifty(api, path, body)).values
    known = Counter(status for status, _, _ in answers)
    assert set(known) <= {201, 409}, answers
    assert {
        data for status, data, _ in answers if status == 409 and b"/problems/request-in-flight" not in data
    } == set()
    assert len({data for status, data, _ in answers if status == 201}) == 1
    assert [replayed for status, _, replayed in answers if status == 201].count(False) == 1
    assert (rows(app, f"SELECT count(*) FROM {table}"), level(app)) == ([(1,)], (200, 1))
    assert rows(app, "SELECT count(*) FROM idempotency_reply WHERE key = 'one-key'") == [(1,)]
    sound(app)


@pytest.mark.parametrize("call", CALLS)
def test_without_the_keys_lock_its_uniqueness_still_lets_one_through(
    api: Any, app: Flask, crowd: Crowd, database_url: str, call: tuple[str, Any, str]
) -> None:
    path, body, table = call
    outcomes = crowd.run(database_url, fifty(api, path, body), rig=without_key_lock).outcomes
    firsts = [o for o in outcomes if not o.error and o.value[0] == 201 and not o.value[2]]
    assert len(firsts) == 1
    assert (rows(app, f"SELECT count(*) FROM {table}"), level(app)) == ([(1,)], (200, 1))
    sound(app)


@pytest.mark.parametrize("call", CALLS)
def test_twin_without_lock_and_unique_key_it_happens_often(
    api: Any, app: Flask, crowd: Crowd, database_url: str, call: tuple[str, Any, str]
) -> None:
    path, body, table = call
    jobs = fifty(api, path, body)
    with app.app_context():
        without_unique_keys()
    outcomes = crowd.run(database_url, jobs, rig=without_key_lock).outcomes
    assert len({o.value[1] for o in outcomes if not o.error and o.value[0] == 201}) > 1
    assert rows(app, f"SELECT count(*) FROM {table}")[0][0] > 1
