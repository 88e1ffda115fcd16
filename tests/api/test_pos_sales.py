from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app.core.db import db
from tests.factories import make_sku, make_store
from tests.till import DAY, level, line, movements, rows, sale


@pytest.fixture
def shop(api: Any) -> Any:
    make_sku(api, "B", tax_category="reduced", barcodes=["4901234567894"])
    make_store(api, "S1", stock={"A": 5, "B": 10})
    return api


def test_a_sale_goes_to_ledger_and_orders_in_one(app: Any, shop: Any) -> None:
    body = sale(1, [line("A", 2, 1100), {**line(None, 3, 108), "barcode": "4901234567894", "discount": 24}], 2500)
    answer = shop.post("/pos/sales", body)
    assert answer.status_code == 201
    assert answer.json == {
        "id": answer.json["id"],
        "state": "posted",
        "problems": [],
        "totals": {
            "subtotal": 2524, "discounts": 24, "points_used": 0, "total": 2500,
            "tax": [{"rate": 10, "taxable": 2200, "tax": 200}, {"rate": 8, "taxable": 300, "tax": 22}],
        },
    }  # fmt: skip
    assert (level(shop, "S1", "A"), level(shop, "S1", "B")) == (3, 7)
    assert movements(app) == [("S1", "A", -2, "sale", answer.json["id"]), ("S1", "B", -3, "sale", answer.json["id"])]
    with app.app_context():
        order = db.session.execute(text("SELECT channel, state, total, kind FROM sales_order")).one()
        moment = db.session.execute(text("SELECT occurred_at FROM stock_movement WHERE kind = 'sale' LIMIT 1")).scalar()
    assert tuple(order) == ("pos", "completed", 2500, "sale")
    assert str(moment).startswith("2026-11-22 06:10") or str(moment).startswith("2026-11-22T06:10")


def test_the_same_again_is_a_duplicate_and_other_contents_a_conflict(app: Any, shop: Any) -> None:
    first = shop.post("/pos/sales", sale(1, [line("A", 2, 1000)], 2000))
    again = shop.post("/pos/sales", sale(1, [line("A", 2, 1000)], 2000))
    assert (again.status_code, again.json) == (200, first.json | {"duplicate": True})
    other = shop.post("/pos/sales", sale(1, [line("A", 3, 1000)], 3000))
    assert (other.status_code, other.json["type"]) == (409, "/problems/receipt-conflict")
    assert (other.json["id"], other.json["state"]) == (first.json["id"], "posted")
    assert level(shop, "S1", "A") == 3
    assert rows(app, "pos_receipt") == rows(app, "sales_order") == 1


def test_a_repeat_under_the_same_key_is_byte_identical(shop: Any) -> None:
    body = sale(1, [line("A", 1, 1000)], 1000)
    first = shop.post("/pos/sales", body, key="till-1")
    again = shop.post("/pos/sales", body, key="till-1")
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert shop.post("/pos/sales", body, key=None).json["duplicate"] is True


def test_the_source_id_is_the_key_when_given(shop: Any) -> None:
    one = sale(1, [line("A", 1, 1000)], 1000, source_id="T-1")
    assert shop.post("/pos/sales", one).status_code == 201
    assert shop.post("/pos/sales", sale(1, [line("A", 1, 1000)], 1000, source_id="T-2")).status_code == 201
    assert shop.post("/pos/sales", one).status_code == 200
    assert level(shop, "S1", "A") == 3


def test_a_higher_revision_replaces_and_a_lower_one_is_stale(app: Any, shop: Any) -> None:
    first = shop.post("/pos/sales", sale(1, [line("A", 2, 1000)], 2000)).json
    third = shop.post("/pos/sales", sale(1, [line("B", 4, 1000)], 4000, revision=3))
    assert third.status_code == 201
    assert (level(shop, "S1", "A"), level(shop, "S1", "B")) == (5, 6)
    stale = shop.post("/pos/sales", sale(1, [line("A", 1, 1000)], 1000, revision=2))
    assert (stale.status_code, stale.json) == (200, third.json | {"stale": True})
    old = shop.get(f"/pos/receipts/{first['id']}").json
    new = shop.get(f"/pos/receipts/{third.json['id']}").json
    assert (old["state"], new["state"], new["replaces"]) == ("superseded", "posted", first["id"])
    with app.app_context():
        states = db.session.execute(text("SELECT revision, state FROM sales_order ORDER BY revision")).all()
    assert [tuple(one) for one in states] == [(1, "cancelled"), (3, "completed")]
    assert [row[:4] for row in movements(app)] == [
        ("S1", "A", -2, "sale"), ("S1", "A", 2, "correction"), ("S1", "B", -4, "sale"),
    ]  # fmt: skip


def test_a_return_puts_goods_back_unless_they_are_damaged(app: Any, shop: Any) -> None:
    original = {"store": "S1", "terminal": "1", "receipt_no": "1", "business_date": DAY}
    back = sale(2, [line("A", 1, 1000), line("B", 1, 500, disposition="damaged")], 1500, kind="return",
                original=original)  # fmt: skip
    early = shop.post("/pos/sales", back)
    assert (early.status_code, early.json["problems"]) == (201, [{"pointer": "/original", "code": "original-missing"}])
    assert early.json["totals"]["total"] == 1500
    assert (level(shop, "S1", "A"), level(shop, "S1", "B")) == (6, 10)
    sold = shop.post("/pos/sales", sale(1, [line("A", 1, 1000), line("B", 1, 500)], 1500))
    assert shop.get(f"/pos/receipts/{early.json['id']}").json["original"] == sold.json["id"]
    assert (level(shop, "S1", "A"), level(shop, "S1", "B")) == (5, 9)
    assert movements(app)[0][3] == "return"


def test_an_exchange_moves_goods_both_ways(shop: Any) -> None:
    answer = shop.post("/pos/sales", sale(1, [line("A", 1, 1500), line("B", 1, 500, returned=True)], 1000))
    assert (answer.status_code, answer.json["problems"], answer.json["totals"]["total"]) == (201, [], 1000)
    assert (level(shop, "S1", "A"), level(shop, "S1", "B")) == (4, 11)


@pytest.mark.parametrize("void_first", [False, True])
def test_a_void_takes_its_sale_back_whichever_comes_first(app: Any, shop: Any, void_first: bool) -> None:
    original = {"store": "S1", "terminal": "1", "receipt_no": "1", "business_date": DAY}
    void = sale(2, [], 0, kind="void", original=original)
    sold = sale(1, [line("A", 2, 1000)], 2000)
    answers = [shop.post("/pos/sales", body) for body in ([void, sold] if void_first else [sold, void])]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert level(shop, "S1", "A") == 5
    receipt = shop.get(f"/pos/receipts/{answers[void_first].json['id']}").json
    assert (receipt["state"], receipt["voided_by"]) == ("posted", answers[not void_first].json["id"])
    with app.app_context():
        kept = [tuple(one) for one in db.session.execute(text("SELECT state FROM sales_order"))]
    assert kept == ([] if void_first else [("cancelled",)])
    twice = shop.post("/pos/sales", sale(3, [], 0, kind="void", original=original))
    assert twice.json["problems"] == [{"pointer": "/original", "code": "already-voided"}]
    assert level(shop, "S1", "A") == 5


def test_a_void_in_the_place_of_its_own_sale(shop: Any) -> None:
    shop.post("/pos/sales", sale(1, [line("A", 2, 1000)], 2000, source_id="T"))
    void = shop.post("/pos/sales", sale(1, [], 0, kind="void", revision=2, source_id="T"))
    assert (void.status_code, void.json["state"], level(shop, "S1", "A")) == (201, "posted", 5)
    again = shop.post("/pos/sales", sale(1, [line("A", 1, 1000)], 1000, revision=3, source_id="T"))
    assert (again.json["state"], level(shop, "S1", "A")) == ("posted", 4)


def test_below_zero_opens_an_incident_and_is_never_refused(shop: Any) -> None:
    answer = shop.post("/pos/sales", sale(1, [line("A", 7, 1000)], 7000))
    assert answer.status_code == 201
    assert level(shop, "S1", "A") == -2
    (incident,) = shop.get("/incidents?location=S1&state=open").json["items"]
    assert (incident["sku"], incident["shortage"]) == ("A", 2)


def test_weighed_goods_are_pieces_at_the_amount_paid(shop: Any) -> None:
    weighed = line("B", 1, 299, weight_g=420, amount=126)
    answer = shop.post("/pos/sales", sale(1, [weighed], 126))
    assert (answer.json["problems"], answer.json["totals"]["total"], level(shop, "S1", "B")) == ([], 126, 9)


def test_what_is_odd_is_told_and_posted(shop: Any, clock: Any) -> None:
    clock("2026-11-20T10:00+09:00")
    body = sale(1, [line("A", 1, 1000, tax_rate=8), {**line(None, 1, 100), "name": "手提げ袋"}], 1000)
    answer = shop.post("/pos/sales", body)
    assert answer.json["state"] == "posted"
    assert answer.json["problems"] == [
        {"pointer": "/lines/1", "code": "code-missing"},
        {"pointer": "/tenders", "code": "tenders-differ"},
        {"pointer": "/sold_at", "code": "clock-ahead"},
    ]
    assert answer.json["totals"]["tax"] == [
        {"rate": 10, "taxable": 100, "tax": 9}, {"rate": 8, "taxable": 1000, "tax": 74},
    ]  # fmt: skip


def test_change_is_set_against_the_payment_it_was_given_from(app: Any, shop: Any) -> None:
    body = sale(1, [line("A", 1, 1000)], 0)
    body["tenders"] = [{"method": "cash", "amount": 5000}, {"method": "cash", "amount": -4000}]
    assert shop.post("/pos/sales", body).json["problems"] == []
    with app.app_context():
        paid = [tuple(one) for one in db.session.execute(text("SELECT method, amount FROM payment"))]
    assert paid == [("cash", 1000)]


def test_a_member_is_remembered_and_no_card_number_is_readable(app: Any, shop: Any) -> None:
    body = sale(1, [line("A", 1, 1000)], 1000, customer={"card_no": "2900000012345"})
    shop.post("/pos/sales", body)
    shop.post("/pos/sales", sale(2, [line("A", 1, 1000)], 1000, customer={"card_no": "2900000012345"}))
    with app.app_context():
        people = db.session.execute(text("SELECT count(DISTINCT customer_id) FROM sales_order")).scalar()
        kept = db.session.execute(text("SELECT * FROM pos_receipt")).all()
    assert people == 1
    assert "2900000012345" not in str(kept)


def test_keys_and_scopes_and_bounds(make_api: Any, shop: Any, app: Any) -> None:
    body = sale(1, [line("A", 1, 1000)], 1000)
    stranger = make_api("pos:write", locations=("S2",))
    assert stranger.post("/pos/sales", body).json["type"] == "/problems/unknown-location"
    assert stranger.post("/pos/batches", {"sales": [body]}).json["results"] == [
        {"status": 404, "problems": [], "type": "/problems/unknown-location"}
    ]
    assert rows(app, "pos_receipt") == 0
    receipt = shop.post("/pos/sales", body).json["id"]
    assert stranger.get(f"/pos/receipts/{receipt}").status_code == 404
    assert stranger.get("/pos/receipts").json["items"] == []
    for method, path in (
        ("POST", "/pos/sales"), ("POST", "/pos/batches"), ("GET", "/pos/receipts"), ("GET", f"/pos/receipts/{receipt}"),
        ("PUT", f"/pos/receipts/{receipt}"), ("POST", f"/pos/receipts/{receipt}/replay"), ("GET", "/pos/unresolved"),
        ("POST", f"/pos/unresolved/{receipt}/resolve"), ("POST", "/pos/files/generic"),
        ("GET", f"/pos/files/generic/{receipt}"), ("GET", f"/pos/files/generic/{receipt}/errors"),
    ):  # fmt: skip
        assert make_api("stock:read").call(method, path, {}).status_code == 403, path
        nobody = app.test_client().open("/api/v1" + path, method=method, json={})
        assert nobody.status_code == 401, path
