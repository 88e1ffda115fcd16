"""What a customer is told of a pickup: each step once, in order, from what is true when it is sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app.core import jobs
from app.core.db import ask_one, use_case
from app.core.sql import Sql
from app.notifications import kinds
from bopis import choosing, notices, reminders
from tests.api.orders_kit import rows
from tests.api.pickups_kit import act, bring, order, pick_all, shop, token_of
from tests.factories import make_store

SUNDAY = "2026-11-22T15:10+09:00"
_AGAIN = Sql("UPDATE outbox_event SET state = 'due' WHERE topic LIKE 'pickup.%'")


def pump(app: Flask) -> None:
    """Let every handler run, and send what is due."""
    with app.app_context():
        jobs.drain()
        app.extensions["post"].finish()


def told(app: Flask) -> list[tuple[str, str]]:
    """(kind, state) of every notice, in order."""
    return [(str(k), str(s)) for k, s in rows(app, "SELECT kind, state FROM notice ORDER BY sequence, id")]


def planned(app: Flask) -> list[str]:
    """When the reminders that still wait are due, by the store's clock."""
    found = rows(app, "SELECT due_at FROM notice WHERE kind = 'pickup.reminder' AND state = 'queued' ORDER BY due_at")
    moments = [at if isinstance(at, dt.datetime) else dt.datetime.fromisoformat(at) for (at,) in found]
    return [f"{at.astimezone(dt.timezone(dt.timedelta(hours=9))):%m-%d %H:%M}" for at in moments]


def letter(app: Flask, kind: str, pickup_id: str) -> Any:
    """The letter as it would be written now."""
    with app.app_context():
        return notices.compose(kind, pickup_id)


def facts(app: Flask, kind: str, pickup_id: str) -> dict[str, Any]:
    found = letter(app, kind, pickup_id)
    assert found is not None
    return dict(found.facts)


def test_a_straight_way_is_told_step_by_step(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    pump(app)
    assert told(app) == [("pickup.requested", "sent")]
    bring(api, shown, "picking")
    pick_all(api, shown["id"])
    pump(app)
    assert told(app) == [("pickup.requested", "sent")]
    act(api, shown["id"], "ready", {"shelf": "A-3"})
    pump(app)
    assert told(app)[1] == ("pickup.ready", "sent")
    act(api, shown["id"], "hand-over", {"token": token_of(shown)})
    pump(app)
    assert [kind for kind, state in told(app) if state == "sent"] == [
        "pickup.requested", "pickup.ready", "pickup.collected",
    ]  # fmt: skip
    assert [state for kind, state in told(app) if kind == "pickup.reminder"] == ["superseded", "superseded"]


def test_an_event_that_comes_twice_is_told_once(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    pump(app)
    before = told(app), planned(app)
    with app.app_context():
        use_case(lambda: ask_one(_AGAIN, {}))()
    pump(app)
    assert (told(app), planned(app)) == before


def test_the_ready_letter_says_everything(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    assert letter(app, "pickup.ready", shown["id"]) is None
    bring(api, shown, "ready")
    found = letter(app, "pickup.ready", shown["id"])
    assert (found.language, found.location_id, found.timezone) == ("en", "S1", "Asia/Tokyo")
    assert (found.to.name, found.to.email, found.to.phone) == ("山田花子", "h@example.com", "+819012345678")
    number = api.get(f"/pickups/{shown['id']}").json["order_number"]
    assert found.facts == {
        "name": "山田花子",
        "order_number": number,
        "code": shown["code"],
        "pin": shown["pin"],
        "page_url": shown["page_url"],
        "qr_url": shown["qr_url"],
        "store": {
            "name": "Store S1",
            "address": "〒150-0002 東京都渋谷区渋谷1-1-1",
            "phone": "03-1234-5678",
            "hours": "10:00–21:00",
            "map_url": "https://www.google.com/maps/search/?api=1&query=35.658,139.701",
        },
        "deadline": "Sun, Nov 29, 21:00",
        "ready_by": "Sun, Nov 22, 16:10",
        "choose_by": "",
        "amount_due": 0,
        "paid": True,
        "lines": [
            {"sku": "A", "name": "Thing A", "options": "navy / M", "quantity": 2, "price": 2200, "reduced": False},
            {"sku": "B", "name": "Thing B", "options": "", "quantity": 1, "price": 540, "reduced": True},
        ],
        "refund_total": 0,
        "reason": "",
        "options": [],
        "return_policy": (
            "Unused goods with their tags may be returned within 14 days of receipt, at any of our stores, with the "
            "receipt or the order number."
        ),
    }


def test_a_letter_speaks_its_readers_language(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api, pay="due", language="ja")["pickup"]
    bring(api, shown, "ready")
    said = facts(app, "pickup.ready", shown["id"])
    assert (said["store"]["name"], said["store"]["hours"]) == ("S1店", "10:00〜21:00")
    assert (said["deadline"], said["lines"][0]["name"]) == ("11月29日（日）21:00", "商品A")
    assert (said["amount_due"], said["paid"]) == (2740, False)
    assert said["return_policy"].startswith("商品到着後・お受け取り後 14 日以内")


def test_a_week_of_hours_on_one_line(api, app, clock):
    clock(SUNDAY)
    shop(api)
    week = {day: [["11:00", "20:00"]] for day in ("mon", "tue", "thu", "fri")}
    weekend = {"sat": [["10:00", "14:00"], ["15:00", "25:00"]], "sun": [["10:00", "14:00"], ["15:00", "25:00"]]}
    make_store(api, "S1", hours=week | weekend)
    shown = order(api, language="ja")["pickup"]
    assert facts(app, "pickup.requested", shown["id"])["store"]["hours"] == (
        "月・火 11:00〜20:00、水 定休、木・金 11:00〜20:00、土・日 10:00〜14:00, 15:00〜25:00"
    )


def test_a_hold_goes_by_its_code_and_its_list_price(api, app, clock):
    clock(SUNDAY)
    shop(api)
    lines = [{"sku": "A", "quantity": 2}]
    customer = {"name": "山田花子", "email": "h@example.com"}
    made = api.post("/reservations", {"location": "S1", "kind": "hold", "lines": lines, "customer": customer}).json
    pump(app)
    assert told(app) == [("pickup.requested", "sent")]
    said = facts(app, "pickup.requested", made["pickup"]["id"])
    assert (said["order_number"], said["amount_due"], said["paid"]) == (made["pickup"]["code"], 2000, False)
    assert said["deadline"] == "Wed, Nov 25, 21:00"
    assert [(line["quantity"], line["price"]) for line in said["lines"]] == [(2, 2000)]


def test_what_is_over_is_not_told_any_more(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "collected")
    pump(app)
    assert told(app) == [
        ("pickup.requested", "superseded"), ("pickup.ready", "superseded"), ("pickup.collected", "sent"),
    ]  # fmt: skip


# --- reminders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wait", "days"),
    [(0, []), (1, []), (2, [1]), (3, [2]), (4, [2, 3]), (5, [3, 4]), (7, [4, 6]), (14, [7, 13]), (30, [15, 29])],
)
def test_reminders_are_in_the_middle_and_on_the_day_before(wait, days):
    first = dt.date(2026, 11, 22)
    found = reminders.days(first, first + dt.timedelta(days=wait))
    assert [(day - first).days for day in found] == days


def test_whoever_does_not_come_is_reminded_twice(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    pump(app)
    assert planned(app) == ["11-26 10:00", "11-28 10:00"]
    clock("2026-11-26T09:59+09:00")
    pump(app)
    assert planned(app) == ["11-26 10:00", "11-28 10:00"]
    clock("2026-11-26T10:00+09:00")
    assert facts(app, "pickup.reminder", shown["id"])["day_before"] is False
    pump(app)
    assert planned(app) == ["11-28 10:00"]
    clock("2026-11-28T10:00+09:00")
    assert facts(app, "pickup.reminder", shown["id"])["day_before"] is True
    pump(app)
    assert [state for kind, state in told(app) if kind == "pickup.reminder"] == ["sent", "sent"]


def test_a_longer_deadline_brings_other_reminders(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    pump(app)
    clock("2026-11-27T12:00+09:00")
    pump(app)
    act(api, shown["id"], "extend", {"until": "2026-12-06T21:00:00+09:00"})
    pump(app)
    assert planned(app) == ["11-29 10:00", "12-05 10:00"]
    assert ("pickup.extended", "sent") in told(app)
    assert facts(app, "pickup.extended", shown["id"])["deadline"] == "Sun, Dec 6, 21:00"


def test_an_undone_hand_over_is_reminded_of_again(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    pump(app)
    act(api, shown["id"], "hand-over", {"token": token_of(shown)})
    pump(app)
    assert planned(app) == []
    act(api, shown["id"], "undo")
    pump(app)
    assert planned(app) == ["11-26 10:00", "11-28 10:00"]


def test_whichever_event_is_handled_first_each_reminder_is_planned_once(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    act(api, shown["id"], "extend", {"until": "2026-12-06T21:00:00+09:00"})
    with app.app_context():
        for event in reversed(jobs.lease()):
            jobs.execute(event)
    assert planned(app) == ["11-29 10:00", "12-05 10:00"]


# --- when it does not go well -----------------------------------------------------------------------------------------


def test_a_piece_that_is_missing_is_asked_with_the_options(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api, language="ja")["pickup"]
    bring(api, shown, "picking")
    act(api, shown["id"], "short", {"sku": "A", "quantity": 1, "reason": "not_found"})
    pump(app)
    assert "pickup.short" not in dict(told(app))
    pick_all(api, shown["id"])
    act(api, shown["id"], "ready", {"shelf": None})
    pump(app)
    assert [kind for kind, state in told(app) if state == "sent"] == [
        "pickup.requested", "pickup.ready", "pickup.short",
    ]  # fmt: skip
    said = facts(app, "pickup.short", shown["id"])
    assert [(line["sku"], line["quantity"], line["price"]) for line in said["lines"]] == [("A", 1, 1100)]
    assert said["reason"] == "店頭で商品をご用意できませんでした"
    assert said["choose_by"] == "11月23日（月）15:10"
    assert said["options"] == ["ご用意できた商品だけを受け取る", "ご注文をキャンセルする"]
    assert [line["sku"] for line in facts(app, "pickup.ready", shown["id"])["lines"]] == ["A", "B"]
    act(api, shown["id"], "choose", {"option": "part"})
    assert letter(app, "pickup.short", shown["id"]) is None


def test_another_store_is_named_with_its_time(api, app, clock):
    clock(SUNDAY)
    shop(api)
    make_store(api, "S2", {"A": 5})
    shown = order(api, lines=[("1", "A", 1, 1100)])["pickup"]
    pump(app)
    bring(api, shown, "picking")
    act(api, shown["id"], "short", {"sku": "A", "quantity": 1, "reason": "not_found"})
    pump(app)
    assert told(app)[-1] == ("pickup.short", "sent")
    said = facts(app, "pickup.short", shown["id"])
    assert "Collect it at Store S2 (ready around Sun, Nov 22, 16:10)" in said["options"]
    act(api, shown["id"], "choose", {"option": "other_store", "location": "S2"})
    pump(app)
    assert [kind for kind, state in told(app) if state == "sent"].count("pickup.requested") == 2
    assert dict(told(app))["pickup.cancelled"] == "superseded"


def test_what_is_given_up_without_an_answer_is_told(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "picking")
    act(api, shown["id"], "short", {"sku": "A", "quantity": 1, "reason": "damaged"})
    pick_all(api, shown["id"])
    act(api, shown["id"], "ready")
    pump(app)
    clock("2026-11-23T15:10+09:00")
    with app.app_context():
        assert choosing.decide(pickup_id=shown["id"]) is True
    pump(app)
    assert told(app)[-1] == ("pickup.reduced", "sent")
    assert [line["quantity"] for line in facts(app, "pickup.reduced", shown["id"])["lines"]] == [1, 1]


def test_a_cancelled_order_tells_what_is_given_back(api, app, clock):
    clock(SUNDAY)
    shop(api)
    made = order(api, pay="captured")
    pump(app)
    bring(api, made["pickup"], "cancelled")
    pump(app)
    assert told(app) == [("pickup.requested", "sent"), ("pickup.cancelled", "sent")]
    said = facts(app, "pickup.cancelled", made["pickup"]["id"])
    assert (said["refund_total"], said["amount_due"], said["reason"]) == (2740, 0, "")
    assert [line["quantity"] for line in said["lines"]] == [2, 1]


def test_goods_that_nobody_came_for(api, app, clock):
    clock(SUNDAY)
    shop(api)
    made = order(api, pay="captured")
    bring(api, made["pickup"], "ready")
    pump(app)
    clock("2026-11-29T21:00:01+09:00")
    with app.app_context():
        jobs.run_timed()
    pump(app)
    assert told(app)[-1] == ("pickup.expired", "queued")
    clock("2026-11-30T08:00+09:00")
    pump(app)
    assert told(app)[-1] == ("pickup.expired", "sent")
    said = facts(app, "pickup.expired", made["pickup"]["id"])
    assert (said["deadline"], said["refund_total"]) == ("Sun, Nov 29, 21:00", 2740)


def test_a_new_pass_for_ready_goods_is_sent_at_once(api, app, clock):
    clock(SUNDAY)
    shop(api)
    shown = order(api)["pickup"]
    act(api, shown["id"], "reissue")
    bring(api, shown, "ready")
    pump(app)
    act(api, shown["id"], "reissue")
    pump(app)
    assert [kind for kind, state in told(app) if state == "sent"] == ["pickup.ready", "pickup.ready"]


def test_only_some_may_disturb_the_night(app):
    calm = {name for name in notices.KINDS if not kinds.offered(name).urgent}
    assert calm == {
        "pickup.reminder", "pickup.extended", "pickup.collected", "pickup.expired", "waitlist.available",
    }  # fmt: skip
