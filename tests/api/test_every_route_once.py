"""Promise 3 for every call that changes something, from the list the calls are served by: one effect, however often.

After any request and its repeats every table is the same, row for row; only the book of acts may know of the repeats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import inspect, text
from werkzeug.test import TestResponse

from app import staff
from app.core.db import db
from app.core.http import OPERATIONS, Operation
from tests.api.orders_kit import basket, rows
from tests.api.pickups_kit import problem
from tests.api.route_scenarios import NOON, SCENARIOS, Request, Scenario, of_line, shop
from wsgi import create_app

CASES = [(name, scene) for name, scenes in SCENARIOS.items() for scene in scenes]
IDS = [f"{name}-{number}" for name, scenes in SCENARIOS.items() for number in range(len(scenes))]
KEY = "the-one-key"
NOBODY = "019a0000-0000-7000-8000-000000000000"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Who asked, what was answered, and the number by which processes know that they must read the places anew.
BESIDE = {"audit_entry", "idempotency_reply", "location_stamp"}


def changing() -> dict[str, Operation]:
    return {o.endpoint: o for o in OPERATIONS if o.method != "GET" and not o.safe}


def contents(app: Flask) -> dict[str, list[str]]:
    """Every row of every table that holds what a request has brought about."""
    with app.app_context(), db.engine.connect() as connection:
        names = sorted(set(inspect(connection).get_table_names()) - BESIDE)
        found = {n: sorted(str(tuple(r)) for r in connection.execute(text(f"SELECT * FROM {n}"))) for n in names}
    return found


@pytest.fixture
def noon(clock: Any) -> None:
    clock(NOON)


@pytest.fixture
def restarted(app: Flask, database_url: str) -> Iterator[Flask]:
    """The product, started a second time on the same database."""
    made = create_app(DATABASE_URL=database_url, APP_ENV="test", PROPAGATE_BUGS=True, TESTING=True)
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


def send(api: Any, method: str, request: Request, body: Any, **more: Any) -> TestResponse:
    answer: TestResponse = api.call(method, request.path, **request.sent(body), **more)
    return answer


def is_replay(answer: TestResponse, first: TestResponse) -> None:
    assert answer.headers.get("Idempotency-Replayed") == "true"
    assert (answer.status_code, answer.content_type, answer.data) == (
        first.status_code, first.content_type, first.data,
    )  # fmt: skip


def test_every_changing_call_has_a_scenario(app: Flask) -> None:
    assert set(changing()) - set(SCENARIOS) == set(), "calls without a scenario"
    assert set(SCENARIOS) - set(changing()) == set(), "scenarios without a call"


@pytest.mark.usefixtures("noon")
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_it_happens_once(app: Flask, api: Any, make_api: Any, restarted: Flask, case: tuple[str, Scenario]) -> None:
    operation, request = changing()[case[0]], case[1](api)
    before = contents(app)
    if operation.key == "required":
        problem(send(api, operation.method, request, request.body, key=None), 400, "idempotency-key-required")
        assert contents(app) == before
    first = send(api, operation.method, request, request.body, key=KEY)
    assert first.status_code == operation.status, first.text
    assert "Idempotency-Replayed" not in first.headers
    after = contents(app)
    assert after != before
    again = [send(api, operation.method, request, request.body, key=KEY) for _ in range(5)]
    assert contents(app) == after
    if operation.method != "POST":
        return
    for answer in again:
        is_replay(answer, first)
    api.app = restarted
    is_replay(send(api, "POST", request, request.body, key=KEY), first)
    with app.app_context():
        api.key = staff.rotate_client(name=rows(app, "SELECT name FROM api_client ORDER BY id LIMIT 1")[0][0])
    is_replay(send(api, "POST", request, request.body, key=KEY), first)
    if request.other is not None:
        problem(send(api, "POST", request, request.other, key=KEY), 422, "idempotency-key-reused")
    if operation.body is None and operation.consumes == "application/json":
        elsewhere = Request(_ID.sub(NOBODY, request.path))
        problem(send(api, "POST", elsewhere, None, key=KEY), 422, "idempotency-key-reused")
    assert contents(restarted) | {"api_client": []} == after | {"api_client": []}
    other = send(make_api(), "POST", request, request.body, key=KEY)
    assert "Idempotency-Replayed" not in other.headers
    assert rows(app, "SELECT count(*) FROM idempotency_reply WHERE key = :key", key=KEY) == [(2,)]


REFUSED = [
    (404, "unknown-order", f"/orders/{NOBODY}/cancel", of_line(1)),
    (409, "insufficient-stock", "/orders", basket(lines=[("1", "A", 21, 1000)])),
    (422, "total-mismatch", "/orders", basket(expected_total=1)),
]


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refusal_is_given_again_whatever_came_between(
    app: Flask, api: Any, restarted: Flask, refused: tuple[int, str, str, Any]
) -> None:
    status, code, path, body = refused
    shop(api)
    before = contents(app)
    first = api.post(path, body, key=KEY)
    problem(first, status, code)
    assert contents(app) == before
    more = {"location": "W1", "reason": "receipt", "lines": [{"sku": "A", "quantity": 5}]}
    assert api.post("/stock/adjustments", more).status_code == 201
    after = contents(app)
    for served_by in (app, app, restarted):
        api.app = served_by
        is_replay(api.post(path, body, key=KEY), first)
    assert contents(app) == after


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 201, "a\tb"])
def test_a_key_that_is_none_is_refused_and_not_stored(app: Flask, api: Any, key: str) -> None:
    shop(api)
    before = contents(app)
    answer = api.post("/orders", basket(), key=None, headers={"Idempotency-Key": key})
    assert answer.status_code == 400, answer.text
    assert contents(app) == before
