"""The customer's own acts: here I am, one tap for more time, a wish to cancel; and what they pay in a mixed order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, problem, shop, token_of
from tests.factories import make_store

NOON = "2026-11-22T12:00+09:00"


@pytest.fixture
def shown(api, clock):
    clock(NOON)
    shop(api)
    return order(api)["pickup"]


def topics(app: Any) -> list[str]:
    found = rows(app, "SELECT topic FROM outbox_event WHERE aggregate_type = 'pickup' ORDER BY sequence")
    return [topic.removeprefix("pickup.") for (topic,) in found]


# --- here -------------------------------------------------------------------------------------------------------------


def test_the_store_sees_who_has_come_and_where_they_stand(api, app, clock, shown):
    bring(api, shown, "ready")
    clock("2026-11-22T15:00+09:00")
    first = act(api, shown["id"], "arrived", {"note": "駐車場 3番、赤い車"})
    assert (first["arrived_at"], first["arrival_note"]) == ("2026-11-22T06:00:00.000Z", "駐車場 3番、赤い車")
    clock("2026-11-22T15:02+09:00")
    assert act(api, shown["id"], "arrived")["arrival_note"] == "駐車場 3番、赤い車"
    moved = act(api, shown["id"], "arrived", {"note": "4番"})
    assert (moved["arrived_at"], moved["arrival_note"]) == ("2026-11-22T06:00:00.000Z", "4番")
    assert topics(app)[-2:] == ["ready", "arrived"]
    (sealed,) = rows(app, "SELECT arrival_sealed FROM pickup")[0]
    assert "4番".encode() not in bytes(sealed)
    assert "赤い車" not in str(rows(app, "SELECT payload FROM outbox_event"))


def test_whoever_comes_while_it_is_picked_is_seen_too(api, app, shown):
    bring(api, shown, "picking")
    assert act(api, shown["id"], "arrived")["arrived_at"] == "2026-11-22T03:00:00.000Z"
    assert api.get(f"/pickups/{shown['id']}").json["arrival_note"] is None


# --- more time --------------------------------------------------------------------------------------------------------


def test_one_tap_brings_three_days_to_closing_time_once(api, app, shown):
    assert bring(api, shown, "ready")["expires_at"] == "2026-11-29T12:00:00.000Z"
    after = act(api, shown["id"], "extend", {})
    assert (after["expires_at"], after["extensions"]) == ("2026-12-02T12:00:00.000Z", 1)
    refused = problem(api.post(f"/pickups/{shown['id']}/extend", {}), 409, "extension-limit")
    assert refused["most"] == "2026-12-02T12:00:00.000Z"
    assert act(api, shown["id"], "extend", {"until": "2026-12-05T21:00:00+09:00"})["extensions"] == 1
    told = str(rows(app, "SELECT payload FROM outbox_event WHERE topic = 'pickup.extended' ORDER BY sequence"))
    assert (told.count("customer"), told.count("store")) == (1, 1)


@pytest.mark.parametrize(
    ("days", "until"),
    [(1, "2026-11-24T12:00:00.000Z"), (3, "2026-11-28T12:00:00.000Z"), (26, "2026-12-21T12:00:00.000Z"), (27, None)],
)
def test_it_is_never_more_than_as_long_again_nor_more_than_thirty_days(api, clock, days, until):
    clock(NOON)
    shop(api)
    make_store(api, "S1", pickup={"enabled": True, "lead_minutes": 60, "hold_days": days})
    shown = order(api)["pickup"]
    before = bring(api, shown, "ready")["expires_at"]
    answer = api.post(f"/pickups/{shown['id']}/extend", {})
    if until is None:
        assert problem(answer, 409, "extension-limit")["most"] == before
    else:
        assert answer.json["expires_at"] == until


def test_past_its_deadline_nothing_is_extended(api, clock, shown):
    bring(api, shown, "ready")
    clock("2026-11-29T21:00+09:00")
    problem(api.post(f"/pickups/{shown['id']}/extend", {}), 409, "illegal-transition")


# --- the wish to cancel -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "reason"), [({"reason": "サイズ違い"}, "サイズ違い"), ({}, "customer")])
def test_until_picking_begins_the_wish_is_the_end(api, app, shown, body, reason):
    bring(api, shown, "accepted")
    after = act(api, shown["id"], "request-cancel", body)
    assert (after["state"], after["reason"], after["cancel_asked_at"]) == ("cancelled", reason, None)
    assert level(app, "A", "S1") == (10, 0)
    assert topics(app)[-1] == "cancelled"


@pytest.mark.parametrize("state", ["picking", "ready"])
def test_afterwards_the_store_is_asked_and_may_agree(api, app, shown, state):
    bring(api, shown, state)
    asked = act(api, shown["id"], "request-cancel", {"reason": "不要になった"})
    assert (asked["state"], asked["cancel_asked_at"], asked["reason"]) == (
        state, "2026-11-22T03:00:00.000Z", "不要になった",
    )  # fmt: skip
    act(api, shown["id"], "request-cancel")
    assert topics(app).count("cancel_requested") == 1
    assert level(app, "A", "S1") == (10, 2)
    ended = act(api, shown["id"], "cancel", {"reason": "お客様都合"})
    assert (ended["state"], ended["cancel_asked_at"], ended["reason"]) == ("cancelled", None, "お客様都合")


def test_or_the_store_declines_and_the_goods_are_collected(api, app, shown):
    bring(api, shown, "ready")
    problem(api.post(f"/pickups/{shown['id']}/decline-cancel", {"reason": "x"}), 409, "no-cancel-asked")
    act(api, shown["id"], "request-cancel")
    after = act(api, shown["id"], "decline-cancel", {"reason": "名入れ済みのため"})
    assert (after["state"], after["cancel_asked_at"], after["reason"]) == ("ready", None, "名入れ済みのため")
    problem(api.post(f"/pickups/{shown['id']}/decline-cancel", {"reason": "x"}), 409, "no-cancel-asked")
    assert act(api, shown["id"], "hand-over", {"token": token_of(shown)})["state"] == "collected"
    assert topics(app)[-3:] == ["cancel_requested", "cancel_declined", "collected"]


def test_a_customer_who_comes_after_all_has_it(api, shown):
    bring(api, shown, "ready")
    act(api, shown["id"], "request-cancel")
    after = act(api, shown["id"], "hand-over", {"token": token_of(shown)})
    assert (after["state"], after["cancel_asked_at"]) == ("collected", None)


# --- what is due at the counter ---------------------------------------------------------------------------------------


def test_what_is_due_is_the_orders_and_with_it_collected_nothing(api, clock):
    clock(NOON)
    shop(api)
    shown = order(api, pay="due")["pickup"]
    bring(api, shown, "ready")
    assert api.get(f"/pickups/{shown['id']}").json["amount_due"] == 2740
    part = act(api, shown["id"], "hand-over", {"token": token_of(shown), "lines": [{"sku": "B", "quantity": 1}]})
    assert part["amount_due"] == 2200
    assert act(api, shown["id"], "hand-over", {"token": token_of(shown)})["amount_due"] == 0


def test_each_counter_of_a_mixed_order_takes_what_its_own_pieces_are_worth(api, clock):
    clock(NOON)
    shop(api)
    make_store(api, "S2", {"A": 5, "B": 5})
    ways = [
        {"method": "pickup", "location": place, "lines": [{"line_ref": ref, "quantity": 1} for ref in refs]}
        for place, refs in (("S1", ["1"]), ("S2", ["1", "2"]))
    ]
    body = {
        "channel": "ec",
        "external_ref": "EC-1",
        "fulfilments": ways,
        "lines": [
            {"line_ref": "1", "sku": "A", "quantity": 2, "unit_price": 1100},
            {"line_ref": "2", "sku": "B", "quantity": 1, "unit_price": 540},
        ],
        "payments": [{"method": "pay_in_store", "amount": 2740, "state": "due"}],
    }
    answer = api.post("/orders", body)
    assert answer.status_code == 201, answer.text
    made = answer.json
    first, second = (one["pickup"] for one in made["fulfilments"])
    due = {one["id"]: one["amount_due"] for one in api.get("/pickups").json["items"]}
    assert due == {first["id"]: 1100, second["id"]: 1640}
    bring(api, first, "collected")
    assert [api.get(f"/pickups/{one['id']}").json["amount_due"] for one in (first, second)] == [0, 1640]
