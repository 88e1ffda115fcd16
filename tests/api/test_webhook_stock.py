"""`stock.changed`: absolute figures, one a second at most, and only while somebody asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from tests.api.orders_kit import rows
from tests.api.webhook_kit import deliver, endpoint, let_private, reserve, shop
from tests.standins.receiver import Receiver, receiving

NOON = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
Later = Callable[[float], None]


@pytest.fixture
def later(clock: Any, app: Flask, api: Any) -> Later:
    """A shop at noon; `later(seconds)` after noon the courier makes its round."""
    clock(NOON)
    let_private(app)
    shop(api)

    def at(seconds: float) -> None:
        clock(NOON + dt.timedelta(seconds=seconds))
        deliver(app)

    return at


@pytest.fixture
def site() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def figures(site: Receiver) -> list[tuple[str, int, int, int, int]]:
    """(sku, its number, on hand, reserved, available) of everything that came."""
    found = []
    for came in site.received:
        told = came.json
        data = told["data"]
        assert (told["aggregate"]["type"], told["location"], data["location"]) == ("stock_level", "S1", "S1")
        assert told["aggregate"]["id"] == f"S1/{data['sku']}"
        found.append((data["sku"], told["sequence"], data["on_hand"], data["reserved"], data["available"]))
    return found


def test_changes_within_a_second_are_told_once_with_the_last_figures(
    api: Any, app: Flask, later: Later, site: Receiver
) -> None:
    later(1)
    endpoint(api, site.url, "stock.changed")
    later(2)
    assert site.received == []  # what had been before is not told
    for _ in range(5):
        reserve(api)
    reserve(api, "B", 3)
    later(3)
    assert sorted(figures(site)) == [("A", 1, 50, 5, 45), ("B", 1, 50, 3, 47)]
    reserve(api)
    later(3.5)
    assert len(site.received) == 2
    reserve(api)
    later(4)
    assert figures(site)[2:] == [("A", 2, 50, 7, 43)]
    later(9)
    assert len(site.received) == 3
    assert rows(app, "SELECT count(*) FROM outbox_event WHERE topic = 'stock.changed'") == [(3,)]


def test_nothing_is_written_while_nobody_asks(api: Any, app: Flask, later: Later, site: Receiver) -> None:
    endpoint(api, site.url, "pickup.*")
    reserve(api)
    later(1)
    assert rows(app, "SELECT count(*) FROM outbox_event WHERE topic = 'stock.changed'") == [(0,)]
    assert rows(app, "SELECT count(*) FROM webhook_stock") == [(0,)]
    later(60)
    endpoint(api, site.url, "*")
    later(61)
    assert site.types == []
    reserve(api, quantity=2)
    later(62)
    assert sorted(site.types) == ["reservation.created", "stock.changed"]  # two stories, side by side


def test_the_count_goes_on_when_somebody_asks_again(api: Any, app: Flask, later: Later, site: Receiver) -> None:
    later(1)
    first = endpoint(api, site.url, "stock.*")
    reserve(api)
    later(1.5)
    assert api.delete(f"/webhook-endpoints/{first['id']}").status_code == 200
    reserve(api)
    later(2)
    endpoint(api, site.url, "stock.*")
    later(3)
    reserve(api)
    later(4)
    assert figures(site) == [("A", 1, 50, 1, 49), ("A", 2, 50, 3, 47)]


def test_reserving_writes_no_more_than_before(api: Any, app: Flask, later: Later, site: Receiver) -> None:
    later(1)
    endpoint(api, site.url, "stock.changed")
    later(2)
    count = "SELECT count(*) FROM outbox_event"
    before = rows(app, count)[0][0]
    reserve(api)
    assert rows(app, count)[0][0] == before + 1
    assert rows(app, "SELECT count(*) FROM webhook_delivery") == [(0,)]
