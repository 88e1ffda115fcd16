"""Every incident has one word for what broke the promise, and closes only when enough is there again."""

from __future__ import annotations

from typing import Any

import pytest

from app import stock
from app.core.ids import new_id
from tests.factories import make_store


@pytest.fixture
def shop(api) -> None:
    make_store(api, "A", {"X": 5})
    make_store(api, "B", {"X": 5})


def promise(app: Any, pieces: int) -> str:
    with app.app_context():
        return stock.reserve(location="A", lines=[("X", pieces)], kind="ship", channel="ec", expires_at=None).id


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("sale", "till_sale"),
        ("return", "till_correction"),
        ("void", "till_correction"),
        ("pickup", "hand_over"),
        ("ship", "parcel"),
        ("variance", "short_pick"),
        ("display", "display"),
        ("damage", "damage"),
        ("loss", "loss"),
        ("correction", "correction"),
        ("stocktake", "count"),
        ("something-new", "other"),
    ],
)
def test_the_word_for_a_cause(api, app, shop, kind: str, code: str) -> None:
    promise(app, 5)
    with app.app_context():
        stock.record([stock.Goods("A", "X", -2)], stock.Cause(kind, "document", "d-1"))
    (listed,) = api.get("/incidents").json["items"]
    assert (listed["cause_code"], listed["cause"]) == (code, {"type": "document", "id": "d-1"})
    assert api.get(f"/incidents/{listed['id']}").json == listed
    with app.app_context():
        view = stock.incident(listed["id"])
    assert (view.location_id, view.sku, view.shortage, view.state) == ("A", "X", 2, "open")
    assert (view.cause, view.cause_code) == (("document", "d-1"), code)


def test_an_adjustment_over_the_api(api, app, shop) -> None:
    promise(app, 5)
    lines = [{"sku": "X", "quantity": -1}]
    api.post("/stock/adjustments", {"location": "A", "reason": "damage", "lines": lines})
    (opened,) = api.get("/incidents").json["items"]
    assert (opened["cause_code"], opened["cause"]["type"]) == ("damage", "adjustment")
    api.post("/stock/adjustments", {"location": "A", "reason": "found", "lines": [{"sku": "X", "quantity": 1}]})
    (closed,) = api.get("/incidents").json["items"]
    assert (closed["state"], closed["cause_code"]) == ("resolved", "damage")


def test_a_transfer_that_arrives_short_at_a_place_that_counted_on_it(api, app, shop) -> None:
    """What was promised to arrive is not claimed; a short arrival breaks a promise only where a rival took the rest."""
    lines = [{"sku": "X", "quantity": 2}]
    made = api.post("/transfers", {"from": "B", "to": "A", "lines": lines}).json["id"]
    api.post(f"/transfers/{made}/ship")
    promise(app, 5)
    with app.app_context():
        stock.record([stock.Goods("A", "X", -1)], stock.Cause("sale", "receipt", "r"))
    api.post(f"/transfers/{made}/receive", {"lines": [{"sku": "X", "quantity": 0}]})
    (incident,) = api.get("/incidents").json["items"]
    assert (incident["shortage"], incident["state"], incident["cause_code"]) == (1, "open", "till_sale")


def test_incidents_are_seen_in_their_places(app, make_api, shop) -> None:
    promise(app, 5)
    with app.app_context():
        stock.record([stock.Goods("A", "X", -1)], stock.Cause("sale", "receipt", "r"))
    here, there = make_api("stock:read", locations=("A",)), make_api("stock:read", locations=("B",))
    (incident,) = here.get("/incidents").json["items"]
    assert there.get("/incidents").json["items"] == []
    statuses = [who.get(f"/incidents/{incident['id']}").status_code for who in (here, there)]
    assert statuses == [200, 404]
    with app.app_context():
        for nobody in ("nonsense", new_id()):
            with pytest.raises(stock.UnknownIncident):
                stock.incident(nobody)
