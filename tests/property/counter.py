"""The store's work: picking, what cannot be found, the counter, the way back to the shelf, the till that settles."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.core import clock
from bopis.work import SHORT_REASONS
from tests.property import acts
from tests.property.customer import Customer
from tests.property.life import GOES_BACK, IS_GIVEN, LIVE, Row, any_sku, any_store, pick, some, while_there

BEFORE_READY = "state IN ('requested', 'accepted', 'picking')"
# For which pickups a step makes sense.
WHICH = {
    "undo": IS_GIVEN, "reshelve": GOES_BACK, "extend": "state = 'ready'", "cancel": LIVE,
    "decline-cancel": "cancel_asked_at IS NOT NULL",
}  # fmt: skip
proofs = st.sampled_from(["token", "pin", "lent", "late"])


class Counter(Customer):
    """What clerks do with pickups."""

    @while_there("pickup")
    @rule(at=pick, action=st.sampled_from(["accept", "start", "pick", "ready"]), sku=any_sku, quantity=some)
    def a_clerk_works(self, at: int, action: str, sku: str, quantity: int) -> None:
        pickup = self.some_pickup(at)
        if pickup is None:
            return
        bodies = {"pick": {"lines": [{"sku": sku, "quantity": quantity}]}, "ready": {"shelf": "A-1"}}
        self.tried(f"/pickups/{pickup['id']}/{action}", bodies.get(action))

    @while_there("to pick")
    @rule(store=any_store, sku=any_sku, quantity=some, finished=st.booleans())
    def several_are_picked_in_one_walk(self, store: str, sku: str, quantity: int, finished: bool) -> None:
        wave = self.tried("/waves", {"location": store, "limit": 2})
        if wave.status_code == 201:
            self.tried(f"/waves/{wave.json['id']}/pick", {"sku": sku, "quantity": quantity})
            if finished:
                acts.done(self.api.post(f"/waves/{wave.json['id']}/finish"), 200)

    @while_there("to pick")
    @rule(at=pick, reason=st.sampled_from(SHORT_REASONS), quantity=some, first=st.booleans(), asked=st.booleans())
    def something_is_not_there(self, at: int, reason: str, quantity: int, first: bool, asked: bool) -> None:
        """Every reason but one is a fact about the shelf. The customer may be asked, and answer, at once."""
        pickup = self.some_pickup(at, BEFORE_READY)
        if pickup is None:
            return
        self.bring(pickup["id"], "picking")
        open_lines = [one for one in self.lines(pickup["id"]) if one["ordered"] > one["picked"] + one["short"]]
        if not open_lines:
            return
        line = open_lines[0 if first else -1]
        pieces = min(quantity, line["ordered"] - line["picked"] - line["short"])
        body = {"sku": line["sku"], "quantity": pieces, "reason": reason}
        answer = self.tried(f"/pickups/{pickup['id']}/short", body)
        if answer.status_code == 200 and reason != "other":
            self.moved(pickup["location_id"], {line["sku"]: pieces}, -1)
        if answer.status_code == 200 and asked:
            self.bring(pickup["id"], "ready")
            self.answer(pickup["id"], at)

    @while_there("to pick")
    @rule(at=pick)
    def all_is_picked(self, at: int) -> None:
        pickup = self.some_pickup(at, BEFORE_READY)
        if pickup is not None:
            self.bring(pickup["id"], "ready")

    @while_there("to give")
    @rule(at=pick, proof=proofs, partly=st.booleans())
    def goods_are_prepared_and_given(self, at: int, proof: str, partly: bool) -> None:
        pickup = self.some_pickup(at, f"{BEFORE_READY} OR state = 'ready'")
        if pickup is not None:
            self.bring(pickup["id"], "ready")
            self.give(pickup, proof, partly=partly)

    def give(self, pickup: Row, proof: str, *, partly: bool = False) -> None:
        """A hand-over by any proof, of all that waits or of a piece of it."""
        body = self.proof(pickup["id"], proof)
        waiting = [one["line_ref"] for one in self.lines(pickup["id"]) if one["picked"] > one["collected"]]
        if partly and waiting:
            body["lines"] = [{"line_ref": waiting[-1], "quantity": 1}]
        before = self.given(pickup["id"])
        self.tried(f"/pickups/{pickup['id']}/hand-over", body)
        self.follow(pickup, before)

    def proof(self, pickup_id: str, kind: str) -> dict[str, Any]:
        """What somebody shows."""
        shown = self.api.get(f"/pickups/{pickup_id}").json
        if kind == "pin":
            made = self.tried(f"/pickups/{pickup_id}/reissue")
            if made.status_code == 200:
                return {"code": shown["code"], "pin": made.json["pin"]}
        if kind == "lent":
            made = self.tried(f"/pickups/{pickup_id}/proxy", {"lend_minutes": 60})
            if made.status_code == 200:
                return {"token": made.json["proxy"]["token"]}
        found: dict[str, Any] = {"token": self.token(pickup_id)}
        if kind == "late":
            found |= {"nonce": f"n{next(self.numbers)}", "occurred_at": clock.public(self.now)}
        return found

    @while_there("seen")
    @rule(at=pick, minutes=st.integers(0, 90))
    def a_tablet_tells_late_what_it_gave(self, at: int, minutes: int) -> None:
        """Goods that were on their way back to the shelf were with the customer all the time."""
        pickup = self.some_pickup(at, "ready_at IS NOT NULL")
        if pickup is None:
            return
        ready_at = clock.parse(pickup["ready_at"]) or self.now
        told = min(ready_at + dt.timedelta(minutes=minutes), self.now)
        body = {
            "token": self.token(pickup["id"]), "nonce": f"n{next(self.numbers)}", "occurred_at": clock.public(told),
        }  # fmt: skip
        given, back = self.given(pickup["id"]), self.on_the_way_back(pickup["id"])
        self.tried(f"/pickups/{pickup['id']}/hand-over", body)
        if pickup["state"] == "ready":
            self.follow(pickup, given)
        after = self.on_the_way_back(pickup["id"])
        self.moved(pickup["location_id"], {sku: q - after.get(sku, 0) for sku, q in back.items()}, -1)

    def on_the_way_back(self, pickup_id: str) -> dict[str, int]:
        """Pieces by SKU that wait for the shelf."""
        found = self.rows(
            "SELECT l.sku, l.open_quantity FROM reshelve_task t JOIN claim_line l ON l.claim_id = t.claim_id "
            "WHERE t.pickup_id = :id",
            id=pickup_id,
        )
        return acts.summed((row["sku"], row["open_quantity"]) for row in found)

    @while_there("seen")
    @rule(at=pick, action=st.sampled_from(["undo", "undo", "undo", "extend", "decline-cancel"]))
    def something_changes_at_the_counter(self, at: int, action: str) -> None:
        self.change(at, action)

    @while_there("pickup")
    @rule(at=pick)
    def a_store_cancels(self, at: int) -> None:
        self.change(at, "cancel")

    @while_there("seen")
    @rule(at=pick)
    def goods_are_back_on_the_shelf(self, at: int) -> None:
        self.change(at, "reshelve")

    def change(self, at: int, action: str) -> None:
        """A step of the store with a pickup for which it makes sense."""
        pickup = self.some_pickup(at, WHICH[action])
        if pickup is None:
            return
        bodies = {
            "cancel": {"reason": "test"}, "decline-cancel": {"reason": "packed"},
            "extend": {"until": clock.public(self.now + dt.timedelta(days=3))},
        }  # fmt: skip
        before = self.given(pickup["id"])
        self.tried(f"/pickups/{pickup['id']}/{action}", bodies.get(action), 422)
        self.follow(pickup, before)

    @while_there("pickup")
    @rule(at=pick, most=some, by=st.sampled_from(["pickup_code", "order"]))
    def a_till_sells_what_is_kept(self, at: int, most: int, by: str) -> None:
        pickup = self.some_pickup(at)
        if pickup is not None:
            self.settle(pickup, most, by)

    def settle(self, pickup: Row, most: int, by: str = "pickup_code") -> None:
        """A receipt over pieces that a pickup still owes: they leave once, by its claim or as any sale."""
        owed = acts.summed((one["sku"], min(most, one["ordered"] - one["collected"] - one["short"] + one["undecided"]))
                           for one in self.lines(pickup["id"]))  # fmt: skip
        pairs = [(sku, pieces) for sku, pieces in owed.items() if pieces]
        if not pairs:
            return
        code = pickup["order_id"] if by == "order" and pickup["order_id"] else pickup["code"]
        by = "order" if code == pickup["order_id"] else "pickup_code"
        sale = acts.sale(next(self.numbers), pickup["location_id"], pairs, self.now) | {by: code}
        answer = acts.done(self.api.post("/pos/sales", sale), 201)
        assert answer["state"] == "posted", answer
        self.moved(pickup["location_id"], dict(pairs), -1)
