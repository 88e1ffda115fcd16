"""Races about goods that travel for an order, and about places in doubt. A twin is the same race with its guard off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app import stock
from app.core.ids import new_id
from tests.concurrency import tasks, transfer_tasks
from tests.concurrency.crowd import Crowd
from tests.factories import make_store

PIECES = 3


@pytest.fixture(autouse=True)
def sound(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """After every race the books are right; a twin breaks them on purpose."""
    yield
    if "twin" not in request.node.name:
        assert broken(app) == []


def broken(app: Flask) -> list[str]:
    with app.app_context():
        return [result.name for result in stock.check.check().results if not result.holds]


@pytest.fixture(autouse=True)
def shops(api: Any) -> None:
    make_store(api, "W", {"X": 40})
    make_store(api, "S")


def level(api: Any, location: str) -> tuple[int, int, int]:
    items = api.get(f"/stock?sku=X&location={location}").json["items"]
    return (items[0]["on_hand"], items[0]["reserved"], items[0]["incoming"]) if items else (0, 0, 0)


def claimed(app: Flask, transfer_id: str) -> int:
    """Pieces that are open under the claims of whom it travelled for."""
    with app.app_context():
        owner = stock.transfer(transfer_id).owner
        held = stock.open_claims("S", "X")
    assert len([claim for claim in held if (claim.owner_type, claim.owner_id) == owner]) <= 1
    return sum(claim.open["X"] for claim in held if (claim.owner_type, claim.owner_id) == owner)


@pytest.mark.parametrize("_round", range(3))
def test_received_at_eight_tablets_it_comes_once(api, app: Flask, crowd: Crowd, database_url: str, _round: int) -> None:
    made = transfer_tasks.buy(app, ("buyer", new_id()), PIECES)
    assert transfer_tasks.step(app, "ship", made) == "shipped"
    outcomes = crowd.run(database_url, [(transfer_tasks.step, "receive", made)] * 8).values
    assert Counter(outcomes) == {"received": 1, "illegal-transition": 7}
    assert (level(api, "W"), level(api, "S")) == ((37, 0, 0), (3, 3, 0))
    assert claimed(app, made) == 3


def test_twin_without_the_transfers_lock_it_comes_twice(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    made = transfer_tasks.buy(app, ("buyer", new_id()), PIECES)
    transfer_tasks.step(app, "ship", made)
    jobs = [(transfer_tasks.step, "receive", made)] * 4
    done = crowd.run(database_url, jobs, rig=transfer_tasks.no_road_lock, processes=1)
    assert Counter(done.values)["received"] >= 2
    assert "I12 units are conserved" in broken(app)


@pytest.mark.parametrize("action", ["ship", "receive", "cancel"])
def test_given_up_while_it_moves(api, app: Flask, crowd: Crowd, database_url: str, action: str) -> None:
    """Whoever is first, the pieces are promised to one owner, or to nobody."""
    made = {transfer_tasks.buy(app, owner, PIECES): owner for owner in (("buyer", new_id()) for _ in range(10))}
    if action == "receive":
        assert {transfer_tasks.step(app, "ship", one) for one in made} == {"shipped"}
    jobs: list[tuple[Any, ...]] = []
    for one, owner in made.items():
        jobs += [(transfer_tasks.step, action, one), (transfer_tasks.give_up, one, owner, 2)]
    outcomes = crowd.run(database_url, jobs).values
    kept = 0
    for index, one in enumerate(made):
        moved, given = outcomes[2 * index], outcomes[2 * index + 1]
        with app.app_context():
            view = stock.transfer(one)
        if action == "receive":
            assert (moved, view.state) == ("received", "received")
            assert given in {"reduced", "arrived"}
            assert claimed(app, one) == (1 if given == "reduced" else 3)
            kept += claimed(app, one)
        elif action == "ship":
            assert (moved, given, view.state) == ("shipped", "reduced", "shipped")
            assert view.lines[0].promised == 1
            assert view.lines[0].shipped in {1, 3}
        else:
            assert (moved, view.state) == ("cancelled", "cancelled")
            assert given in {"reduced", "cancelled"}
    (w_on_hand, w_reserved, _), (s_on_hand, s_reserved, on_the_road) = level(api, "W"), level(api, "S")
    assert (w_on_hand + s_on_hand + on_the_road, w_reserved, s_reserved) == (40, 0, kept)


def test_doubts_sales_and_counts_at_one_place(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    """A place in doubt sells nothing, has one recount, and a till's sale there breaks no promise."""
    jobs: list[tuple[Any, ...]] = [(transfer_tasks.doubt, reason) for reason in ("not_found", "other", "damaged") * 4]
    jobs += [(transfer_tasks.sell, number) for number in range(6)]
    jobs += [(tasks.post, api.key, "/reservations", tasks.cart("W", ("X", 1)))] * 6
    done = crowd.run(database_url, jobs)
    recounts = {one for one in done.values[:12] if one is not None}
    sold = [status for status, _ in done.values[18:]].count(201)
    assert len(recounts) == 1
    on_hand, reserved, _ = level(api, "W")
    assert on_hand == 40 - 8 - 6
    assert api.get("/incidents").json["items"] == []
    (task,) = api.get("/recounts").json["items"]
    assert (task["id"], task["missing"], task["blocked"]) == (recounts.pop(), 8, reserved - sold)
    assert tasks.post(app, api.key, "/reservations", tasks.cart("W", ("X", 1)))[0] == 409
    outcomes = crowd.run(
        database_url, [(tasks.post, api.key, f"/recounts/{task['id']}/done", {"counted": 20})] * 6
    ).values
    assert Counter(status for status, _ in outcomes) == {200: 1, 409: 5}
    assert level(api, "W") == (20, sold, 0)
