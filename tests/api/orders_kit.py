"""Baskets, and what the tables say afterwards; shared by the tests of orders."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Flask
from sqlalchemy import text

from app import stock
from app.core import clock
from app.core.db import db
from tests.factories import make_sku, make_store


def basket(ref: str = "EC-1", lines: Any = None, *, pay: str = "authorized", method: str = "card", **over: Any) -> Any:
    """An order to be sent, paid to the yen with one tender."""
    lines = lines or [("1", "A", 1, 1100)]
    body = {
        "channel": "ec",
        "external_ref": ref,
        "fulfilment": {"method": "ship", "address": {"postal_code": "150-0002", "city": "渋谷区"}, "ship_from": "W1"},
        "lines": [
            {"line_ref": line_ref, "sku": sku, "quantity": quantity, "unit_price": price}
            for line_ref, sku, quantity, price in lines
        ],
    } | over
    if "payments" not in body:
        total = sum(quantity * price for _, _, quantity, price in lines)
        total += body.get("shipping_fee", 0) - body.get("order_discount", 0)
        body["payments"] = [{"method": method, "amount": total, "state": pay}]
    return body


def shop(api: Any, **stock: int) -> None:
    """A warehouse W1 with stock, and two SKUs: A at the standard, B at the reduced rate."""
    make_sku(api, "A")
    make_sku(api, "B", tax_category="reduced")
    make_store(api, "W1", stock or {"A": 10, "B": 10}, kind="warehouse")


def rows(app: Flask, sql: str, **params: Any) -> list[tuple[Any, ...]]:
    """What a statement finds, in a transaction of its own."""
    with app.app_context():
        found = [tuple(row) for row in db.session.execute(text(sql), params)]
        db.session.remove()
        return found


def level(app: Flask, sku: str = "A", location: str = "W1") -> tuple[int, int]:
    """(on hand, reserved)."""
    found = rows(
        app,
        "SELECT on_hand, reserved FROM stock_level WHERE sku = :sku AND location_id = :location",
        sku=sku,
        location=location,
    )
    return (int(found[0][0]), int(found[0][1]))


def claims(app: Flask) -> list[tuple[str, str]]:
    """(kind, state) of every claim in the order of making."""
    return [(str(kind), str(state)) for kind, state in rows(app, "SELECT kind, state FROM claim ORDER BY id")]


def events(app: Flask, prefix: str = "order.") -> list[tuple[str, int]]:
    """(topic, sequence) of the outbox in the order of writing."""
    return [
        (str(topic), int(sequence))
        for topic, sequence in rows(
            app, "SELECT topic, sequence FROM outbox_event WHERE topic LIKE :like ORDER BY id", like=f"{prefix}%"
        )
    ]


def counts(app: Flask) -> dict[str, int]:
    """Rows of everything that an order writes."""
    tables = (
        "sales_order", "order_line", "payment", "refund", "claim", "claim_line", "customer", "customer_contact",
        "ship_task", "shipment", "stock_movement", "outbox_event",
    )  # fmt: skip
    return {table: int(rows(app, f"SELECT count(*) FROM {table}")[0][0]) for table in tables}


def place(api: Any, body: Any) -> dict[str, Any]:
    """Place it, and it must work."""
    answer = api.post("/orders", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def reserve(app: Flask, *lines: tuple[str, int], location: str = "W1", seconds: int = 900) -> str:
    """A cart's claim, made as a channel makes it; returns its id."""
    with app.app_context():
        claim = stock.reserve(
            location=location,
            lines=list(lines),
            kind="cart",
            channel="ec",
            expires_at=clock.now() + dt.timedelta(seconds=seconds),
        )
        db.session.remove()
        return claim.id
