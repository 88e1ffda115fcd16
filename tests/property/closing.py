"""The end of a life: every promise ends by one of the ways out, with no timed job running, and all stock is free."""

from __future__ import annotations

import datetime as dt
import sys

from app import stock
from app.core import clock
from app.core.db import db
from tests.property import acts, books
from tests.property.counter import Counter
from tests.property.life import LIVE, SKUS, Row
from tests.property.promises import OPEN_ORDERS, Promises
from tests.property.trade import Trade

DAYS = 40  # whatever had a deadline is past it


class Closing(Trade, Promises, Counter):
    """Ends everything."""

    def teardown(self) -> None:
        try:
            if sys.exception() is None and self.pieces:
                self.everything_ends()
        finally:
            clock.freeze(None)
            next(self.opened, None)

    def everything_ends(self) -> None:
        """By every way out in turn; then nothing is kept from anybody, though nobody swept."""
        turn = next(self.numbers)
        for wait in self.rows("SELECT id FROM waiting_customer WHERE state = 'waiting'"):
            acts.done(self.api.post(f"/waiting-list/{wait['id']}/leave"), 200)
        if turn % 2:
            self.roads_end(turn)
        for number, pickup in enumerate(self.rows(f"SELECT id FROM pickup WHERE {LIVE} ORDER BY id")):
            found = self.some_pickup(0, f"id = '{pickup['id']}' AND {LIVE}")
            if found is not None:
                self.pickup_ends(found, turn + number)
        for order in self.rows(OPEN_ORDERS):
            if turn % 3:
                self.tried(f"/orders/{order['id']}/cancel", {"reason": "end"})
            else:
                self.send(order["id"], {})
        self.roads_end(turn)
        for pickup in self.rows("SELECT DISTINCT pickup_id AS id FROM reshelve_task WHERE state = 'open'"):
            acts.done(self.api.post(f"/pickups/{pickup['id']}/reshelve"), 200)
        for task in self.rows("SELECT id, location_id, sku FROM recount_task WHERE state = 'open'"):
            self.count(task["id"], (task["location_id"], task["sku"]), 0)
        for cart in self.carts[::2]:
            self.tried(f"/reservations/{cart}/release")
        self.now += dt.timedelta(days=DAYS)
        clock.freeze(self.now)
        self.all_is_free()
        self.work_is_done()
        kept = self.rows("SELECT sku, location_id, reserved FROM stock_level WHERE reserved <> 0")
        assert not kept, kept
        self.the_books_are_right()

    def pickup_ends(self, pickup: Row, turn: int) -> None:
        """One of the ways out; whichever is closed by now leaves the others."""
        path = f"/pickups/{pickup['id']}"
        ways = (
            lambda: (self.bring(pickup["id"], "ready"), self.give(pickup, "token")),
            lambda: self.settle(pickup, 100),
            lambda: self.tried(f"{path}/cancel", {"reason": "end"}),
            lambda: self.tried(f"{path}/request-cancel", {}),
            lambda: self.tried(f"{path}/choose", {"option": "cancel"}),
            lambda: self.tried(f"/orders/{pickup['order_id']}/cancel", {"reason": "end"}, 404),
        )
        ways[turn % len(ways)]()
        if self.some_pickup(0, f"id = '{pickup['id']}' AND {LIVE}") is None:
            return
        if pickup["order_id"] is not None:
            self.tried(f"/orders/{pickup['order_id']}/cancel", {"reason": "end"})
        elif self.api.get(path).json["state"] == "expired":
            answer = self.tried(f"{path}/reshelve")  # past its deadline, and nobody swept it
            assert (answer.status_code == 200) == (pickup["state"] == "ready"), answer.text
        else:
            acts.done(self.api.post(f"{path}/cancel", {"reason": "end"}), 200)

    def roads_end(self, turn: int) -> None:
        """What travels arrives, or never leaves."""
        for number, road in enumerate(self.rows("SELECT id, state FROM transfer ORDER BY id")):
            if road["state"] == "requested" and (turn + number) % 3 == 0:
                self.step(road["id"], "cancel")
            elif road["state"] == "requested":
                self.step(road["id"], "ship")
                self.step(road["id"], "receive")
            elif road["state"] == "shipped":
                self.step(road["id"], "receive")

    def all_is_free(self) -> None:
        """Availability is what is on hand, everywhere."""
        for place in ("S1", "S2", "W1"):
            there = {sku: max(0, self.pieces[place, sku]) for sku in SKUS}
            assert self.free(place) == there, (place, self.free(place), there)

    def the_books_are_right(self) -> None:
        """The shop's own invariants, those across its packages, and the pieces really there."""
        if not self.pieces or not self.api.acted:
            return
        self.api.acted = False
        with self.app.app_context():
            report = stock.check.check()
            found = books.Books(self.now)
            faults, self.there = found.faults(), found.there()
            db.session.remove()
        assert report.holds, [result for result in report.results if not result.holds]
        assert not faults, faults
        levels = self.api.get("/stock?limit=200").json["items"]
        counted = {(item["location"], item["sku"]): item["on_hand"] for item in levels}
        wrong = {at: (counted.get(at, 0), there) for at, there in self.pieces.items() if counted.get(at, 0) != there}
        assert not wrong, wrong
