"""Races for stock over several processes: promises 1, 2, 7 and 32. A twin is the same race with its guard off."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app import stock
from app.core.db import ask_one, use_case
from app.core.sql import Sql
from tests.concurrency import tasks
from tests.concurrency.crowd import Crowd
from tests.factories import make_store

RIVALS = 64


@pytest.fixture(autouse=True)
def sound(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """After every race the books are right; a twin breaks them on purpose."""
    yield
    if "twin" not in request.node.name:
        with app.app_context():
            broken = [result for result in stock.check.check().results if not result.holds]
        assert broken == []


def level(api: Any, location: str, sku: str) -> dict[str, Any]:
    (item,) = api.get(f"/stock?sku={sku}&location={location}").json["items"]
    return dict(item)


def promises(api: Any, count: int) -> list[tuple[Any, ...]]:
    """Claims of one piece of X at A by EC, by the store and by transfers, shuffled."""
    ways = [
        ("/reservations", tasks.cart("A", ("X", 1))),
        ("/reservations", tasks.cart("A", ("X", 1), channel="store")),
        ("/transfers", {"from": "A", "to": "B", "lines": [{"sku": "X", "quantity": 1}]}),
    ]
    return [(tasks.post, api.key, *ways[i % 3]) for i in random.Random(count).sample(range(count), count)]


@pytest.mark.parametrize("pieces", [1, 5, 17, 40, 63, 64, 70])
def test_accepted_is_the_lesser_of_stock_and_demand(api, crowd: Crowd, database_url: str, pieces: int) -> None:
    make_store(api, "A", {"X": pieces})
    make_store(api, "B")
    answers = crowd.run(database_url, promises(api, RIVALS)).values
    accepted = min(pieces, RIVALS)
    assert Counter(status for status, _ in answers) == Counter({201: accepted, 409: RIVALS - accepted}) - Counter()
    refusals = [problem for status, problem in answers if status == 409]
    assert all(problem["type"] == "/problems/insufficient-stock" for problem in refusals)
    assert level(api, "A", "X")["reserved"] == accepted


@pytest.mark.parametrize("_round", range(5))
def test_complaint_1_the_last_unit_is_not_sold_twice(api, crowd: Crowd, database_url: str, _round: int) -> None:
    make_store(api, "A", {"X": 1})
    make_store(api, "B")
    answers = crowd.run(database_url, promises(api, RIVALS)).values
    assert Counter(status for status, _ in answers) == {201: 1, 409: RIVALS - 1}


def test_twin_read_then_write_sells_the_same_piece_again(api, crowd: Crowd, database_url: str) -> None:
    make_store(api, "A", {"X": 1})
    jobs = [(tasks.post, api.key, "/reservations", tasks.cart("A", ("X", 1)))] * 16
    answers = crowd.run(database_url, jobs, rig=tasks.read_then_write).values
    assert Counter(status for status, _ in answers)[201] >= 4


@pytest.mark.parametrize("round_", range(4))
def test_facts_are_never_refused_and_promises_never_exceed_what_is_left(
    api, app: Flask, crowd: Crowd, database_url: str, round_: int
) -> None:
    make_store(api, "A", {"X": 20})
    make_store(api, "B")
    facts = [
        (tasks.post, api.key, "/stock/adjustments",
         {"location": "A", "reason": reason, "lines": [{"sku": "X", "quantity": pieces}]})
        for reason, pieces in [("loss", -1), ("found", 1)] * 12
    ]  # fmt: skip
    jobs = promises(api, 40) + facts
    random.Random(round_).shuffle(jobs)
    answers = crowd.run(database_url, jobs).values
    by_path = Counter((job[2] == "/stock/adjustments", status) for job, (status, _) in zip(jobs, answers, strict=True))
    assert by_path[True, 201] == len(facts)
    assert by_path[False, 201] + by_path[False, 409] == 40
    accepted = by_path[False, 201]
    found = level(api, "A", "X")
    assert (found["on_hand"], found["reserved"]) == (20, accepted)
    shortage = [incident["shortage"] for incident in api.get("/incidents?state=open").json["items"]]
    assert shortage == ([accepted - 20] if accepted > 20 else [])
    left = 0
    while api.post("/reservations", tasks.cart("A", ("X", 1))).status_code == 201:
        left += 1
    assert left == max(0, 20 - accepted)


def test_complaint_2_two_lines_of_one_sku_do_not_pass_alone(api, crowd: Crowd, database_url: str) -> None:
    make_store(api, "A", {"X": 3, "Y": 30})
    body = tasks.cart("A", ("X", 2), ("Y", 1), ("X", 2))
    answers = crowd.run(database_url, [(tasks.post, api.key, "/reservations", body)] * 16).values
    assert [status for status, _ in answers] == [409] * 16
    assert answers[0][1]["lines"] == [{"sku": "X", "requested": 4, "available": 3}]
    assert [level(api, "A", sku)["reserved"] for sku in "XY"] == [0, 0]


def test_baskets_in_opposite_order_and_transfers_both_ways_never_tie_a_knot(
    api, crowd: Crowd, database_url: str
) -> None:
    make_store(api, "A", {"X": 500, "Y": 500})
    make_store(api, "B", {"X": 500, "Y": 500})
    one, two = ("X", 1), ("Y", 1)
    both = [{"sku": sku, "quantity": 1} for sku in "XY"]
    jobs: list[tuple[Any, ...]] = []
    for _ in range(12):
        jobs += [
            (tasks.post, api.key, "/reservations", tasks.cart("A", one, two)),
            (tasks.post, api.key, "/reservations", tasks.cart("A", two, one)),
            (tasks.move, api.key, "A", "B", both),
            (tasks.move, api.key, "B", "A", both[::-1]),
        ]
    done = crowd.run(database_url, jobs)
    assert [v if isinstance(v, int) else v[0] for v in done.values] == [201, 201, 200, 200] * 12
    assert done.deadlocks == 0
    assert level(api, "A", "X")["on_hand"] + level(api, "B", "X")["on_hand"] == 1000


def test_twin_baskets_without_an_order_tie_knots(api, crowd: Crowd, database_url: str) -> None:
    make_store(api, "A", {"X": 500, "Y": 500})
    jobs = [(tasks.post, api.key, "/reservations", tasks.cart("A", ("X", 1), ("Y", 1)))] * 2
    done = crowd.run(database_url, jobs, rig=tasks.no_order, processes=1)
    assert done.deadlocks >= 1
    assert {status for status, _ in done.values} == {201}


def claims_of(api: Any, count: int, seconds: int = 600) -> list[str]:
    made = [api.post("/reservations", tasks.cart("A", ("X", 1), seconds=seconds)) for _ in range(count)]
    assert {answer.status_code for answer in made} == {201}
    return [answer.json["id"] for answer in made]


def test_a_claim_ends_once_whoever_is_first(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    make_store(api, "A", {"X": 12})
    ids = claims_of(api, 12)
    past_due(app, ids[::2])
    hows = ("post", "release", "extend", "sweep")
    jobs = [(tasks.end, how, claim_id) for claim_id in ids for how in hows]
    outcomes = crowd.run(database_url, jobs).values
    ends = {claim_id: Counter[str]() for claim_id in ids}
    for (_, _, claim_id), outcome in zip(jobs, outcomes, strict=True):
        ends[claim_id][outcome] += 1
    for claim_id in ids[1::2]:
        assert ends[claim_id]["fulfilled"] + ends[claim_id]["released"] == 1
    for claim_id in ids[::2]:  # dead at its deadline, whether the sweeper came first or not
        assert ends[claim_id]["fulfilled"] + ends[claim_id]["released"] + ends[claim_id]["reserved"] == 0
        assert api.get(f"/reservations/{claim_id}").json["state"] == "expired"
    posted = sum(count["fulfilled"] for count in ends.values())
    found = level(api, "A", "X")
    assert (found["on_hand"], found["reserved"], found["available"]) == (12 - posted, 0, 12 - posted)


def test_twin_without_the_claims_lock_it_ends_twice(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    make_store(api, "A", {"X": 9})
    claim_id, *_others = claims_of(api, 9)
    outcomes = crowd.run(database_url, [(tasks.end, "release", claim_id)] * 8, rig=tasks.no_claim_lock).values
    assert Counter(outcomes)["released"] >= 2
    with app.app_context():
        broken = {result.name for result in stock.check.check().results if not result.holds}
    assert "I3 open claims = reserved" in broken


def past_due(app: Flask, ids: list[str]) -> None:
    """Let the deadline of these claims be over."""
    with app.app_context():
        for table, column in (("claim", "id"), ("claim_line", "claim_id")):
            late = Sql(
                f"UPDATE {table} SET expires_at = CAST('2020-01-01' AS timestamptz) WHERE {column} = CAST(:id AS uuid)"
            )
            for claim_id in ids:
                change(late, {"id": claim_id})


def change(sql: Sql, params: dict[str, Any]) -> None:
    use_case(lambda: ask_one(sql, params))()


def test_two_sweepers_free_every_claim_once(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    make_store(api, "A", {"X": 2_000})
    with app.app_context():
        plant_claims(2_000)
    assert level(api, "A", "X")["available"] == 2_000  # dead already, and nobody has swept
    swept = crowd.run(database_url, [(tasks.sweep,)] * 4).values
    assert sum(swept) == 2_000
    found = level(api, "A", "X")
    assert (found["reserved"], found["available"]) == (0, 2_000)


def plant_claims(count: int) -> None:
    """Past-due claims of one piece of X at A, as reserving would have left them."""
    for sql in _PLANT:
        change(Sql(sql), {"count": count})


_PLANT = (
    """INSERT INTO claim (id, location_id, kind, channel, state, expires_at, version, created_at, updated_at)
    SELECT gen_random_uuid(), 'A', 'cart', 'ec', 'reserved', now() - interval '1 minute', 1, now(), now()
    FROM generate_series(1, CAST(:count AS int))""",
    """INSERT INTO claim_line (id, location_id, claim_id, sku, quantity, open_quantity, posted_quantity, expires_at)
    SELECT gen_random_uuid(), location_id, id, 'X', 1, 1, 0, expires_at FROM claim""",
    """INSERT INTO outbox_event (id, location_id, topic, aggregate_type, aggregate_id, sequence, payload, occurred_at,
    state, due_at, attempts) SELECT gen_random_uuid(), location_id, 'reservation.created', 'claim', CAST(id AS text), 1,
    '{}', now(), 'done', now(), 0 FROM claim""",
    "UPDATE stock_level SET reserved = :count WHERE location_id = 'A' AND sku = 'X'",
)


def test_complaint_4_a_claim_nobody_freed_is_free_for_the_next_buyer(
    api, app: Flask, crowd: Crowd, database_url: str
) -> None:
    make_store(api, "A", {"X": 20})
    past_due(app, claims_of(api, 20))
    jobs = [(tasks.post, api.key, "/reservations", tasks.cart("A", ("X", 1)))] * 32
    answers = crowd.run(database_url, jobs).values
    assert Counter(status for status, _ in answers) == {201: 20, 409: 12}


def test_complaint_5_released_twice_frees_once(api, crowd: Crowd, database_url: str) -> None:
    make_store(api, "A", {"X": 5})
    ids = claims_of(api, 5)
    jobs = [(tasks.post, api.key, f"/reservations/{ids[0]}/release")] * 16
    answers = crowd.run(database_url, jobs).values
    assert Counter(status for status, _ in answers) == {200: 1, 409: 15}
    assert level(api, "A", "X")["reserved"] == 4
