"""Races for the counter's new doors: PINs tried at once, a lent pass taken back, one extension, waves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app import stock
from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, shop, token_of
from tests.concurrency import pickup_tasks as tasks
from tests.concurrency.crowd import Crowd


@pytest.fixture(autouse=True)
def sound(app: Flask) -> Iterator[None]:
    """After every race, the twins' too, the books are right."""
    yield
    with app.app_context():
        assert [result for result in stock.check.check().results if not result.holds] == []


def ready(api: Any, ref: str = "EC-1") -> dict[str, Any]:
    """A pickup of one A that waits."""
    made = order(api, ref, [("1", "A", 1, 1100)])
    bring(api, made["pickup"], "ready")
    return dict(made["pickup"])


def codes(answers: list[tuple[int, Any]]) -> Counter[str]:
    return Counter("done" if status < 300 else answer["type"].removeprefix("/problems/") for status, answer in answers)


def guesses(api: Any, shown: dict[str, Any], number: int) -> list[tuple[Any, ...]]:
    wrong = "000000" if shown["pin"] != "000000" else "000001"
    body = {"code": shown["code"], "pin": wrong}
    return [(tasks.act, api.key, f"{shown['id']}/hand-over", body, f"tablet-{n}") for n in range(number)]


def test_of_twenty_wrong_pins_at_once_five_are_compared(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    answers = crowd.run(database_url, guesses(api, shown, 20)).values
    assert codes(answers) == {"wrong-pin": 5, "pin-locked": 15}
    left = sorted(answer["attempts_left"] for _, answer in answers if "attempts_left" in answer)
    assert left == [0, 1, 2, 3, 4]
    assert rows(app, "SELECT pin_tries FROM pickup") == [(5,)]
    assert Counter(rows(app, "SELECT outcome FROM pickup_scan")) == {("wrong-pin",): 5, ("pin-locked",): 15}


def test_the_right_pin_among_many_wrong_ones_gets_no_sixth_try(api, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    right = (tasks.act, api.key, f"{shown['id']}/hand-over", {"code": shown["code"], "pin": shown["pin"]}, "me")
    found = codes(crowd.run(database_url, [*guesses(api, shown, 15), right]).values)
    if found["done"]:
        assert found["wrong-pin"] <= 5
    else:
        assert found == {"wrong-pin": 5, "pin-locked": 11}


def test_twin_without_turns_more_than_five_are_compared(api, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    answers = crowd.run(database_url, guesses(api, shown, 8), rig=tasks.no_turns, processes=1).values
    assert codes(answers) == {"wrong-pin": 8}


def test_a_lent_pass_collects_or_is_taken_back(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api)
    waiting = [ready(api, f"EC-{n}") for n in range(6)]
    jobs: list[tuple[Any, ...]] = []
    for shown in waiting:
        lent = act(api, shown["id"], "proxy", {"lend_minutes": 60})["proxy"]
        jobs += [
            (tasks.act, api.key, f"{shown['id']}/hand-over", {"token": lent["token"]}, "tablet-1"),
            (tasks.act, api.key, f"{shown['id']}/proxy", {"remove": lent["id"]}),
        ]
    done = crowd.run(database_url, jobs)
    assert done.deadlocks == 0
    collected = 0
    for n in range(6):
        given, taken = done.values[2 * n : 2 * n + 2]
        assert set(codes([given])) <= {"done", "proxy-ended"}
        assert codes([taken]) == ({"illegal-transition": 1} if given[0] == 200 else {"done": 1})
        collected += given[0] == 200
    assert level(app, "A", "S1") == (10 - collected, 6 - collected)


def test_many_taps_are_one_extension(api, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    answers = crowd.run(database_url, [(tasks.act, api.key, f"{shown['id']}/extend", {})] * 8).values
    assert codes(answers) == {"done": 1, "extension-limit": 7}
    assert api.get(f"/pickups/{shown['id']}").json["extensions"] == 1


def test_no_more_proxies_than_allowed(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api)
    shown = ready(api)
    jobs = [(tasks.act, api.key, f"{shown['id']}/proxy", {"name": f"代理{n}"}) for n in range(12)]
    assert codes(crowd.run(database_url, jobs).values) == {"done": 5, "too-many-proxies": 7}
    assert rows(app, "SELECT count(*) FROM pickup_pass") == [(5,)]


def test_two_waves_share_no_pickup(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api, A=20)
    made = [order(api, f"EC-{n}", [("1", "A", 1, 1100)])["pickup"]["id"] for n in range(8)]
    jobs: list[tuple[Any, ...]] = [(tasks.post, api.key, "/waves", {"location": "S1", "limit": 4})] * 4
    jobs += [(tasks.post, api.key, "/waves", {"location": "S1", "pickups": ids}) for ids in (made[:3], made[2::-1])]
    jobs += [(tasks.act, api.key, f"{pickup_id}/cancel", {"reason": "race"}) for pickup_id in made[3:5]]
    done = crowd.run(database_url, jobs)
    assert done.deadlocks == 0
    assert set(codes(done.values)) <= {"done", "nothing-to-pick", "in-another-wave", "illegal-transition"}
    walked = [one["id"] for status, answer in done.values if status == 201 for one in answer["pickups"]]
    assert len(walked) == len(set(walked))
    waves = rows(app, "SELECT count(*) FROM pickup WHERE wave_id IS NOT NULL")
    assert waves == [(len(walked),)]


def test_two_clerks_of_a_wave_pick_each_piece_once(api, app: Flask, crowd: Crowd, database_url: str) -> None:
    shop(api, A=20)
    made = [order(api, f"EC-{n}", [("1", "A", 2, 1100)])["pickup"] for n in range(3)]
    wave = api.post("/waves", {"location": "S1", "limit": 3}).json["id"]
    pick: tuple[Any, ...] = (tasks.post, api.key, f"/waves/{wave}/pick", {"sku": "A", "quantity": 1})
    mine = [(tasks.act, api.key, f"{made[0]['id']}/pick", {"lines": [{"sku": "A", "quantity": 1}]})] * 2
    done = crowd.run(database_url, [pick] * 8 + mine)
    assert done.deadlocks == 0
    assert codes(done.values) == {"done": 6, "picked-too-many": 4}
    assert rows(app, "SELECT picked FROM pickup_line") == [(2,), (2,), (2,)]


def test_hand_over_extend_cancel_and_the_customers_wish_at_once(api, app: Flask, crowd: Crowd, database_url: str):
    shop(api)
    waiting = [ready(api, f"EC-{n}") for n in range(6)]
    jobs: list[tuple[Any, ...]] = []
    for shown in waiting:
        jobs += [
            (tasks.act, api.key, f"{shown['id']}/{step}", body)
            for step, body in (
                ("hand-over", {"token": token_of(shown)}), ("extend", {}), ("cancel", {"reason": "race"}),
                ("request-cancel", {}), ("arrived", {"note": "3"}), ("reissue", None),
            )
        ]  # fmt: skip
    done = crowd.run(database_url, jobs)
    assert done.deadlocks == 0
    assert set(codes(done.values)) <= {
        "done", "illegal-transition", "already-collected", "unknown-pickup", "extension-limit",
    }  # fmt: skip
    states = Counter(api.get(f"/pickups/{shown['id']}").json["state"] for shown in waiting)
    assert states["collected"] + states["cancelled"] == 6
    assert level(app, "A", "S1") == (10 - states["collected"], states["cancelled"])
