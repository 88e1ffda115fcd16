from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import db
from tests.factories import make_sku, make_store
from tests.till import level, line, rows, sale


@pytest.fixture
def waiting(api: Any) -> dict[str, Any]:
    """Two pieces of A wait at S1, to be paid there."""
    make_sku(api, "B")
    make_store(api, "S1", stock={"A": 5, "B": 5})
    answer = api.post(
        "/orders",
        {
            "channel": "ec", "external_ref": "EC-1", "fulfilment": {"method": "pickup", "location": "S1"},
            "lines": [{"line_ref": "1", "sku": "A", "quantity": 2, "unit_price": 1100}],
            "payments": [{"method": "pay_in_store", "amount": 2200, "state": "due"}],
        },
    )  # fmt: skip
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


def test_an_unknown_code_is_an_ordinary_sale(app: Any, api: Any, waiting: Any) -> None:
    answer = api.post("/pos/sales", sale(1, [line("A", 1, 1100)], 1100, pickup_code="ZZZZZZ"))
    assert answer.json["problems"] == [{"pointer": "/pickup_code", "code": "unknown-order"}]
    assert (level(api, "S1", "A"), reserved(app), rows(app, "sales_order")) == (4, 2, 2)
