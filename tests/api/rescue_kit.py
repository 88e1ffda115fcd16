"""Shops whose promises were broken; shared by the tests of the rescue desk."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app import stock
from tests.api.orders_kit import basket, place
from tests.api.pickups_kit import act, order
from tests.factories import make_sku, make_store

NOON = "2026-11-22T12:00+09:00"
ADDRESS = {"postal_code": "150-0002", "city": "渋谷区"}


def shops(api: Any, pieces: int, elsewhere: int = 5) -> None:
    """S1 with so many A; S2, and the warehouse W1 farther away, have some too."""
    make_sku(api, "A", barcodes=["4901234567894"])
    make_sku(api, "B")
    make_store(api, "S1", {"A": pieces, "B": 9})
    if elsewhere:
        make_store(api, "S2", {"A": elsewhere}, latitude=35.7)
        make_store(api, "W1", {"A": elsewhere}, kind="warehouse", latitude=35.9, pickup=None)


def bought(api: Any, ref: str, pieces: int = 1, *, pay: str = "authorized", **over: Any) -> dict[str, Any]:
    """An order for A at S1."""
    return order(api, ref, [("1", "A", pieces, 1100)], pay=pay, **over)


def sent(api: Any, ref: str, pieces: int = 1) -> dict[str, Any]:
    """An order for A to be sent from S1."""
    way = {"method": "ship", "address": ADDRESS, "ship_from": "S1"}
    return place(api, basket(ref, [("1", "A", pieces, 1100)], fulfilment=way))


def hold(api: Any, pieces: int = 1) -> dict[str, Any]:
    """A hold of A at S1."""
    body = {"location": "S1", "lines": [{"sku": "A", "quantity": pieces}], "kind": "hold", "channel": "ec"}
    answer = api.post("/reservations", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def cart(api: Any, pieces: int = 1) -> dict[str, Any]:
    """A cart's claim on A at S1."""
    body = {"location": "S1", "lines": [{"sku": "A", "quantity": pieces}], "kind": "cart", "channel": "ec"}
    answer = api.post("/reservations", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def sell(app: Flask, pieces: int, receipt: str = "r-1") -> None:
    """A till sells A at S1."""
    with app.app_context():
        stock.record([stock.Goods("S1", "A", -pieces)], stock.Cause("sale", "receipt", receipt))


def pick(api: Any, made: dict[str, Any], pieces: int) -> None:
    """Begin to pick an order, and take A from the shelf."""
    for action in ("accept", "start"):
        act(api, made["pickup"]["id"], action)
    act(api, made["pickup"]["id"], "pick", {"lines": [{"sku": "A", "quantity": pieces}]})


def incident(api: Any) -> dict[str, Any]:
    """The one that there is."""
    (found,) = api.get("/incidents").json["items"]
    return dict(found)


def board(api: Any) -> dict[str, Any]:
    """What can be done about it."""
    answer = api.get(f"/incidents/{incident(api)['id']}/remedies")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def kinds(shown: dict[str, Any]) -> list[tuple[str, str | None, int]]:
    """(what, whose, how many) of every remedy, ranked."""
    return [
        (one["kind"], one["order_number"] or one["code"] or one["whose"], one["quantity"]) for one in shown["remedies"]
    ]


def remedy(api: Any, kind: str, number: str | None = None) -> dict[str, Any]:
    """The first remedy of a kind, about this order where one is named."""
    for one in board(api)["remedies"]:
        if one["kind"] == kind and number in {None, one["order_number"]}:
            return dict(one)
    pytest.fail(f"no {kind} in {kinds(board(api))}")


def apply(api: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Apply it, and it must work; the board afterwards."""
    answer = api.post(f"/incidents/{incident(api)['id']}/apply", {"remedy": wanted["remedy"]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def broken(app: Flask) -> list[str]:
    """The invariants that do not hold."""
    with app.app_context():
        return [result.name for result in stock.check.check().results if not result.holds]


def pickup(api: Any, made: dict[str, Any]) -> dict[str, Any]:
    return dict(api.get(f"/pickups/{made['pickup']['id']}").json)


def money(api: Any, made: dict[str, Any]) -> tuple[str, int, int]:
    """(state, cancelled pieces, released yen) of an order with one line and one payment."""
    found = api.get(f"/orders/{made['id']}").json
    return found["state"], found["lines"][0]["cancelled"], found["payments"][0]["released"]


def a_broken_promise(api: Any) -> tuple[str, dict[str, str], dict[str, str]]:
    """A till took an ordered piece: where a remedy is applied, one that fits, and another that would."""
    shops(api, 2)
    bought(api, "EC-1", 2)
    sell(api.app, 1)
    ask, cancel = ({"remedy": remedy(api, kind)["remedy"]} for kind in ("ask", "cancel"))
    return f"/incidents/{incident(api)['id']}/apply", ask, cancel
