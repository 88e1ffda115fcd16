"""A till's receipt as an order, and the front door that rooms above use."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app import customers, orders
from app.core.db import db
from app.core.states import IllegalTransition
from app.orders import PostedSale, SoldLine, Tender
from tests.api.orders_kit import basket, counts, events, level, place, rows, shop

SOLD_AT = dt.datetime(2026, 11, 22, 6, 10, tzinfo=dt.UTC)


def receipt(**over: Any) -> PostedSale:
    return PostedSale(**{
        "location_id": "S1",
        "external_ref": "till|S1|1|2026-11-22|0001",
        "sold_at": SOLD_AT,
        "lines": [SoldLine("1", "A", "シャツ", 2, 1100, 10), SoldLine("2", None, "不明", 1, 540, 8, discount=40)],
        "tenders": [Tender("cash", 2000), Tender("qr", 700)],
    } | over)  # fmt: skip


def test_receipt_is_a_completed_order_at_once(api, app):
    with app.app_context():
        made = orders.record_sale(receipt())
    assert (made.priced.total, [(t.rate, t.tax) for t in made.priced.tax]) == (2700, [(10, 200), (8, 37)])
    shown = api.get(f"/orders/{made.id}").json
    assert (shown["state"], shown["channel"], shown["number"], shown["fulfilment"]["method"]) == (
        "completed", "pos", None, "counter",
    )  # fmt: skip
    assert shown["totals"]["total"] == 2700
    assert [(line["sku"], line["fulfilled"], line["net"]) for line in shown["lines"]] == [
        ("A", 2, 2200),
        (None, 1, 500),
    ]
    assert [(p["method"], p["amount"], p["state"], p["captured"]) for p in shown["payments"]] == [
        ("cash", 2000, "captured", 2000), ("qr", 700, "captured", 700),
    ]  # fmt: skip
    assert (shown["balance_due"], shown["completed_at"]) == (0, "2026-11-22T06:10:00.000Z")
    assert events(app) == [("order.completed", 1)]
    found = api.get("/orders?channel=pos&external_ref=till%7CS1%7C1%7C2026-11-22%7C0001").json["items"]
    assert [item["id"] for item in found] == [made.id]


def test_corrected_receipt_is_a_revision_beside_the_reversed_one(api, app):
    with app.app_context():
        first = orders.record_sale(receipt()).id
        orders.reverse_sale(first, reason="corrected")
        with pytest.raises(IllegalTransition):
            orders.reverse_sale(first, reason="corrected")
        db.session.remove()
        second = orders.record_sale(receipt(revision=2, lines=[SoldLine("1", "A", "シャツ", 1, 1100, 10)])).id
    assert rows(app, "SELECT id, state, revision FROM sales_order ORDER BY revision") == [
        (first, "cancelled", 1), (second, "completed", 2),
    ]  # fmt: skip
    assert events(app) == [("order.completed", 1), ("order.cancelled", 2), ("order.completed", 1)]


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"discount": 100_000}, "discount-exceeds-amount"),
        ({"lines": [SoldLine("1", "A", "シャツ", 999_999, 999_999, 10)]}, "too-high"),
        ({"lines": []}, "no-lines"),
    ],
)
def test_receipt_that_cannot_be_priced_leaves_nothing(app, over, code):
    with app.app_context():
        with pytest.raises(orders.PricingError) as refused:
            orders.record_sale(receipt(**over))
        assert refused.value.code == code
        db.session.remove()
    assert counts(app)["sales_order"] == 0


def work_of(app, order_id):
    """(work item, claim) of the order's only fulfilment."""
    return rows(app, "SELECT work_id, claim_id FROM fulfilment WHERE order_id = :id", id=order_id)[0]


def test_undone_hand_over_is_open_again_and_paid_only_once(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)], shipping_fee=550))
    key = order["id"]
    work, claim = work_of(app, key)
    with app.app_context():
        orders.record_fulfilment(key, {"1": 2}, at=SOLD_AT, reference=("test", key))
        assert orders.summary(key).state == "completed"
        orders.reverse_fulfilment(key, {"1": 1}, work_id=work, claim_id=claim, reason="undo")
        assert orders.summary(key).state == "partly_fulfilled"
        orders.reverse_fulfilment(key, {"1": 1}, work_id=work, claim_id=claim, reason="undo")
        with pytest.raises(orders.TooManyPieces):
            orders.reverse_fulfilment(key, {"1": 1}, work_id=work, claim_id=claim, reason="undo")
        db.session.remove()
        assert [line.open for line in orders.summary(key).lines] == [2]
        orders.record_fulfilment(key, {"1": 2}, at=SOLD_AT, reference=("test", key))
    shown = api.get(f"/orders/{key}").json
    assert (shown["state"], shown["payments"][0]["capture_requested"]) == ("completed", 2750)
    assert events(app, "payment.") == [("payment.capture_requested", 1)]
    assert [sequence for _, sequence in events(app)] == list(range(1, 6))


def test_pieces_that_never_come_go_back_without_a_word_to_the_method(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100), ("2", "A", 1, 900)]))
    with app.app_context():
        due = orders.cancel_parts(order["id"], {"1": 1}, reason="short")
        assert (due.total, due.tenders[0]["amount"]) == (1100, 1100)
    assert level(app) == (10, 3)  # the claim is the method's to settle
    assert api.get(f"/orders/{order['id']}").json["state"] == "placed"


def test_till_cannot_hand_over_what_is_sent(api, app):
    shop(api)
    order = place(api, basket(pay="due", method="cod"))
    with app.app_context():
        assert orders.at_counter(order["number"], location="S1").order_id == order["id"]
        with pytest.raises(orders.UnknownOrder):
            orders.at_counter("nothing", location="S1")
        found = orders.at_counter("EC-1", location="S1")
        assert (found.order_id, found.left) == (order["id"], {"A": 1})
        with pytest.raises(Exception, match="not-collected"):
            orders.settle_at_till(found, {"A": 1}, tenders_taken=[("cash", 1100)], at=SOLD_AT, reference="r-1")
        db.session.remove()
    assert api.get(f"/orders/{order['id']}").json == order


def test_phone_is_one_in_every_spelling_and_found_by_its_tail(app):
    assert {customers.normal_phone(p) for p in ("090-1234-5678", "+81 90 1234 5678", "０９０１２３４５６７８")} == {
        "+819012345678",
    }  # fmt: skip
    assert customers.normal_phone("x") is None
    assert customers.normal_phone(None) is None
    with app.app_context():
        tail = customers.phone_tail("+819012345678")
        assert tail == customers.phone_tail("5678") == customers.phone_tail("03-1111-5678")
        assert tail != customers.phone_tail("5679")
        assert customers.phone_tail("567") is None
        assert customers.phone_tail(None) is None


def test_contact_is_read_back_and_rewritten(app):
    with app.app_context():
        assert customers.keep_contact({}, customer_id=None) is None
        assert customers.contact(None).is_empty
        key = customers.keep_contact({"name": "山田", "phone": "090-1234-5678"}, customer_id=None)
        assert customers.contact(key) == customers.Contact(name="山田", phone="+819012345678")
        same = customers.keep_contact({"name": "鈴木"}, customer_id=None, contact_id=key)
        db.session.remove()
        assert same == key
        assert customers.contact(key) == customers.Contact(name="鈴木")


def test_money_taken_at_the_counter_is_not_taken_again_after_an_undo(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)], pay="due", method="cod"))
    key = order["id"]
    work, claim = work_of(app, key)
    with app.app_context():
        for _ in range(2):
            orders.record_fulfilment(key, {"1": 1}, at=SOLD_AT, reference=("test", key))
            orders.reverse_fulfilment(key, {"1": 1}, work_id=work, claim_id=claim, reason="undo")
        orders.record_fulfilment(key, {"1": 1}, at=SOLD_AT, reference=("test", key))
    paid = api.get(f"/orders/{key}").json["payments"][0]
    assert (paid["state"], paid["captured"]) == ("due", 1100)
    with app.app_context():
        orders.record_fulfilment(key, {"1": 1}, at=SOLD_AT, reference=("test", key))
    paid = api.get(f"/orders/{key}").json["payments"][0]
    assert (paid["state"], paid["captured"]) == ("captured", 2200)
