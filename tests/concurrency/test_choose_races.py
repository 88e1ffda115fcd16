"""Races about a pickup that cannot be kept as it was promised, over several processes; twins whose guard is off fail.

After each the books are right, and every open claim is as big as what its living owner still owes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app import stock
from app.core import clock
from app.core.db import ask_one, db, use_case
from app.core.sql import Sql
from bopis import watching
from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, shop, token_of
from tests.concurrency import choose_tasks as tasks
from tests.concurrency import pickup_tasks
from tests.concurrency.crowd import Crowd
from tests.factories import make_store
from tests.property.books import Books
from tests.till import line, sale

HONEST = {"done", "illegal-transition", "nothing-to-choose", "option-not-offered"}
_LATE = Sql("UPDATE pickup SET accept_by = clock_timestamp() - interval '1 second' WHERE id = CAST(:id AS uuid)")


@pytest.fixture(autouse=True)
def sound(app: Flask, request: pytest.FixtureRequest) -> Iterator[None]:
    """After every race the books are right; a twin breaks them on purpose."""
    yield
    if "twin" not in request.node.name:
        assert broken(app) == []


def broken(app: Flask) -> list[str]:
    with app.app_context():
        found = [result.name for result in stock.check.check().results if not result.holds]
        faults = Books(clock.now()).faults()
        db.session.remove()
    return found + faults


def codes(answers: list[tuple[int, Any]]) -> Counter[str]:
    return Counter("done" if status < 300 else answer["type"].removeprefix("/problems/") for status, answer in answers)


def asked(api: Any, app: Flask, ref: str) -> dict[str, Any]:
    """A pickup of one A that its store did not accept in time."""
    made = order(api, ref, [("1", "A", 1, 1100)])
    for _ in range(2):
        with app.app_context():
            use_case(lambda: ask_one(_LATE, {"id": made["pickup"]["id"]}))()
            watching.escalate(pickup_id=made["pickup"]["id"])
    return made


def lacking(api: Any, ref: str) -> dict[str, Any]:
    """One A waits, another was damaged: the customer may choose what becomes of it."""
    made = order(api, ref, [("1", "A", 2, 1100)])
    pickup_id = made["pickup"]["id"]
    for action, body in (
        ("accept", None), ("start", None), ("short", {"sku": "A", "quantity": 1, "reason": "damaged"}),
        ("pick", {"lines": [{"sku": "A", "quantity": 1}]}), ("ready", {}),
    ):  # fmt: skip
        act(api, pickup_id, action, body)
    return made


THERE = {"option": "other_store", "location": "S2"}


def chosen_accepted_cancelled(api: Any, app: Flask, crowd: Crowd, url: str, rig: Any = None) -> list[list[Any]]:
    shop(api, A=20)
    make_store(api, "S2", {"A": 20}, latitude=35.7)
    made = [asked(api, app, f"EC-{n}") for n in range(4)]
    jobs: list[tuple[Any, ...]] = []
    for one in made:
        pickup_id = one["pickup"]["id"]
        jobs += [
            (tasks.act, api.key, f"{pickup_id}/choose", THERE),
            (tasks.act, api.key, f"{pickup_id}/choose", {"option": "wait"}),
            (tasks.act, api.key, f"{pickup_id}/accept"),
            (tasks.act, api.key, f"{pickup_id}/cancel", {"reason": "race"}),
            (tasks.cancel_order, api.key, one["id"]),
            (tasks.act, api.key, f"{pickup_id}/request-cancel", {}),
        ]
    outcomes = crowd.run(url, jobs, rig=rig).outcomes
    return [[one.value for one in outcomes[6 * n : 6 * n + 6] if not one.error] for n in range(len(made))]


def test_choosing_accepting_and_cancelling_at_once_has_one_end(
    api, app: Flask, crowd: Crowd, database_url: str
) -> None:
    answers = chosen_accepted_cancelled(api, app, crowd, database_url)
    moved = 0
    for mine in answers:
        assert set(codes(mine)) <= HONEST
        assert len(mine) == 6
        moved += mine[0][0] == 200
    ended = Counter(state for (state,) in rows(app, "SELECT state FROM sales_order"))
    # Moved to the other store, somebody may still have cancelled the order there; nowhere else is anything kept.
    kept = sum(level(app, "A", place)[1] for place in ("S1", "S2"))
    assert (level(app, "A", "S1"), ended["placed"] + ended["cancelled"]) == ((20, 0), 4)
    assert kept == ended["placed"] <= moved


def test_twin_without_the_lock_a_rival_hears_of_the_claim(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    answers = chosen_accepted_cancelled(api, app, crowd, database_url, rig=pickup_tasks.no_pickup_lock)
    found = sum((codes(mine) for mine in answers), Counter[str]())
    assert set(found) - HONEST or sum(found.values()) < 24


def chosen_by_many(api: Any, crowd: Crowd, database_url: str, rig: Any = None) -> tuple[dict[str, Any], list[Any]]:
    shop(api)
    make_store(api, "S2", {"A": 20}, latitude=35.7)
    made = lacking(api, "EC-1")
    jobs = [(tasks.act, api.key, f"{made['pickup']['id']}/choose", THERE, f"phone-{n}") for n in range(8)]
    return made, crowd.run(database_url, jobs, rig=rig).outcomes


def test_chosen_at_eight_devices_it_moves_once(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    made, outcomes = chosen_by_many(api, crowd, database_url)
    assert codes([one.value for one in outcomes]) == {"done": 1, "nothing-to-choose": 7}
    assert (level(app, "A", "S1"), level(app, "A", "S2")) == ((9, 1), (20, 1))
    ways = api.get(f"/orders/{made['id']}").json["fulfilments"]
    assert [(way["location"], way["pickup"]["state"]) for way in ways] == [("S1", "ready"), ("S2", "requested")]


def test_twin_chosen_by_looking_it_moves_often(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    chosen_by_many(api, crowd, database_url, rig=tasks.blind)
    assert level(app, "A", "S2")[1] > 1
    assert any("open" in fault and "owed" in fault for fault in broken(app))


def travelling(api: Any, app: Flask, crowd: Crowd, database_url: str, rig: Any = None) -> list[Any]:
    """Goods that arrive, while the order, the store and the customer give them up."""
    shop(api)
    make_store(api, "W1", {"A": 40}, kind="warehouse", latitude=35.9, pickup=None)
    way = {"method": "pickup", "location": "S1", "ship_from": "W1"}
    made = [order(api, f"EC-{n}", [("1", "A", 2, 1100)], fulfilment=way) for n in range(6)]
    roads = dict(rows(app, "SELECT CAST(for_id AS text), CAST(id AS text) FROM transfer"))
    jobs: list[tuple[Any, ...]] = [(tasks.listen,)]
    for n, one in enumerate(made):
        pickup_id = one["pickup"]["id"]
        assert api.post(f"/transfers/{roads[one['id']]}/ship").status_code == 200
        ends = [
            (tasks.cancel_order, api.key, one["id"]),
            (tasks.act, api.key, f"{pickup_id}/cancel", {"reason": "race"}),
            (tasks.act, api.key, f"{pickup_id}/request-cancel", {}),
        ]
        jobs += [(tasks.step, api.key, roads[one["id"]], "receive"), ends[n % 3], ends[(n + 1) % 3]]
    outcomes = crowd.run(database_url, jobs, rig=rig).outcomes
    with app.app_context():
        tasks.listen(app)
    return [outcomes[1 + 3 * n : 4 + 3 * n] for n in range(len(made))]


def test_goods_arrive_while_they_are_given_up_and_nothing_leaks(
    api, app: Flask, crowd: Crowd, database_url: str
) -> None:
    for received, *ends in travelling(api, app, crowd, database_url):
        assert codes([received.value]) == {"done": 1}
        assert codes([one.value for one in ends]) == {"done": 1, "illegal-transition": 1}
    assert rows(app, "SELECT state, count(*) FROM pickup GROUP BY state") == [("cancelled", 6)]
    assert rows(app, "SELECT state, count(*) FROM sales_order GROUP BY state") == [("cancelled", 6)]
    assert (level(app, "A", "W1"), level(app, "A", "S1")) == ((28, 0), (22, 0))


def test_twin_deaf_to_what_arrives_claims_leak(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    travelling(api, app, crowd, database_url, rig=tasks.deaf)
    assert level(app, "A", "S1")[1] > 0
    assert "claims of orders live" in broken(app)


def paid_and_given(api: Any, app: Flask, crowd: Crowd, database_url: str, rig: Any = None) -> Any:
    """A till sells what waits, while a clerk gives it by the QR code."""
    shop(api, A=20)
    made = [order(api, f"EC-{n}", [("1", "A", 1, 1100)], pay="due") for n in range(5)]
    jobs: list[tuple[Any, ...]] = []
    for n, one in enumerate(made):
        bring(api, one["pickup"], "ready")
        paid = sale(n, [line("A", 1, 1100)], 1100, pickup_code=one["pickup"]["code"], terminal=str(n))
        jobs += [
            (tasks.post, api.key, "/pos/sales", paid),
            (tasks.act, api.key, f"{one['pickup']['id']}/hand-over", {"token": token_of(one["pickup"])}, f"t-{n}"),
        ]
    # The twin's rivals meet in one process: only there they are at the same point together.
    return crowd.run(database_url, jobs, rig=rig, processes=1 if rig is not None else None)


def test_a_till_and_a_clerk_give_the_goods_once(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    done = paid_and_given(api, app, crowd, database_url)
    for n in range(5):
        (_, receipt), (status, told) = done.values[2 * n : 2 * n + 2]
        problems = [problem["code"] for problem in receipt["problems"]]
        by_till = status == 409
        assert (receipt["state"], problems) == ("posted", [] if by_till else ["collected-before"])
        assert told.get("type") == ("/problems/already-collected" if by_till else None)
    assert level(app, "A", "S1") == (15, 0)
    assert rows(app, "SELECT sum(quantity) FROM stock_movement WHERE kind IN ('pickup', 'sale')") == [(-5,)]
    assert rows(app, "SELECT state, count(*) FROM sales_order GROUP BY state") == [("completed", 5)]
    assert done.deadlocks == 0


def test_twin_without_the_lock_till_and_clerk_are_in_each_others_way(
    api, app: Flask, crowd: Crowd, database_url: str
) -> None:
    done = paid_and_given(api, app, crowd, database_url, rig=pickup_tasks.no_pickup_lock)
    assert done.deadlocks > 0 or level(app, "A", "S1")[0] < 15


def test_twin_without_the_lock_a_lent_pass_and_its_end_do_not_hear_each_other(
    api, crowd: Crowd, database_url: str
) -> None:
    shop(api)
    jobs: list[tuple[Any, ...]] = []
    for n in range(4):
        shown = order(api, f"EC-{n}", [("1", "A", 1, 1100)])["pickup"]
        bring(api, shown, "ready")
        lent = act(api, shown["id"], "proxy", {"lend_minutes": 60})["proxy"]
        jobs += [
            (tasks.act, api.key, f"{shown['id']}/hand-over", {"token": lent["token"]}, f"t-{n}"),
            (tasks.act, api.key, f"{shown['id']}/proxy", {"remove": lent["id"]}),
        ]
    outcomes = crowd.run(database_url, jobs, rig=pickup_tasks.no_pickup_lock, processes=1).outcomes
    told = ["error" if one.error else next(iter(codes([one.value]))) for one in outcomes]
    honest = {("done", "illegal-transition"), ("proxy-ended", "done")}
    assert set(zip(told[::2], told[1::2], strict=True)) - honest
