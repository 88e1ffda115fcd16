"""Races for pickups over several processes: promises 7 and 10. Each has a twin without the pickup's lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app import stock
from app.core.db import ask_one, use_case
from app.core.sql import Sql
from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, shop, token_of
from tests.concurrency import pickup_tasks as tasks
from tests.concurrency.crowd import Crowd

TABLETS = 12
HONEST = {"already-collected", "pickup-expired", "illegal-transition"}


@pytest.fixture(autouse=True)
def sound(app: Flask) -> Iterator[None]:
    """After every race, the twins' too, the books are right: the claim is guarded by itself as well."""
    yield
    with app.app_context():
        assert [result for result in stock.check.check().results if not result.holds] == []


def ready(api: Any, ref: str = "EC-1") -> dict[str, Any]:
    """A pickup of one A that waits."""
    made = order(api, ref, [("1", "A", 1, 1100)])
    bring(api, made["pickup"], "ready")
    return dict(made["pickup"])


def codes(answers: list[tuple[int, Any]]) -> Counter[str]:
    return Counter("done" if status == 200 else answer["type"].removeprefix("/problems/") for status, answer in answers)


def test_one_hand_over_by_qr_and_pin_at_many_tablets(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    proofs = [{"token": token_of(shown)}, {"code": shown["code"], "pin": shown["pin"]}]
    jobs = [(tasks.act, api.key, f"{shown['id']}/hand-over", proofs[n % 2], f"tablet-{n}") for n in range(TABLETS)]
    answers = crowd.run(database_url, jobs).values
    assert codes(answers) == {"done": 1, "already-collected": TABLETS - 1}
    (winner,) = [n for n, (status, _) in enumerate(answers) if status == 200]
    collected_at = answers[winner][1]["collected_at"]
    for status, refused in answers:
        if status != 200:
            facts = (refused["collected_at"], refused["location"], refused["device"])
            assert facts == (collected_at, "S1", f"tablet-{winner}")
    assert rows(app, "SELECT quantity FROM stock_movement WHERE kind = 'pickup'") == [(-1,)]
    outcomes = Counter(rows(app, "SELECT outcome FROM pickup_scan"))
    assert outcomes == {("done",): 1, ("already-collected",): TABLETS - 1}


def test_a_double_tap_and_a_cut_answer_are_one_success(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    body = {"token": token_of(shown), "nonce": "scan-1"}
    path = f"{shown['id']}/hand-over"
    jobs = [(tasks.act, api.key, path, body, "tablet-1")] * 6
    jobs += [(tasks.act, api.key, path, body, "tablet-1", "one-key")] * 6
    answers = crowd.run(database_url, jobs).values
    assert codes(answers) == {"done": 12}
    assert len({str(answer) for _, answer in answers}) == 1
    assert rows(app, "SELECT quantity FROM stock_movement WHERE kind = 'pickup'") == [(-1,)]
    assert rows(app, "SELECT outcome FROM pickup_scan") == [("done",)]


def test_twin_without_the_lock_losers_do_not_hear_who_has_it(api, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    jobs = [(tasks.act, api.key, f"{shown['id']}/hand-over", {"token": token_of(shown)}, f"t-{n}") for n in range(8)]
    answers = crowd.run(database_url, jobs, rig=tasks.no_pickup_lock).values
    assert codes(answers)["already-collected"] < 7


def set_deadline(app: Flask, pickup_id: str, offset: str) -> None:
    moved = Sql(f"UPDATE pickup SET expires_at = clock_timestamp() + interval '{offset}' WHERE id = CAST(:id AS uuid)")
    with app.app_context():
        use_case(lambda: ask_one(moved, {"id": pickup_id}))()


def test_a_pickup_ends_once_around_its_deadline(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    """Collected, cancelled or expired, while its customer extends it and wishes to cancel it."""
    shop(api, A=9)
    waiting = [ready(api, f"EC-{n}") for n in range(9)]
    for n, shown in enumerate(waiting):
        set_deadline(app, shown["id"], ("1 day", "-1 second", "300 milliseconds")[n % 3])
    jobs: list[tuple[Any, ...]] = []
    for shown in waiting:
        jobs += [
            (tasks.act, api.key, f"{shown['id']}/hand-over", {"token": token_of(shown)}, "tablet-1"),
            (tasks.act, api.key, f"{shown['id']}/hand-over", {"token": token_of(shown)}, "tablet-2"),
            (tasks.act, api.key, f"{shown['id']}/cancel", {"reason": "race"}),
            (tasks.act, api.key, f"{shown['id']}/extend", {}),
            (tasks.act, api.key, f"{shown['id']}/request-cancel", {}),
            (tasks.expire, shown["id"]),
        ]
    outcomes = crowd.run(database_url, jobs).values
    states = Counter[str]()
    for n, shown in enumerate(waiting):
        *answers, expired = outcomes[6 * n : 6 * n + 6]
        ends = [status == 200 for status, _ in answers[:3]] + [expired]
        extended = answers[3][0] == 200
        state = api.get(f"/pickups/{shown['id']}").json["state"]
        states[state] += 1
        assert sum(ends) == 1 or (n % 3 == 2 and state == "expired" and sum(ends) == 0)
        assert set(codes(answers)) - {"done"} <= HONEST
        assert expired or n % 3 != 1
        assert not (extended and expired)
    assert sum(states[end] for end in ("collected", "cancelled", "expired")) == 9
    with app.app_context():
        tasks.sweep(app)
    left = 9 - states["collected"]
    assert level(app, "A", "S1") == (left, left)
    for shown in waiting:
        if api.get(f"/pickups/{shown['id']}").json["reshelve"] == "open":
            act(api, shown["id"], "reshelve")
    assert level(app, "A", "S1") == (left, 0)
    assert rows(app, "SELECT count(*) FROM reshelve_task") == [(left,)]


def test_two_sweepers_expire_each_pickup_once(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api, A=8)
    waiting = [ready(api, f"EC-{n}") for n in range(8)]
    for shown in waiting:
        set_deadline(app, shown["id"], "-1 second")
    assert sum(crowd.run(database_url, [(tasks.sweep,)] * 4).values) == 8
    told = rows(app, "SELECT count(*) FROM outbox_event WHERE topic = 'pickup.expired'")
    assert told == [(8,)]
    assert rows(app, "SELECT count(*) FROM claim WHERE kind = 'reshelve'") == [(8,)]


def test_twin_without_the_lock_a_rival_is_refused_by_the_claim_alone(api, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    jobs: list[tuple[Any, ...]] = [
        (tasks.act, api.key, f"{shown['id']}/{action}", body)
        for action, body in [("hand-over", {"token": token_of(shown)}), ("cancel", {"reason": "race"})] * 4
    ]
    answers = crowd.run(database_url, jobs, rig=tasks.no_pickup_lock).values
    assert set(codes(answers)) - HONEST - {"done"}


def test_the_order_and_the_store_cancel_at_once(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api)
    made = [order(api, f"EC-{n}", [("1", "A", 1, 1100)]) for n in range(6)]
    jobs: list[tuple[Any, ...]] = []
    for one in made:
        jobs += [
            (tasks.cancel_order, api.key, one["id"]),
            (tasks.act, api.key, f"{one['pickup']['id']}/cancel", {"reason": "store"}),
        ]
    done = crowd.run(database_url, jobs)
    assert done.deadlocks == 0
    for n in range(6):
        assert sorted(status for status, _ in done.values[2 * n : 2 * n + 2]) == [200, 409]
    assert level(app, "A", "S1") == (10, 0)
    assert rows(app, "SELECT count(*) FROM claim WHERE state = 'released'") == [(6,)]
