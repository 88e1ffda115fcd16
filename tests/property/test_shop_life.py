"""A random shop's life: whatever happens in whatever order, the books are right after every step.

The model knows one thing, the pieces that are really there; the shop's own invariants know the rest. A promise is
accepted exactly when the figure that availability showed covers it.
"""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app import staff, stock
from app.core import clock, jobs
from app.core.db import db
from app.core.ids import new_id
from tests.conftest import ALL_SCOPES, Api
from tests.factories import make_sku, make_store
from tests.property import acts

PLACES = ("S1", "S2", "W1")
SKUS = ("A", "B", "C")
OPENING = 6
START = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)  # ten in the morning in Tokyo
EXAMPLES = int(os.environ.get("LIVES", "8"))

any_place = st.sampled_from(PLACES)
any_sku = st.sampled_from(SKUS)
some = st.integers(1, 4)
pick = st.integers(0, 10_000)
basket = st.lists(st.tuples(any_sku, st.integers(1, 3)), min_size=1, max_size=3)

Shop = Callable[[], Iterator[Flask]]


class ShopLife(RuleBasedStateMachine):
    """The rules of trade, one method each."""

    open_shop: Shop

    def __init__(self) -> None:
        super().__init__()
        self.opened = type(self).open_shop()
        self.app = next(self.opened)
        self.pieces: dict[tuple[str, str], int] = defaultdict(int)
        self.receipts: list[dict[str, Any]] = []
        self.claims: list[str] = []
        self.orders: list[str] = []
        self.pickups: list[dict[str, Any]] = []
        self.transfers: list[str] = []
        self.now = START

    @initialize()
    def open_the_doors(self) -> None:
        clock.freeze(self.now)
        with self.app.app_context():
            key = staff.create_client(name="life", scopes=ALL_SCOPES)
        self.api = Api(self.app, key)
        for sku in SKUS:
            make_sku(self.api, sku, tax_category="reduced" if sku == "B" else "standard")
        for place in PLACES:
            kind = "warehouse" if place.startswith("W") else "store"
            make_store(self.api, place, dict.fromkeys(SKUS, OPENING), kind=kind)
            for sku in SKUS:
                self.pieces[place, sku] = OPENING

    def teardown(self) -> None:
        clock.freeze(None)
        next(self.opened, None)

    # --- helpers

    def free(self, place: str, channel: str = "ec") -> dict[str, int]:
        """What availability shows at a place."""
        query = "&".join(f"sku={sku}" for sku in SKUS)
        found = self.api.get(f"/availability?{query}&location={place}&channel={channel}").json["items"]
        return {item["sku"]: item["total_available"] for item in found}

    def moved(self, place: str, parts: dict[str, int], sign: int) -> None:
        for sku, quantity in parts.items():
            self.pieces[place, sku] += sign * quantity

    def one(self, things: list[Any], at: int) -> Any:
        return things[at % len(things)]

    # --- facts

    @rule(place=any_place, lines=basket, late=st.booleans())
    def a_till_sells(self, place: str, lines: list[tuple[str, int]], late: bool) -> None:
        sold_at = self.now - dt.timedelta(hours=5) if late else self.now
        sale = acts.sale(len(self.receipts), place, lines, sold_at)
        acts.done(self.api.post("/pos/sales", sale), 201)
        self.moved(place, acts.summed(lines), -1)
        self.receipts.append(sale)

    @precondition(lambda self: bool(self.receipts))
    @rule(at=pick, lines=basket)
    def a_till_corrects_its_sale(self, at: int, lines: list[tuple[str, int]]) -> None:
        old = self.one(self.receipts, at)
        new = acts.sale(int(old["receipt_no"]), old["store"], lines, self.now) | {
            "revision": old["revision"] + 1, "kind": old["kind"],
        }  # fmt: skip
        acts.done(self.api.post("/pos/sales", new), 201)
        sign = -1 if old["kind"] == "sale" else 1
        self.moved(old["store"], acts.lines_of(old), -sign)
        self.moved(old["store"], acts.lines_of(new), sign)
        self.receipts[self.receipts.index(old)] = new

    @precondition(lambda self: bool(self.receipts))
    @rule(at=pick)
    def a_till_says_it_again(self, at: int) -> None:
        old = self.one(self.receipts, at)
        answer = acts.done(self.api.post("/pos/sales", old), 200)
        assert answer["duplicate"] is True

    @rule(place=any_place, lines=basket)
    def a_till_takes_goods_back(self, place: str, lines: list[tuple[str, int]]) -> None:
        back = acts.sale(len(self.receipts), place, lines, self.now) | {"kind": "return"}
        acts.done(self.api.post("/pos/sales", back), 201)
        self.moved(place, acts.summed(lines), 1)
        self.receipts.append(back)

    @rule(place=any_place, sku=any_sku, quantity=st.integers(-3, 5).filter(bool))
    def goods_are_counted(self, place: str, sku: str, quantity: int) -> None:
        reason = "found" if quantity > 0 else "loss"
        body = {"location": place, "reason": reason, "lines": [{"sku": sku, "quantity": quantity}]}
        acts.done(self.api.post("/stock/adjustments", body), 201)
        self.pieces[place, sku] += quantity

    # --- promises

    @rule(place=any_place, lines=basket, seconds=st.integers(60, 7200))
    def a_cart_reserves(self, place: str, lines: list[tuple[str, int]], seconds: int) -> None:
        shown, wanted = self.free(place), acts.summed(lines)
        body = {"location": place, "kind": "cart", "expires_in": seconds, "lines": acts.lines(lines)}
        answer = self.api.post("/reservations", body)
        covered = all(shown[sku] >= quantity for sku, quantity in wanted.items())
        assert answer.status_code == (201 if covered else 409), (shown, wanted, answer.text)
        if covered:
            self.claims.append(answer.json["id"])

    @precondition(lambda self: bool(self.claims))
    @rule(at=pick, action=st.sampled_from(["release", "extend"]))
    def a_cart_goes_on_or_leaves(self, at: int, action: str) -> None:
        claim = self.one(self.claims, at)
        body = {"expires_in": 600} if action == "extend" else None
        assert self.api.post(f"/reservations/{claim}/{action}", body).status_code in {200, 409}

    @rule(place=any_place, lines=basket, method=st.sampled_from(["pickup", "ship"]), take_cart=st.booleans(), at=pick)
    def an_order_comes(self, place: str, lines: list[tuple[str, int]], method: str, take_cart: bool, at: int) -> None:
        cart = self.one(self.claims, at) if take_cart and self.claims else None
        if cart is not None:
            held = self.api.get(f"/reservations/{cart}").json
            place, lines = held["location"], [(line["sku"], line["quantity"]) for line in held["lines"]]
        body = acts.order(new_id(), place, lines, method) | ({"reservation": cart} if cart else {})
        answer = self.api.post("/orders", body)
        assert answer.status_code in {201, 409, 422}, answer.text
        if answer.status_code == 201:
            self.orders.append(answer.json["id"])
            if method == "pickup":
                self.pickups.append({**answer.json["pickup"], "location": place})

    @precondition(lambda self: bool(self.orders))
    @rule(at=pick, quantity=some)
    def an_order_changes(self, at: int, quantity: int) -> None:
        order = self.one(self.orders, at)
        line = self.api.get(f"/orders/{order}").json["lines"][0]
        changed = {"line_ref": line["line_ref"], "sku": line["sku"], "quantity": quantity, "unit_price": 1000}
        answer = self.api.post(f"/orders/{order}/change", {"lines": [changed]})
        assert answer.status_code in {200, 409, 422}, answer.text

    @precondition(lambda self: bool(self.orders))
    @rule(at=pick, whole=st.booleans())
    def an_order_is_cancelled(self, at: int, whole: bool) -> None:
        order = self.one(self.orders, at)
        line = self.api.get(f"/orders/{order}").json["lines"][0]
        body = {} if whole else {"lines": [{"line_ref": line["line_ref"], "quantity": 1}]}
        answer = self.api.post(f"/orders/{order}/cancel", {"reason": "changed mind", **body})
        assert answer.status_code in {200, 409, 422}, answer.text

    @precondition(lambda self: bool(self.orders))
    @rule(at=pick)
    def a_parcel_is_sent(self, at: int) -> None:
        order = self.one(self.orders, at)
        before = self.api.get(f"/orders/{order}").json
        answer = self.api.post(f"/orders/{order}/ship", {"carrier": "yamato", "tracking_no": "1"})
        assert answer.status_code in {200, 201, 409}, answer.text
        if answer.status_code < 300:
            after = self.api.get(f"/orders/{order}").json
            for old, new in zip(before["lines"], after["lines"], strict=True):
                self.pieces[acts.place_of(after), old["sku"]] -= new["fulfilled"] - old["fulfilled"]

    # --- the store's work on pickups

    @precondition(lambda self: bool(self.pickups))
    @rule(at=pick, action=st.sampled_from(["accept", "start", "pick", "short", "ready"]), sku=any_sku, quantity=some)
    def a_clerk_works(self, at: int, action: str, sku: str, quantity: int) -> None:
        shown = self.one(self.pickups, at)
        body = acts.work(action, sku, quantity)
        answer = self.api.post(f"/pickups/{shown['id']}/{action}", body)
        assert answer.status_code in {200, 409}, answer.text
        if action == "short" and answer.status_code == 200:
            self.pieces[shown["location"], sku] -= quantity

    @precondition(lambda self: bool(self.pickups))
    @rule(at=pick, partly=st.booleans())
    def goods_are_prepared_and_given(self, at: int, partly: bool) -> None:
        shown = self.one(self.pickups, at)
        pickup = f"/pickups/{shown['id']}"
        for action in ("accept", "start"):
            self.api.post(f"{pickup}/{action}")
        for line in self.api.get(pickup).json["lines"]:
            rest = line["ordered"] - line["picked"] - line["short"]
            if rest > 0:
                self.api.post(f"{pickup}/pick", {"lines": [{"sku": line["sku"], "quantity": rest}]})
        self.api.post(f"{pickup}/ready", {"shelf": "A-1"})
        before = {line["line_ref"]: line for line in self.api.get(pickup).json["lines"]}
        first = next((line for line in before.values() if line["picked"] > line["collected"]), None)
        body: dict[str, Any] = {"token": acts.token(shown)}
        if partly and first is not None:
            body["lines"] = [{"sku": first["sku"], "quantity": 1}]
        answer = self.api.post(f"{pickup}/hand-over", body)
        assert answer.status_code in {200, 409}, answer.text
        self.follow(shown, before)

    @precondition(lambda self: bool(self.pickups))
    @rule(at=pick, action=st.sampled_from(["undo", "cancel", "extend", "reshelve", "reissue"]))
    def something_changes_at_the_counter(self, at: int, action: str) -> None:
        shown = self.one(self.pickups, at)
        pickup = f"/pickups/{shown['id']}"
        before = {line["line_ref"]: line for line in self.api.get(pickup).json["lines"]}
        bodies: dict[str, Any] = {"cancel": {"reason": "test"}}
        bodies["extend"] = {"until": clock.public(self.now + dt.timedelta(days=3))}
        answer = self.api.post(f"{pickup}/{action}", bodies.get(action))
        assert answer.status_code in {200, 409, 422}, answer.text
        if action == "reissue" and answer.status_code == 200:
            shown["page_url"] = answer.json["page_url"]
        self.follow(shown, before)

    def follow(self, shown: dict[str, Any], before: dict[str, Any]) -> None:
        """Keep the model in step with what was collected, or taken back."""
        for line in self.api.get(f"/pickups/{shown['id']}").json["lines"]:
            given = line["collected"] - before[line["line_ref"]]["collected"]
            self.pieces[shown["location"], line["sku"]] -= given

    # --- between places, and time

    @rule(lines=basket, ends=st.permutations(PLACES))
    def a_transfer_is_asked_for(self, lines: list[tuple[str, int]], ends: list[str]) -> None:
        answer = self.api.post("/transfers", {"from": ends[0], "to": ends[1], "lines": acts.lines(acts.merged(lines))})
        assert answer.status_code in {201, 409}, answer.text
        if answer.status_code == 201:
            self.transfers.append(answer.json["id"])

    @precondition(lambda self: bool(self.transfers))
    @rule(at=pick, action=st.sampled_from(["ship", "receive", "cancel"]), difference=st.integers(-1, 1))
    def a_transfer_moves(self, at: int, action: str, difference: int) -> None:
        transfer = self.one(self.transfers, at)
        if transfer is None:
            return
        before = self.api.get(f"/transfers/{transfer}").json
        first = before["lines"][0]
        arrived = [{"sku": line["sku"], "quantity": line["quantity"]} for line in before["lines"]]
        arrived[0]["quantity"] = max(0, first["quantity"] + difference)
        body = {"lines": arrived} if action == "receive" else None
        answer = self.api.post(f"/transfers/{transfer}/{action}", body)
        assert answer.status_code in {200, 409, 422}, answer.text
        if answer.status_code == 200 and action != "cancel":
            end, sign = (before["from"], -1) if action == "ship" else (before["to"], 1)
            moved = arrived if action == "receive" else before["lines"]
            self.moved(end, {line["sku"]: line["quantity"] for line in moved}, sign)

    @rule(minutes=st.sampled_from([1, 20, 180, 60 * 24, 60 * 24 * 9]), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:
        self.now += dt.timedelta(minutes=minutes)
        clock.freeze(self.now)
        if swept:
            with self.app.app_context():
                jobs.drain()
                jobs.run_timed()
                jobs.drain()
                db.session.remove()

    @invariant()
    def the_books_are_right(self) -> None:
        if not self.pieces:
            return
        with self.app.app_context():
            report = stock.check.check()
            db.session.remove()
        assert report.holds, [result for result in report.results if not result.holds]
        levels = self.api.get("/stock?limit=200").json["items"]
        counted = {(item["location"], item["sku"]): item["on_hand"] for item in levels}
        assert counted == {place: pieces for place, pieces in self.pieces.items() if place in counted}
        assert all(pieces == 0 for place, pieces in self.pieces.items() if place not in counted)


def test_the_books_are_right_after_every_step_of_a_random_life(open_shop: Shop) -> None:
    class Bound(ShopLife):
        """The machine with a database of this run."""

    Bound.open_shop = staticmethod(open_shop)  # type: ignore[method-assign,assignment]
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=60,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def open_shop(fresh_app: Shop) -> Shop:
    """An application on a new database for each life."""
    return fresh_app
