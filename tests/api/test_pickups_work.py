"""The store's work: picking by SKU and barcode, short picks, ready with its deadline; and finding pickups."""

from __future__ import annotations

import pytest

from tests.api.orders_kit import level, rows
from tests.api.pickups_kit import act, bring, order, pick_all, problem, shop, token_of
from tests.factories import make_store

JAN = "4901234567894"


@pytest.fixture
def shown(api, clock):
    """The pickup of an order for two A and one B, being picked."""
    clock("2026-11-22T15:10+09:00")
    shop(api)
    made = order(api)
    bring(api, made["pickup"], "picking")
    return made["pickup"] | {"order": made["id"]}


def counts(api, shown):
    lines = api.get(f"/pickups/{shown['id']}").json["lines"]
    return [(x["sku"], x["ordered"], x["picked"], x["short"], x["collected"]) for x in lines]


def test_pieces_are_picked_by_sku_and_by_barcode(api, shown):
    act(api, shown["id"], "pick", {"lines": [{"barcode": JAN, "quantity": 1}, {"sku": "B", "quantity": 1}]})
    assert counts(api, shown) == [("A", 2, 1, 0, 0), ("B", 1, 1, 0, 0)]
    act(api, shown["id"], "pick", {"lines": [{"barcode": JAN, "quantity": 1}]})
    assert counts(api, shown) == [("A", 2, 2, 0, 0), ("B", 1, 1, 0, 0)]


@pytest.mark.parametrize(
    ("line", "code", "facts"),
    [
        ({"sku": "Z", "quantity": 1}, "wrong-item", {"sku": None, "barcode": None}),
        ({"barcode": "4900000000009", "quantity": 1}, "wrong-item", {"sku": None, "barcode": "4900000000009"}),
        ({"barcode": "not one", "quantity": 1}, "wrong-item", {"sku": None, "barcode": "not one"}),
        ({"sku": "A", "quantity": 3}, "picked-too-many", {"sku": "A", "quantity": 3, "open": 2}),
    ],
)
def test_a_wrong_scan_is_told_and_changes_nothing(api, shown, line, code, facts):
    lines = [{"sku": "B", "quantity": 1}, line]
    refused = problem(api.post(f"/pickups/{shown['id']}/pick", {"lines": lines}), 409, code)
    assert {name: refused[name] for name in facts} == facts | ({"sku": "Z"} if line.get("sku") == "Z" else {})
    assert counts(api, shown) == [("A", 2, 0, 0, 0), ("B", 1, 0, 0, 0)]


def test_two_scans_of_one_thing_are_one_sum(api, shown):
    lines = [{"sku": "A", "quantity": 2}, {"barcode": JAN, "quantity": 1}]
    problem(api.post(f"/pickups/{shown['id']}/pick", {"lines": lines}), 409, "picked-too-many")
    assert counts(api, shown) == [("A", 2, 0, 0, 0), ("B", 1, 0, 0, 0)]


@pytest.mark.parametrize(
    ("reason", "effect"),
    [
        ("not_found", ("variance", (9, 9))),  # one promised, eight kept from sale until somebody counts
        ("damaged", ("damage", (9, 1))),
        ("display_only", ("display", (9, 1))),
        ("not_fit", ("damage", (9, 1))),
        ("other", (None, (10, 10))),
    ],
)
def test_a_short_pick_frees_the_claim_and_its_reason_decides_what_the_book_says(api, app, shown, reason, effect):
    kind, left = effect
    act(api, shown["id"], "short", {"sku": "A", "quantity": 1, "reason": reason})
    assert counts(api, shown) == [("A", 2, 0, 1, 0), ("B", 1, 0, 0, 0)]
    assert level(app, "A", "S1") == left
    written = rows(app, "SELECT kind, quantity, reference_type FROM stock_movement WHERE reference_type = 'pickup'")
    assert written == ([(kind, -1, "pickup")] if kind else [])
    line = api.get(f"/orders/{shown['order']}").json["lines"][0]
    assert (line["quantity"], line["cancelled"]) == (2, 0)  # the customer will say what becomes of it
    recounts = api.get("/recounts?location=S1&state=open").json["items"]
    assert len(recounts) == (reason in {"not_found", "other"})


def test_more_short_than_open_is_refused(api, app, shown):
    act(api, shown["id"], "pick", {"lines": [{"sku": "A", "quantity": 1}]})
    refused = problem(
        api.post(f"/pickups/{shown['id']}/short", {"sku": "A", "quantity": 2, "reason": "other"}),
        409,
        "picked-too-many",
    )
    assert (refused["quantity"], refused["open"]) == (2, 1)
    problem(
        api.post(f"/pickups/{shown['id']}/short", {"sku": "Z", "quantity": 1, "reason": "other"}), 409, "wrong-item"
    )
    assert level(app, "A", "S1") == (10, 2)


def test_everything_short_is_a_question_and_no_silent_end(api, app, shown):
    act(api, shown["id"], "short", {"sku": "A", "quantity": 2, "reason": "damaged"})
    asked = act(api, shown["id"], "short", {"sku": "B", "quantity": 1, "reason": "damaged"})
    assert asked["state"] == "awaiting_customer"
    assert api.get(f"/orders/{shown['order']}").json["state"] == "placed"
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((8, 0), (9, 0))
    assert rows(app, "SELECT state FROM claim") == [("released",)]
    last = "SELECT topic FROM outbox_event WHERE aggregate_type = 'pickup' ORDER BY sequence DESC LIMIT 3"
    assert rows(app, last) == [("pickup.asked",), ("pickup.awaiting_customer",), ("pickup.short",)]


def test_ready_needs_every_line_and_something_picked(api, shown):
    problem(api.post(f"/pickups/{shown['id']}/ready"), 409, "nothing-picked")
    act(api, shown["id"], "pick", {"lines": [{"sku": "A", "quantity": 1}]})
    refused = problem(api.post(f"/pickups/{shown['id']}/ready"), 409, "lines-open")
    assert refused["lines"] == [{"line_ref": "1", "sku": "A", "open": 1}, {"line_ref": "2", "sku": "B", "open": 1}]
    act(api, shown["id"], "short", {"sku": "A", "quantity": 1, "reason": "not_found"})
    act(api, shown["id"], "short", {"sku": "B", "quantity": 1, "reason": "not_found"})
    found = act(api, shown["id"], "ready", {"shelf": "A-3"})
    assert (found["state"], found["shelf"]) == ("ready", "A-3")


@pytest.mark.parametrize(
    ("ready_at", "closures", "deadline"),
    [
        ("2026-11-22T15:10+09:00", [], "2026-11-29T12:00:00.000Z"),
        ("2026-11-22T15:10+09:00", ["2026-11-29"], "2026-11-30T12:00:00.000Z"),
        ("2026-11-22T21:30+09:00", [], "2026-11-30T12:00:00.000Z"),
    ],
)
def test_the_deadline_is_closing_time_after_the_stores_days(api, clock, ready_at, closures, deadline):
    clock(ready_at)
    shop(api)
    make_store(api, "S1", closures=closures)
    shown = order(api)["pickup"]
    found = bring(api, shown, "ready")
    assert (found["expires_at"], found["ready_at"] is not None) == (deadline, True)


def test_finding_by_token_changes_nothing(api, make_api, app, shown):
    token = token_of(shown)
    before = rows(app, "SELECT count(*) FROM audit_entry")
    for text in (token, "H1" + token, f" h1{token.lower()} "):
        assert api.post("/pickups/find", {"token": text}, key=None).json["id"] == shown["id"]
    assert rows(app, "SELECT count(*) FROM audit_entry") == before
    for wrong in ("0" * 26, token[:-1], "H2" + token, "山" * 26):
        problem(api.post("/pickups/find", {"token": wrong}), 404, "unknown-pickup")
    problem(make_api(locations=("S2",)).post("/pickups/find", {"token": token}), 404, "unknown-pickup")
    assert make_api("orders:read").post("/pickups/find", {"token": token}).status_code == 403
    shown_keys = api.post("/pickups/find", {"token": token}).json
    assert not {"pin", "qr_url", "page_url"} & set(shown_keys)


def test_a_list_is_found_by_place_state_number_code_and_phone(api, make_api, app, shown):
    made = order(api, "EC-2", customer={"phone": "+81 3-9999-0000"})
    number = api.get(f"/orders/{shown['order']}").json["number"]

    def ids(query: str, caller=api):
        answer = caller.get(f"/pickups?{query}")
        assert answer.status_code == 200, answer.text
        return [p["id"] for p in answer.json["items"]]

    other = made["pickup"]["id"]
    assert sorted(ids("location=S1")) == sorted([shown["id"], other])
    assert ids("location=S2") == []
    assert ids("state=picking") == [shown["id"]]
    assert ids("state=requested") == [other]
    assert ids(f"q={number}") == [shown["id"]]
    assert ids(f"q={shown['code'].lower()}") == [shown["id"]]
    assert ids("q=5678") == [shown["id"]]
    assert ids("q=0000") == [other]
    assert ids("q=nobody") == []
    assert ids("", make_api(locations=("S2",))) == ids("", make_api(channels=("mall",))) == []
    page = api.get("/pickups?limit=1").json
    rest = api.get(f"/pickups?limit=1&cursor={page['next_cursor']}").json
    assert sorted(p["id"] for p in page["items"] + rest["items"]) == sorted([shown["id"], other])
    assert rest["next_cursor"] is None
    problem(api.get("/pickups?state=lost"), 422, "invalid")
    assert make_api("orders:read").get("/pickups").status_code == 403


def test_an_order_change_fits_the_pickup_until_picking(api, app, clock):
    clock("2026-11-22T15:10+09:00")
    shop(api)
    made = order(api, pay="due")
    changed = api.post(f"/orders/{made['id']}/change", {"lines": [{"line_ref": "1", "sku": "A", "quantity": 3}]})
    assert changed.status_code == 200, changed.text
    pickup = made["pickup"]
    assert counts(api, pickup) == [("A", 3, 0, 0, 0)]
    assert (level(app, "A", "S1"), level(app, "B", "S1")) == ((10, 3), (10, 0))
    bring(api, pickup, "picking")
    pick_all(api, pickup["id"])
    again = api.post(f"/orders/{made['id']}/change", {"lines": [{"line_ref": "1", "sku": "A", "quantity": 1}]})
    assert again.status_code == 409
    act(api, pickup["id"], "ready")
    act(api, pickup["id"], "hand-over", {"token": token_of(pickup)})
    assert level(app, "A", "S1") == (7, 0)
