"""代理受取: named or lent, shown, used, taken back; what ended is refused with words, what never was is nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.orders_kit import rows
from tests.api.pickups_kit import act, bring, order, problem, shop, token_of

NOON = "2026-11-22T12:00+09:00"
UNKNOWN = "019a0000-0000-7000-8000-000000000000"


@pytest.fixture
def shown(api, clock):
    """A pickup that waits for its customer."""
    clock(NOON)
    shop(api)
    made = order(api)["pickup"]
    bring(api, made, "ready")
    return made


def lend(api: Any, shown: dict[str, Any], minutes: int = 60) -> dict[str, Any]:
    return dict(act(api, shown["id"], "proxy", {"lend_minutes": minutes})["proxy"])


def give(api: Any, shown: dict[str, Any], **body: Any) -> Any:
    return api.post(f"/pickups/{shown['id']}/hand-over", body)


def scans(app: Any) -> list[tuple[Any, ...]]:
    return rows(app, "SELECT proof, outcome, receiver, proxy_id FROM pickup_scan ORDER BY id")


def told(app: Any) -> list[dict[str, Any]]:
    found = rows(app, "SELECT payload FROM outbox_event WHERE topic = 'pickup.proxy_changed' ORDER BY sequence")
    return [payload if isinstance(payload, dict) else json.loads(payload) for (payload,) in found]


def test_a_lent_pass_collects_and_says_who_came(api, app, shown):
    lent = lend(api, shown)
    assert (lent["kind"], lent["name"], lent["expires_at"]) == ("lent", None, "2026-11-22T04:00:00.000Z")
    assert len(lent["token"]) == 26
    assert lent["page_url"].endswith("/p/" + lent["token"])
    assert lent["qr_url"] == lent["page_url"] + "/qr.svg"
    seen = api.get(f"/pickups/{shown['id']}").json
    assert seen["proxies"] == [{k: lent[k] for k in ("id", "kind", "name", "expires_at")}]
    assert api.post("/pickups/find", {"token": "H1" + lent["token"]}).json["id"] == shown["id"]
    answer = give(api, shown, token="H1" + lent["token"])
    assert (answer.status_code, answer.json["state"]) == (200, "collected")
    assert scans(app) == [("lent", "done", "proxy", lent["id"])]


def test_no_token_and_no_name_is_kept_readable(api, app, shown):
    lent = lend(api, shown)
    act(api, shown["id"], "proxy", {"name": "山田太郎"})
    (kept,) = rows(app, "SELECT token_hash FROM pickup_pass WHERE kind = 'lent'")[0]
    assert lent["token"] not in kept
    (sealed,) = rows(app, "SELECT name_sealed FROM pickup_pass WHERE kind = 'named'")[0]
    assert "山田".encode() not in bytes(sealed)
    events = str(rows(app, "SELECT payload FROM outbox_event"))
    assert (lent["token"] in events, "太郎" in events) == (False, False)
    assert [(one["proxy_kind"], one["change"]) for one in told(app)] == [("lent", "added"), ("named", "added")]


@pytest.mark.parametrize("end", ["time", "taken back", "all", "reissue"])
def test_a_lent_pass_that_ended_is_refused_with_words(api, app, clock, shown, end):
    lent = lend(api, shown)
    if end == "time":
        clock("2026-11-22T13:00+09:00")
    elif end == "reissue":
        act(api, shown["id"], "reissue")
    else:
        after = act(api, shown["id"], "proxy", {"remove": "all" if end == "all" else lent["id"]})
        assert (after["proxy"], after["proxies"]) == (None, [])
    answer = api.post(f"/pickups/{shown['id']}/hand-over", {"token": lent["token"]}, headers={"Accept-Language": "ja"})
    assert problem(answer, 409, "proxy-ended")["title"] == "この受取権限は取り消されたか期限切れです。"
    assert scans(app) == [("lent", "proxy-ended", "proxy", lent["id"])]
    problem(api.post("/pickups/find", {"token": lent["token"]}), 409, "proxy-ended")
    assert app.test_client().get(f"/p/{lent['token']}").status_code == 404
    assert api.get(f"/pickups/{shown['id']}").json["proxies"] == []
    assert rows(app, "SELECT quantity FROM stock_movement WHERE kind = 'pickup'") == []


def test_a_lent_pass_is_good_until_its_last_moment(api, clock, shown):
    lent = lend(api, shown, 5)
    clock("2026-11-22T12:04:59.999+09:00")
    assert give(api, shown, token=lent["token"]).json["state"] == "collected"


def test_a_retry_hears_its_success_though_the_pass_ended_since(api, app, clock, shown):
    lent = lend(api, shown, 5)
    first = give(api, shown, token=lent["token"], nonce="n1")
    clock("2026-11-22T12:30+09:00")
    again = give(api, shown, token=lent["token"], nonce="n1")
    assert (first.status_code, again.status_code, again.json["state"]) == (200, 200, "collected")
    assert [scan[1] for scan in scans(app)] == ["done"]


def test_another_pickups_pass_looks_like_none(api, app, shown):
    other = order(api, "EC-2", [("1", "A", 1, 1100)])["pickup"]
    bring(api, other, "ready")
    lent = lend(api, other)
    problem(give(api, shown, token=lent["token"]), 404, "unknown-pickup")
    problem(give(api, shown, token=token_of(shown), proxy=lent["id"]), 404, "unknown-proxy")
    assert [scan[1] for scan in scans(app)] == ["unknown-pickup", "unknown-proxy"]


def test_a_proxy_by_name_stands_there_with_the_customers_own_pass(api, app, shown):
    named = act(api, shown["id"], "proxy", {"name": "山田太郎"})["proxy"]
    assert named == {
        "id": named["id"], "kind": "named", "name": "山田太郎", "expires_at": None, "token": None, "qr_url": None,
        "page_url": None,
    }  # fmt: skip
    act(api, shown["id"], "reissue")
    fresh = act(api, shown["id"], "reissue")
    assert [one["name"] for one in fresh["proxies"]] == ["山田太郎"]
    answer = give(api, shown, code=shown["code"], pin=fresh["pin"], proxy=named["id"], identity_checked=True)
    assert answer.json["state"] == "collected"
    assert scans(app) == [("pin", "done", "proxy", named["id"])]


def test_a_removed_name_is_refused_and_the_pass_alone_still_works(api, app, shown):
    named = act(api, shown["id"], "proxy", {"name": "山田太郎"})["proxy"]
    act(api, shown["id"], "proxy", {"remove": named["id"]})
    problem(give(api, shown, token=token_of(shown), proxy=named["id"]), 409, "proxy-ended")
    problem(give(api, shown, token=token_of(shown), proxy=UNKNOWN), 404, "unknown-proxy")
    assert give(api, shown, token=token_of(shown)).json["state"] == "collected"
    assert [scan[1:3] for scan in scans(app)] == [
        ("proxy-ended", "proxy"), ("unknown-proxy", "proxy"), ("done", "customer"),
    ]  # fmt: skip


def test_five_at_most_and_a_place_is_free_again(api, app, clock, shown):
    for n in range(4):
        act(api, shown["id"], "proxy", {"name": f"代理{n}"})
    lend(api, shown, 5)
    before = rows(app, "SELECT count(*) FROM pickup_pass")
    for body in ({"name": "六人目"}, {"lend_minutes": 5}):
        assert problem(api.post(f"/pickups/{shown['id']}/proxy", body), 409, "too-many-proxies")["most"] == 5
    assert rows(app, "SELECT count(*) FROM pickup_pass") == before
    clock("2026-11-22T12:05+09:00")
    lend(api, shown)
    assert len(api.get(f"/pickups/{shown['id']}").json["proxies"]) == 5


def test_taking_back_twice_and_what_never_was(api, app, shown):
    lent = lend(api, shown)
    act(api, shown["id"], "proxy", {"remove": lent["id"]})
    act(api, shown["id"], "proxy", {"remove": lent["id"]})
    act(api, shown["id"], "proxy", {"remove": "all"})
    problem(api.post(f"/pickups/{shown['id']}/proxy", {"remove": UNKNOWN}), 404, "unknown-proxy")
    assert [one["change"] for one in told(app)] == ["added", "removed"]


def test_lending_under_one_key_makes_one_pass_and_shows_it_again(api, app, shown):
    path = f"/pickups/{shown['id']}/proxy"
    first = api.post(path, {"lend_minutes": 60}, key="lend-1")
    again = api.post(path, {"lend_minutes": 60}, key="lend-1")
    assert (first.status_code, again.data, again.headers["Idempotency-Replayed"]) == (200, first.data, "true")
    assert rows(app, "SELECT count(*) FROM pickup_pass") == [(1,)]


def test_the_page_of_a_lent_pass_shows_what_its_bearer_needs(api, app, shown):
    lent = lend(api, shown)
    own = app.test_client().get(f"/p/{token_of(shown)}?lang=ja").text
    page = app.test_client().get(f"/p/{lent['token']}?lang=ja").text
    assert (shown["pin"] in own, shown["pin"] in page, shown["code"] in page) == (True, False, False)
    assert ("商品A" in page, "S1店" in page, "11月22日（日）13:00" in page) == (True, True, True)
    picture = app.test_client().get(f"/p/{lent['token']}/qr.svg")
    assert picture.status_code == 200
    assert picture.data.decode() in page
    assert picture.data != app.test_client().get(f"/p/{token_of(shown)}/qr.svg").data


def test_nobody_else_may_name_or_use_a_proxy(api, make_api, app, shown):
    lent = lend(api, shown)
    for stranger in (make_api(locations=("S2",)), make_api(channels=("mall",))):
        problem(stranger.post(f"/pickups/{shown['id']}/proxy", {"name": "他人"}), 404, "unknown-pickup")
        problem(stranger.post("/pickups/find", {"token": lent["token"]}), 404, "unknown-pickup")
        problem(give(stranger, shown, token=lent["token"]), 404, "unknown-pickup")
    assert rows(app, "SELECT count(*) FROM pickup_pass") == [(1,)]
