"""Promise 12 with real processes: senders that are killed, receivers that fail, Redis gone; nothing is lost."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import psycopg
import pytest

from tests import servers
from tests.faults.conftest import Ground, open_shop
from tests.running import Web, Worker, until
from tests.standins.receiver import OK, Receiver, receiving, status

CART = {"location": "ginza", "kind": "cart", "lines": [{"sku": "S0", "quantity": 1}]}
ALLOW = {"ALLOW_PRIVATE_WEBHOOKS": "1"}


@pytest.fixture
def site() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def listen(web: Web, key: str, url: str, *events: str) -> str:
    status_, answer = web.call("POST", "/api/v1/webhook-endpoints", {"url": url, "events": list(events)}, key=key)
    assert status_ == 201, answer
    return str(answer["id"])


def story(web: Web, key: str, name: str) -> str:
    """A reservation made, extended twice and released: four events."""
    made = web.call("POST", "/api/v1/reservations", CART, key=key, idempotency=f"{name}-make")[1]["id"]
    for number in range(2):
        path = f"/api/v1/reservations/{made}/extend"
        assert web.call("POST", path, {"expires_in": 900}, key=key, idempotency=f"{name}-{number}")[0] == 200
    assert web.call("POST", f"/api/v1/reservations/{made}/release", key=key, idempotency=f"{name}-end")[0] == 200
    return str(made)


def hurry(ground: Ground, *states: str) -> None:
    """As if the time for the next try had come."""
    with psycopg.connect(ground.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("UPDATE webhook_endpoint SET rest_until = NULL WHERE rest_until IS NOT NULL")
        connection.execute("UPDATE webhook_delivery SET due_at = now() WHERE state = ANY(%s)", (list(states),))


def first_told(site: Receiver) -> dict[str, list[int]]:
    """The numbers of each story in the order in which they were first accepted."""
    found: dict[str, list[int]] = defaultdict(list)
    for came in list(site.received):
        one, number = came.story
        if number not in found[one]:
            found[one].append(number)
    return found


def test_several_senders_and_a_receiver_that_fails_now_and_then(ground: Ground, site: Receiver) -> None:
    chance = random.Random(12)

    def moody(handler: BaseHTTPRequestHandler) -> None:
        (status(500) if chance.random() < 0.1 else OK)(handler)

    site.behave = moody
    web = Web(ground.url, workers=3, **ALLOW).start()
    try:
        open_shop(web, ground.key, stock=1000)
        listen(web, ground.key, site.url, "reservation.*")
        made: list[str] = []
        clients = [
            threading.Thread(target=lambda n=n: made.extend(story(web, ground.key, f"{n}-{i}") for i in range(4)))
            for n in range(4)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert len(made) == 16

        def all_told() -> bool:
            hurry(ground, "failed")
            return all(len(first_told(site).get(one, ())) == 4 for one in made)

        until("every event of every story has come", all_told)
    finally:
        web.stop()
    assert first_told(site) == {one: [1, 2, 3, 4] for one in made}
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for came in site.received:
        bodies[came.id].add(came.body)
    assert len(bodies) == 64
    assert {len(one) for one in bodies.values()} == {1}  # the same id is the same event, to the byte


def test_a_sender_killed_while_a_receiver_hangs_sends_again_under_the_same_id(ground: Ground, site: Receiver) -> None:
    site.behave = site.hang
    web = Web(ground.url, workers=1, **ALLOW).start()
    try:
        open_shop(web, ground.key, stock=10)
        listen(web, ground.key, site.url, "reservation.created")
        assert web.call("POST", "/api/v1/reservations", CART, key=ground.key, idempotency="r")[0] == 201
        until("it is being sent", lambda: len(site.received) == 1)
        web.kill9()
        site.behave = OK
        web.start()
        hurry(ground, "failed", "sending")
        until("it was sent again", lambda: len(site.received) == 2)
        until("and that is known", lambda: delivered(web, ground.key) == ["delivered"])
    finally:
        web.stop()
    first, second = site.received
    assert (first.id, first.body) == (second.id, second.body)


def delivered(web: Web, key: str) -> list[str]:
    return [one["state"] for one in web.call("GET", "/api/v1/webhook-deliveries", key=key)[1]["items"]]


def test_a_worker_and_redis_killed_lose_nothing(ground: Ground, site: Receiver) -> None:
    with servers.RedisServer().start() as redis:
        web = Web(ground.url, redis_url=redis.url(), workers=1, **ALLOW).start()
        worker = Worker(ground.url, redis.url())
        worker.env |= ALLOW
        worker.start()
        try:
            open_shop(web, ground.key, stock=100)
            listen(web, ground.key, site.url, "reservation.*")
            made = [story(web, ground.key, "a")]
            until("the worker sends", lambda: len(site.received) >= 1)
            worker.kill9()
            redis.kill9()
            made.append(story(web, ground.key, "b"))
            redis.start()
            worker.start()
            hurry(ground, "failed", "sending")
            until("all came", lambda: all(len(first_told(site).get(one, ())) == 4 for one in made))
        finally:
            worker.stop()
            web.stop()
    assert first_told(site) == {one: [1, 2, 3, 4] for one in made}


def test_a_dead_endpoint_beside_a_good_one(ground: Ground, site: Receiver) -> None:
    """The good one hears of each event within a second of its commit, nineteen times of twenty."""
    with receiving() as dead:
        dead.behave = dead.hang
        web = Web(ground.url, workers=2, **ALLOW).start()
        try:
            open_shop(web, ground.key, stock=1000)
            listen(web, ground.key, dead.url, "reservation.created")
            listen(web, ground.key, site.url, "reservation.created")
            waits = sorted(_wait(web, ground.key, site, number) for number in range(40))
        finally:
            web.stop()
    assert waits[37] <= 1.0, waits
    assert len(dead.received) >= 2


def _wait(web: Web, key: str, site: Receiver, number: int) -> float:
    before = len(site.received)
    assert web.call("POST", "/api/v1/reservations", CART, key=key, idempotency=f"w{number}")[0] == 201
    committed = time.monotonic()
    until("the good one hears of it", lambda: len(site.received) > before)
    return max(0.0, site.received[before].at - committed)
