"""What the payment provider says, and payments that never came: no way out leaks a claim or a yen."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app import orders
from tests.api.orders_kit import basket, claims, counts, events, level, place, rows, shop


def result(api: Any, order: dict[str, Any], body: dict[str, Any], number: int = 0, status: int = 200) -> dict[str, Any]:
    payment = order["payments"][number]["id"]
    answer = api.post(f"/orders/{order['id']}/payments/{payment}/result", body)
    assert answer.status_code == status, answer.text
    return dict(answer.json)


def test_capture_in_parts_as_parcels_leave(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    api.post(f"/orders/{order['id']}/ship", {"lines": [{"line_ref": "1", "quantity": 1}]})
    one = result(api, order, {"state": "captured", "amount": 1100, "external_ref": "ch_1"})
    assert (one["payments"][0]["state"], one["payments"][0]["captured"]) == ("authorized", 1100)
    api.post(f"/orders/{order['id']}/ship", {})
    two = result(api, order, {"state": "captured", "amount": 1100, "external_ref": "ch_2"})
    assert (two["payments"][0]["state"], two["payments"][0]["captured"]) == ("captured", 2200)
    more = result(api, order, {"state": "captured", "amount": 1}, status=409)
    assert more["type"] == "/problems/illegal-transition"
    assert [topic for topic, _ in events(app, "payment.")] == [
        "payment.capture_requested", "payment.captured", "payment.capture_requested", "payment.captured",
    ]  # fmt: skip
    assert [sequence for _, sequence in events(app, "payment.")] == [1, 2, 3, 4]


def test_more_than_the_payment_is_refused(api, app):
    shop(api)
    order = place(api, basket())
    refused = result(api, order, {"state": "captured", "amount": 1101}, status=409)
    assert (refused["type"], refused["open"]) == ("/problems/payment-mismatch", 1100)
    assert rows(app, "SELECT state, captured FROM payment") == [("authorized", 0)]


def test_failed_payment_cancels_and_frees(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    gone = result(api, order, {"state": "failed", "amount": 2200, "external_ref": "x"})
    assert (gone["state"], gone["cancel_reason"], gone["payments"][0]["state"]) == (
        "cancelled", "payment_failed", "failed",
    )  # fmt: skip
    assert (level(app), claims(app)) == ((10, 0), [("ship", "released")])
    assert events(app) == [("order.created", 1), ("order.cancelled", 2)]
    assert gone["refunds"] == []


def test_failed_payment_gives_the_other_tender_back(api, app):
    shop(api)
    body = basket(lines=[("1", "A", 3, 1000)])
    body["payments"] = [
        {"method": "card", "amount": 2000, "state": "authorized"},
        {"method": "qr", "amount": 1000, "state": "captured"},
    ]
    order = place(api, body)
    gone = result(api, order, {"state": "failed"})
    assert [(r["method"], r["amount"]) for r in gone["refunds"]] == [("qr", 1000)]
    assert (gone["state"], level(app)) == ("cancelled", (10, 0))


def test_failed_capture_after_a_parcel_leaves_a_debt_that_a_new_payment_takes_over(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    api.post(f"/orders/{order['id']}/ship", {"lines": [{"line_ref": "1", "quantity": 1}]})
    owed = result(api, order, {"state": "failed"})
    assert (owed["state"], owed["balance_due"], level(app)) == ("partly_fulfilled", 2200, (9, 1))
    over = api.post(f"/orders/{order['id']}/payments", {"method": "card", "amount": 2201, "state": "authorized"})
    assert (over.status_code, over.json["open"]) == (409, 2200)
    paid = api.post(f"/orders/{order['id']}/payments", {"method": "card", "amount": 2200, "state": "authorized"}).json
    assert (paid["balance_due"], paid["payments"][1]["capture_requested"]) == (0, 1100)
    sent = api.post(f"/orders/{order['id']}/ship", {}).json
    assert (sent["state"], sent["payments"][1]["capture_requested"]) == ("completed", 2200)


def test_voided_after_cancel_is_the_end_of_it(api, app):
    shop(api)
    order = place(api, basket())
    api.post(f"/orders/{order['id']}/cancel", {})
    ended = result(api, order, {"state": "voided", "external_ref": "v"})
    assert (ended["payments"][0]["state"], ended["balance_due"]) == ("voided", 0)


def test_authorisation_that_lapsed_cancels(api, app):
    shop(api)
    order = place(api, basket())
    assert result(api, order, {"state": "voided"})["state"] == "cancelled"
    assert level(app) == (10, 0)


def test_due_payment_that_is_paid(api, app):
    shop(api)
    order = place(api, basket(pay="due", method="konbini"))
    assert (order["balance_due"], order["payments"][0]["due_at"] is None) == (1100, False)
    paid = result(api, order, {"state": "captured", "amount": 1100, "external_ref": "k"})
    assert (paid["balance_due"], paid["payments"][0]["state"]) == (0, "captured")
    assert paid["state"] == "placed"


def test_past_due_payment_cancels_the_order(api, app, clock):
    at = clock("2026-11-22T15:10+09:00")
    shop(api)
    order = place(api, basket("1", pay="due", method="konbini"))
    card = place(api, basket("2"))
    at_hand = place(api, basket("3", pay="due", method="cod"))
    clock(at + dt.timedelta(hours=72) - dt.timedelta(seconds=1))
    with app.app_context():
        assert orders.end_past_due() == 0
    clock(at + dt.timedelta(hours=72))
    with app.app_context():
        assert orders.end_past_due() == 1
        assert orders.end_past_due() == 0
    ended = api.get(f"/orders/{order['id']}").json
    assert (ended["state"], ended["cancel_reason"]) == ("cancelled", "payment_overdue")
    assert [api.get(f"/orders/{o['id']}").json["state"] for o in (card, at_hand)] == ["placed", "placed"]
    assert level(app) == (10, 2)
    # The customer paid at the shop's till all the same: a fact, and it goes back.
    late = result(api, order, {"state": "captured", "amount": 1100})
    assert [(r["amount"], r["state"]) for r in late["refunds"]] == [(1100, "requested")]


def test_cash_on_delivery_is_taken_with_the_parcel(api, app):
    shop(api)
    order = place(api, basket(pay="due", method="cod"))
    sent = api.post(f"/orders/{order['id']}/ship", {}).json
    assert (sent["payments"][0]["state"], sent["payments"][0]["captured"]) == ("captured", 1100)
    assert (sent["balance_due"], sent["state"]) == (0, "completed")
    assert events(app, "payment.") == [("payment.captured", 1)]


@pytest.mark.parametrize(
    "body",
    [
        {"state": "paid"}, {"state": "captured", "amount": 1.0}, {"state": "captured", "amount": -1},
        {"state": "captured", "amount": "1"}, {"amount": 1}, {"state": "captured", "sum": 1},
    ],
)  # fmt: skip
def test_bad_results(api, app, body):
    shop(api)
    order = place(api, basket())
    before = counts(app)
    assert result(api, order, body, status=422)["type"] == "/problems/invalid"
    assert counts(app) == before


def test_payments_of_others_and_none(api, make_api):
    shop(api)
    order, other = place(api, basket("1")), place(api, basket("2"))
    foreign = other["payments"][0]["id"]
    for payment in (foreign, "nonsense"):
        answer = api.post(f"/orders/{order['id']}/payments/{payment}/result", {"state": "failed"})
        assert (answer.status_code, answer.json["type"]) == (404, "/problems/unknown-payment")
    assert api.get(f"/orders/{other['id']}").json["state"] == "placed"
    reader = make_api("orders:read")
    own = order["payments"][0]["id"]
    assert reader.post(f"/orders/{order['id']}/payments/{own}/result", {"state": "failed"}).status_code == 403
    full = api.post(f"/orders/{order['id']}/payments", {"method": "card", "amount": 1, "state": "authorized"})
    assert (full.status_code, full.json["open"]) == (409, 0)


def test_cancelled_pieces_are_no_debt_of_a_failed_payment(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 3, 1000)]))
    api.post(f"/orders/{order['id']}/ship", {"lines": [{"line_ref": "1", "quantity": 1}]})
    assert result(api, order, {"state": "failed"})["balance_due"] == 3000
    told = len(events(app, "payment."))
    ended = api.post(f"/orders/{order['id']}/cancel", {}).json
    card = order["payments"][0]["id"]
    assert ended["refund_due"]["total"] == 2000
    assert ended["refund_due"]["tenders"] == [{"payment": card, "method": "card", "amount": 2000}]
    assert (ended["state"], ended["balance_due"], ended["refunds"]) == ("completed", 1000, [])
    assert len(events(app, "payment.")) == told
    over = api.post(f"/orders/{order['id']}/payments", {"method": "card", "amount": 3000, "state": "captured"})
    assert (over.status_code, over.json["open"]) == (409, 1000)
    paid = api.post(f"/orders/{order['id']}/payments", {"method": "card", "amount": 1000, "state": "captured"}).json
    assert (paid["balance_due"], paid["refunds"]) == (0, [])


def test_part_taken_before_the_failure_goes_back_once(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    result(api, order, {"state": "captured", "amount": 500})
    gone = result(api, order, {"state": "failed"})
    assert (gone["state"], gone["balance_due"]) == ("cancelled", 0)
    assert [(r["amount"], r["state"]) for r in gone["refunds"]] == [(500, "requested")]


@pytest.mark.parametrize("body", [{"state": "captured"}, {"state": "captured", "amount": 3000}])
def test_captured_after_failed_pays_what_was_given(api, app, body):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 3, 1000)]))
    api.post(f"/orders/{order['id']}/ship", {"lines": [{"line_ref": "1", "quantity": 1}]})
    result(api, order, {"state": "failed"})
    api.post(f"/orders/{order['id']}/cancel", {"lines": [{"line_ref": "1", "quantity": 1}]})
    late = result(api, order, body)
    assert (late["payments"][0]["state"], late["payments"][0]["captured"], late["balance_due"]) == ("captured", 3000, 0)
    assert [r["amount"] for r in late["refunds"]] == [1000]
    ended = api.post(f"/orders/{order['id']}/cancel", {}).json
    assert (ended["state"], [r["amount"] for r in ended["refunds"]]) == ("completed", [1000, 1000])


@pytest.mark.parametrize("body", [{"state": "captured"}, {"state": "captured", "amount": 2200}])
def test_captured_after_the_failure_cancelled_the_order_goes_back(api, app, body):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    assert result(api, order, {"state": "failed"})["state"] == "cancelled"
    late = result(api, order, body)
    assert (late["state"], late["payments"][0]["state"], late["balance_due"]) == ("cancelled", "captured", 0)
    assert [(r["amount"], r["state"]) for r in late["refunds"]] == [(2200, "requested")]
    assert level(app) == (10, 0)


def test_captured_after_voided_needs_no_amount(api, app):
    shop(api)
    order = place(api, basket())
    api.post(f"/orders/{order['id']}/cancel", {})
    result(api, order, {"state": "voided"})
    late = result(api, order, {"state": "captured"})
    assert (late["payments"][0]["state"], late["payments"][0]["captured"]) == ("captured", 1100)
    assert [(r["amount"], r["state"]) for r in late["refunds"]] == [(1100, "requested")]
