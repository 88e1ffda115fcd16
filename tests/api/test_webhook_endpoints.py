"""Endpoints: named, listed, given a new secret, deleted; who may, and what they then hear of."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from standardwebhooks import Webhook, WebhookVerificationError

from tests.api.orders_kit import basket, place, rows
from tests.api.pickups_kit import order, problem
from tests.api.webhook_kit import deliver, endpoint, let_private, reserve, shop
from tests.factories import make_store
from tests.standins.receiver import Receiver, receiving

URL = "https://8.8.8.8/hooks"
NOBODY = "019a0000-0000-7000-8000-000000000000"
CALLS = [
    ("POST", "/webhook-endpoints"),
    ("GET", "/webhook-endpoints"),
    ("GET", f"/webhook-endpoints/{NOBODY}"),
    ("DELETE", f"/webhook-endpoints/{NOBODY}"),
    ("POST", f"/webhook-endpoints/{NOBODY}/rotate-secret"),
    ("POST", f"/webhook-endpoints/{NOBODY}/replay"),
    ("GET", "/webhook-deliveries"),
    ("GET", f"/webhook-deliveries/{NOBODY}"),
    ("POST", f"/webhook-deliveries/{NOBODY}/retry"),
]


def count(app: Flask) -> int:
    return int(rows(app, "SELECT count(*) FROM webhook_endpoint")[0][0])


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_only_an_admin_may(make_api: Any, app: Flask, method: str, path: str) -> None:
    clerk = make_api("orders:write", "stock:write")
    problem(clerk.call(method, path), 403, "forbidden")
    clerk.key = "hk_nobody"
    problem(clerk.call(method, path), 401, "unauthorized")
    assert count(app) == 0


@pytest.mark.parametrize(("method", "path"), [call for call in CALLS if NOBODY in call[1]])
@pytest.mark.parametrize("id_", [NOBODY, "nothing"])
def test_what_is_not_there(api: Any, method: str, path: str, id_: str) -> None:
    kind = "delivery" if "deliveries" in path else "endpoint"
    body = {"since": "2026-11-22T09:00:00Z"} if path.endswith("replay") else None
    problem(api.call(method, path.replace(NOBODY, id_), body), 404, f"unknown-webhook-{kind}")


BAD = [
    ({"events": ["*"]}, "/url", "required"),
    ({"url": URL}, "/events", "required"),
    ({"url": URL, "events": []}, "/events", "length"),
    ({"url": URL, "events": ["pickup.fallen"]}, "/events/0", "unknown-event"),
    ({"url": URL, "events": ["*", "import.*"]}, "/events/1", "unknown-event"),
    ({"url": URL, "events": ["pickup"]}, "/events/0", "unknown-event"),
    ({"url": URL, "events": ["*"], "secret": "mine"}, "/secret", "unknown-field"),
    ({"url": "https://127.0.0.1/", "events": ["*"]}, "/url", "url-inside"),
    ({"url": "https://localhost/", "events": ["*"]}, "/url", "url-inside"),
    ({"url": "https://8.8.8.8:25/", "events": ["*"]}, "/url", "url-port"),
    ({"url": "https://a:b@8.8.8.8/", "events": ["*"]}, "/url", "url-userinfo"),
    ({"url": "nowhere", "events": ["*"]}, "/url", "not-url"),
    ({"url": "https://8.8.8.8/" + "x" * 500, "events": ["*"]}, "/url", "length"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), BAD)
def test_a_body_that_will_not_do(api: Any, app: Flask, body: Any, pointer: str, code: str) -> None:
    answer = api.post("/webhook-endpoints", body)
    problem(answer, 422, "invalid")
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [(pointer, code)]
    assert count(app) == 0


def test_production_wants_https(api: Any, app: Flask) -> None:
    app.config["APP_ENV"] = "production"
    answer = api.post("/webhook-endpoints", {"url": "http://8.8.8.8/", "events": ["*"]})
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "not-https")


def test_an_endpoint_is_named_and_its_secret_told_once(api: Any, app: Flask) -> None:
    body = {"url": URL, "events": ["pickup.*", "order.cancelled", "pickup.*"]}
    made = api.post("/webhook-endpoints", body, key="one")
    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    assert len(Webhook(made.json["secret"])._whsecret) == 32
    assert made.json["events"] == ["pickup.*", "order.cancelled"]
    assert (made.json["state"], made.json["channels"], made.json["locations"]) == ("active", None, None)
    again = api.post("/webhook-endpoints", body, key="one")
    assert (again.data, again.headers["Idempotency-Replayed"]) == (made.data, "true")
    shown = api.get(f"/webhook-endpoints/{made.json['id']}").json
    assert shown == {name: value for name, value in made.json.items() if name != "secret"}
    assert api.get("/webhook-endpoints").json == {"items": [shown], "next_cursor": None}
    (kept,) = rows(app, "SELECT secret FROM webhook_endpoint")
    assert made.json["secret"].encode() not in bytes(kept[0])
    assert rows(app, "SELECT actor, action, object_type FROM audit_entry WHERE action LIKE 'webhooks%'")[0][1:] == (
        "webhooks_api.create_endpoint", "webhook_endpoint",
    )  # fmt: skip


def test_there_are_so_many_endpoints_and_no_more(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.settings.MAX_WEBHOOK_ENDPOINTS", 2)
    first = endpoint(api, URL)
    endpoint(api, URL)
    answer = api.post("/webhook-endpoints", {"url": URL, "events": ["*"]})
    problem(answer, 409, "too-many-webhook-endpoints")
    assert api.delete(f"/webhook-endpoints/{first['id']}").status_code == 200
    endpoint(api, URL)


def test_a_deleted_endpoint_hears_nothing_more(api: Any, app: Flask) -> None:
    let_private(app)
    shop(api)
    with receiving() as site:
        made = endpoint(api, site.url)
        reserve(api)
        gone = api.delete(f"/webhook-endpoints/{made['id']}")
        assert (gone.status_code, gone.json["state"]) == (200, "deleted")
        reserve(api)
        deliver(app)
        assert site.received == []
    for path in (f"/webhook-endpoints/{made['id']}", f"/webhook-endpoints/{made['id']}/rotate-secret"):
        problem(api.call("GET" if path.endswith(made["id"]) else "POST", path), 404, "unknown-webhook-endpoint")
    problem(api.delete(f"/webhook-endpoints/{made['id']}"), 404, "unknown-webhook-endpoint")
    assert api.get("/webhook-endpoints").json["items"] == []


def heard(site: Receiver, secret: str) -> bool:
    (came,) = site.received[-1:]
    try:
        Webhook(secret).verify(came.body, came.headers)
    except WebhookVerificationError:
        return False
    return True


def test_after_a_rotation_both_secrets_sign_for_a_day(api: Any, app: Flask, clock: Any) -> None:
    let_private(app)
    shop(api)
    with receiving() as site:
        made = endpoint(api, site.url, "reservation.created")
        turned = api.post(f"/webhook-endpoints/{made['id']}/rotate-secret", key="turn")
        assert turned.status_code == 200
        again = api.post(f"/webhook-endpoints/{made['id']}/rotate-secret", key="turn")
        assert (again.data, again.headers["Idempotency-Replayed"]) == (turned.data, "true")
        old, new = made["secret"], turned.json["secret"]
        assert old != new
        reserve(api)
        deliver(app)
        assert (heard(site, old), heard(site, new)) == (True, True)
        assert len(site.received[0].headers["webhook-signature"].split(" ")) == 2
        (until,) = rows(app, "SELECT old_secret_until FROM webhook_endpoint")[0]
        end = turned.json["old_secret_until"]
        assert str(until)[:19].replace(" ", "T") == end[:19]
        clock(dt.datetime.fromisoformat(end) + dt.timedelta(milliseconds=1))  # shown to the millisecond
        reserve(api)
        deliver(app)
        assert len(site.received[1].headers["webhook-signature"].split(" ")) == 1


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_a_bounded_key_sees_its_own_endpoints_and_another_key_all(api: Any, make_api: Any) -> None:
    ours, theirs = make_api("admin", channels=("ec",)), make_api("admin", locations=("S1",))
    mine = endpoint(ours, URL)
    assert (mine["channels"], mine["locations"]) == (["ec"], None)
    path = f"/webhook-endpoints/{mine['id']}"
    for method, more in (("GET", ""), ("DELETE", ""), ("POST", "/rotate-secret")):
        problem(theirs.call(method, path + more), 404, "unknown-webhook-endpoint")
    assert theirs.get("/webhook-endpoints").json["items"] == []
    assert [one["id"] for one in api.get("/webhook-endpoints").json["items"]] == [mine["id"]]
    assert ours.get(path).status_code == 200


def test_an_endpoint_hears_what_lies_inside_its_keys_bounds(api: Any, make_api: Any, app: Flask) -> None:
    let_private(app)
    shop(api)
    make_store(api, "S2", {"A": 50})
    make_store(api, "W1", {"A": 50}, kind="warehouse")
    with receiving() as whole, receiving() as ec, receiving() as s2:
        endpoint(api, whole.url)
        endpoint(make_api("admin", channels=("ec",)), ec.url)
        endpoint(make_api("admin", locations=("S2",)), s2.url)
        by_ec = place(api, basket(channel="ec", pay="captured"))
        by_mall = place(api, basket("M-1", channel="mall", pay="captured"))
        for made in (by_ec, by_mall):
            assert api.post(f"/orders/{made['id']}/cancel", {}).status_code == 200
        collected = order(api, "EC-2")
        at_s2 = reserve(api, location="S2")
        deliver(app)
        assert len(whole.received) == len({one.id for one in whole.received})
        assert {one.story[0] for one in s2.received if one.json["type"] != "stock.changed"} == {at_s2}
        assert {one.json["location"] for one in s2.received} == {"S2"}
        mall = {by_mall["id"], *(p["id"] for p in by_mall["payments"])}
        stories = {one.story[0] for one in ec.received}
        assert {by_ec["id"], collected["id"], collected["pickup"]["id"]} <= stories
        assert not mall & stories
        kinds = {one.json["aggregate"]["type"] for one in ec.received}
        assert kinds == {"claim", "sales_order", "refund", "pickup", "stock_level"}
        assert [one.id for one in ec.received if by_mall["id"] in one.body.decode()] == []
        refunds = [one.json["data"]["order"] for one in whole.received if one.json["type"] == "refund.requested"]
        assert sorted(refunds) == sorted([by_ec["id"], by_mall["id"]])
