"""Goods that travel for somebody: sent short, received short or over, given up, cancelled; never free in between."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app import stock
from app.core import clock as app_clock
from app.core.ids import new_id
from app.core.sql import json_of
from tests.api.stock_kit import rows
from tests.factories import make_store

NOON = "2026-11-22T12:00+09:00"
ETA = dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def shops(api, clock) -> None:
    clock(NOON)
    make_store(api, "W", {"X": 5, "Y": 3})
    make_store(api, "S", {"X": 1})


class Buyer:
    """Somebody at S whose goods are at W; an owner type that no package judges, unless told otherwise."""

    def __init__(self, app: Any, kind: str = "buyer", wanted: tuple[tuple[str, int], ...] = (("X", 2), ("Y", 1))):
        self.app, self.owner = app, (kind, new_id())
        with app.app_context():
            claim = stock.reserve(
                location="W", lines=wanted, kind="pickup", channel="ec", expires_at=None, owner=self.owner
            )
            self.claim_id = claim.id
            self.id = stock.send_for(claim.id, owner=self.owner, receiver="S", expected_at=ETA)

    def give_up(self, **parts: int) -> str:
        with self.app.app_context():
            return stock.give_up_transfer(self.id, parts, owner=self.owner)

    def view(self) -> stock.TransferView:
        with self.app.app_context():
            return stock.transfer(self.id)

    def claim(self, claim_id: str | None) -> stock.ClaimView:
        assert claim_id is not None
        with self.app.app_context():
            return stock.find(claim_id)


def act(api: Any, buyer: Buyer, action: str, **lines: int) -> Any:
    body = {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]} if lines else None
    return api.post(f"/transfers/{buyer.id}/{action}", body)


def books(api: Any) -> dict[str, tuple[int, int, int]]:
    items = api.get("/stock").json["items"]
    return {i["location"] + i["sku"]: (i["on_hand"], i["reserved"], i["incoming"]) for i in items}


def events(buyer: Buyer) -> list[tuple[str, dict[str, Any]]]:
    with buyer.app.app_context():
        found = rows("SELECT topic, payload FROM outbox_event WHERE aggregate_id = :id ORDER BY sequence", id=buyer.id)
    return [(row["topic"], json_of(row["payload"])) for row in found]


def counts(payload: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("sku", "quantity", "promised", "shipped", "received", "claimed")
    return [tuple(line[name] for name in names) for line in payload["lines"]]


def broken(app: Any) -> list[str]:
    with app.app_context():
        return [result.name for result in stock.check.check().results if not result.holds]


def test_what_arrives_is_its_owners_again(api, app, shops) -> None:
    buyer = Buyer(app)
    assert books(api) == {"WX": (5, 2, 0), "WY": (3, 1, 0), "SX": (1, 0, 0)}
    sender = buyer.claim(buyer.claim_id)
    assert (sender.kind, sender.owner_type, sender.owner_id) == ("transfer", "transfer", buyer.id)
    shown = api.get(f"/transfers/{buyer.id}").json
    assert shown["for"] == {"type": "buyer", "id": buyer.owner[1]}
    assert shown["expected_at"] == "2026-11-24T03:00:00.000Z"
    assert [(line["sku"], line["quantity"], line["promised"]) for line in shown["lines"]] == [("X", 2, 2), ("Y", 1, 1)]
    assert act(api, buyer, "ship").json["state"] == "shipped"
    assert books(api) == {"WX": (3, 0, 0), "WY": (2, 0, 0), "SX": (1, 0, 2), "SY": (0, 0, 1)}
    assert act(api, buyer, "receive").json["state"] == "received"
    assert books(api) == {"WX": (3, 0, 0), "WY": (2, 0, 0), "SX": (3, 2, 0), "SY": (1, 1, 0)}
    view = buyer.view()
    assert (view.state, view.sender, view.receiver, view.owner) == ("received", "W", "S", buyer.owner)
    assert (view.expected_at, view.shipped_at, view.received_at) == (ETA, app_clock.now(), app_clock.now())
    assert view.lines == (stock.RoadLine("X", 2, 2, 2, 2, 2), stock.RoadLine("Y", 1, 1, 1, 1, 1))
    arrived = buyer.claim(view.arrived_claim_id)
    assert (arrived.location_id, arrived.kind, arrived.channel, arrived.state) == ("S", "pickup", "ec", "reserved")
    assert ((arrived.owner_type, arrived.owner_id), arrived.expires_at) == (buyer.owner, None)
    assert arrived.open == {"X": 2, "Y": 1}
    assert broken(app) == []
    told = events(buyer)
    assert [topic for topic, _ in told] == ["transfer.requested", "transfer.shipped", "transfer.received"]
    assert {payload["to"] for _, payload in told} == {"S"}
    assert [payload["for"] for _, payload in told] == [{"type": "buyer", "id": buyer.owner[1]}] * 3
    assert told[2][1]["claim"] == view.arrived_claim_id
    assert counts(told[2][1]) == [("X", 2, 2, 2, 2, 2), ("Y", 1, 1, 1, 1, 1)]


def test_missing_pieces_are_not_claimed_and_more_than_promised_is_free(api, app, shops) -> None:
    buyer = Buyer(app)
    act(api, buyer, "ship")
    got = act(api, buyer, "receive", X=3, Y=0)
    assert [(line["sku"], line["promised"], line["received"]) for line in got.json["lines"]] == [
        ("X", 2, 3), ("Y", 1, 0),
    ]  # fmt: skip
    assert books(api) == {"WX": (3, 0, 0), "WY": (2, 0, 0), "SX": (4, 2, 0), "SY": (0, 0, 0)}
    assert buyer.claim(buyer.view().arrived_claim_id).lines == {"X": 2}
    assert counts(events(buyer)[-1][1]) == [("X", 2, 2, 2, 3, 2), ("Y", 1, 1, 1, 0, 0)]
    assert api.get("/incidents").json["items"] == []
    assert broken(app) == []


def test_nothing_arrives_and_nothing_is_claimed(api, app, shops) -> None:
    buyer = Buyer(app)
    act(api, buyer, "ship")
    act(api, buyer, "receive", X=0, Y=0)
    assert buyer.view().arrived_claim_id is None
    assert events(buyer)[-1][1]["claim"] is None
    assert books(api) == {"WX": (3, 0, 0), "WY": (2, 0, 0), "SX": (1, 0, 0), "SY": (0, 0, 0)}
    assert broken(app) == []


def test_it_comes_to_a_place_that_owes_already(api, app, shops) -> None:
    """Those that come for somebody are theirs, and the shortage of the others stays what it was."""
    with app.app_context():
        stock.reserve(location="S", lines=[("X", 1)], kind="cart", channel="ec", expires_at=None)
        stock.record([stock.Goods("S", "X", -2)], stock.Cause("sale", "receipt", "1"))
    buyer = Buyer(app)
    act(api, buyer, "ship")
    (before,) = api.get("/incidents").json["items"]
    act(api, buyer, "receive")
    assert books(api)["SX"] == (1, 3, 0)
    (after,) = api.get("/incidents").json["items"]
    assert (before["id"], before["shortage"], after["shortage"]) == (after["id"], 2, 2)
    assert broken(app) == []


def test_fewer_are_sent(api, app, shops) -> None:
    buyer = Buyer(app)
    sent = act(api, buyer, "ship", X=1)
    assert [(line["quantity"], line["promised"], line["shipped"]) for line in sent.json["lines"]] == [
        (2, 1, 1), (1, 0, 0),
    ]  # fmt: skip
    assert books(api) == {"WX": (4, 0, 0), "WY": (3, 0, 0), "SX": (1, 0, 1), "SY": (0, 0, 0)}
    assert counts(events(buyer)[-1][1]) == [("X", 2, 1, 1, 0, 0), ("Y", 1, 0, 0, 0, 0)]
    act(api, buyer, "receive")
    assert books(api) == {"WX": (4, 0, 0), "WY": (3, 0, 0), "SX": (2, 1, 0), "SY": (0, 0, 0)}
    assert buyer.claim(buyer.claim_id).state == "fulfilled"
    assert broken(app) == []


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([{"sku": "X", "quantity": 3}], "more-than-asked"),
        ([{"sku": "X", "quantity": 1}, {"sku": "X", "quantity": 2}], "more-than-asked"),
        ([{"sku": "Z", "quantity": 1}], "more-than-asked"),
        ([{"sku": "X", "quantity": 0}], "nothing-sent"),
        ([], "length"),
    ],
)
def test_what_cannot_be_sent(api, app, shops, lines: list[dict[str, Any]], code: str) -> None:
    buyer = Buyer(app)
    before = books(api)
    refused = api.post(f"/transfers/{buyer.id}/ship", {"lines": lines})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/lines")
    assert refused.json["errors"][0]["code"] == code
    assert (books(api), buyer.view().state) == (before, "requested")
    assert len(events(buyer)) == 1


def test_given_up_before_it_left(api, app, shops) -> None:
    buyer = Buyer(app)
    assert buyer.give_up(X=1, Q=4) == "reduced"
    assert books(api) == {"WX": (5, 1, 0), "WY": (3, 1, 0), "SX": (1, 0, 0)}
    assert events(buyer)[-1][0] == "transfer.changed"
    assert buyer.give_up(X=9, Y=1) == "cancelled"
    assert books(api) == {"WX": (5, 0, 0), "WY": (3, 0, 0), "SX": (1, 0, 0)}
    assert buyer.give_up(X=1) == "cancelled"
    assert buyer.claim(buyer.claim_id).state == "released"
    assert [topic for topic, _ in events(buyer)] == ["transfer.requested", "transfer.changed", "transfer.cancelled"]
    assert counts(events(buyer)[-1][1]) == [("X", 0, 0, 0, 0, 0), ("Y", 0, 0, 0, 0, 0)]
    assert broken(app) == []


def test_given_up_on_the_road_it_arrives_as_free_stock(api, app, shops) -> None:
    buyer = Buyer(app)
    act(api, buyer, "ship")
    assert buyer.give_up(X=1, Y=5) == "reduced"
    assert buyer.view().state == "shipped"
    act(api, buyer, "receive")
    assert books(api) == {"WX": (3, 0, 0), "WY": (2, 0, 0), "SX": (3, 1, 0), "SY": (1, 0, 0)}
    assert buyer.claim(buyer.view().arrived_claim_id).lines == {"X": 1}
    assert broken(app) == []


def test_given_up_after_it_arrived_the_claim_is_the_owners(api, app, shops) -> None:
    buyer = Buyer(app)
    act(api, buyer, "ship")
    act(api, buyer, "receive")
    assert buyer.give_up(X=2) == "arrived"
    assert books(api)["SX"] == (3, 2, 0)
    with app.app_context():
        stock.void(buyer.view().arrived_claim_id or "", {"X": 2}, owner=buyer.owner)
    assert books(api)["SX"] == (3, 0, 0)
    assert len(events(buyer)) == 3


def test_only_whom_it_travels_for_gives_it_up(api, app, shops) -> None:
    buyer = Buyer(app)
    before = books(api)
    with app.app_context():
        with pytest.raises(stock.ReservationAttached):
            stock.give_up_transfer(buyer.id, {"X": 1}, owner=("buyer", new_id()))
        for nobody in ("nonsense", new_id()):
            with pytest.raises(stock.UnknownTransfer):
                stock.give_up_transfer(nobody, {"X": 1}, owner=buyer.owner)
            with pytest.raises(stock.UnknownTransfer):
                stock.transfer(nobody)
    assert books(api) == before


def test_the_sender_may_cancel_and_the_event_says_for_whom(api, app, shops) -> None:
    buyer = Buyer(app)
    assert act(api, buyer, "cancel").json["state"] == "cancelled"
    assert books(api) == {"WX": (5, 0, 0), "WY": (3, 0, 0), "SX": (1, 0, 0)}
    topic, payload = events(buyer)[-1]
    assert (topic, payload["for"]) == ("transfer.cancelled", {"type": "buyer", "id": buyer.owner[1]})
    assert counts(payload) == [("X", 2, 2, 0, 0, 0), ("Y", 1, 1, 0, 0, 0)]
    assert broken(app) == []


def test_what_cannot_be_sent_for_somebody(app, shops) -> None:
    with app.app_context():
        owner = ("buyer", new_id())
        claim = stock.reserve(location="W", lines=[("X", 1)], kind="pickup", channel="ec", expires_at=None, owner=owner)
        for receiver, refusal in (("W", "same-location"), ("Q", "unknown-location")):
            with pytest.raises(Exception, match=refusal):
                stock.send_for(claim.id, owner=owner, receiver=receiver, expected_at=None)
        with pytest.raises(stock.ReservationAttached):
            stock.send_for(claim.id, owner=("buyer", new_id()), receiver="S", expected_at=None)
        stock.release(claim.id, owner=owner)
        with pytest.raises(stock.ReservationEnded):
            stock.send_for(claim.id, owner=owner, receiver="S", expected_at=None)
        with pytest.raises(stock.UnknownReservation):
            stock.send_for(new_id(), owner=owner, receiver="S", expected_at=None)
    with app.app_context():
        assert rows("SELECT id FROM transfer") == []
    assert broken(app) == []


def test_who_may_act_is_a_matter_of_places(api, app, make_api, shops) -> None:
    """The order's clerk at S has no say at W, and still the goods that travel for S are given up."""
    buyer = Buyer(app)
    at_w, at_s, other = (make_api("stock:write", locations=(place,)) for place in ("W", "S", "Q"))
    assert [act(who, buyer, "ship", X=1).status_code for who in (other, at_s, at_w)] == [404, 404, 200]
    assert [act(who, buyer, "receive", X=1).status_code for who in (other, at_w, at_s)] == [404, 404, 200]
    assert broken(app) == []


@pytest.mark.parametrize("shipped", [False, True])
def test_nothing_travels_for_an_order_that_has_ended(api, app, shops, shipped: bool) -> None:
    buyer = Buyer(app, kind="order")
    if shipped:
        act(api, buyer, "ship")
    assert broken(app) == ["transfers for orders live"]
    with app.app_context():
        report = stock.check.repair()
    assert (report.repaired, report.holds) == (1, True)
    if shipped:
        act(api, buyer, "receive")
    assert (buyer.view().state, buyer.view().arrived_claim_id) == ("received" if shipped else "cancelled", None)
    assert broken(app) == []


def test_a_claim_that_arrived_for_an_order_that_has_ended_leaks_and_is_found(api, app, shops) -> None:
    buyer = Buyer(app, kind="order")
    act(api, buyer, "ship")
    act(api, buyer, "receive")
    assert broken(app) == ["claims of orders live"]
    with app.app_context():
        assert stock.check.repair().holds
    assert books(api)["SX"] == (3, 0, 0)


def test_a_plain_transfer_says_when_it_is_expected(api, shops) -> None:
    lines = [{"sku": "X", "quantity": 1}]
    made = api.post("/transfers", {"from": "W", "to": "S", "lines": lines, "expected_at": "2026-11-23T09:00+09:00"})
    assert (made.json["expected_at"], made.json["for"]) == ("2026-11-23T00:00:00.000Z", None)
    wrong = api.post("/transfers", {"from": "W", "to": "S", "lines": lines, "expected_at": "tomorrow"})
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/expected_at")


def test_sent_twice_under_one_key(api, app, shops) -> None:
    buyer = Buyer(app)
    body = {"lines": [{"sku": "X", "quantity": 1}]}
    one, two = (api.post(f"/transfers/{buyer.id}/ship", body, key="s-1") for _ in range(2))
    assert one.data == two.data
    assert two.headers["Idempotency-Replayed"] == "true"
    assert books(api)["WX"] == (4, 0, 0)


def test_promises_of_a_place_oldest_first(app, shops, clock) -> None:
    with app.app_context():
        soon = app_clock.now() + dt.timedelta(minutes=5)
        made = [
            stock.reserve(location="W", lines=lines, kind="cart", channel="ec", expires_at=until).id
            for lines, until in (([("X", 1)], None), ([("X", 1), ("Y", 2)], soon), ([("Y", 1)], None))
        ]
        assert [claim.id for claim in stock.open_claims("W", "X")] == made[:2]
        assert [claim.lines for claim in stock.open_claims("W", "X")] == [{"X": 1}, {"X": 1, "Y": 2}]
        stock.void(made[1], {"X": 1})
        assert [claim.id for claim in stock.open_claims("W", "X")] == made[:1]
        assert [claim.open for claim in stock.open_claims("W", "Y")] == [{"Y": 2}, {"Y": 1}]
    clock("2026-11-22T12:05+09:00")
    with app.app_context():
        assert [claim.id for claim in stock.open_claims("W", "Y")] == made[2:]
        assert stock.open_claims("S", "X") == []
