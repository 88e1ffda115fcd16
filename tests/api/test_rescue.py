"""The rescue desk: whose promise suffers least is asked to give way first, and each remedy is carried out whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, problem
from tests.api.rescue_kit import (
    NOON,
    apply,
    board,
    bought,
    broken,
    cart,
    hold,
    incident,
    kinds,
    money,
    pick,
    pickup,
    remedy,
    sell,
    sent,
    shops,
)  # fmt: skip

UNKNOWN = "019a0000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def sound(app, clock) -> Iterator[None]:
    """The books are right after every test."""
    clock(NOON)
    yield
    assert broken(app) == []


# --- ranking ----------------------------------------------------------------------------------------------------------


def test_who_suffers_least_comes_first(api, app, clock) -> None:
    shops(api, 9, elsewhere=0)
    picked = bought(api, "EC-picked")
    pick(api, picked, 1)
    early = bought(api, "EC-early")
    clock("2026-11-22T13:00+09:00")
    later = bought(api, "EC-later")
    parcel = sent(api, "EC-parcel")
    unpaid = bought(api, "EC-unpaid", pay="due")
    begun = hold(api)
    for action in ("accept", "start"):
        act(api, begun["pickup"]["id"], action)
    waiting = hold(api)
    basket = cart(api, 2)
    sell(app, 9)
    shown = board(api)
    assert (shown["shortage"], shown["uncovered"], shown["cause_code"]) == (9, 0, "till_sale")
    assert kinds(shown) == [
        ("recount", None, 9),
        ("release", "cart", 2),
        ("ask", waiting["pickup"]["code"], 1),
        ("release", waiting["pickup"]["code"], 1),
        ("ask", begun["pickup"]["code"], 1),
        ("cancel", begun["pickup"]["code"], 1),
        ("ask", unpaid["number"], 1),
        ("cancel", unpaid["number"], 1),
        ("ask", later["number"], 1),
        ("cancel", later["number"], 1),
        ("cancel", parcel["number"], 1),
        ("ask", early["number"], 1),
        ("cancel", early["number"], 1),
        ("ask", picked["number"], 1),
        ("cancel", picked["number"], 1),
    ]
    assert [(one["paid"], one["picked"]) for one in shown["remedies"][-2:]] == [(True, True)] * 2
    assert shown["remedies"][1]["claim"] == basket["id"]


def test_only_as_many_are_named_as_cover_the_shortage(api, app) -> None:
    shops(api, 5, elsewhere=0)
    bought(api, "EC-1", 2)
    made = bought(api, "EC-2", 3)
    sell(app, 2)
    assert kinds(board(api)) == [("recount", None, 2), ("ask", made["number"], 2), ("cancel", made["number"], 2)]


def test_pieces_not_picked_go_before_picked_ones_of_the_same_order(api, app) -> None:
    shops(api, 3, elsewhere=0)
    made = bought(api, "EC-1", 3)
    pick(api, made, 2)
    sell(app, 2)
    shown = board(api)["remedies"]
    assert [(one["kind"], one["quantity"], one["picked"]) for one in shown] == [
        ("recount", 2, None),
        ("ask", 1, False),
        ("cancel", 1, False),
        ("ask", 1, True),
        ("cancel", 1, True),
    ]
    assert len({one["remedy"] for one in shown}) == 5


def test_what_a_clerk_needs_to_know(api, app) -> None:
    shops(api, 2)
    made = bought(api, "EC-1", 2)
    sell(app, 1)
    asked, transfer = incident(api)["id"], remedy(api, "transfer")
    assert transfer == {
        "remedy": f"transfer:{transfer['claim']}:1:W1", "kind": "transfer", "customer": "later", "written": True,
        "words": "Have 1 sent here from W1店. The customer collects them when they have come.", "quantity": 1,
        "whose": "order", "claim": transfer["claim"], "channel": "ec", "order_id": made["id"],
        "order_number": made["number"], "pickup": made["pickup"]["id"], "code": made["pickup"]["code"],
        "state": "requested", "transfer": None, "paid": True, "picked": False,
        "promised_at": "2026-11-22T04:00:00.000Z", "from": "W1", "from_name": "W1店", "distance_km": 26.9,
        "ready_by": "2026-11-24T02:00:00.000Z", "refund": None,
    }  # fmt: skip
    assert [(one["kind"], one["from"]) for one in board(api)["remedies"]] == [
        ("recount", None),
        ("transfer", "W1"),
        ("transfer", "S2"),
        ("ask", None),
        ("cancel", None),
    ]
    assert remedy(api, "cancel")["refund"] == 1100
    japanese = api.get(f"/incidents/{asked}/remedies", headers={"Accept-Language": "ja"}).json["remedies"]
    assert japanese[3]["words"] == "店舗受取のご注文のお客様に、1点の受け取り方法を選んでいただく。"


def test_nothing_short_nothing_to_do(api, app) -> None:
    shops(api, 2)
    bought(api, "EC-1", 2)
    sell(app, 1)
    open_remedy = remedy(api, "ask")["remedy"]
    sell(app, -1, "r-2")
    shown = board(api)
    assert (shown["state"], shown["shortage"], shown["remedies"], shown["waiting"]) == ("resolved", 0, [], [])
    refused = api.post(f"/incidents/{shown['incident']}/apply", {"remedy": open_remedy})
    assert problem(refused, 409, "remedy-not-offered")["remedies"] == []


def test_a_shortage_without_a_promise_in_sight(api, app, make_api) -> None:
    shops(api, 2)
    order_elsewhere = bought(api, "EC-1", 2)
    sell(app, 1)
    other = make_api("stock:read", "stock:write", channels=("rakuten",))
    shown = board(other)
    assert (shown["shortage"], shown["uncovered"], kinds(shown)) == (1, 1, [("recount", None, 1)])
    assert board(api)["uncovered"] == 0
    assert pickup(api, order_elsewhere)["state"] == "requested"


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_applied_once_under_its_key_and_not_again_under_another(api, app) -> None:
    shops(api, 3)
    made = bought(api, "EC-1", 3)
    sell(app, 1)
    path, body = f"/incidents/{incident(api)['id']}/apply", {"remedy": remedy(api, "cancel")["remedy"]}
    first = api.post(path, body, key="one")
    again = api.post(path, body, key="one")
    assert (first.status_code, again.data, again.headers["Idempotency-Replayed"]) == (200, first.data, "true")
    before = rows(app, "SELECT count(*) FROM outbox_event")
    refused = problem(api.post(path, body, key="two"), 409, "remedy-not-offered")
    assert (refused["remedy"], refused["remedies"]) == (body["remedy"], [])
    assert rows(app, "SELECT count(*) FROM outbox_event") == before
    assert (money(api, made), level(app, "A", "S1")) == (("placed", 1, 1100), (2, 2))


def test_what_no_longer_fits_is_refused_with_what_does(api, app) -> None:
    shops(api, 3)
    made = bought(api, "EC-1", 3)
    sell(app, 1)
    stale = remedy(api, "cancel")["remedy"]
    sell(app, 1, "r-2")
    refused = problem(api.post(f"/incidents/{incident(api)['id']}/apply", {"remedy": stale}), 409, "remedy-not-offered")
    assert refused["remedies"] == [one["remedy"] for one in board(api)["remedies"]]
    assert refused["remedies"][-1] == stale.rsplit(":", 1)[0] + ":2"
    assert (money(api, made), level(app, "A", "S1")) == (("placed", 0, 0), (1, 3))


def test_who_may_see_and_who_may_do(api, app, make_api) -> None:
    shops(api, 2)
    bought(api, "EC-1", 2)
    sell(app, 1)
    path = f"/incidents/{incident(api)['id']}"
    body = {"remedy": remedy(api, "ask")["remedy"]}
    reader, stranger = make_api("stock:read"), make_api("pickups:write")
    there = make_api("stock:read", "stock:write", locations=("S2",))
    assert reader.get(f"{path}/remedies").status_code == 200
    assert reader.post(f"{path}/apply", body).status_code == 403
    assert (stranger.get(f"{path}/remedies").status_code, stranger.post(f"{path}/apply", body).status_code) == (
        403,
        403,
    )
    for nobody in (path, "/incidents/nonsense", f"/incidents/{UNKNOWN}"):
        problem(there.get(f"{nobody}/remedies"), 404, "unknown-incident")
        problem(there.post(f"{nobody}/apply", body), 404, "unknown-incident")
    reader.key = "wrong"
    assert (reader.get(f"{path}/remedies").status_code, reader.post(f"{path}/apply", body).status_code) == (401, 401)
    assert level(app, "A", "S1") == (1, 2)


def test_a_clerk_of_the_store_is_not_offered_what_others_have(api, app, make_api) -> None:
    shops(api, 2)
    bought(api, "EC-1", 2)
    sell(app, 1)
    clerk = make_api("stock:read", "stock:write", locations=("S1",))
    assert [one["kind"] for one in board(clerk)["remedies"]] == ["recount", "ask", "cancel"]
    assert apply(clerk, remedy(clerk, "ask"))["waiting"][0]["quantity"] == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/remedy"), ({"remedy": ""}, "/remedy"), ({"remedy": 5}, "/remedy"), ({"remedy": "x", "a": 1}, "/a")],
)
def test_a_body_that_says_nothing(api, app, body: dict[str, Any], pointer: str) -> None:
    shops(api, 2)
    bought(api, "EC-1", 2)
    sell(app, 1)
    refused = api.post(f"/incidents/{incident(api)['id']}/apply", body)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)
