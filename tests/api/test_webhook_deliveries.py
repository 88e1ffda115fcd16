"""Promise 12: events out at least once, in each aggregate's order, the same id over retries; and their log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from flask import Flask
from standardwebhooks import Webhook, WebhookVerificationError

from app.core import settings
from app.webhooks import deliveries, signing
from tests.api.orders_kit import rows
from tests.api.pickups_kit import problem
from tests.api.webhook_kit import deliver, endpoint, let_private, reserve, shop, story
from tests.api.webhook_kit import deliveries as logged
from tests.standins.receiver import OK, Receiver, cut, flood, receiving, redirect, status

FAIL, GONE = status(500), status(410)
NOON = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
VECTORS = orjson.loads((settings.ROOT / "tests" / "data" / "standard_webhooks" / "vectors.json").read_bytes())[
    "vectors"
]


@pytest.fixture
def site(app: Flask, api: Any) -> Iterator[Receiver]:
    """A shop, and an EC site that can be reached."""
    let_private(app)
    shop(api)
    with receiving() as receiver:
        yield receiver


# --- what arrives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", VECTORS)
def test_signatures_are_those_of_the_specification(vector: dict[str, str]) -> None:
    at = dt.datetime.fromtimestamp(int(vector["webhook-timestamp"]), dt.UTC)
    made = signing.headers(vector["webhook-id"], at, vector["payload"].encode(), [vector["secret"]])
    assert (made["webhook-id"], made["webhook-timestamp"]) == (vector["webhook-id"], vector["webhook-timestamp"])
    assert (made["webhook-signature"] == vector["webhook-signature"]) is (vector["valid_if_clock_is"] is not None)


def test_an_event_arrives_signed_as_the_librarys_receiver_checks_it(api: Any, app: Flask, site: Receiver) -> None:
    secret = endpoint(api, site.url, "reservation.created")["secret"]
    made = reserve(api, quantity=2)
    deliver(app)
    (came,) = site.received
    told = Webhook(secret).verify(came.body, came.headers)
    (event,) = rows(app, "SELECT id, occurred_at FROM outbox_event WHERE aggregate_id = :id", id=made)
    assert told == {
        "type": "reservation.created", "id": str(event[0]), "timestamp": told["timestamp"], "sequence": 1,
        "aggregate": {"type": "claim", "id": made}, "location": "S1",
        "data": {"id": made, "kind": "cart", "lines": [{"sku": "A", "quantity": 2}]},
    }  # fmt: skip
    assert told["timestamp"][:19] == str(event[1])[:19].replace(" ", "T")
    assert came.id == str(event[0])
    assert came.headers["content-type"] == "application/json"
    assert came.headers["user-agent"] == "Hitotsu-Webhooks/1"
    (kept,) = logged(api)
    assert came.headers["x-request-id"] == kept["id"]
    assert (kept["state"], kept["attempts"], kept["last_status"], kept["last_error"]) == ("delivered", 1, 200, None)
    assert (kept["event"], kept["type"], kept["aggregate"]["id"], kept["sequence"]) == (
        came.id, "reservation.created", made, 1,
    )  # fmt: skip
    assert api.get(f"/webhook-deliveries/{kept['id']}").json == kept
    for forged in (came.body + b" ", came.body.replace(b"cart", b"hold")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(forged, came.headers)


def test_the_guides_lines_check_what_arrives(api: Any, app: Flask, site: Receiver) -> None:
    secret = endpoint(api, site.url, "reservation.created")["secret"]
    reserve(api)
    deliver(app)
    (came,) = site.received
    guide = (settings.ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(guide.split("```python\n")[1].split("```")[0], names)  # noqa: S102  our own guide
    is_genuine = names["is_genuine"]
    assert is_genuine(secret, came.headers, came.body) is True
    assert is_genuine(secret, came.headers, came.body + b" ") is False
    assert is_genuine(signing.new_secret(), came.headers, came.body) is False
    old = came.headers | {"webhook-timestamp": str(int(came.headers["webhook-timestamp"]) - 301)}
    assert is_genuine(secret, old, came.body) is False


def test_only_what_was_asked_for_is_sent(api: Any, app: Flask, site: Receiver) -> None:
    reserve(api)  # before anybody listened
    endpoint(api, site.url, "reservation.released", "order.*")
    story(api)
    deliver(app)
    assert site.types == ["reservation.released"]


def test_without_a_listener_no_work_is_done(api: Any, app: Flask, site: Receiver) -> None:
    story(api)
    deliver(app)
    assert rows(app, "SELECT count(*) FROM webhook_delivery") == [(0,)]
    assert rows(app, "SELECT count(*) FROM webhook_feed") == [(0,)]


# --- failures ---------------------------------------------------------------------------------------------------------

BROKEN = [
    (FAIL, 500, None),
    (status(429), 429, None),
    (redirect("http://127.0.0.1:9/"), 302, None),
    (status(304), 304, None),
    (status(404), 404, None),
    (cut, None, "connection-broken"),
]


@pytest.mark.parametrize(("behave", "code", "error"), BROKEN)
def test_anything_but_2xx_is_tried_again_with_the_same_id(
    api: Any, app: Flask, site: Receiver, clock: Any, *, behave: Any, code: int | None, error: str | None
) -> None:
    clock(NOON)
    endpoint(api, site.url, "reservation.created")
    reserve(api)
    site.script = [behave]
    deliver(app)
    (kept,) = logged(api)
    assert (kept["state"], kept["attempts"], kept["last_status"], kept["last_error"]) == ("failed", 1, code, error)
    clock(NOON + dt.timedelta(seconds=4))
    deliver(app)
    assert len(site.received) == 1
    clock(NOON + dt.timedelta(seconds=6))
    deliver(app)
    first, second = site.received
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 6
    (kept,) = logged(api)
    assert (kept["state"], kept["attempts"], kept["last_status"]) == ("delivered", 2, 200)


@pytest.mark.parametrize("way", ["hang", "drip"])
def test_a_receiver_that_hangs_or_drips_is_cut_off(
    api: Any, app: Flask, site: Receiver, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(settings, "WEBHOOK_TOTAL_SECONDS", 0.4)
    endpoint(api, site.url, "reservation.created")
    reserve(api)
    site.behave = getattr(site, way)
    deliver(app)
    (kept,) = logged(api)
    assert (kept["state"], kept["attempts"], kept["last_error"]) == ("failed", 1, "timeout")


def test_a_receiver_that_says_yes_and_then_talks_for_ever_has_said_yes(api: Any, app: Flask, site: Receiver) -> None:
    endpoint(api, site.url, "reservation.created")
    reserve(api)
    site.behave = flood
    deliver(app)
    assert logged(api)[0]["state"] == "delivered"


def test_nobody_there(api: Any, app: Flask, site: Receiver) -> None:
    endpoint(api, "http://127.0.0.1:1/", "reservation.created")
    reserve(api)
    deliver(app)
    assert (logged(api)[0]["state"], logged(api)[0]["last_error"]) == ("failed", "no-connection")


def test_a_receiver_may_ask_for_more_time(api: Any, app: Flask, site: Receiver, clock: Any) -> None:
    clock(NOON)
    endpoint(api, site.url, "reservation.created")
    reserve(api)
    site.script = [status(503, Retry_After="120")]
    deliver(app)
    due = dt.datetime.fromisoformat(logged(api)[0]["next_attempt_at"])
    assert dt.timedelta(seconds=120) <= due - NOON <= dt.timedelta(seconds=132)


def test_it_is_tried_for_three_days_then_parked_and_listed_and_sent_when_asked(
    api: Any, app: Flask, site: Receiver, clock: Any
) -> None:
    clock(NOON)
    endpoint(api, site.url, "reservation.created")
    reserve(api)
    site.behave = FAIL
    waits, now = [], NOON
    deliver(app)
    while (kept := logged(api)[0])["state"] == "failed":
        due = dt.datetime.fromisoformat(kept["next_attempt_at"])
        waits.append((due - now).total_seconds())
        now = due + dt.timedelta(milliseconds=1)
        clock(now)
        deliver(app)
    assert (kept["state"], kept["attempts"], kept["next_attempt_at"]) == ("parked", 10, None)
    assert len(site.received) == 10
    assert len({one.id for one in site.received}) == 1
    planned = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
    assert all(plan <= wait <= plan * 1.1 + 0.1 for plan, wait in zip(planned, waits, strict=True))
    assert [one["id"] for one in logged(api, state="parked")] == [kept["id"]]
    site.behave = OK
    deliver(app)
    assert len(site.received) == 10
    again = api.post(f"/webhook-deliveries/{kept['id']}/retry", key="again")
    assert (again.status_code, again.json["state"], again.json["attempts"]) == (200, "queued", 0)
    deliver(app)
    replayed = api.post(f"/webhook-deliveries/{kept['id']}/retry", key="again")
    assert (replayed.data, replayed.headers["Idempotency-Replayed"]) == (again.data, "true")
    deliver(app)
    assert (len(site.received), logged(api)[0]["state"]) == (11, "delivered")


def test_what_never_had_its_turn_is_parked_after_days(api: Any, app: Flask, site: Receiver, clock: Any) -> None:
    clock(NOON)
    endpoint(api, site.url, "reservation.*")
    site.behave = FAIL
    story(api, extensions=0)
    deliver(app)
    clock(NOON + dt.timedelta(hours=97))
    with app.app_context():
        deliveries.tidy()
    assert [(one["state"], one["attempts"]) for one in logged(api)] == [("parked", 1), ("parked", 0)]
    site.behave = OK
    for one in logged(api):
        assert api.post(f"/webhook-deliveries/{one['id']}/retry").status_code == 200
    deliver(app)
    clock(NOON + dt.timedelta(hours=97, days=31))
    with app.app_context():
        deliveries.tidy()
    assert logged(api) == []


def test_a_receiver_that_is_gone_is_left_alone(api: Any, app: Flask, site: Receiver) -> None:
    made = endpoint(api, site.url, "reservation.*")
    story(api)
    site.behave = GONE
    deliver(app)
    reserve(api)
    deliver(app)
    assert len(site.received) == 1
    assert api.get(f"/webhook-endpoints/{made['id']}").json["state"] == "disabled"
    assert {one["state"] for one in logged(api)} == {"cancelled"}
    refused = api.post(f"/webhook-deliveries/{logged(api)[0]['id']}/retry")
    problem(refused, 409, "webhook-endpoint-ended")
    assert refused.json["state"] == "disabled"
    for way in ("rotate-secret", "replay"):
        body = {"since": "2026-11-22T09:00:00Z"} if way == "replay" else None
        problem(api.post(f"/webhook-endpoints/{made['id']}/{way}", body), 409, "webhook-endpoint-ended")


# --- replay -----------------------------------------------------------------------------------------------------------


def test_a_consumer_replays_a_story_from_a_number(api: Any, app: Flask, site: Receiver) -> None:
    made = endpoint(api, site.url, "reservation.*")
    one = story(api, extensions=2)
    story(api)
    deliver(app)
    before = [came.id for came in site.received if came.story[0] == one]
    site.received.clear()
    body = {"aggregate": {"type": "claim", "id": one}, "after_sequence": 2}
    answer = api.post(f"/webhook-endpoints/{made['id']}/replay", body, key="r")
    assert (answer.status_code, answer.json["replaying"]) == (202, False)
    assert api.post(f"/webhook-endpoints/{made['id']}/replay", body, key="r").data == answer.data
    deliver(app)
    assert [(came.story, came.id) for came in site.received] == [((one, 3), before[2]), ((one, 4), before[3])]


def test_a_consumer_replays_everything_since_a_time_also_what_came_before_it_was_named(
    api: Any, app: Flask, site: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "WEBHOOK_BATCH", 3)  # so that it takes several turns
    clock(NOON)
    story(api)
    clock(NOON + dt.timedelta(minutes=1))
    stories = [story(api), story(api)]
    made = endpoint(api, site.url, "reservation.*")
    stories.append(story(api))
    clock(NOON + dt.timedelta(minutes=2))
    deliver(app)
    site.received.clear()
    answer = api.post(f"/webhook-endpoints/{made['id']}/replay", {"since": "2026-11-22T03:00:30Z"})
    assert (answer.status_code, answer.json["replaying"]) == (202, True)
    deliver(app)
    told = [came.story for came in site.received]
    assert {one: [n for of, n in told if of == one] for one in stories} == {one: [1, 2, 3] for one in stories}
    assert len(told) == 9
    assert api.get(f"/webhook-endpoints/{made['id']}").json["replaying"] is False


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/since", "one-of-two"),
        ({"aggregate": {"type": "claim", "id": "x"}}, "/since", "one-of-two"),
        ({"after_sequence": 3}, "/since", "one-of-two"),
        ({"since": "2026-11-22T03:00:30Z", "after_sequence": 3}, "/since", "one-of-two"),
        ({"since": "yesterday"}, "/since", "not-instant"),
        ({"aggregate": {"type": "claim", "id": "x"}, "after_sequence": -1}, "/after_sequence", "out-of-range"),
    ],
)
def test_a_replay_that_says_too_little_or_too_much(api: Any, app: Flask, body: Any, pointer: str, code: str) -> None:
    let_private(app)
    made = endpoint(api, "http://127.0.0.1:9/")
    answer = api.post(f"/webhook-endpoints/{made['id']}/replay", body)
    problem(answer, 422, "invalid")
    assert (answer.json["errors"][0]["pointer"], answer.json["errors"][0]["code"]) == (pointer, code)


def test_what_is_being_sent_cannot_be_sent_again(api: Any, app: Flask, site: Receiver) -> None:
    endpoint(api, site.url, "reservation.created")
    reserve(api)
    deliver(app)
    (kept,) = logged(api)
    with app.app_context(), deliveries.db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE webhook_delivery SET state = 'sending'")
    refused = api.post(f"/webhook-deliveries/{kept['id']}/retry")
    problem(refused, 409, "illegal-transition")
    assert refused.json["allowed"] == ["cancel", "deliver", "fail", "park", "send"]


def test_the_log_of_one_endpoint_in_one_state_page_by_page(api: Any, app: Flask, site: Receiver) -> None:
    one, other = (endpoint(api, site.url, "reservation.*") for _ in range(2))
    story(api)
    deliver(app)
    assert len(logged(api)) == 6
    assert {item["endpoint"] for item in logged(api, endpoint=one["id"], state="delivered")} == {one["id"]}
    assert logged(api, endpoint=other["id"], state="parked") == []
    first = api.get("/webhook-deliveries?limit=4").json
    rest = api.get(f"/webhook-deliveries?limit=4&cursor={first['next_cursor']}").json
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (4, 2, None)
    assert api.get("/webhook-deliveries?state=lost").status_code == 422
    assert api.get("/webhook-deliveries?endpoint=x").status_code == 422
