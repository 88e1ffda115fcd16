"""When goods can be collected: only while the doors are open, and never in a store that does not open."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.orders_kit import rows
from tests.api.pickups_kit import act, order, problem, shop
from tests.factories import make_store

NOW = "2026-11-22T15:10+09:00"
OPEN, CLOSED, PAST = "2026-11-23T18:00:00+09:00", "2026-11-23T21:00:00+09:00", "2026-11-22T15:00:00+09:00"


@pytest.fixture(autouse=True)
def _store(api: Any, clock: Any) -> None:
    clock(NOW)
    shop(api)


def wish(pickup_at: str | None) -> dict[str, Any]:
    """An order for one A, to be collected then."""
    wanted = {"method": "pickup", "location": "S1"} | ({"pickup_at": pickup_at} if pickup_at else {})
    return {
        "channel": "ec", "external_ref": "EC-9", "fulfilment": wanted,
        "lines": [{"line_ref": "1", "sku": "A", "quantity": 1, "unit_price": 1100}],
        "payments": [{"method": "card", "amount": 1100, "state": "authorized"}],
    }  # fmt: skip


@pytest.mark.parametrize("path", ["/orders", "/orders/quote"])
@pytest.mark.parametrize(("at", "code"), [(CLOSED, "closed"), (PAST, "past")])
def test_a_time_at_which_nobody_can_come_is_refused(api, app, path, at, code):
    refused = problem(api.post(path, wish(at)), 422, "invalid")
    assert [(e["pointer"], e["code"]) for e in refused["errors"]] == [("/fulfilment/pickup_at", code)]
    for table in ("sales_order", "claim", "pickup"):
        assert rows(app, f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_time_within_the_opening_hours_is_promised(api):
    made = order(api, fulfilment=wish(OPEN)["fulfilment"])
    assert api.get(f"/pickups/{made['pickup']['id']}").json["ready_by"] == "2026-11-23T09:00:00.000Z"


@pytest.mark.parametrize("path", ["/orders", "/orders/quote"])
def test_a_store_that_never_opens_hands_nothing_over(api, app, path):
    make_store(api, "S1", hours={})
    problem(api.post(path, wish(None)), 409, "pickup-not-offered")
    assert rows(app, "SELECT count(*) FROM claim") == [(0,)]
    make_store(api, "S1", hours={"mon": [["10:00", "21:00"]]})
    assert api.post(path, wish(None)).status_code in {200, 201}


def test_what_a_clerk_writes_stays_in_the_store(api, app):
    made = order(api)["pickup"]
    ended = act(api, made["id"], "cancel", {"reason": "山田様のご都合"})
    assert ended["reason"] == "山田様のご都合"
    told = rows(app, "SELECT payload FROM outbox_event WHERE topic = 'pickup.cancelled'")
    assert len(told) == 1
    assert "reason" not in str(told[0][0])
