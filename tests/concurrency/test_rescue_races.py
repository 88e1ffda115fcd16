"""Races at the rescue desk: a shortage is covered once, whoever acts. The twin decides by what it read before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, order
from tests.api.rescue_kit import board, bought, broken, cart, incident, kinds, sell, shops
from tests.concurrency import pickup_tasks, tasks
from tests.concurrency import rescue_tasks as desk
from tests.concurrency.crowd import Crowd
from tests.factories import make_store


@pytest.fixture(autouse=True)
def sound(app: Flask) -> Iterator[None]:
    """After every race, the twin's too, the books are right: claims and levels guard themselves."""
    yield
    assert broken(app) == []


def codes(answers: list[tuple[int, Any]]) -> Counter[str]:
    return Counter("done" if status == 200 else answer["type"].removeprefix("/problems/") for status, answer in answers)


def offers(api: Any) -> tuple[str, dict[str, str]]:
    """The incident, and a remedy of each kind."""
    shown = board(api)
    return shown["incident"], {one["kind"]: one["remedy"] for one in shown["remedies"]}


@pytest.mark.parametrize("_round", range(3))
def test_many_clerks_cover_a_shortage_once(api, app: Flask, crowd: Crowd, database_url: str, _round: int) -> None:
    shops(api, 4)
    made = bought(api, "EC-1", 4)
    sell(app, 1)
    found, known = offers(api)
    jobs = [(desk.apply, api.key, found, known[kind]) for kind in ("ask", "cancel", "transfer") * 3]
    done = crowd.run(database_url, jobs)
    assert codes(done.values) == {"done": 1, "remedy-not-offered": 8}
    assert level(app, "A", "S1") == (3, 3)
    owed = rows(app, "SELECT sum(ordered - short), sum(undecided) FROM pickup_line WHERE pickup_id = :id",
                id=made["pickup"]["id"])  # fmt: skip
    asked = done.values[0][0] == 200 or done.values[3][0] == 200 or done.values[6][0] == 200
    assert [tuple(map(int, row)) for row in owed] == [(3, 1 if asked else 0)]
    assert incident(api)["state"] == ("open" if asked else "resolved")


def test_twin_without_a_look_under_the_locks_it_is_covered_twice(api, app, crowd: Crowd, database_url: str) -> None:
    shops(api, 4)
    bought(api, "EC-1", 4)
    sell(app, 1)
    found, known = offers(api)
    jobs = [(desk.apply, api.key, found, known[kind]) for kind in ("transfer", "cancel")]
    done = crowd.run(database_url, jobs, rig=desk.by_what_was_read, processes=1)
    assert codes(done.values) == {"done": 2}
    assert level(app, "A", "S1") == (3, 2)


def test_several_promises_each_give_way_once(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    """Three clerks at three promises, and each of them twice; the shortage is covered exactly."""
    shops(api, 6, elsewhere=0)
    for number in range(4):
        bought(api, f"EC-{number}")
    cart(api, 2)
    sell(app, 4)
    shown = board(api)
    assert [kind for kind, _, _ in kinds(shown)] == ["recount", "release", "ask", "cancel", "ask", "cancel"]
    ids = [one["remedy"] for one in shown["remedies"] if one["kind"] in {"release", "ask"}]
    jobs = [(desk.apply, api.key, shown["incident"], remedy) for remedy in ids * 3]
    assert codes(crowd.run(database_url, jobs).values) == {"done": 3, "remedy-not-offered": 6}
    assert level(app, "A", "S1") == (2, 2)
    assert (incident(api)["shortage"], incident(api)["waiting"]) == (0, 2)


def test_clerks_customers_and_tills_at_once(api, app: Flask, crowd: Crowd, database_url: str, run_jobs: Any) -> None:
    """Whoever is first: no piece is promised twice, and the incident says what is short and who is waited for."""
    shops(api, 8, elsewhere=0)
    made = [bought(api, f"EC-{number}") for number in range(8)]
    sell(app, 4)
    shown = board(api)
    jobs: list[tuple[Any, ...]] = [
        (desk.apply, api.key, shown["incident"], one["remedy"]) for one in shown["remedies"] if one["kind"] == "ask"
    ]
    jobs += [(pickup_tasks.act, api.key, f"{one['pickup']['id']}/cancel", {"reason": "customer"}) for one in made[2:6]]
    jobs += [(desk.sell, number) for number in range(2)]
    jobs += [(tasks.post, api.key, "/stock/adjustments", receipt(1))] * 2
    crowd.run(database_url, jobs)
    on_hand, reserved = level(app, "A", "S1")
    assert on_hand == 8 - 4 - 2 + 2
    run_jobs()
    found = api.get("/incidents?state=open").json["items"]
    assert sum(one["shortage"] for one in found) == max(0, reserved - on_hand)
    undecided = rows(app, "SELECT count(DISTINCT pickup_id) FROM pickup_line WHERE undecided > 0")
    assert [(sum(one["waiting"] for one in found),)] == undecided


def receipt(pieces: int) -> dict[str, Any]:
    return {"location": "S1", "reason": "receipt", "lines": [{"sku": "A", "quantity": pieces}]}


def test_two_stores_that_send_to_each_other(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    """Each lacks what the other has: locks are taken in one order, and nobody waits for ever."""
    shops(api, 4, elsewhere=0)
    lines = [{"sku": "B", "quantity": 9}]
    make_store(api, "S2")
    api.post(
        "/stock/adjustments", {"location": "S2", "reason": "opening", "lines": [*lines, {"sku": "A", "quantity": 9}]}
    )
    here = bought(api, "EC-1", 4)
    way = {"method": "pickup", "location": "S2"}
    there = order(api, "EC-2", [("1", "B", 9, 540)], fulfilment=way)
    sell(app, 1)
    api.post("/stock/adjustments", {"location": "S2", "reason": "damage", "lines": [{"sku": "B", "quantity": -1}]})
    wanted = []
    for one in api.get("/incidents?state=open").json["items"]:
        offered = api.get(f"/incidents/{one['id']}/remedies").json["remedies"]
        wanted += [(desk.apply, api.key, one["id"], r["remedy"]) for r in offered if r["kind"] == "transfer"]
    assert len(wanted) == 2
    done = crowd.run(database_url, wanted)
    assert (codes(done.values), done.deadlocks) == ({"done": 2}, 0)
    assert (level(app, "A", "S1"), level(app, "A", "S2")) == ((3, 3), (9, 1))
    assert (level(app, "B", "S2"), level(app, "B", "S1")) == ((8, 8), (9, 1))
    for made in (here, there):
        act(api, made["pickup"]["id"], "accept")
