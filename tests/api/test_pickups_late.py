"""A tablet without network tells afterwards what it handed over: a fact, bounded by its moment, and never lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, problem, shop, token_of

READY_AT = "2026-11-22T15:10+09:00"
IN_TIME = "2026-11-29T20:30:00+09:00"
DEADLINE = "2026-11-29T21:00+09:00"


@pytest.fixture
def shown(api, clock):
    """The pickup of a paid order for two A and one B, ready until the 29th, 21:00."""
    clock(READY_AT)
    shop(api)
    made = order(api)
    bring(api, made["pickup"], "ready")
    return made["pickup"] | {"order": made["id"]}


def tell(api: Any, shown: dict[str, Any], at: str = IN_TIME, nonce: str | None = "n1", device: str = "t", **over: Any):
    body = {"token": token_of(shown), "occurred_at": at} | ({"nonce": nonce} if nonce else {}) | over
    return api.post(f"/pickups/{shown['id']}/hand-over", body, headers={"X-Device-Id": device})


def given(app: Any) -> list[tuple[Any, ...]]:
    return rows(app, "SELECT sku, quantity FROM stock_movement WHERE kind = 'pickup' ORDER BY id")


def outcomes(app: Any) -> list[str]:
    return [outcome for (outcome,) in rows(app, "SELECT outcome FROM pickup_scan ORDER BY id")]


def conflicts(app: Any) -> int:
    return int(rows(app, "SELECT count(*) FROM outbox_event WHERE topic = 'pickup.conflict'")[0][0])


def test_past_a_deadline_nobody_swept_it_is_a_hand_over_like_any_other(api, app, clock, shown):
    clock("2026-11-29T22:00+09:00")
    answer = tell(api, shown)
    assert (answer.status_code, answer.json["state"], answer.json["conflict"]) == (200, "collected", None)
    assert answer.json["collected_at"] == "2026-11-29T11:30:00.000Z"
    assert given(app) == [("A", -2), ("B", -1)]
    assert api.get(f"/orders/{shown['order']}").json["state"] == "completed"
    again = tell(api, shown)
    assert (again.status_code, again.json) == (200, answer.json)
    assert outcomes(app) == ["done"]


@pytest.mark.parametrize(
    "told",
    [(DEADLINE, "n1"), ("2026-11-22T15:09:59+09:00", "n1"), ("2026-11-29T22:00:01+09:00", "n1"), (IN_TIME, None)],
)
def test_what_cannot_be_believed_is_judged_by_now(api, app, clock, shown, told):
    clock("2026-11-29T22:00+09:00")
    problem(tell(api, shown, *told), 409, "pickup-expired")
    assert (given(app), outcomes(app)) == ([], ["pickup-expired"])


def test_after_it_expired_the_goods_still_leave_and_somebody_looks_at_it(api, app, clock, run_jobs, shown):
    clock("2026-11-29T22:00+09:00")
    run_jobs()
    goods_leave(api, app, shown, "expired")


def test_after_it_was_cancelled_the_same(api, app, clock, shown):
    clock("2026-11-29T20:45+09:00")
    act(api, shown["id"], "cancel", {"reason": "customer"})
    goods_leave(api, app, shown, "cancelled")


def goods_leave(api: Any, app: Any, shown: dict[str, Any], end: str) -> None:
    assert level(app, "A", "S1") == (10, 2)
    answer = tell(api, shown)
    assert (answer.status_code, answer.json["state"]) == (200, end)
    assert (answer.json["conflict"], answer.json["reshelve"]) == ("given-after-end", "done")
    assert [line["collected"] for line in answer.json["lines"]] == [2, 1]
    assert given(app) == [("A", -2), ("B", -1)]
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((8, 0), (9, 0))
    assert rows(app, "SELECT count(*) FROM claim WHERE state = 'reserved'") == [(0,)]
    assert tell(api, shown).json == answer.json
    assert (outcomes(app), conflicts(app)) == (["given-after-end"], 1)
    assert [one["id"] for one in api.get("/pickups?conflict=1").json["items"]] == [shown["id"]]
    assert api.get("/pickups?conflict=0").json["items"] == []


def test_an_end_before_the_hand_over_stands(api, app, clock, shown):
    clock("2026-11-29T20:00+09:00")
    act(api, shown["id"], "cancel", {"reason": "customer"})
    clock("2026-11-29T20:45+09:00")
    problem(tell(api, shown), 409, "illegal-transition")
    assert (given(app), outcomes(app), level(app, "A", "S1")) == ([], ["illegal-transition"], (10, 2))


def test_what_is_back_on_the_shelf_leaves_no_second_time(api, app, clock, shown):
    clock("2026-11-29T20:45+09:00")
    act(api, shown["id"], "cancel", {"reason": "customer"})
    act(api, shown["id"], "reshelve", {"lines": [{"sku": "A", "quantity": 2}]})
    answer = tell(api, shown)
    assert (answer.json["conflict"], answer.json["reshelve"]) == ("given-and-returned", "done")
    assert given(app) == [("B", -1)]
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((10, 0), (9, 0))


def test_two_tablets_without_network_gave_it_both(api, app, clock, shown):
    clock("2026-11-29T20:45+09:00")
    assert tell(api, shown, device="t-1").json["conflict"] is None
    second = tell(api, shown, "2026-11-29T20:31:00+09:00", "n2", "t-2")
    assert (second.status_code, second.json["state"], second.json["conflict"]) == (200, "collected", "given-twice")
    assert second.json["collected_at"] == "2026-11-29T11:30:00.000Z"
    assert given(app) == [("A", -2), ("B", -1)]
    assert tell(api, shown, "2026-11-29T20:31:00+09:00", "n2", "t-2").json == second.json
    assert (outcomes(app), conflicts(app)) == (["done", "given-twice"], 1)
    assert act(api, shown["id"], "undo")["state"] == "ready"
    assert level(app, "A", "S1") == (10, 2)


def test_pieces_the_order_gave_up_meanwhile_leave_with_the_rest(api, app, clock, shown):
    clock("2026-11-29T20:45+09:00")
    gone = {"lines": [{"line_ref": "1", "quantity": 1}], "reason": "customer"}
    assert api.post(f"/orders/{shown['order']}/cancel", gone).status_code == 200
    lines = [{"line_ref": "1", "quantity": 2}, {"line_ref": "2", "quantity": 1}]
    answer = tell(api, shown, lines=lines)
    assert (answer.json["state"], answer.json["conflict"]) == ("collected", "given-after-end")
    assert given(app) == [("A", -1), ("B", -1), ("A", -1)]
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((8, 0), (9, 0))
    assert outcomes(app) == ["done", "given-after-end"]


def test_a_lent_pass_counts_as_it_stood_then(api, app, clock, shown):
    lent = act(api, shown["id"], "proxy", {"lend_minutes": 60})["proxy"]
    clock("2026-11-22T17:00+09:00")
    act(api, shown["id"], "proxy", {"remove": lent["id"]})
    problem(tell(api, shown, "2026-11-22T16:10:00+09:00", "n1", token=lent["token"]), 409, "proxy-ended")
    answer = tell(api, shown, "2026-11-22T16:09:59+09:00", "n2", token=lent["token"])
    assert (answer.status_code, answer.json["state"]) == (200, "collected")


def test_a_forged_token_is_no_fact(api, app, clock, shown):
    clock("2026-11-29T22:00+09:00")
    problem(tell(api, shown, token="0" * 26), 404, "unknown-pickup")
    problem(tell(api, shown, lines=[{"sku": "Z", "quantity": 1}]), 409, "wrong-item")
    assert (given(app), outcomes(app)) == ([], ["unknown-pickup", "wrong-item"])
