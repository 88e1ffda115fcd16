"""Races for the last hold that a customer may have, and for the piece that many wait for. A twin has the guard off."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Flask

from app import stock
from app.core import settings
from tests.api.orders_kit import level, rows
from tests.concurrency import hold_tasks as tasks
from tests.concurrency.crowd import Crowd
from tests.factories import make_store

RIVALS = 16


def shop(api: Any, pieces: int = 1) -> list[str]:
    """A store with a SKU for each rival, so that no level's lock puts them in a row."""
    skus = [f"X{number}" for number in range(RIVALS)]
    make_store(api, "S1", dict.fromkeys(skus, pieces))
    return skus


def sound(app: Flask) -> None:
    with app.app_context():
        assert [result for result in stock.check.check().results if not result.holds] == []


def test_a_customer_gets_as_many_holds_as_one_may_have(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    skus = shop(api)
    assert tasks.hold(app, api.key, skus[0], "a") == "held"
    done = crowd.run(database_url, [(tasks.hold, api.key, sku, "a") for sku in skus[1:]])
    more = settings.MAX_OPEN_HOLDS - 1
    assert Counter(done.values) == {"held": more, "too-many-holds": RIVALS - 1 - more}
    assert rows(app, "SELECT count(*) FROM claim WHERE kind = 'hold'") == [(settings.MAX_OPEN_HOLDS,)]
    assert done.deadlocks == 0
    sound(app)


def test_a_stranger_gets_no_more_than_a_known_customer(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    skus = shop(api)
    answers = crowd.run(database_url, [(tasks.hold, api.key, sku, "new") for sku in skus]).values
    assert Counter(answers) == {"held": settings.MAX_OPEN_HOLDS, "too-many-holds": RIVALS - settings.MAX_OPEN_HOLDS}
    sound(app)


def test_twin_without_the_customers_lock_holds_are_hoarded(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    skus = shop(api)
    assert tasks.hold(app, api.key, skus[0], "a") == "held"
    jobs = [(tasks.hold, api.key, sku, "a") for sku in skus[1:13]]
    answers = crowd.run(database_url, jobs, rig=tasks.no_customer_lock).values
    assert Counter(answers)["held"] > settings.MAX_OPEN_HOLDS - 1


def test_customers_do_not_stand_in_each_others_way(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    skus = shop(api)
    done = crowd.run(database_url, [(tasks.hold, api.key, sku, f"p{n % 4}") for n, sku in enumerate(skus)])
    assert done.values == ["held"] * RIVALS
    assert done.deadlocks == 0


def test_a_customer_waits_for_as_much_as_one_may(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    skus = shop(api, pieces=0)
    assert tasks.join(app, api.key, skus[0], "a") == "waits"
    answers = crowd.run(database_url, [(tasks.join, api.key, sku, "a") for sku in skus[1:]]).values
    more = settings.MAX_WAITS - 1
    assert Counter(answers) == {"waits": more, "too-many-holds": RIVALS - 1 - more}


def test_a_customer_takes_one_place_however_often_they_ask(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    skus = shop(api, pieces=0)
    answers = crowd.run(database_url, [(tasks.join, api.key, skus[0], "a")] * 8).values
    assert Counter(answers) == {"waits": 1, "already-waiting": 7}


def test_a_free_piece_is_offered_once_to_the_one_who_waits_longest(
    api, app: Flask, crowd: Crowd, database_url: str
) -> None:
    shop(api)
    for number in range(4):
        assert tasks.join(app, api.key, "X1", f"p{number}") == "waits"
    done = crowd.run(database_url, [(tasks.serve, "X1")] * 8)
    assert sum(done.values) == 1
    assert done.deadlocks == 0
    found = rows(app, "SELECT state FROM waiting_customer ORDER BY id")
    assert found == [("offered",), ("waiting",), ("waiting",), ("waiting",)]
    assert level(app, "X1", "S1") == (1, 1)
    sound(app)


def test_each_of_many_pieces_goes_to_one_who_waits(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api, pieces=3)
    for number in range(5):
        assert tasks.join(app, api.key, "X1", f"p{number}") == "waits"
    assert sum(crowd.run(database_url, [(tasks.serve, "X1")] * 8).values) == 3
    found = rows(app, "SELECT state FROM waiting_customer ORDER BY id")
    assert found == [("offered",)] * 3 + [("waiting",)] * 2
    assert rows(app, "SELECT count(*) FROM pickup") == [(3,)]
    sound(app)
