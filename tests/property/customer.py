"""The customer's side: choosing when a promise cannot be kept, more time, proxies, the wish to cancel."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property import acts
from tests.property.life import SKUS, Life, any_sku, pick, while_there

ASKED = (
    "SELECT p.id FROM pickup p WHERE p.state NOT IN ('collected', 'cancelled', 'expired') AND (p.choice_reason IS NOT "
    "NULL OR EXISTS (SELECT 1 FROM pickup_line l WHERE l.pickup_id = p.id AND l.undecided > 0)) ORDER BY p.id"
)


class Customer(Life):
    """What customers do with their pickups."""

    @while_there("asked")
    @rule(at=pick, which=pick)
    def a_customer_chooses(self, at: int, which: int) -> None:
        asked = self.one_of(at, ASKED)
        if asked is not None:
            self.answer(asked["id"], which)

    def answer(self, pickup_id: str, which: int) -> None:
        """Choose one of the options, if there are any."""
        options = self.api.get(f"/pickups/{pickup_id}/options").json["options"]
        if options:
            self.choose(pickup_id, options[which % len(options)])

    @while_there("lacking")
    @rule(at=pick, sku=any_sku, which=pick)
    def a_substitute_is_offered_and_perhaps_taken(self, at: int, sku: str, which: int) -> None:
        found = self.one_of(
            at,
            "SELECT p.id, l.sku FROM pickup p JOIN pickup_line l ON l.pickup_id = p.id "
            "WHERE p.state IN ('picking', 'awaiting_customer') AND l.undecided > 0 ORDER BY l.id",
        )
        if found is None:
            return
        instead = sku if sku != found["sku"] else SKUS[(SKUS.index(sku) + 1) % len(SKUS)]
        self.tried(f"/pickups/{found['id']}/substitute", {"sku": found["sku"], "substitute": instead})
        options = self.api.get(f"/pickups/{found['id']}/options").json["options"]
        offered = [one for one in options if one["option"] == "substitute"]
        if offered and which % 2:
            self.choose(found["id"], offered[0])

    def choose(self, pickup_id: str, option: dict[str, Any]) -> None:
        """What is offered can be carried out: nobody is faster here."""
        body = {"option": option["option"]}
        if option["option"] == "other_store":
            body["location"] = option["location"]
        if option["option"] == "substitute":
            body["sku"] = option["sku"]
        if option["option"] == "ship":
            body["address"] = acts.HOME
        travels = self.some_pickup(0, f"id = '{pickup_id}' AND state = 'awaiting_transfer'") is not None
        answer = self.tried(f"/pickups/{pickup_id}/choose", body)
        if travels and answer.status_code == 409:  # its goods came, and the news is heard in this very call
            assert answer.json["type"] == "/problems/option-not-offered", answer.text
        else:
            acts.done(answer, 200)

    @while_there("pickup")
    @rule(at=pick, action=st.sampled_from(["extend", "arrived", "request-cancel", "reissue", "lend", "name", "remove"]))
    def a_customer_acts(self, at: int, action: str) -> None:
        pickup = self.some_pickup(at)
        if pickup is None:
            return
        bodies: dict[str, tuple[str, Any]] = {
            "extend": ("extend", {}), "arrived": ("arrived", {"note": "3"}), "request-cancel": ("request-cancel", {}),
            "lend": ("proxy", {"lend_minutes": 30}), "name": ("proxy", {"name": "佐藤"}),
            "remove": ("proxy", {"remove": "all"}),
        }  # fmt: skip
        path, body = bodies.get(action, (action, None))
        self.tried(f"/pickups/{pickup['id']}/{path}", body)
