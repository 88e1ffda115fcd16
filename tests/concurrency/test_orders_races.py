"""Races for orders over several processes; twins whose guard is off fail. The books are checked after each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import stock
from app.core.db import db
from tests.api.orders_kit import basket, claims, level, place, reserve, rows, shop
from tests.concurrency import order_tasks
from tests.concurrency.crowd import Crowd
from tests.concurrency.tasks import post

ONE = {"lines": [{"line_ref": "1", "quantity": 1}]}


@pytest.fixture(autouse=True)
def sound(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """After every race the books are right; a twin breaks them on purpose."""
    yield
    if "twin" not in request.node.name:
        with app.app_context():
            broken = [result for result in stock.check.check().results if not result.holds]
        assert broken == []


def statuses(answers: list[Any]) -> Counter[int]:
    return Counter(status for status, _ in answers)


def test_the_same_order_twenty_times_is_one(api, app, crowd: Crowd, database_url: str) -> None:
    shop(api)
    answers = crowd.run(database_url, [(post, api.key, "/orders", basket())] * 20).values
    assert statuses(answers) == {201: 1, 409: 19}
    (made,) = [order["id"] for status, order in answers if status == 201]
    assert {(p["type"], p["id"]) for status, p in answers if status == 409} == {("/problems/duplicate-order", made)}
    assert rows(app, "SELECT count(*) FROM sales_order") == [(1,)]
    assert claims(app) == [("ship", "reserved")]
    assert level(app) == (10, 1)


def test_twin_without_the_unique_reference_makes_several(api, app, crowd: Crowd, database_url: str) -> None:
    shop(api)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE sales_order DROP CONSTRAINT ux_sales_order_external_ref"))
    answers = crowd.run(database_url, [(post, api.key, "/orders", basket())] * 20).values
    assert statuses(answers)[201] > 1


def test_five_pieces_make_five_orders(api, app, crowd: Crowd, database_url: str) -> None:
    shop(api, A=5)
    jobs = [(post, api.key, "/orders", basket(f"EC-{n}")) for n in range(40)]
    answers = crowd.run(database_url, jobs).values
    assert statuses(answers) == {201: 5, 409: 35}
    assert {p["type"] for status, p in answers if status == 409} == {"/problems/insufficient-stock"}
    assert rows(app, "SELECT count(*) FROM sales_order") == [(5,)]
    assert level(app) == (5, 5)


def test_complaint_6_the_cart_with_the_last_piece_gets_it(api, app, crowd: Crowd, database_url: str) -> None:
    shop(api, A=1)
    claim = reserve(app, ("A", 1))
    jobs = [(post, api.key, "/orders", basket(f"EC-{n}")) for n in range(15)]
    jobs.insert(7, (post, api.key, "/orders", basket("MINE", reservation=claim)))
    answers = crowd.run(database_url, jobs).values
    assert answers[7][0] == 201
    assert statuses(answers) == {201: 1, 409: 15}
    status, sent = post(app, api.key, f"/orders/{answers[7][1]['id']}/ship", {})
    assert (status, sent["state"], level(app)) == (200, "completed", (0, 0))


def test_one_cart_is_bought_once(api, app, crowd: Crowd, database_url: str) -> None:
    shop(api)
    claim = reserve(app, ("A", 1))
    jobs = [(post, api.key, "/orders", basket(f"EC-{n}", reservation=claim)) for n in range(12)]
    answers = crowd.run(database_url, jobs).values
    assert statuses(answers) == {201: 1, 409: 11}
    assert level(app) == (10, 1)


def cancel_at_once(api: Any, crowd: Crowd, database_url: str, rig: Any = None) -> tuple[list[Any], dict[str, Any]]:
    shop(api, A=12)
    order = place(api, basket(lines=[("1", "A", 12, 1000)], order_discount=101))
    jobs = [(post, api.key, f"/orders/{order['id']}/cancel", ONE)] * 12
    outcomes = crowd.run(database_url, jobs, rig=rig).outcomes
    done = [o.value[1]["refund_due"]["total"] for o in outcomes if not o.error and o.value[0] == 200]
    return done, api.get(f"/orders/{order['id']}").json


def test_pieces_cancelled_at_once_give_back_just_what_was_paid(api, app, crowd: Crowd, database_url: str) -> None:
    done, order = cancel_at_once(api, crowd, database_url)
    assert len(done) == 12
    assert sum(done) == 11_899
    assert (order["state"], order["lines"][0]["cancelled"], order["payments"][0]["released"]) == (
        "cancelled", 12, 11_899,
    )  # fmt: skip
    assert level(app) == (12, 0)


def test_twin_without_the_orders_lock_loses_some(api, crowd: Crowd, database_url: str) -> None:
    done, order = cancel_at_once(api, crowd, database_url, rig=order_tasks.without_lock)
    assert (len(done), order["lines"][0]["cancelled"]) != (12, 12)


@pytest.mark.parametrize("_round", range(5))
def test_cancel_ship_change_and_payment_at_once_have_one_end(
    api, app, crowd: Crowd, database_url: str, _round: int
) -> None:
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    path, paid = f"/orders/{order['id']}", order["payments"][0]["id"]
    more = {"lines": [{"line_ref": "1", "sku": "A", "quantity": 3}]}
    verbs = [("cancel", {}), ("ship", {}), ("change", more), (f"payments/{paid}/result", {"state": "failed"})]
    answers = crowd.run(database_url, [(post, api.key, f"{path}/{verb}", body) for verb, body in verbs * 3]).values
    assert set(statuses(answers)) <= {200, 409}
    after = api.get(path).json
    assert after["state"] in {"completed", "cancelled"}
    sent = after["lines"][0]["fulfilled"]
    assert level(app) == (10 - sent, 0)
    ended = [state for _, state in claims(app)]
    assert "reserved" not in ended
    assert ended.count("fulfilled") == (after["state"] == "completed")
    assert rows(app, "SELECT count(*) FROM shipment") == [(1 if sent else 0,)]
    sequences = [
        row[0]
        for row in rows(app, "SELECT sequence FROM outbox_event WHERE aggregate_type = 'sales_order' ORDER BY sequence")
    ]
    assert sequences == list(range(1, len(sequences) + 1))


def test_orders_that_swap_goods_do_not_lock_each_other_out(api, app, crowd: Crowd, database_url: str) -> None:
    shop(api, A=16, B=16)
    jobs = []
    for n in range(8):
        for mine, other in (("A", "B"), ("B", "A")):
            order = place(api, basket(f"EC-{n}{mine}", lines=[("1", mine, 1, 1000)]))
            lines = {"lines": [{"line_ref": "1", "sku": other, "quantity": 1, "unit_price": 1000}]}
            jobs.append((post, api.key, f"/orders/{order['id']}/change", lines))
    answers = crowd.run(database_url, jobs).values
    assert statuses(answers) == {200: 16}
    assert (level(app), level(app, "B")) == ((16, 8), (16, 8))


def test_one_new_customer_ordering_twice_at_once_is_one_person(api, app, crowd: Crowd, database_url: str) -> None:
    shop(api, A=20)
    who = [{"email": "a@b.jp", "phone": "090-1234-5678"}, {"phone": "+819012345678", "email": "A@b.jp"}]
    jobs = [(post, api.key, "/orders", basket(f"EC-{n}", customer=who[n % 2])) for n in range(12)]
    answers = crowd.run(database_url, jobs).values
    assert statuses(answers) == {201: 12}
    assert {order["customer"] for _, order in answers} == {answers[0][1]["customer"]}
    assert rows(app, "SELECT count(*) FROM customer") == [(1,)]


def test_two_sweepers_end_an_unpaid_order_once(api, app, crowd: Crowd, database_url: str) -> None:
    shop(api)
    place(api, basket(pay="due", method="konbini"))
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE payment SET due_at = now() - interval '1 minute'"))
    ended = crowd.run(database_url, [(order_tasks.end_past_due,)] * 8).values
    assert sum(ended) == 1
    assert rows(app, "SELECT state FROM sales_order") == [("cancelled",)]
    assert level(app) == (10, 0)
