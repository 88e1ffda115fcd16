"""`GET /events`: what happened, page by page, inside a key's bounds, and nothing passed over."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app.core import settings
from tests.api.orders_kit import basket, place
from tests.api.pickups_kit import order, problem
from tests.api.webhook_kit import deliver, endpoint, let_private, reserve, shop, story
from tests.factories import make_store
from tests.standins.receiver import receiving

NOON = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
NOBODY = "019a0000-0000-7000-8000-000000000000"


def page(api: Any, **query: str) -> dict[str, Any]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = api.get("/events" + (f"?{asked}" if asked else ""))
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def stories(events: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(event["aggregate"]["id"], event["sequence"]) for event in events]


def test_it_needs_the_scope_to_read_orders(make_api: Any) -> None:
    problem(make_api("stock:read").get("/events"), 403, "forbidden")
    assert make_api("orders:read").get("/events").status_code == 200
    assert make_api("orders:write").get("/events").status_code == 200
    stranger = make_api("orders:read")
    stranger.key = "hk_nobody"
    problem(stranger.get("/events"), 401, "unauthorized")


def test_an_event_is_told_as_a_webhook_tells_it(api: Any, app: Flask) -> None:
    let_private(app)
    shop(api)
    with receiving() as site:
        endpoint(api, site.url, "reservation.*")
        story(api)
        deliver(app)
        assert page(api)["items"] == [came.json for came in site.received]
        assert len(site.received) == 3


def test_pages_follow_one_another_and_the_end_is_a_place_to_go_on_from(api: Any) -> None:
    shop(api)
    assert page(api) == {"items": [], "next_cursor": None, "resume_cursor": page(api)["resume_cursor"]}
    made = [story(api) for _ in range(3)]
    seen: list[tuple[str, int]] = []
    cursor = page(api, after="", limit="1")["next_cursor"]
    seen += stories(page(api, after="", limit="1")["items"])
    while cursor:
        found = page(api, after=cursor, limit="2")
        assert len(found["items"]) <= 2
        seen += stories(found["items"])
        cursor = found["next_cursor"]
    assert seen == [(one, number) for one in made for number in (1, 2, 3)]
    end = found["resume_cursor"]
    assert page(api, after=end)["items"] == []
    more = reserve(api)
    assert stories(page(api, after=end)["items"]) == [(more, 1)]


def test_who_knows_only_the_last_event_goes_on_after_it(api: Any) -> None:
    shop(api)
    story(api)
    last = page(api)["items"][-1]["id"]
    more = reserve(api)
    assert stories(page(api, after=last)["items"]) == [(more, 1)]


@pytest.mark.parametrize("after", ["x", NOBODY, "WyIyMDI2Il0", "WyJ4IiwieSJd"])
def test_a_place_that_is_none(api: Any, after: str) -> None:
    answer = api.get(f"/events?after={after}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "cursor"


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "type=pickup.fallen", "type=import.*", "since=1"])
def test_a_question_that_will_not_do(api: Any, query: str) -> None:
    problem(api.get(f"/events?{query}"), 422, "invalid")


def test_only_some_types_and_a_page_looks_at_so_much(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop(api)
    made = [story(api) for _ in range(6)]
    found = page(api, type="reservation.released")
    assert stories(found["items"]) == [(one, 3) for one in made]
    both = page(api, type="reservation.released&type=reservation.created")
    assert len(both["items"]) == 12
    monkeypatch.setattr(settings, "EVENT_SCAN", 4)
    monkeypatch.setattr(settings, "WEBHOOK_BATCH", 2)
    cursor, seen, pages = "", [], 0
    while cursor is not None:
        found = page(api, after=cursor, type="reservation.released", limit="2")
        seen += stories(found["items"])
        cursor, pages = found["next_cursor"], pages + 1
    assert seen == [(one, 3) for one in made]
    assert pages > 3


def test_what_stays_inside_is_not_told(api: Any, app: Flask) -> None:
    header = "sku,product,name,tax_category,list_price\n"
    api.call("POST", "/imports/skus", data=(header + "N1,P,x,standard,1\n").encode(), content_type="text/csv")
    assert page(api)["items"] == []


def test_a_bounded_key_reads_what_lies_inside_its_bounds(api: Any, make_api: Any) -> None:
    shop(api)
    make_store(api, "S2", {"A": 50})
    make_store(api, "W1", {"A": 50}, kind="warehouse")
    sent = place(api, basket("M-1", channel="mall"))
    collected = order(api, "EC-2")
    at_s2 = reserve(api, location="S2")
    whole = page(api, limit="200")["items"]
    ec = page(make_api("orders:read", channels=("ec",)), limit="200")["items"]
    mall = page(make_api("orders:read", channels=("mall",)), limit="200")["items"]
    s2 = page(make_api("orders:read", locations=("S2",)), limit="200")["items"]
    nobody = page(make_api("orders:read", locations=("S2",), channels=("line",)), limit="200")["items"]
    assert stories(s2) == [(at_s2, 1)]
    assert nobody == []
    assert {collected["id"], collected["pickup"]["id"], at_s2} <= {one for one, _ in stories(ec)}
    assert sent["id"] in {one for one, _ in stories(mall)}
    assert not set(stories(ec)) & set(stories(mall))
    assert sorted(stories(ec) + stories(mall)) == sorted(stories(whole))


def test_the_horizon_is_kept(api: Any, clock: Any) -> None:
    shop(api)
    clock(NOON)
    made = story(api)
    clock(NOON - dt.timedelta(seconds=1))
    assert made not in {one for one, _ in stories(page(api)["items"])}
    clock(NOON)
    assert [story_ for story_ in stories(page(api)["items"]) if story_[0] == made] == [(made, n) for n in (1, 2, 3)]
