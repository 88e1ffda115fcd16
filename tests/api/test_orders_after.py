"""Change, cancel, ship: what happens to an order after it was placed, its goods and its money."""

from __future__ import annotations

import json
from typing import Any

from app import stock
from tests.api.orders_kit import basket, claims, counts, events, level, place, rows, shop
from tests.factories import make_store


def moved(api: Any, order: dict[str, Any], verb: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    answer = api.post(f"/orders/{order['id']}/{verb}", body if body is not None else {})
    assert answer.status_code == status, answer.text
    return dict(answer.json)


def asked(app: Any) -> list[tuple[str, int]]:
    """What the payment provider was asked for, in order."""
    found = rows(app, "SELECT topic, payload FROM outbox_event WHERE topic LIKE 'payment.%_requested' ORDER BY id")
    return [
        (str(topic), int((json.loads(payload) if isinstance(payload, str) else payload)["amount"]))
        for topic, payload in found
    ]


def test_parcels_take_goods_and_ask_for_just_their_worth(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 3, 1100)], shipping_fee=550))
    first = moved(api, order, "ship", {"lines": [{"line_ref": "1", "quantity": 1}], "carrier": "yamato",
                                       "tracking_no": "4512-3456"})  # fmt: skip
    assert (first["state"], level(app)) == ("partly_fulfilled", (9, 2))
    assert first["shipping"]["shipments"][0]["tracking_no"] == "4512-3456"
    last = moved(api, order, "ship")
    assert (last["state"], last["shipping"]["state"], level(app)) == ("completed", "done", (7, 0))
    assert asked(app) == [("payment.capture_requested", 1650), ("payment.capture_requested", 2200)]
    assert claims(app) == [("ship", "fulfilled")]
    assert events(app) == [("order.created", 1), ("order.shipped", 2), ("order.shipped", 3), ("order.completed", 4)]
    assert rows(app, "SELECT quantity, kind, reference_id FROM stock_movement WHERE kind = 'ship' ORDER BY id") == [
        (-1, "ship", order["id"]), (-2, "ship", order["id"]),
    ]  # fmt: skip


def test_ship_refuses_what_is_not_there(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    before = counts(app)
    over = moved(api, order, "ship", {"lines": [{"line_ref": "1", "quantity": 3}]}, 409)
    assert (over["type"], over["left"]) == ("/problems/too-many-pieces", 2)
    unknown = moved(api, order, "ship", {"lines": [{"line_ref": "9", "quantity": 1}]}, 422)
    assert unknown["errors"][0]["pointer"] == "/lines/0/line_ref"
    twice = [{"line_ref": "1", "quantity": 1}, {"line_ref": "1", "quantity": 2}]
    assert moved(api, order, "ship", {"lines": twice}, 409)["type"] == "/problems/too-many-pieces"
    for bad in ({"lines": []}, {"lines": [{"line_ref": "1", "quantity": 1.0}]}, {"carier": "x"}):
        assert moved(api, order, "ship", bad, 422)["type"] == "/problems/invalid"
    assert (counts(app), level(app)) == (before, (10, 2))
    moved(api, order, "ship")
    again = moved(api, order, "ship", status=409)
    assert (again["type"], again["state"]) == ("/problems/illegal-transition", "completed")
    assert level(app) == (8, 0)


def test_ship_again_under_the_same_key_is_the_same_parcel(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    one = {"lines": [{"line_ref": "1", "quantity": 1}]}
    first = api.post(f"/orders/{order['id']}/ship", one, key="parcel")
    again = api.post(f"/orders/{order['id']}/ship", one, key="parcel")
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert (level(app), counts(app)["shipment"]) == ((9, 1), 1)


def test_cancel_frees_everything_and_voids_the_money(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100), ("2", "B", 1, 540)], shipping_fee=550))
    gone = moved(api, order, "cancel", {"reason": "customer"})
    assert (gone["state"], gone["cancel_reason"]) == ("cancelled", "customer")
    assert gone["refund_due"] == {
        "total": 3290, "points_returned": 0, "coupons_restored": [],
        "tax": [{"rate": 10, "taxable": 2750, "tax": 250}, {"rate": 8, "taxable": 540, "tax": 40}],
        "tenders": [{"payment": order["payments"][0]["id"], "method": "card", "amount": 3290}],
    }  # fmt: skip
    assert (level(app), level(app, "B")) == ((10, 0), (10, 0))
    assert claims(app) == [("ship", "released")]
    assert asked(app) == [("payment.void_requested", 3290)]
    assert events(app) == [("order.created", 1), ("order.cancelled", 2)]
    again = moved(api, order, "cancel", status=409)
    assert (again["state"], again["allowed"]) == ("cancelled", [])
    for verb in ("ship", "change"):
        assert moved(api, order, verb, {"address": "x"} if verb == "change" else {}, 409)["state"] == "cancelled"


def test_cancelled_pieces_free_their_claim_and_no_more(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100), ("2", "A", 1, 900)]))
    part = moved(api, order, "cancel", {"lines": [{"line_ref": "2", "quantity": 1}]})
    assert (part["state"], part["refund_due"]["total"], level(app)) == ("placed", 900, (10, 2))
    over = moved(api, order, "cancel", {"lines": [{"line_ref": "2", "quantity": 1}]}, 409)
    assert (over["type"], over["left"]) == ("/problems/too-many-pieces", 0)
    assert level(app) == (10, 2)
    rest = moved(api, order, "cancel")
    assert (rest["state"], rest["refund_due"]["total"], level(app)) == ("cancelled", 2200, (10, 0))


def test_shipping_fee_stays_once_something_was_sent(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)], shipping_fee=550))
    moved(api, order, "ship", {"lines": [{"line_ref": "1", "quantity": 1}]})
    rest = moved(api, order, "cancel")
    assert (rest["state"], rest["refund_due"]["total"]) == ("completed", 1100)
    assert asked(app) == [("payment.capture_requested", 1650), ("payment.void_requested", 1100)]
    assert (level(app), claims(app)) == ((9, 0), [("ship", "fulfilled")])


def test_captured_money_is_refunded_once(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)], pay="captured", method="qr"))
    gone = moved(api, order, "cancel")
    assert [(r["amount"], r["method"], r["state"]) for r in gone["refunds"]] == [(2200, "qr", "requested")]
    assert events(app, "refund.") == [("refund.requested", 1)]
    refund = gone["refunds"][0]["id"]
    failed = api.post(f"/refunds/{refund}/result", {"state": "failed", "external_ref": "re_1"})
    done = api.post(f"/refunds/{refund}/result", {"state": "done", "external_ref": "re_2"})
    assert (failed.json["refunds"][0]["state"], done.json["refunds"][0]["state"]) == ("failed", "done")
    assert done.json["refunds"][0]["external_ref"] == "re_2"
    assert api.post(f"/refunds/{refund}/result", {"state": "done"}).json["type"] == "/problems/illegal-transition"
    assert api.post("/refunds/nonsense/result", {"state": "done"}).json["type"] == "/problems/unknown-refund"
    assert events(app, "refund.") == [("refund.requested", 1), ("refund.failed", 2), ("refund.done", 3)]


def test_change_of_lines_fits_claim_and_money(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100), ("2", "B", 1, 540)]))
    less = moved(api, order, "change", {"lines": [{"line_ref": "1", "sku": "A", "quantity": 1}]})
    assert less["totals"]["total"] == 1100
    assert (level(app), level(app, "B")) == ((10, 1), (10, 0))
    assert asked(app) == [("payment.void_requested", 1640)]
    more = moved(api, order, "change", {"lines": [
        {"line_ref": "1", "sku": "A", "quantity": 3},
        {"line_ref": "3", "sku": "B", "quantity": 2, "unit_price": 540},
    ]})  # fmt: skip
    assert (more["totals"]["total"], more["balance_due"]) == (4380, 3280)
    assert (level(app), level(app, "B")) == ((10, 3), (10, 2))
    assert [(p["method"], p["state"], p["amount"]) for p in more["payments"]] == [
        ("card", "authorized", 2740), ("balance", "due", 3280),
    ]  # fmt: skip
    paid = moved(api, order, "payments", {"method": "card", "amount": 3280, "state": "authorized"}, 201)
    assert (paid["balance_due"], paid["payments"][1]["state"]) == (0, "voided")
    sent = moved(api, order, "ship")
    assert [p["capture_requested"] for p in sent["payments"]] == [1100, 0, 3280]
    assert (level(app), level(app, "B")) == ((7, 0), (8, 0))


def test_a_line_removed_from_an_order_frees_its_claim(api, app):
    shop(api, A=2, B=1)
    order = place(api, basket(lines=[("1", "A", 2, 1100), ("2", "B", 1, 540)]))
    moved(api, order, "change", {"lines": [{"line_ref": "1", "sku": "A", "quantity": 2}]})
    assert (level(app), level(app, "B")) == ((2, 2), (1, 0))
    held = rows(app, "SELECT sku, sum(open_quantity) FROM claim_line GROUP BY sku ORDER BY sku")
    assert [(sku, int(pieces)) for sku, pieces in held] == [("A", 2), ("B", 0)]
    with app.app_context():
        assert [result for result in stock.check.check().results if not result.holds] == []
    next_buyer = place(api, basket("EC-2", lines=[("1", "B", 1, 540)]))
    moved(api, order, "ship")
    moved(api, next_buyer, "ship")
    assert (level(app), level(app, "B")) == ((0, 0), (0, 0))


def test_own_claim_does_not_stand_in_the_way_of_a_change(api, app):
    shop(api, A=2, B=1)
    order = place(api, basket(lines=[("1", "A", 1, 1100)]))
    more = moved(api, order, "change", {"lines": [{"line_ref": "1", "sku": "A", "quantity": 2}]})
    assert (more["totals"]["total"], level(app)) == (2200, (2, 2))
    assert claims(app) == [("ship", "released"), ("ship", "reserved")]
    refused = moved(api, order, "change", {"lines": [{"line_ref": "1", "sku": "A", "quantity": 3}]}, 409)
    assert (refused["type"], level(app)) == ("/problems/insufficient-stock", (2, 2))
    assert claims(app) == [("ship", "released"), ("ship", "reserved")]
    assert api.get(f"/orders/{order['id']}").json["totals"]["total"] == 2200


def test_change_of_place_takes_there_first_and_frees_here(api, app):
    shop(api)
    make_store(api, "W2", {"A": 1}, kind="warehouse")
    order = place(api, basket(lines=[("1", "A", 1, 1100)]))
    there = moved(api, order, "change", {"location": "W2"})
    assert (there["location"], there["shipping"]["ship_from"]) == ("W2", "W2")
    assert (level(app), level(app, "A", "W2")) == ((10, 0), (1, 1))
    big = place(api, basket("EC-2", lines=[("1", "A", 2, 1100)]))
    refused = moved(api, big, "change", {"location": "W2"}, 409)
    assert refused["type"] == "/problems/insufficient-stock"
    assert (level(app), level(app, "A", "W2")) == ((10, 2), (1, 1))
    assert moved(api, big, "change", {"location": "NOPE"}, 404)["type"] == "/problems/unknown-location"
    moved(api, order, "ship")
    assert level(app, "A", "W2") == (0, 0)


def test_change_of_address_alone_touches_no_stock(api, app):
    shop(api)
    order = place(api, basket(customer={"email": "a@b.jp", "name": "山田"}))
    changed = moved(api, order, "change", {"address": {"city": "千代田区"}})
    assert changed["shipping"]["address"] == {"city": "千代田区"}
    assert claims(app) == [("ship", "reserved")]
    assert counts(app)["customer_contact"] == 1


def test_change_asks_for_a_price_of_what_is_new_and_stops_at_the_first_parcel(api, app):
    shop(api)
    order = place(api, basket(lines=[("1", "A", 2, 1100)]))
    new = moved(api, order, "change", {"lines": [{"line_ref": "2", "sku": "B", "quantity": 1}]}, 422)
    assert new["errors"][0]["pointer"] == "/lines/0/unit_price"
    assert moved(api, order, "change", {}, 422)["errors"][0]["pointer"] == "/lines"
    assert level(app) == (10, 2)
    moved(api, order, "ship", {"lines": [{"line_ref": "1", "quantity": 1}]})
    late = moved(api, order, "change", {"address": "x"}, 409)
    assert (late["type"], late["state"]) == ("/problems/illegal-transition", "partly_fulfilled")
