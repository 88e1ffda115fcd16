"""An event may be handled again, when the worker died before it could note that it was done: nothing changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.core import clock, jobs
from app.core.db import db
from app.core.outbox import Event, OutboxEvent
from tests.api.orders_kit import rows
from tests.api.pickups_kit import act, bring, order, shop
from tests.factories import make_store
from tests.property.books import Books

NOON = "2026-11-22T12:00+09:00"
# Everything that a handler may change about pickups and their goods.
STATE = (
    "SELECT id, state, version, claim_id, accept_by, choose_by, choice_reason, expires_at FROM pickup ORDER BY id",
    "SELECT id, ordered, picked, short, undecided, collected FROM pickup_line ORDER BY id",
    "SELECT id, state, version FROM claim ORDER BY id",
    "SELECT location_id, sku, on_hand, reserved FROM stock_level ORDER BY 1, 2",
    "SELECT topic, aggregate_id, sequence FROM outbox_event ORDER BY id",
    "SELECT kind, subject_id, state FROM notice ORDER BY id",
)  # fmt: skip


def everything(app: Flask) -> list[Any]:
    return [rows(app, query) for query in STATE]


def told(app: Flask, topic: str) -> list[Event]:
    """The events of a topic, as a worker gets them."""
    with app.app_context():
        found = db.session.query(OutboxEvent).filter_by(topic=topic).order_by(OutboxEvent.id).all()
        events = [
            Event(
                one.id, one.topic, one.aggregate_type, one.aggregate_id, one.sequence, one.location_id, one.payload, 1
            )
            for one in found
        ]
        db.session.remove()
    return events


def again(app: Flask, topic: str) -> None:
    """Handle every event of a topic once more: one after the other, then by two workers at the same time."""

    def handle() -> None:
        with app.app_context():
            for event in told(app, topic):
                assert jobs.execute(event)
            db.session.remove()

    handle()
    both = [threading.Thread(target=handle) for _ in range(2)]
    for worker in both:
        worker.start()
    for worker in both:
        worker.join()


def drain(app: Flask) -> None:
    with app.app_context():
        jobs.drain()
        assert Books(clock.now()).faults() == []
        db.session.remove()


def sent_to_the_store(api: Any) -> dict[str, Any]:
    shop(api)
    make_store(api, "W1", {"A": 50, "B": 50}, kind="warehouse", latitude=35.9, pickup=None)
    return order(api, fulfilment={"method": "pickup", "location": "S1", "ship_from": "W1"})


@pytest.mark.parametrize("arrived", [2, 1, 0])
def test_goods_received_are_heard_of_once(api, app: Flask, clock: Callable[..., Any], arrived: int) -> None:
    clock(NOON)
    made = sent_to_the_store(api)
    (road,) = api.get("/transfers?location=S1").json["items"]
    assert api.post(f"/transfers/{road['id']}/ship").status_code == 200
    came = {"lines": [{"sku": "A", "quantity": arrived}, {"sku": "B", "quantity": min(1, arrived)}]}
    assert api.post(f"/transfers/{road['id']}/receive", came).status_code == 200
    drain(app)
    shown = api.get(f"/pickups/{made['pickup']['id']}").json
    asked = sum(line["undecided"] for line in shown["lines"])
    assert (shown["state"], asked) == {2: ("requested", 0), 1: ("requested", 1), 0: ("awaiting_customer", 3)}[arrived]
    before = everything(app)
    again(app, "transfer.received")
    assert everything(app) == before
    if arrived == 1:
        act(api, shown["id"], "choose", {"option": "part"})
        again(app, "transfer.received")
    if arrived:
        bring(api, made["pickup"], "collected")
        assert api.get(f"/orders/{made['id']}").json["state"] == "completed"
    drain(app)


def test_a_transfer_called_off_is_asked_about_once(api, app: Flask, clock: Callable[..., Any]) -> None:
    clock(NOON)
    made = sent_to_the_store(api)
    (road,) = api.get("/transfers?location=S1").json["items"]
    assert api.post(f"/transfers/{road['id']}/cancel").status_code == 200
    drain(app)
    assert api.get(f"/pickups/{made['pickup']['id']}").json["state"] == "awaiting_customer"
    before = everything(app)
    again(app, "transfer.cancelled")
    assert everything(app) == before
    assert act(api, made["pickup"]["id"], "choose", {"option": "cancel"})["state"] == "cancelled"
    again(app, "transfer.cancelled")
    drain(app)


def test_hours_that_changed_are_heard_of_once(api, app: Flask, clock: Callable[..., Any]) -> None:
    clock(NOON)
    shop(api)
    ready = order(api, "EC-1", [("1", "A", 1, 100)])["pickup"]
    bring(api, ready, "ready")
    wanted = {"method": "pickup", "location": "S1", "pickup_at": "2026-11-29T15:00+09:00"}
    coming = order(api, "EC-2", [("1", "A", 1, 100)], fulfilment=wanted)["pickup"]
    make_store(api, "S1", closures=["2026-11-29"])
    drain(app)
    assert api.get(f"/pickups/{ready['id']}").json["expires_at"] == "2026-11-30T12:00:00.000Z"
    assert api.get(f"/pickups/{coming['id']}/options").json["reason"] == "closed"
    before = everything(app)
    again(app, "location.changed")
    assert everything(app) == before


def test_what_is_free_again_is_offered_once(api, app: Flask, clock: Callable[..., Any]) -> None:
    clock(NOON)
    shop(api, A=1)
    held = order(api, "EC-1", [("1", "A", 1, 100)])["pickup"]
    for number in range(2):
        wish = {"location": "S1", "sku": "A", "quantity": 1, "customer": {"email": f"u{number}@example.jp"}}
        assert api.post("/waiting-list", wish).status_code == 201
    act(api, held["id"], "cancel", {"reason": "x"})
    drain(app)
    assert rows(app, "SELECT state FROM waiting_customer ORDER BY id") == [("offered",), ("waiting",)]
    before = everything(app)
    again(app, "pickup.cancelled")
    assert everything(app) == before
    drain(app)
