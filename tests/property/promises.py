"""Promises: carts, holds, orders in one way or several, waiting lists; and how they change and end."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.core import clock
from app.core.ids import new_id
from tests.property import acts
from tests.property.life import LIVE, Life, any_place, any_sku, any_store, basket, pick, some, while_there

kind = st.sampled_from(["pickup", "pickup", "sent", "ship"])
Wish = tuple[list[tuple[str, str, str, list[tuple[str, int]]]], str, int, str]
orders = st.tuples(
    st.lists(st.tuples(kind, any_store, any_place, basket), min_size=1, max_size=3),
    st.sampled_from(["card", "there"]),
    st.integers(0, 8),
    st.sampled_from(["placed", "placed", "picking", "ready"]),
)
who = st.integers(0, 2)
OPEN_ORDERS = (
    "SELECT o.id FROM sales_order o WHERE o.state IN ('placed', 'partly_fulfilled') "
    "AND EXISTS (SELECT 1 FROM fulfilment f WHERE f.order_id = o.id) ORDER BY o.id"
)


class Promises(Life):
    """What customers ask for."""

    @rule(place=any_place, lines=basket, seconds=st.integers(60, 7200))
    def a_cart_reserves(self, place: str, lines: list[tuple[str, int]], seconds: int) -> None:
        shown, wanted = self.free(place), acts.summed(lines)
        body = {"location": place, "kind": "cart", "expires_in": seconds, "lines": acts.lines(lines)}
        answer = self.api.post("/reservations", body)
        covered = all(shown[sku] >= quantity for sku, quantity in wanted.items())
        assert answer.status_code == (201 if covered else 409), (shown, wanted, answer.text)
        if covered:
            self.carts.append(answer.json["id"])

    @precondition(lambda self: bool(self.carts))
    @rule(at=pick, action=st.sampled_from(["release", "extend"]))
    def a_cart_goes_on_or_leaves(self, at: int, action: str) -> None:
        body = {"expires_in": 600} if action == "extend" else None
        self.tried(f"/reservations/{self.carts[at % len(self.carts)]}/{action}", body)

    @rule(store=any_store, lines=basket, person=who, known=st.booleans())
    def somebody_holds(self, store: str, lines: list[tuple[str, int]], person: int, known: bool) -> None:
        body: dict[str, Any] = {"location": store, "kind": "hold", "lines": acts.lines(lines)}
        if known:
            body["customer"] = {"email": f"u{person}@example.jp"}
        self.tried("/reservations", body, 429)

    @while_there("hold")
    @rule(at=pick, action=st.sampled_from(["release", "extend"]))
    def a_hold_goes_on_or_leaves(self, at: int, action: str) -> None:
        hold = self.some_pickup(at, f"order_id IS NULL AND {LIVE}")
        if hold is not None:
            body = {"expires_in": 7200} if action == "extend" else None
            self.tried(f"/reservations/{hold['claim_id']}/{action}", body)

    @rule(order=orders)
    def an_order_comes(self, order: Wish) -> None:
        self.wish(order)

    def wish(self, order: Wish) -> None:
        """By up to three ways: from the store's shelf, sent to the store first, by a parcel; and some way along."""
        wanted, paid, hours, stage = order
        come = clock.public(self.now + dt.timedelta(hours=hours)) if hours > 2 else None
        found = [(self.way(way, store, place, come), lines) for way, store, place, lines in wanted]
        fee = acts.FEE if any(way == "ship" for way, *_ in wanted) else 0
        answer = self.tried("/orders", acts.order(new_id(), found, in_store=paid == "there", fee=fee), 422)
        if answer.status_code == 201 and stage != "placed":
            for way in answer.json["fulfilments"]:
                if way["method"] == "pickup":
                    self.bring(way["pickup"]["id"], stage)

    def way(self, kind: str, store: str, place: str, come: str | None) -> dict[str, Any]:
        """How pieces shall reach the customer."""
        if kind == "ship":
            return {"method": "ship", "ship_from": place, "address": acts.HOME}
        found: dict[str, Any] = {"method": "pickup", "location": store} | ({"pickup_at": come} if come else {})
        return found | ({"ship_from": place} if kind == "sent" else {})

    @precondition(lambda self: bool(self.carts))
    @rule(at=pick, method=st.sampled_from(["pickup", "ship"]), in_store=st.booleans())
    def a_cart_is_bought(self, at: int, method: str, in_store: bool) -> None:
        cart = self.carts[at % len(self.carts)]
        held = self.api.get(f"/reservations/{cart}").json
        way = self.way(method, held["location"], held["location"], None)
        pairs = [(line["sku"], line["quantity"]) for line in held["lines"]]
        body = acts.order(new_id(), [(way, pairs)], in_store=in_store and method == "pickup", fee=0)
        self.tried("/orders", body | {"reservation": cart})

    @while_there("order")
    @rule(at=pick, quantity=some, place=any_place, moves=st.booleans())
    def an_order_changes(self, at: int, quantity: int, place: str, moves: bool) -> None:
        order = self.one_of(at, OPEN_ORDERS)
        if order is None:
            return
        line = self.api.get(f"/orders/{order['id']}").json["lines"][0]
        changed = {"line_ref": line["line_ref"], "sku": line["sku"], "quantity": quantity, "unit_price": acts.PRICE}
        self.tried(f"/orders/{order['id']}/change", {"location": place} if moves else {"lines": [changed]}, 422)

    @while_there("order")
    @rule(at=pick, whole=st.booleans(), which=pick)
    def an_order_is_cancelled(self, at: int, whole: bool, which: int) -> None:
        order = self.one_of(at, OPEN_ORDERS)
        if order is None:
            return
        shown = self.api.get(f"/orders/{order['id']}").json
        line = shown["lines"][which % len(shown["lines"])]
        body = {} if whole else {"lines": [{"line_ref": line["line_ref"], "quantity": 1}]}
        answer = self.tried(f"/orders/{order['id']}/cancel", {"reason": "changed mind", **body})
        if whole:
            assert answer.status_code == 200, answer.text

    @while_there("parcel")
    @rule(at=pick, whole=st.booleans())
    def a_parcel_is_sent(self, at: int, whole: bool) -> None:
        task = self.one_of(
            at,
            "SELECT t.order_id, l.line_ref FROM ship_task t JOIN ship_task_line l ON l.task_id = t.id "
            "WHERE t.state = 'open' AND l.quantity > l.sent + l.given_up ORDER BY l.id",
        )
        if task is not None:
            parts = {} if whole else {"lines": [{"line_ref": task["line_ref"], "quantity": 1}]}
            self.send(task["order_id"], parts)

    def send(self, order_id: str, parts: dict[str, Any]) -> None:
        """A parcel with everything, or with some pieces."""
        before = acts.sent(self.api.get(f"/orders/{order_id}").json)
        answer = self.api.post(f"/orders/{order_id}/ship", {"carrier": "yamato", "tracking_no": "1", **parts})
        assert answer.status_code in {200, 201}, answer.text
        for spot, pieces in acts.sent(self.api.get(f"/orders/{order_id}").json).items():
            self.pieces[spot] -= pieces - before[spot]

    # --- what is not there yet

    @rule(store=any_store, sku=any_sku, quantity=some, person=who, leaves=st.booleans())
    def somebody_waits(self, store: str, sku: str, quantity: int, person: int, leaves: bool) -> None:
        found = self.one_of(person, "SELECT id FROM waiting_customer WHERE state = 'waiting' ORDER BY id")
        if leaves and found is not None:
            acts.done(self.api.post(f"/waiting-list/{found['id']}/leave"), 200)
            return
        customer = {"email": f"u{person}@example.jp"}
        body = {"location": store, "sku": sku, "quantity": quantity, "customer": customer}
        self.tried("/waiting-list", body, 429)
