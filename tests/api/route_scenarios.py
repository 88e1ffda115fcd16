"""For every call that changes something: a shop, and one request to it that works. tests/api/test_every_route_once.py.

An operation that has no row here fails that test by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app import stock
from app.webhooks import dealing
from tests.api.notices_kit import Shop
from tests.api.orders_kit import basket, place
from tests.api.pickups_kit import act, bring, order, token_of
from tests.api.rescue_kit import a_broken_promise
from tests.factories import make_sku, make_store, sku_body, store_body
from tests.till import line, sale
from tests.unit.poslog_text import grand, item, log, tender, transaction

NOON = "2026-11-22T12:00+09:00"
JAN = "4901234567894"
SKUS = b"sku,product,name,tax_category,list_price\nNEW,NEW,\xe6\x96\xb0,standard,100\n"
SALES = (
    b"store,terminal,receipt_no,business_date,sold_at,line_no,sku,name,quantity,unit_price,tender_method,tender_amount\n"
    b"S1,1,1,2026-11-22,2026/11/22 11:10,1,A,a,1,1100,cash,1100\n"
)


@dataclass(frozen=True)
class Request:
    """What is sent; `other` is a body that the same call would take as well."""

    path: str
    body: Any = None
    other: Any = None
    content_type: str = "application/json"

    def sent(self, body: Any) -> dict[str, Any]:
        """The keyword arguments that send `body`."""
        if isinstance(body, bytes):
            return {"data": body, "content_type": self.content_type}
        return {} if body is None else {"json": body}


Scenario = Callable[[Any], Request]


def shop(api: Any) -> None:
    """Store S1 and warehouse W1, both with A (which has a barcode) and B."""
    make_sku(api, "A", barcodes=[JAN])
    make_sku(api, "B", tax_category="reduced")
    make_store(api, "S1", {"A": 20, "B": 20})
    make_store(api, "W1", {"A": 20, "B": 20}, kind="warehouse")


def pieces(quantity: int) -> list[dict[str, Any]]:
    return [{"sku": "A", "quantity": quantity}]


def of_line(quantity: int) -> dict[str, Any]:
    return {"lines": [{"line_ref": "1", "quantity": quantity}]}


# --- places, goods, stock ---------------------------------------------------------------------------------------------


def importing(api: Any) -> Request:
    return Request("/imports/skus", SKUS, SKUS.replace(b"100", b"200"), "text/csv")


def a_location(api: Any) -> Request:
    return Request("/locations/S9", store_body("S9"), store_body("S9", safety_stock=3))


def a_sku(api: Any) -> Request:
    return Request("/skus/Z", sku_body("Z", barcodes=[JAN]), sku_body("Z", list_price=2))


def a_policy(api: Any) -> Request:
    shop(api)
    facts = {"channel": "ec", "location": "S1", "sku": "A"}
    return Request("/stock/policies", facts | {"share": 80}, facts | {"share": 70})


def an_adjustment(api: Any) -> Request:
    shop(api)
    facts = {"location": "S1", "reason": "damage"}
    return Request("/stock/adjustments", facts | {"lines": pieces(-2)}, facts | {"lines": pieces(-3)})


def a_transfer(api: Any) -> Request:
    shop(api)
    ends = {"from": "W1", "to": "S1"}
    return Request("/transfers", ends | {"lines": pieces(2)}, ends | {"lines": pieces(3)})


def transfer_step(step: str, *, shipped: bool = False) -> Scenario:
    def scene(api: Any) -> Request:
        shop(api)
        made = api.post("/transfers", {"from": "W1", "to": "S1", "lines": pieces(2)}).json["id"]
        if step == "cancel":
            return Request(f"/transfers/{made}/{step}")
        if not shipped:
            return Request(f"/transfers/{made}/{step}", {"lines": pieces(2)}, {"lines": pieces(1)})
        assert api.post(f"/transfers/{made}/ship").status_code == 200
        return Request(f"/transfers/{made}/{step}", {"lines": pieces(2)}, {"lines": pieces(1)})

    return scene


def a_recount(api: Any) -> Request:
    shop(api)
    with api.app.app_context():
        owed = stock.doubt("S1", "A", missing=1, reason="other", cause_ref=("pickup", "p"))
    return Request(f"/recounts/{owed}/done", {"counted": 20}, {"counted": 19})


def some_shelves(api: Any) -> Request:
    shop(api)
    place, other = ({"location": "S1", "lines": [{"sku": "A", "shelf": shelf}]} for shelf in ("1", "2"))
    return Request("/stock/shelves", place, other)


# --- reservations and orders ------------------------------------------------------------------------------------------


def a_reservation(api: Any) -> Request:
    shop(api)
    facts = {"location": "S1", "kind": "hold", "customer": {"name": "山田花子", "phone": "090-1234-5678"}}
    return Request("/reservations", facts | {"lines": pieces(2)}, facts | {"lines": pieces(3)})


def a_wait(api: Any) -> Request:
    shop(api)
    facts = {"location": "S1", "sku": "A", "customer": {"name": "山田花子", "phone": "090-1234-5678"}}
    return Request("/waiting-list", facts | {"quantity": 2}, facts | {"quantity": 3})


def a_wait_given_up(api: Any) -> Request:
    made = api.post("/waiting-list", a_wait(api).body)
    return Request(f"/waiting-list/{made.json['id']}/leave")


def reservation_step(step: str, body: Any = None, other: Any = None) -> Scenario:
    def scene(api: Any) -> Request:
        shop(api)
        made = api.post("/reservations", {"location": "S1", "kind": "cart", "lines": pieces(2)})
        return Request(f"/reservations/{made.json['id']}/{step}", body, other)

    return scene


def an_order(api: Any) -> Request:
    shop(api)
    return Request("/orders", basket(lines=[("1", "A", 2, 1100)]), basket(lines=[("1", "A", 3, 1100)]))


def order_step(step: str, body: Any, other: Any) -> Scenario:
    def scene(api: Any) -> Request:
        shop(api)
        made = place(api, basket(lines=[("1", "A", 3, 1100), ("2", "B", 1, 540)]))
        return Request(f"/orders/{made['id']}/{step}", body, other)

    return scene


def another_payment(api: Any) -> Request:
    shop(api)
    made = place(api, basket())
    more = {"lines": [{"line_ref": "1", "sku": "A", "quantity": 2}]}
    assert api.post(f"/orders/{made['id']}/change", more).json["balance_due"] == 1100
    paid = {"method": "card", "amount": 500, "state": "authorized"}
    return Request(f"/orders/{made['id']}/payments", paid, paid | {"amount": 600})


def payment_result(api: Any) -> Request:
    shop(api)
    made = place(api, basket(lines=[("1", "A", 2, 1100)]))
    told = {"state": "captured", "amount": 1100, "external_ref": "ch_1"}
    return Request(f"/orders/{made['id']}/payments/{made['payments'][0]['id']}/result", told, told | {"amount": 1000})


def refund_result(api: Any) -> Request:
    shop(api)
    made = place(api, basket(pay="captured", method="qr"))
    refund = api.post(f"/orders/{made['id']}/cancel", {}).json["refunds"][0]["id"]
    return Request(f"/refunds/{refund}/result", {"state": "failed"}, {"state": "done"})


# --- pickups ----------------------------------------------------------------------------------------------------------


def pickup_step(step: str, state: str, body: Any = None, other: Any = None) -> Scenario:
    def scene(api: Any) -> Request:
        shop(api)
        shown = order(api)["pickup"]
        bring(api, shown, state)
        return Request(f"/pickups/{shown['id']}/{step}", body, other)

    return scene


def all_picked(api: Any) -> Request:
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "picking")
    act(api, shown["id"], "pick", {"lines": [*pieces(2), {"sku": "B", "quantity": 1}]})
    return Request(f"/pickups/{shown['id']}/ready", {"shelf": "A-3"}, {"shelf": "A-4"})


def hand_over(api: Any) -> Request:
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    given = {"token": token_of(shown)}
    return Request(f"/pickups/{shown['id']}/hand-over", given, given | {"lines": [{"sku": "B", "quantity": 1}]})


def reshelved(api: Any) -> Request:
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    act(api, shown["id"], "cancel", {"reason": "store"})
    return Request(f"/pickups/{shown['id']}/reshelve", {"lines": pieces(1)}, {"lines": pieces(2)})


def asked_to_cancel(api: Any) -> Request:
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    act(api, shown["id"], "request-cancel")
    return Request(f"/pickups/{shown['id']}/decline-cancel", {"reason": "packed"}, {"reason": "gone"})


def a_wave(api: Any) -> Request:
    shop(api)
    for ref in ("EC-1", "EC-2"):
        order(api, ref)
    return Request("/waves", {"location": "S1", "limit": 2}, {"location": "S1", "limit": 1})


def wave_step(step: str, body: Any = None, other: Any = None) -> Scenario:
    def scene(api: Any) -> Request:
        asked = a_wave(api)
        made = api.post(asked.path, asked.body).json["id"]
        return Request(f"/waves/{made}/{step}", body, other)

    return scene


def one_short(api: Any, step: str, body: Any, other: Any) -> Request:
    """A piece of A is missing at S1, B is still to be picked, and W1 has both."""
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "picking")
    act(api, shown["id"], "short", {"sku": "A", "quantity": 1, "reason": "damaged"})
    return Request(f"/pickups/{shown['id']}/{step}", body, other)


def choosing(api: Any) -> Request:
    return one_short(api, "choose", {"option": "part"}, {"option": "cancel"})


def substitute(api: Any) -> Request:
    make_sku(api, "C")
    make_sku(api, "D")
    return one_short(api, "substitute", {"sku": "A", "substitute": "C"}, {"sku": "A", "substitute": "D"})


def pin_locked(api: Any) -> Request:
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    wrong = {"code": shown["code"], "pin": "000000" if shown["pin"] != "000000" else "111111"}
    for _ in range(5):
        api.post(f"/pickups/{shown['id']}/hand-over", wrong)
    assert api.get(f"/pickups/{shown['id']}").json["pin_locked"] is True
    return Request(f"/pickups/{shown['id']}/unlock")


# --- tills ------------------------------------------------------------------------------------------------------------


def sold(quantity: int, **more: Any) -> dict[str, Any]:
    return sale(1, [line("A", quantity, 1000)], 1000 * quantity, **more)


def a_sale(api: Any) -> Request:
    shop(api)
    return Request("/pos/sales", sold(1), sold(2))


def a_batch(api: Any) -> Request:
    shop(api)
    both = [sold(1), sold(2, receipt_no="2")]
    return Request("/pos/batches", {"sales": both}, {"sales": both[:1]})


def mended(api: Any) -> Request:
    shop(api)
    parked = api.post("/pos/sales", sold(1, kind="gift")).json["id"]
    return Request(f"/pos/receipts/{parked}", {"sale": sold(1)}, {"sale": sold(2)})


def replayed(api: Any) -> Request:
    shop(api)
    parked = api.post("/pos/sales", sold(1, store="S9")).json["id"]
    make_store(api, "S9")
    return Request(f"/pos/receipts/{parked}/replay")


def resolved(api: Any) -> Request:
    shop(api)
    api.post("/pos/sales", sale(1, [line("ghost", 2, 100)], 200))
    (waiting,) = api.get("/pos/unresolved").json["items"]
    return Request(f"/pos/unresolved/{waiting['id']}/resolve", {"sku": "A"}, {"sku": "B"})


def till_file(api: Any) -> Request:
    shop(api)
    return Request("/pos/files/generic", SALES, SALES.replace(b"1100", b"1200"), "text/csv")


def till_log(api: Any) -> Request:
    shop(api)
    one, other = (log(transaction(item(1, paid) + tender(paid) + grand(paid))) for paid in ("107", "108"))
    return Request("/pos/files/poslog", one, other, "application/xml")


# --- notices ----------------------------------------------------------------------------------------------------------


def sent_notice(api: Any) -> Request:
    told = Shop(api.app)
    told.offer("pickup.ready")
    told.request("pickup.ready", 1)
    told.post()
    return Request(f"/notices/{api.get('/notices').json['items'][0]['id']}/resend")


def own_words(api: Any) -> Request:
    words = {"subject": "{{ store.name }}", "text": "{{ name }} 様", "short": "{{ page_url }}"}
    return Request("/notice-templates/pickup.ready/ja", words)


# --- webhooks ---------------------------------------------------------------------------------------------------------


def listening(api: Any, url: str = "https://8.8.8.8/hooks") -> str:
    """An endpoint that nobody ever calls; returns its id."""
    return str(api.post("/webhook-endpoints", {"url": url, "events": ["*"]}).json["id"])


def an_endpoint(api: Any) -> Request:
    facts = {"events": ["order.*"]}
    return Request("/webhook-endpoints", facts | {"url": "https://8.8.8.8/a"}, facts | {"url": "https://8.8.8.8/b"})


def endpoint_step(step: str, body: Any = None, other: Any = None) -> Scenario:
    def scene(api: Any) -> Request:
        return Request(f"/webhook-endpoints/{listening(api)}{step}", body, other)

    return scene


def a_delivery(api: Any) -> Request:
    shop(api)
    listening(api)
    assert api.post("/reservations", {"location": "S1", "kind": "cart", "lines": pieces(2)}).status_code == 201
    with api.app.app_context():
        assert dealing.deal() is False
    (made,) = api.get("/webhook-deliveries").json["items"]
    return Request(f"/webhook-deliveries/{made['id']}/retry")


SCENARIOS: dict[str, tuple[Scenario, ...]] = {
    "imports_api.start_import": (importing,),
    "webhooks_api.create_endpoint": (an_endpoint,),
    "webhooks_api.delete_endpoint": (endpoint_step(""),),
    "webhooks_api.rotate_secret": (endpoint_step("/rotate-secret"),),
    "webhooks_api.replay_events": (
        endpoint_step("/replay", *({"since": f"2026-11-2{day}T12:00:00+09:00"} for day in (0, 1))),
    ),
    "webhooks_api.retry_delivery": (a_delivery,),
    "stores_api.put_one_location": (a_location,),
    "catalog_api.put_one_sku": (a_sku,),
    "stock_api.put_policy": (a_policy,),
    "stock_api.create_adjustment": (an_adjustment,),
    "stock_api.create_transfer": (a_transfer,),
    "stock_api.ship_transfer": (transfer_step("ship"),),
    "stock_api.receive_transfer": (transfer_step("receive", shipped=True),),
    "stock_api.cancel_transfer": (transfer_step("cancel"),),
    "stock_api.finish_recount": (a_recount,),
    "stock_api.put_shelves": (some_shelves,),
    "reservations_api.create_reservation": (a_reservation,),
    "reservations_api.release_reservation": (reservation_step("release"),),
    "reservations_api.extend_reservation": (reservation_step("extend", {"expires_in": 1800}, {"expires_in": 900}),),
    "waiting_api.join_waiting_list": (a_wait,),
    "waiting_api.leave_waiting_list": (a_wait_given_up,),
    "orders_api.place_order": (an_order,),
    "orders_api.change_order": (order_step("change", {"location": "S1"}, {"address": {"city": "千代田区"}}),),
    "orders_api.cancel_order": (order_step("cancel", of_line(1), of_line(2)),),
    "orders_api.add_payment": (another_payment,),
    "orders_api.payment_result": (payment_result,),
    "orders_api.refund_result": (refund_result,),
    "shipping_api.ship_order": (order_step("ship", of_line(1), of_line(2)),),
    "pickups_api.accept_pickup": (pickup_step("accept", "requested"),),
    "pickups_api.start_pickup": (pickup_step("start", "accepted"),),
    "pickups_api.pick_lines": (pickup_step("pick", "picking", {"lines": pieces(1)}, {"lines": pieces(2)}),),
    "pickups_api.short_line": (
        pickup_step("short", "picking", *({"sku": "A", "quantity": n, "reason": "not_found"} for n in (1, 2))),
    ),
    "pickups_api.ready_pickup": (all_picked,),
    "pickups_api.hand_over_pickup": (hand_over,),
    "pickups_api.undo_pickup": (pickup_step("undo", "collected"),),
    "pickups_api.extend_pickup": (
        pickup_step("extend", "ready", *({"until": f"2026-12-0{day}T21:00:00+09:00"} for day in (5, 6))),
        pickup_step("extend", "ready", {}, {"until": "2026-12-05T21:00:00+09:00"}),
    ),
    "pickups_api.arrived_pickup": (pickup_step("arrived", "ready", {"note": "3"}, {"note": "4"}),),
    "pickups_api.proxy_pickup": (
        pickup_step("proxy", "ready", {"lend_minutes": 60}, {"lend_minutes": 61}),
        pickup_step("proxy", "requested", {"name": "山田太郎"}, {"name": "山田次郎"}),
    ),
    "pickups_api.request_cancel_pickup": (
        pickup_step("request-cancel", "requested", {"reason": "a"}, {"reason": "b"}),
        pickup_step("request-cancel", "ready"),
    ),
    "pickups_api.decline_cancel_pickup": (asked_to_cancel,),
    "waves_api.open_wave": (a_wave,),
    "waves_api.pick_for_wave": (wave_step("pick", *({"sku": "A", "quantity": n} for n in (3, 2))),),
    "waves_api.finish_wave": (wave_step("finish"),),
    "pickups_api.cancel_pickup": (pickup_step("cancel", "picking", {"reason": "customer"}, {"reason": "store"}),),
    "pickups_api.choose": (choosing,),
    "pickups_api.offer_substitute": (substitute,),
    "rescue_api.apply_remedy": (lambda api: Request(*a_broken_promise(api)),),
    "pickups_api.reshelve_pickup": (reshelved,),
    "pickups_api.reissue_pickup": (pickup_step("reissue", "ready"),),
    "pickups_api.unlock_pickup": (pin_locked,),
    "notices_api.resend_notice": (sent_notice,),
    "notices_api.put_template": (own_words,),
    "pos_api.post_sale": (a_sale,),
    "pos_api.post_batch": (a_batch,),
    "pos_api.mend_receipt": (mended,),
    "pos_api.replay_receipt": (replayed,),
    "pos_api.resolve_code": (resolved,),
    "pos_api.start_file": (till_file, till_log),
}
