"""Every (state, action) pair over HTTP: what the table allows works, the rest is refused and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bopis.states import PICKUP, PickupState, actions
from tests.api.orders_kit import rows
from tests.api.pickups_kit import act, bring, order, pick_all, problem, shop, token_of
from tests.factories import make_store

NOON = "2026-11-22T12:00+09:00"
ACTIONS = (
    "accept", "start", "pick", "short", "ready", "hand-over", "undo", "extend", "cancel", "reissue", "unlock",
    "arrived", "proxy", "request-cancel", "decline-cancel",
)  # fmt: skip
UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def body_of(action: str, shown: dict[str, Any]) -> dict[str, Any] | None:
    return {
        "pick": {"lines": [{"sku": "A", "quantity": 1}]},
        "short": {"sku": "A", "quantity": 1, "reason": "not_found"},
        "hand-over": {"token": token_of(shown)},
        "extend": {"until": "2026-12-05T21:00:00+09:00"},
        "cancel": {"reason": "test"},
        "proxy": {"name": "山田太郎"},
        "decline-cancel": {"reason": "test"},
    }.get(action)


def arrive(api: Any, clock: Any, run_jobs: Any, shown: dict[str, Any], *, state: str, action: str) -> None:
    """Stand in `state`, with whatever else `action` needs."""
    if state == "awaiting_transfer":
        return
    if state == "awaiting_customer":
        ask(api, clock, run_jobs, shown, action)
        return
    if state == "expired":
        bring(api, shown, "ready")
        clock("2026-11-29T21:00+09:00")
        return
    bring(api, shown, state)
    if (state, action) == ("picking", "ready"):
        pick_all(api, shown["id"])
    if (state, action) == ("ready", "undo"):
        given = [{"sku": "B", "quantity": 1}]
        act(api, shown["id"], "hand-over", {"token": token_of(shown), "lines": given})
    if action == "decline-cancel" and state in {"picking", "ready"}:
        act(api, shown["id"], "request-cancel")


def ask(api: Any, clock: Any, run_jobs: Any, shown: dict[str, Any], action: str) -> None:
    """Let the customer be asked, in a way that `action` follows upon."""
    if action == "accept":
        for late in ("2026-11-22T13:00+09:00", "2026-11-22T14:00+09:00"):
            clock(late)
            run_jobs()
        return
    bring(api, shown, "picking")
    missing = [{"sku": "B", "quantity": 1, "reason": "damaged"}]
    if action != "undo":
        missing.append({"sku": "A", "quantity": 2, "reason": "damaged"})
    for one in missing:
        act(api, shown["id"], "short", one)
    if action == "undo":
        act(api, shown["id"], "pick", {"lines": [{"sku": "A", "quantity": 2}]})
        act(api, shown["id"], "ready")
        act(api, shown["id"], "hand-over", {"token": token_of(shown)})


def opened(api: Any, state: str) -> dict[str, Any]:
    """The pickup of an order; one that waits for its goods has them sent from the warehouse."""
    if state != "awaiting_transfer":
        return dict(order(api)["pickup"])
    make_store(api, "W1", {"A": 10, "B": 10}, kind="warehouse", pickup=None)
    return dict(order(api, fulfilment={"method": "pickup", "location": "S1", "ship_from": "W1"})["pickup"])


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", [str(state) for state in PickupState])
def test_each_action_in_each_state(api, clock, run_jobs, state, action):
    clock(NOON)
    shop(api)
    shown = opened(api, state)
    arrive(api, clock, run_jobs, shown, state=state, action=action)
    before = api.get(f"/pickups/{shown['id']}").json
    assert before["state"] == state
    answer = api.post(f"/pickups/{shown['id']}/{action}", body_of(action, shown))
    if (PickupState(state), action) in PICKUP:
        assert answer.status_code == 200, answer.text
        assert answer.json["state"] == PICKUP[PickupState(state), action]
        return
    special = {("collected", "hand-over"): "already-collected", ("expired", "hand-over"): "pickup-expired"}
    code = special.get((state, action), "illegal-transition")
    refused = problem(answer, 409, code)
    if code == "illegal-transition":
        assert (refused["state"], refused["allowed"]) == (state, actions(PickupState(state)))
    assert api.get(f"/pickups/{shown['id']}").json == before


@pytest.mark.parametrize("action", [*ACTIONS, "reshelve"])
def test_who_may_do_it(api, make_api, app, clock, action):
    clock(NOON)
    shop(api)
    shown = order(api)["pickup"]
    path, body = f"/pickups/{shown['id']}/{action}", body_of(action, shown)
    before = api.get(f"/pickups/{shown['id']}").json
    weak = make_api("orders:write", "pickups:read")
    assert weak.post(path, body).status_code == 403
    weak.key = "hk_nobody"
    assert weak.post(path, body).status_code == 401
    problem(api.post(path, body, key=None), 400, "idempotency-key-required")
    for stranger in (make_api(locations=("S2",)), make_api(channels=("mall",))):
        problem(stranger.post(path, body), 404, "unknown-pickup")
    for bad in (UNKNOWN, "x"):
        problem(api.post(f"/pickups/{bad}/{action}", body), 404, "unknown-pickup")
    assert api.get(f"/pickups/{shown['id']}").json == before


@pytest.mark.parametrize(
    ("action", "body", "pointer", "fault"),
    [
        ("pick", {"lines": []}, "/lines", "length"),
        ("pick", {"lines": [{"sku": "A", "quantity": 0}]}, "/lines/0/quantity", "out-of-range"),
        ("pick", {"lines": [{"quantity": 1}]}, "/lines/0", "sku-or-barcode"),
        ("pick", {"lines": [{"sku": "A", "barcode": "4901234567894", "quantity": 1}]}, "/lines/0", "sku-or-barcode"),
        ("pick", {}, "/lines", "required"),
        ("short", {"sku": "A", "quantity": 1, "reason": "rain"}, "/reason", "not-allowed"),
        ("short", {"sku": "A", "quantity": 1.5, "reason": "other"}, "/quantity", "not-integer"),
        ("ready", {"shelf": ""}, "/shelf", "length"),
        ("hand-over", {}, "", "token-or-pin"),
        ("hand-over", {"code": "ABCD2345"}, "", "token-or-pin"),
        ("hand-over", {"token": "T", "code": "ABCD2345", "pin": "123456"}, "", "token-or-pin"),
        ("hand-over", {"token": "T", "receiver": "dog"}, "/receiver", "not-allowed"),
        ("hand-over", {"token": "T", "identity_checked": 1}, "/identity_checked", "not-boolean"),
        ("hand-over", {"token": "T", "occurred_at": "2026-11-22T12:00:00"}, "/occurred_at", "not-instant"),
        (
            "hand-over",
            {"token": "T", "lines": [{"sku": "A", "line_ref": "1", "quantity": 1}]},
            "/lines/0",
            "sku-or-line",
        ),
        ("extend", {"until": "tomorrow"}, "/until", "not-instant"),
        ("hand-over", {"token": "T", "proxy": "x"}, "/proxy", "not-id"),
        ("arrived", {"note": ""}, "/note", "length"),
        ("arrived", {"note": "n" * 201}, "/note", "length"),
        ("proxy", {}, "", "one-of-proxy"),
        ("proxy", {"name": "山田太郎", "lend_minutes": 60}, "", "one-of-proxy"),
        ("proxy", {"name": " "}, "/name", "length"),
        ("proxy", {"lend_minutes": 4}, "/lend_minutes", "out-of-range"),
        ("proxy", {"lend_minutes": 4321}, "/lend_minutes", "out-of-range"),
        ("proxy", {"remove": "everybody"}, "/remove", "not-id-or-all"),
        ("request-cancel", {"reason": "r" * 201}, "/reason", "length"),
        ("decline-cancel", {}, "/reason", "required"),
        ("cancel", {}, "/reason", "required"),
        ("cancel", {"reason": "a", "why": "b"}, "/why", "unknown-field"),
        ("reshelve", {"lines": [{"sku": "A"}]}, "/lines/0/quantity", "required"),
    ],
)
def test_what_cannot_be_read(api, action, body, pointer, fault):
    refused = problem(api.post(f"/pickups/{UNKNOWN}/{action}", body), 422, "invalid")
    assert (pointer, fault) in [(e["pointer"], e["code"]) for e in refused["errors"]]


def test_the_same_key_acts_once_and_answers_the_same_bytes(api, app, clock):
    clock(NOON)
    shop(api)
    shown = order(api)["pickup"]
    for action in ("accept", "start", "pick"):
        first = api.post(f"/pickups/{shown['id']}/{action}", body_of(action, shown), key=f"k-{action}")
        again = api.post(f"/pickups/{shown['id']}/{action}", body_of(action, shown), key=f"k-{action}")
        assert (first.status_code, again.data) == (200, first.data)
        assert again.headers["Idempotency-Replayed"] == "true"
    line = api.get(f"/pickups/{shown['id']}").json["lines"][0]
    assert (line["ordered"], line["picked"]) == (2, 1)


def test_events_are_told_in_order_without_gaps(api, app, clock):
    clock(NOON)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    act(api, shown["id"], "extend", {"until": "2026-12-05T21:00:00+09:00"})
    act(api, shown["id"], "hand-over", {"token": token_of(shown), "lines": [{"line_ref": "2", "quantity": 1}]})
    act(api, shown["id"], "hand-over", {"token": token_of(shown)})
    act(api, shown["id"], "undo")
    act(api, shown["id"], "cancel", {"reason": "test"})
    told = rows(app, "SELECT topic, sequence FROM outbox_event WHERE aggregate_type = 'pickup' ORDER BY sequence")
    topics = ["requested", "accepted", "picking", "ready", "extended"]
    topics += ["partly_collected", "collected", "reopened", "cancelled"]
    assert told == [(f"pickup.{topic}", number) for number, topic in enumerate(topics, start=1)]
