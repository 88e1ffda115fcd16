"""Handing over and taking back: proofs, retries, parts, refused scans on record, undo with a new claim."""

from __future__ import annotations

from typing import Any

import pytest

from app.core import settings
from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, problem, shop, token_of

READY_AT = "2026-11-22T15:10+09:00"
DEADLINE = "2026-11-29T21:00+09:00"


@pytest.fixture
def shown(api, clock):
    """The pickup of a paid order for two A and one B, ready."""
    clock(READY_AT)
    shop(api)
    made = order(api)
    bring(api, made["pickup"], "ready")
    return made["pickup"] | {"order": made["id"], "number": made["number"]}


def give(api: Any, shown: dict[str, Any], device: str | None = None, **over: Any) -> Any:
    headers = {"X-Device-Id": device} if device else {}
    body = over if "code" in over else {"token": token_of(shown)} | over
    return api.post(f"/pickups/{shown['id']}/hand-over", body, headers=headers)


def given(app: Any) -> list[tuple[Any, ...]]:
    return rows(app, "SELECT sku, quantity FROM stock_movement WHERE kind = 'pickup' ORDER BY id")


def scans(app: Any) -> list[tuple[Any, ...]]:
    return rows(app, "SELECT action, proof, outcome, device, nonce FROM pickup_scan ORDER BY id")


def test_the_qr_code_hands_over_everything(api, app, shown):
    answer = give(api, shown, "tablet-1", token="H1" + token_of(shown), identity_checked=True, nonce="n1")
    assert answer.status_code == 200
    assert (answer.json["state"], answer.json["collected_at"]) == ("collected", "2026-11-22T06:10:00.000Z")
    assert [line["collected"] for line in answer.json["lines"]] == [2, 1]
    assert given(app) == [("A", -2), ("B", -1)]
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((8, 0), (9, 0))
    assert rows(app, "SELECT state FROM claim") == [("fulfilled",)]
    found = api.get(f"/orders/{shown['order']}").json
    assert (found["state"], found["payments"][0]["capture_requested"]) == ("completed", 2740)
    assert scans(app) == [("hand-over", "token", "done", "tablet-1", "n1")]


@pytest.mark.parametrize("name", ["code", "number"])
def test_code_or_order_number_with_the_pin(api, app, shown, name):
    answer = give(api, shown, code=shown[name].lower(), pin=shown["pin"])
    assert (answer.status_code, answer.json["state"]) == (200, "collected")
    assert scans(app) == [("hand-over", "pin", "done", None, None)]


def test_a_second_hand_over_hears_who_when_and_where(api, make_api, app, shown):
    assert give(api, shown, "tablet-1").status_code == 200
    rival = make_api("pickups:write", name="second-clerk")
    for caller, device in ((rival, "tablet-1"), (api, "tablet-2"), (api, None)):
        refused = problem(give(caller, shown, device), 409, "already-collected")
        assert (refused["collected_at"], refused["location"]) == ("2026-11-22T06:10:00.000Z", "S1")
        assert refused["device"] == "tablet-1"
        assert refused["collected_by"].startswith("client-")
    assert given(app) == [("A", -2), ("B", -1)]
    assert [scan[2] for scan in scans(app)] == ["done"] + ["already-collected"] * 3


def test_the_same_tablets_retry_gets_its_own_success(api, app, shown):
    first = give(api, shown, "tablet-1", nonce="n1")
    for again in (give(api, shown, "tablet-1", nonce="n1"), give(api, shown, "tablet-1")):
        assert (again.status_code, again.json) == (200, first.json)
    problem(give(api, shown, "tablet-1", nonce="n2"), 409, "already-collected")
    problem(give(api, shown, "tablet-2", nonce="n1"), 409, "already-collected")
    assert given(app) == [("A", -2), ("B", -1)]


def test_a_retry_of_a_part_gives_no_second_part(api, app, shown):
    part = [{"sku": "A", "quantity": 1}]
    first = give(api, shown, "t", nonce="n1", lines=part)
    again = give(api, shown, "t", nonce="n1", lines=part)
    assert (first.json["state"], again.json) == ("ready", first.json)
    assert given(app) == [("A", -1)]


def test_a_part_leaves_the_pickup_ready_and_captures_its_own_worth(api, app, shown):
    first = give(api, shown, lines=[{"line_ref": "2", "quantity": 1}, {"sku": "A", "quantity": 1}])
    assert (first.json["state"], [x["collected"] for x in first.json["lines"]]) == ("ready", [1, 1])
    assert api.get(f"/orders/{shown['order']}").json["payments"][0]["capture_requested"] == 1640
    second = give(api, shown)
    assert (second.json["state"], [x["collected"] for x in second.json["lines"]]) == ("collected", [2, 1])
    assert given(app) == [("A", -1), ("B", -1), ("A", -1)]


@pytest.mark.parametrize(
    ("line", "code"),
    [({"sku": "A", "quantity": 3}, "more-than-picked"), ({"sku": "Z", "quantity": 1}, "wrong-item"),
     ({"line_ref": "9", "quantity": 1}, "wrong-item"), ({"line_ref": "2", "quantity": 2}, "more-than-picked")],
)  # fmt: skip
def test_what_was_not_picked_is_not_given(api, app, shown, line, code):
    problem(give(api, shown, lines=[{"sku": "B", "quantity": 1}, line] if "Z" in str(line) else [line]), 409, code)
    assert given(app) == []
    assert level(app, "A", "S1") == (10, 2)


def test_a_wrong_token_looks_like_no_pickup_and_is_on_record(api, app, clock, shown):
    other = order(api, "EC-2", [("1", "A", 1, 1100)])["pickup"]
    for token in ("0" * 26, token_of(other), "山"):
        problem(give(api, shown, token=token), 404, "unknown-pickup")
    problem(give(api, shown, code=other["code"], pin=shown["pin"]), 404, "unknown-pickup")
    assert [scan[2] for scan in scans(app)] == ["unknown-pickup"] * 4
    assert rows(app, "SELECT pin_tries FROM pickup ORDER BY id") == [(0,), (0,)]


def test_five_wrong_pins_lock_the_pin_and_the_qr_still_works(api, app, shown):
    wrong = "000000" if shown["pin"] != "000000" else "000001"
    left = [give(api, shown, code=shown["code"], pin=wrong) for _ in range(settings.MAX_PIN_TRIES)]
    assert [problem(answer, 409, "wrong-pin")["attempts_left"] for answer in left] == [4, 3, 2, 1, 0]
    problem(give(api, shown, code=shown["code"], pin=shown["pin"]), 409, "pin-locked")
    assert api.get(f"/pickups/{shown['id']}").json["pin_locked"] is True
    assert act(api, shown["id"], "unlock")["pin_locked"] is False
    problem(give(api, shown, code=shown["code"], pin=wrong), 409, "wrong-pin")
    assert give(api, shown).json["state"] == "collected"
    assert [scan[2] for scan in scans(app)] == ["wrong-pin"] * 5 + ["pin-locked", "wrong-pin", "done"]


def test_a_wrong_pin_under_one_key_counts_once(api, app, shown):
    wrong = "000000" if shown["pin"] != "000000" else "000001"
    body = {"code": shown["code"], "pin": wrong}
    first = api.post(f"/pickups/{shown['id']}/hand-over", body, key="w1")
    again = api.post(f"/pickups/{shown['id']}/hand-over", body, key="w1")
    assert (first.status_code, again.data) == (409, first.data)
    assert rows(app, "SELECT pin_tries FROM pickup") == [(1,)]


def test_a_reissue_kills_the_old_pass(api, app, shown):
    fresh = act(api, shown["id"], "reissue")
    assert fresh["page_url"] != shown["page_url"]
    problem(give(api, shown), 404, "unknown-pickup")
    problem(api.post("/pickups/find", {"token": token_of(shown)}), 404, "unknown-pickup")
    problem(give(api, shown, code=shown["code"], pin=shown["pin"]), 409, "wrong-pin")
    assert api.get(f"/orders/{shown['order']}").json["pickup"]["page_url"] == fresh["page_url"]
    assert give(api, shown, token=token_of(fresh)).json["state"] == "collected"


def test_after_the_deadline_nothing_is_given_though_nobody_swept(api, app, clock, shown):
    clock(DEADLINE)
    refused = problem(give(api, shown), 409, "pickup-expired")
    assert refused["expires_at"] == "2026-11-29T12:00:00.000Z"
    assert api.get(f"/pickups/{shown['id']}").json["state"] == "expired"
    assert level(app, "A", "S1") == (10, 2)


def test_a_tablets_time_is_kept_beside_ours(api, app, shown):
    give(api, shown, occurred_at="2026-11-22T14:00:00+09:00")
    moved = rows(app, "SELECT occurred_at, recorded_at FROM stock_movement WHERE kind = 'pickup' AND sku = 'A'")
    assert [str(at)[:16].replace("T", " ") for at in moved[0]] == ["2026-11-22 05:00", "2026-11-22 06:10"]


@pytest.mark.parametrize("device", ["x" * 65, "tablet 1", "タブレット".encode().decode("latin-1")])
def test_a_device_id_is_short_and_plain(api, app, shown, device):
    problem(give(api, shown, device), 400, "bad-request")
    assert scans(app) == []


# --- undo ----------------------------------------------------------------------------------------------------------


def test_undo_reverses_the_ledger_and_makes_a_new_claim(api, app, clock, shown):
    give(api, shown)
    clock("2026-11-22T15:11+09:00")
    found = act(api, shown["id"], "undo")
    assert (found["state"], found["collected_at"], found["expires_at"]) == ("ready", None, "2026-11-29T12:00:00.000Z")
    assert [line["collected"] for line in found["lines"]] == [0, 0]
    assert given(app) == [("A", -2), ("B", -1), ("A", 2), ("B", 1)]
    assert level(app, "A", "S1") == (10, 2)
    assert rows(app, "SELECT state FROM claim ORDER BY id") == [("fulfilled",), ("reserved",)]
    assert api.get(f"/orders/{shown['order']}").json["state"] == "placed"
    problem(api.post(f"/pickups/{shown['id']}/undo"), 409, "nothing-to-undo")
    assert give(api, shown).json["state"] == "collected"
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((8, 0), (9, 0))
    assert [(scan[0], scan[2]) for scan in scans(app)] == [
        ("hand-over", "done"), ("undo", "done"), ("undo", "nothing-to-undo"), ("hand-over", "done"),
    ]  # fmt: skip


def test_undoing_a_part_leaves_one_claim_for_all_that_waits(api, app, shown):
    give(api, shown, lines=[{"sku": "A", "quantity": 1}])
    found = act(api, shown["id"], "undo")
    assert [line["collected"] for line in found["lines"]] == [0, 0]
    assert rows(app, "SELECT state FROM claim ORDER BY id") == [("fulfilled",), ("reserved",)]
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((10, 2), (10, 1))
    assert give(api, shown).json["state"] == "collected"
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((8, 0), (9, 0))


@pytest.mark.parametrize(
    ("who", "at"),
    [
        ("clerk", "2026-11-22T15:11:00+09:00"),
        ("clerk too late", "2026-11-22T15:11:01+09:00"),
        ("other too late", "2026-11-22T15:10:01+09:00"),
        ("manager", "2026-11-22T23:59:59+09:00"),
        ("manager too late", "2026-11-23T00:00:00+09:00"),
    ],
)
def test_who_may_undo_and_how_long(api, make_api, clock, who, at):
    clock(READY_AT)
    shop(api)
    shown = order(api)["pickup"]
    bring(api, shown, "ready")
    clerk = make_api("pickups:write")
    callers = {"clerk": clerk, "other": make_api("pickups:write"), "manager": make_api("pickups:write", "admin")}
    give(clerk, shown)
    clock(at)
    answer = callers[who.split()[0]].post(f"/pickups/{shown['id']}/undo")
    if "too late" not in who:
        assert (answer.status_code, answer.json["state"]) == (200, "ready")
    else:
        assert problem(answer, 409, "undo-closed")["until"] == "2026-11-22T06:11:00.000Z"
        assert api.get(f"/pickups/{shown['id']}").json["state"] == "collected"


def test_a_late_retry_after_an_undo_gives_nothing(api, app, shown):
    give(api, shown, "t", nonce="n1")
    act(api, shown["id"], "undo")
    assert give(api, shown, "t", nonce="n1").json["state"] == "ready"
    assert level(app, "A", "S1") == (10, 2)
