"""Races for a slot's last place and for picking hours, over several processes. A twin has the guard off."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from flask import Flask

from app.core.db import db
from tests.concurrency import slot_tasks as tasks
from tests.concurrency.crowd import Crowd
from tests.factories import make_store

RIVALS = 32
NOON = "2030-11-24T12:00+09:00"


def shop(api: Any, **settings: Any) -> None:
    pickup = {"enabled": True, "lead_minutes": 60, "hold_days": 7, "slot_minutes": 30, "slot_capacity": 1000}
    make_store(api, "S1", pickup=pickup | settings)


def taken(app: Flask, purpose: str) -> list[int]:
    """What is taken of each hour or slot, in their order."""
    text = "SELECT taken FROM place_slot WHERE purpose = :purpose ORDER BY starts_at"
    with app.app_context():
        return list(db.session.execute(db.text(text), {"purpose": purpose}).scalars())


@pytest.mark.parametrize("capacity", [1, 5, 17, 31, 32, 40])
def test_a_slot_takes_as_many_as_it_has_places(api, app: Flask, crowd: Crowd, database_url: str, capacity: int) -> None:
    shop(api, slot_capacity=capacity)
    done = crowd.run(database_url, [(tasks.slot, "S1", NOON)] * RIVALS)
    accepted = min(capacity, RIVALS)
    assert Counter(done.values) == Counter({"booked": accepted, "slot-full": RIVALS - accepted}) - Counter()
    assert taken(app, "collecting") == [accepted]
    assert done.deadlocks == 0


@pytest.mark.parametrize("_round", range(4))
def test_a_slots_last_place_is_given_once(api, app: Flask, crowd: Crowd, database_url: str, _round: int) -> None:
    shop(api, slot_capacity=10)
    assert [tasks.slot(app, "S1", NOON) for _ in range(9)] == ["booked"] * 9
    answers = crowd.run(database_url, [(tasks.slot, "S1", NOON)] * RIVALS).values
    assert Counter(answers) == {"booked": 1, "slot-full": RIVALS - 1}
    assert taken(app, "collecting") == [10]


def test_twin_looked_at_first_the_last_place_is_given_again(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api, slot_capacity=1)
    answers = crowd.run(database_url, [(tasks.slot, "S1", NOON)] * RIVALS, rig=tasks.look_then_take).values
    assert Counter(answers)["booked"] >= 8
    assert taken(app, "collecting")[0] >= 8


def test_places_given_back_are_taken_by_others_and_counted_right(
    api, app: Flask, crowd: Crowd, database_url: str
) -> None:
    shop(api, slot_capacity=12)
    jobs = [(tasks.slot if n % 4 == 0 else tasks.slot_and_back, "S1", NOON) for n in range(48)]
    answers = Counter(crowd.run(database_url, jobs).values)
    assert answers.total() == 48
    assert taken(app, "collecting") == [answers["booked"]]
    assert 1 <= answers["booked"] <= 12


@pytest.mark.parametrize("capacity", [1, 3, 8, 40])
def test_no_picking_hour_holds_more_than_its_orders(
    api, app: Flask, crowd: Crowd, database_url: str, capacity: int
) -> None:
    shop(api, orders_per_hour=capacity)
    done = crowd.run(database_url, [(tasks.work, "S1", NOON)] * RIVALS)
    found = Counter(done.values)
    whole, rest = divmod(RIVALS, capacity)
    assert [found[hour] for hour in sorted(found)] == [capacity] * whole + ([rest] if rest else [])
    assert taken(app, "picking") == [found[hour] for hour in sorted(found)]
    assert done.deadlocks == 0


def test_twin_looked_at_first_an_hour_is_overbooked(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api, orders_per_hour=1)
    crowd.run(database_url, [(tasks.work, "S1", NOON)] * RIVALS, rig=tasks.look_then_take)
    assert max(taken(app, "picking")) >= 8


def test_an_order_has_both_its_hour_and_its_slot_or_neither(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api, orders_per_hour=4, slot_capacity=10)
    done = crowd.run(database_url, [(tasks.order, "S1", NOON)] * RIVALS)
    assert Counter(done.values) == {"booked": 10, "slot-full": RIVALS - 10}
    assert sum(taken(app, "picking")) == 10
    assert max(taken(app, "picking")) <= 4
    assert taken(app, "collecting") == [10]
    assert done.deadlocks == 0
