from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app import orders
from app.core.db import db
from tests.api.pickups_kit import bring
from tests.factories import make_sku, make_store
from tests.till import level, line, movements, rows, sale

ORDER = {
    "channel": "ec", "external_ref": "EC-1", "fulfilment": {"method": "pickup", "location": "S1"},
    "lines": [{"line_ref": "1", "sku": "A", "quantity": 2, "unit_price": 1100}],
    "payments": [{"method": "pay_in_store", "amount": 2200, "state": "due"}],
}  # fmt: skip


@pytest.fixture
def waiting(api: Any) -> dict[str, Any]:
    """Two pieces of A wait at S1, to be paid there."""
    make_sku(api, "B")
    make_store(api, "S1", stock={"A": 5, "B": 5})
    answer = api.post("/orders", ORDER)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def reserved(app: Any) -> int:
    with app.app_context():
        return int(db.session.execute(text("SELECT reserved FROM stock_level WHERE sku = 'A'")).scalar_one())


@pytest.mark.parametrize("by", ["pickup_code", "order"])
def test_a_sale_that_pays_a_pickup_moves_its_goods_once(app: Any, api: Any, waiting: Any, by: str) -> None:
    code = waiting["pickup"]["code"] if by == "pickup_code" else waiting["id"]
    body = sale(1, [line("A", 2, 1100), line("B", 1, 500)], 2700, **{by: code})
    answer = api.post("/pos/sales", body)
    assert (answer.status_code, answer.json["state"]) == (201, "posted"), answer.text
    assert answer.json["problems"] == [{"pointer": "/lines", "code": "beyond-order"}]
    assert (level(api, "S1", "A"), reserved(app), level(api, "S1", "B")) == (3, 0, 4)
    assert api.get(f"/orders/{waiting['id']}").json["state"] == "completed"
    assert api.get(f"/pickups/{waiting['pickup']['id']}").json["state"] == "collected"
    assert (api.post("/pos/sales", body).json["duplicate"], rows(app, "sales_order")) == (True, 1)
    again = api.post("/pos/sales", sale(2, [line("A", 2, 1100)], 2200, **{by: code}))
    assert again.json["problems"] == [{"pointer": f"/{by}", "code": "order-not-open"}]
    assert (level(api, "S1", "A"), rows(app, "sales_order")) == (1, 2)
    corrected = api.post("/pos/sales", body | {"revision": 2, "lines": [line("A", 2, 1000)]})
    assert corrected.json["problems"] == [
        {"pointer": "/tenders", "code": "tenders-differ"},
        {"pointer": "", "code": "settled-before"},
    ]
    original = {"store": "S1", "terminal": "1", "receipt_no": "1", "business_date": "2026-11-22"}
    void = api.post("/pos/sales", sale(3, [], 0, kind="void", original=original))
    assert (void.json["state"], void.json["problems"][0]["code"]) == ("parked", "settles-order")
    assert level(api, "S1", "A") == 1


def test_a_piece_reported_missing_that_the_till_sells_leaves_without_a_claim(api: Any, app: Any, waiting: Any) -> None:
    pickup = waiting["pickup"]
    bring(api, pickup, "picking")
    missing = {"sku": "A", "quantity": 1, "reason": "damaged"}
    assert api.post(f"/pickups/{pickup['id']}/short", missing).status_code == 200
    answer = api.post("/pos/sales", sale(1, [line("A", 2, 1100)], 2200, pickup_code=pickup["code"]))
    assert (answer.json["state"], answer.json["problems"]) == ("posted", []), answer.text
    assert (level(api, "S1", "A"), reserved(app)) == (2, 0)  # five, one written off as damaged, two sold
    found = api.get(f"/pickups/{pickup['id']}").json
    counts = [(x["picked"], x["short"], x["undecided"], x["collected"]) for x in found["lines"]]
    assert (found["state"], counts) == ("collected", [(2, 0, 0, 2)])
    assert api.get(f"/orders/{waiting['id']}").json["state"] == "completed"


def test_an_unknown_code_is_an_ordinary_sale(app: Any, api: Any, waiting: Any) -> None:
    answer = api.post("/pos/sales", sale(1, [line("A", 1, 1100)], 1100, pickup_code="ZZZZZZ"))
    assert answer.json["problems"] == [{"pointer": "/pickup_code", "code": "unknown-order"}]
    assert (level(api, "S1", "A"), reserved(app), rows(app, "sales_order")) == (4, 2, 2)


def test_a_reference_that_two_open_orders_have_names_neither_and_a_number_comes_first(
    app: Any, api: Any, waiting: Any
) -> None:
    with app.app_context():
        assert orders.at_counter("EC-1", location="S1").order_id == waiting["id"]
    lines = [{"line_ref": "1", "sku": "B", "quantity": 2, "unit_price": 1100}]
    for channel, reference in (("ec", waiting["number"]), ("app", "EC-1")):
        other = api.post("/orders", ORDER | {"channel": channel, "external_ref": reference, "lines": lines})
        assert other.status_code == 201, other.text
    with app.app_context():
        assert orders.at_counter(waiting["number"], location="S1").order_id == waiting["id"]
        with pytest.raises(orders.UnknownOrder):
            orders.at_counter("EC-1", location="S1")
    answer = api.post("/pos/sales", sale(1, [line("A", 1, 1100)], 1100, order="EC-1"))
    assert answer.json["problems"] == [{"pointer": "/order", "code": "unknown-order"}]
    api.post(f"/orders/{other.json['id']}/cancel", {"reason": "x"})
    with app.app_context():
        assert orders.at_counter("EC-1", location="S1").order_id == waiting["id"]


def test_a_sale_after_the_clerks_hand_over_is_the_money_of_the_same_order(app: Any, api: Any, waiting: Any) -> None:
    code = waiting["pickup"]["code"]
    bring(api, waiting["pickup"], "collected")
    answer = api.post("/pos/sales", sale(1, [line("A", 2, 1100), line("B", 1, 500)], 2700, pickup_code=code))
    assert answer.json["problems"] == [
        {"pointer": "", "code": "collected-before"},
        {"pointer": "/lines", "code": "beyond-order"},
    ]
    assert (level(api, "S1", "A"), level(api, "S1", "B"), rows(app, "sales_order")) == (3, 4, 1)
    assert api.get(f"/pos/receipts/{answer.json['id']}").json["order"] == waiting["id"]
    again = api.post("/pos/sales", sale(2, [line("A", 2, 1100)], 2200, pickup_code=code))
    assert again.json["problems"] == [{"pointer": "/pickup_code", "code": "order-not-open"}]
    assert (level(api, "S1", "A"), rows(app, "sales_order")) == (1, 2)


@pytest.mark.parametrize("state", ["requested", "picking", "ready"])
def test_a_sale_of_a_part_leaves_the_rest_open(app: Any, api: Any, waiting: Any, state: str) -> None:
    bring(api, waiting["pickup"], state)
    first = sale(1, [line("A", 1, 1100)], 1100, pickup_code=waiting["pickup"]["code"])
    assert api.post("/pos/sales", first).json["problems"] == [{"pointer": "/lines", "code": "short-of-order"}]
    found = api.get(f"/orders/{waiting['id']}").json
    assert found["state"] == "partly_fulfilled"
    assert [(p["method"], p["captured"], p["released"]) for p in found["payments"]] == [
        ("pay_in_store", 0, 1100),
        ("cash", 1100, 0),
    ]
    assert (level(api, "S1", "A"), reserved(app), rows(app, "sales_order")) == (4, 1, 1)
    assert api.get(f"/pickups/{waiting['pickup']['id']}").json["state"] == state
    rest = api.post("/pos/sales", first | {"receipt_no": "2"})
    assert (rest.json["state"], rest.json["problems"]) == ("posted", [])
    found = api.get(f"/orders/{waiting['id']}").json
    assert (found["state"], sum(p["captured"] for p in found["payments"])) == ("completed", 2200)
    assert api.get(f"/pickups/{waiting['pickup']['id']}").json["state"] == "collected"
    assert (level(api, "S1", "A"), reserved(app), rows(app, "sales_order")) == (3, 0, 1)


@pytest.fixture
def held(api: Any) -> dict[str, Any]:
    """Two pieces of A are held at S1 without an order."""
    make_store(api, "S1", stock={"A": 5})
    answer = api.post("/reservations", {"location": "S1", "kind": "hold", "lines": [{"sku": "A", "quantity": 2}]})
    assert answer.status_code == 201, answer.text
    return dict(answer.json["pickup"])


def test_a_sale_of_a_hold_moves_its_goods_once_and_a_void_brings_them_back(app: Any, api: Any, held: Any) -> None:
    body = sale(1, [line("A", 3, 1000)], 3000, pickup_code=held["code"])
    answer = api.post("/pos/sales", body)
    assert (answer.json["state"], answer.json["problems"]) == ("posted", [])
    assert (level(api, "S1", "A"), reserved(app), rows(app, "sales_order")) == (2, 0, 1)
    assert sorted(row[2] for row in movements(app)) == [-2, -1]
    assert api.get(f"/pickups/{held['id']}").json["state"] == "collected"
    corrected = api.post("/pos/sales", body | {"revision": 2, "lines": [line("A", 2, 1000)]})
    assert {"pointer": "/pickup_code", "code": "order-not-open"} in corrected.json["problems"]
    assert level(api, "S1", "A") == 3
    original = {"store": "S1", "terminal": "1", "receipt_no": "1", "business_date": "2026-11-22"}
    assert api.post("/pos/sales", sale(2, [], 0, kind="void", original=original)).json["state"] == "posted"
    assert level(api, "S1", "A") == 5


def test_a_part_of_a_hold_that_is_sold_leaves_the_rest_held(app: Any, api: Any, held: Any) -> None:
    answer = api.post("/pos/sales", sale(1, [line("A", 1, 1000)], 1000, pickup_code=held["code"]))
    assert (answer.json["state"], answer.json["problems"]) == ("posted", [])
    assert (level(api, "S1", "A"), reserved(app), rows(app, "sales_order")) == (4, 1, 1)
    assert api.get(f"/pickups/{held['id']}").json["state"] == "requested"


def test_a_sale_of_a_hold_that_a_clerk_handed_over_moves_nothing_again(app: Any, api: Any, held: Any) -> None:
    bring(api, held, "collected")
    answer = api.post("/pos/sales", sale(1, [line("A", 2, 1000)], 2000, pickup_code=held["code"]))
    assert answer.json["problems"] == [{"pointer": "/pickup_code", "code": "collected-before"}]
    assert (level(api, "S1", "A"), reserved(app), rows(app, "sales_order")) == (3, 0, 1)
