"""Promises 3 and 8 against the real server: answers cut, workers killed in the middle of an order, then asked again."""

from __future__ import annotations

import functools as ft
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.conftest import Ground, open_shop, reconcile
from tests.faults.killing import connect, killed_at
from tests.running import Web, until

ORDER_LINE = {"line_ref": "1", "sku": "S1", "quantity": 2, "unit_price": 1000}
PAID = {"method": "card", "amount": 1000, "state": "authorized"}
ORDER = {
    "channel": "ec", "external_ref": "E1", "fulfilment": {"method": "pickup", "location": "ginza"},
    "lines": [ORDER_LINE],
    "payments": [PAID | {"amount": 2000}],
}  # fmt: skip
CART = {"location": "ginza", "kind": "cart", "lines": [{"sku": "S1", "quantity": 2}]}
CALLS = [("/api/v1/orders", ORDER), ("/api/v1/reservations", CART)]


@pytest.fixture
def web(ground: Ground) -> Iterator[Web]:
    """One server process with a shop of ten pieces."""
    started = Web(ground.url, workers=1).start()
    open_shop(started, ground.key, stock=10)
    yield started
    started.stop()


def raw(ground: Ground, web: Web, path: str, body: Any, key: str) -> bytes:
    """The request as bytes."""
    data = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{web.port}", f"Authorization: Bearer {ground.key}",
        f"Idempotency-Key: {key}", "Content-Type: application/json", f"Content-Length: {len(data)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + data


def asked(ground: Ground, web: Web, path: str, body: Any, key: str) -> tuple[int, bytes, bool]:
    """The same request, and this time the answer is read: status, bytes, whether it was given before."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=12)
    headers = {
        "Authorization": f"Bearer {ground.key}",
        "Idempotency-Key": key,
        "Content-Type": "application/json",
    }
    connection.request("POST", path, json.dumps(body).encode(), headers)
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.headers.get("Idempotency-Replayed") == "true"
    connection.close()
    return found


def stored(ground: Ground, key: str) -> bool:
    with connect(ground) as connection:
        return bool(connection.execute("SELECT 1 FROM idempotency_reply WHERE key = %s", (key,)).fetchone())


def effects(ground: Ground) -> tuple[int, int, int]:
    """(claims, pieces reserved, orders)."""
    with connect(ground) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM claim), (SELECT sum(reserved) FROM stock_level), "
            "(SELECT count(*) FROM sales_order)"
        ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1]), int(found[2])


def test_an_answer_cut_after_the_commit_is_given_to_who_asks_again(ground: Ground, web: Web) -> None:
    for path, body in CALLS:
        with socket.create_connection(("127.0.0.1", web.port)) as line:
            line.sendall(raw(ground, web, path, body, path))
            until("it is committed", lambda path=path: stored(ground, path))
        before = effects(ground)
        again = [asked(ground, web, path, body, path) for _ in range(5)]
        assert [(status, replayed) for status, _, replayed in again] == [(201, True)] * 5
        assert len({data for _, data, _ in again}) == 1
        assert effects(ground) == before
    assert effects(ground) == (2, 4, 1)
    reconcile(ground.url)


def test_a_caller_who_hangs_up_at_once_and_asks_again_has_one_order(ground: Ground, web: Web) -> None:
    for number in range(5):
        order = ORDER | {"external_ref": f"E{number}"}
        with socket.create_connection(("127.0.0.1", web.port)) as line:
            line.sendall(raw(ground, web, "/api/v1/orders", order, f"gone-{number}"))
        # It may be at work, done, or dropped by the server with the line: the caller cannot know, and need not.
        answers = [asked(ground, web, "/api/v1/orders", order, f"gone-{number}") for _ in range(2)]
        assert [status for status, _, _ in answers] == [201, 201]
        assert (answers[1][1:], effects(ground)) == (
            (answers[0][1], True), (number + 1, 2 * (number + 1), number + 1),
        )  # fmt: skip
    reconcile(ground.url)


def test_a_worker_killed_in_the_middle_leaves_no_claim_without_its_order(ground: Ground, web: Web) -> None:
    for number, held in enumerate(["claim", "sales_order", "payment", "outbox_event", "audit_entry"], start=1):
        order = ORDER | {"external_ref": held, "lines": [ORDER_LINE | {"quantity": 1}], "payments": [PAID]}
        call = ft.partial(web.call, "POST", "/api/v1/orders", order, key=ground.key, idempotency=held, timeout=30)
        killed_at(ground, web, held, call)
        claims, pieces, orders = effects(ground)
        assert (claims, pieces) == (orders, orders)
        assert orders in {number - 1, number}
        web.start()
        first = asked(ground, web, "/api/v1/orders", order, held)
        assert (first[0], first[2]) == (201, orders == number)
        assert asked(ground, web, "/api/v1/orders", order, held) == (201, first[1], True)
        assert effects(ground) == (number, number, number)
    reconcile(ground.url)
