"""Tills at once, over several processes; the twins without the guard fail."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import stock
from app.core.db import db
from tests import offline
from tests.concurrency import pos_tasks
from tests.concurrency.crowd import Crowd
from tests.factories import make_sku, make_store
from tests.till import DAY, level, line, rows, sale


@pytest.fixture
def shop(api: Any) -> Any:
    make_store(api, "S1", stock={"A": 100, "B": 100})
    return api


def sound(app: Flask) -> list[Any]:
    with app.app_context():
        return [result for result in stock.check.check().results if not result.holds]


def test_one_receipt_from_forty_hands_is_posted_once(app: Any, shop: Any, crowd: Crowd, database_url: str) -> None:
    body = sale(1, [line("A", 2, 1000)], 2000)
    answers = crowd.run(database_url, [(pos_tasks.sell, shop.key, body)] * 40).values
    assert Counter(status for status, _ in answers) == {201: 1, 200: 39}
    assert len({answer["id"] for _, answer in answers}) == 1
    assert (level(shop, "S1", "A"), rows(app, "sales_order"), sound(app)) == (98, 1, [])


def test_without_the_lock_the_unique_key_still_holds(app: Any, shop: Any, crowd: Crowd, database_url: str) -> None:
    jobs = [(pos_tasks.sell, shop.key, sale(1, [line("A", 2, 1000)], 2000))] * 12
    answers = crowd.run(database_url, jobs, pos_tasks.no_lock).values
    assert Counter(status for status, _ in answers) == {201: 1, 200: 11}
    assert (level(shop, "S1", "A"), rows(app, "sales_order")) == (98, 1)


def test_twin_without_the_natural_key_posts_it_often(app: Any, shop: Any, crowd: Crowd, database_url: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP INDEX ux_pos_receipt_key"))
        connection.execute(text("ALTER TABLE sales_order DROP CONSTRAINT ux_sales_order_external_ref"))
    jobs = [(pos_tasks.sell, shop.key, sale(1, [line("A", 2, 1000)], 2000))] * 12
    answers = crowd.run(database_url, jobs, pos_tasks.no_lock).values
    assert Counter(status for status, _ in answers)[201] > 1
    assert level(shop, "S1", "A") < 98


ORIGINAL = {"store": "S1", "terminal": "1", "receipt_no": "1", "business_date": DAY}


def void_and_sale(shop: Any, crowd: Crowd, database_url: str, rig: Any = None) -> None:
    jobs = []
    for number in range(5):
        jobs.append((pos_tasks.sell, shop.key, sale(number, [line("A", 1, 1000)], 1000)))
        named = ORIGINAL | {"receipt_no": str(number)}
        jobs.append((pos_tasks.sell, shop.key, sale(100 + number, [], 0, kind="void", original=named)))
    answers = crowd.run(database_url, jobs, rig, processes=1).values
    assert Counter(status for status, _ in answers) == {201: 10}


def test_a_void_and_its_sale_never_miss_each_other(app: Any, shop: Any, crowd: Crowd, database_url: str) -> None:
    void_and_sale(shop, crowd, database_url)
    assert (level(shop, "S1", "A"), sound(app)) == (100, [])


def test_twin_without_the_lock_a_void_misses_its_sale(app: Any, shop: Any, crowd: Crowd, database_url: str) -> None:
    void_and_sale(shop, crowd, database_url, pos_tasks.no_lock)
    assert level(shop, "S1", "A") == 95


def test_tills_selling_in_opposite_order_tie_no_knot(app: Any, shop: Any, crowd: Crowd, database_url: str) -> None:
    jobs = []
    for number in range(40):
        goods = ("A", "B") if number % 2 else ("B", "A")
        batch = [sale(number * 10 + n, [line(sku, 1, 100) for sku in goods], 200) for n in range(5)]
        jobs.append((pos_tasks.upload, shop.key, [batch if number % 3 else batch[::-1]]))
    done = crowd.run(database_url, jobs)
    assert {tuple(statuses) for answer in done.values for _, statuses in answer} == {(201,) * 5}
    assert (level(shop, "S1", "A"), level(shop, "S1", "B"), done.deadlocks, sound(app)) == (-100, -100, 0, [])


def resolve_at_once(shop: Any, crowd: Crowd, database_url: str, rig: Any = None) -> None:
    make_sku(shop, "HAT")
    for number in range(3):
        shop.post("/pos/sales", sale(number, [line("hat?", 1, 100)], 100))
    (waiting,) = shop.get("/pos/unresolved").json["items"]
    jobs = [(pos_tasks.resolve, shop.key, waiting["id"], "HAT")] * 8
    answers = crowd.run(database_url, jobs, rig, processes=1).values
    assert {status for status, _ in answers} == {200}


def test_a_code_resolved_by_many_is_posted_once(app: Any, shop: Any, crowd: Crowd, database_url: str) -> None:
    resolve_at_once(shop, crowd, database_url)
    assert (level(shop, "S1", "HAT"), sound(app)) == (-3, [])


def test_twin_that_resolves_blindly_posts_it_often(app: Any, shop: Any, crowd: Crowd, database_url: str) -> None:
    resolve_at_once(shop, crowd, database_url, pos_tasks.blind_resolve)
    assert level(shop, "S1", "HAT") < -3


@pytest.mark.parametrize("seed", range(3))
def test_promise_4_offline_tills_lose_and_double_nothing(
    app: Any, api: Any, crowd: Crowd, database_url: str, seed: int
) -> None:
    day = offline.Day(random.Random(seed), sales=300)
    day.open(api)
    jobs = [(pos_tasks.upload, api.key, chunks) for chunks in day.uploads(uploaders=8)]
    done = crowd.run(database_url, jobs)
    calls = [answer for answers in done.values for answer in answers]
    assert {status for status, _ in calls} == {200}
    assert {status for _, statuses in calls for status in statuses} <= {200, 201, 422}
    assert day.found(app, api) == day.expected()
    assert (done.deadlocks, sound(app)) == (0, [])
