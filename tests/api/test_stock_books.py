"""GET /stock, the feed, the ledger, adjustments, policies and incidents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import make_sku, make_store

ABSENT = "01a20412-7fd4-7356-91c7-9f7c110a74f3"


def adjust(api: Any, reason: str, *lines: tuple[str, int], location: str = "A", **kwargs: Any) -> Any:
    body = {
        "location": location,
        "reason": reason,
        "lines": [{"sku": sku, "quantity": pieces} for sku, pieces in lines],
    }
    return api.post("/stock/adjustments", body, **kwargs)


def figures(api: Any, query: str = "") -> list[tuple[str, str, int]]:
    return [(i["location"], i["sku"], i["on_hand"]) for i in api.get(f"/stock{query}").json["items"]]


def test_an_adjustment_is_written_line_by_line(api, clock) -> None:
    clock("2026-11-22T15:10+09:00")
    make_store(api, "A", {"X": 5})
    made = adjust(api, "damage", ("X", -1), ("X", -1))
    assert made.status_code == 201
    written = made.json["movements"]
    assert [(m["sku"], m["location"], m["quantity"], m["balance_after"]) for m in written] == [
        ("X", "A", -1, 4), ("X", "A", -1, 3),
    ]  # fmt: skip
    (line,) = [m for m in api.get("/stock/movements?sku=X").json["items"] if m["id"] == written[1]["id"]]
    assert line["kind"] == "damage"
    assert line["reference"] == {"type": "adjustment", "id": made.json["id"]}
    assert line["occurred_at"] == line["recorded_at"] == "2026-11-22T06:10:00.000Z"
    assert line["actor"].startswith("client:client-")
    assert figures(api) == [("A", "X", 3)]


def test_a_fact_below_zero_opens_an_incident_and_enough_closes_it(api) -> None:
    make_store(api, "A", {"X": 5})
    lost = adjust(api, "loss", ("X", -7))
    assert lost.status_code == 201
    (incident,) = api.get("/incidents?location=A&state=open").json["items"]
    assert (incident["sku"], incident["shortage"], incident["kind"]) == ("X", 2, "oversell")
    assert incident["cause"] == {"type": "adjustment", "id": lost.json["id"]}
    adjust(api, "found", ("X", 1))
    assert api.get(f"/incidents/{incident['id']}").json["shortage"] == 1
    adjust(api, "found", ("X", 1))
    assert api.get("/incidents?state=open").json["items"] == []
    closed = api.get(f"/incidents/{incident['id']}").json
    assert (closed["state"], closed["shortage"]) == ("resolved", 0)
    assert closed["resolved_at"] is not None


def test_a_repeated_adjustment_is_written_once(api) -> None:
    make_store(api, "A", {"X": 5})
    one, two = (adjust(api, "found", ("X", 1), key="k-1") for _ in range(2))
    assert one.data == two.data
    assert two.headers["Idempotency-Replayed"] == "true"
    assert adjust(api, "found", ("X", 2), key="k-1").json["type"] == "/problems/idempotency-key-reused"
    assert figures(api) == [("A", "X", 6)]


@pytest.mark.parametrize(
    ("body", "status", "what"),
    [
        ({"location": "Z"}, 404, "/problems/unknown-location"),
        ({"lines": [{"sku": "X", "quantity": 1}, {"sku": "Q", "quantity": 1}]}, 404, "/problems/unknown-sku"),
        ({"reason": "theft"}, 422, "/reason not-allowed"),
        ({"lines": []}, 422, "/lines length"),
        ({"lines": [{"sku": "X", "quantity": 1_000_000}]}, 422, "/lines/0/quantity out-of-range"),
        ({"lines": [{"sku": "X", "quantity": "1"}]}, 422, "/lines/0/quantity not-integer"),
        ({"lines": [{"sku": "X", "quantity": True}]}, 422, "/lines/0/quantity not-integer"),
        ({"lines": [{"sku": "X"}]}, 422, "/lines/0/quantity required"),
    ],
)
def test_bad_adjustments_change_nothing(api, body: dict[str, Any], status: int, what: str) -> None:
    make_store(api, "A", {"X": 5})
    lines = [{"sku": "X", "quantity": 1}]
    answer = api.post("/stock/adjustments", {"location": "A", "reason": "found", "lines": lines} | body)
    problem = answer.json
    said = f"{problem['errors'][0]['pointer']} {problem['errors'][0]['code']}" if status == 422 else problem["type"]
    assert (answer.status_code, said) == (status, what)
    assert figures(api) == [("A", "X", 5)]
    assert len(api.get("/stock/movements").json["items"]) == 1


def test_pages_over_all_levels(api) -> None:
    make_store(api, "A", {f"S{i}": i + 1 for i in range(5)})
    make_store(api, "B", {"S0": 9})
    seen, cursor = [], ""
    while True:
        page = api.get(f"/stock?limit=2{cursor}").json
        seen += [(i["location"], i["sku"], i["on_hand"]) for i in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == [("A", f"S{i}", i + 1) for i in range(5)] + [("B", "S0", 9)]
    assert figures(api, "?sku=S0&sku=S1&location=A") == [("A", "S0", 1), ("A", "S1", 2)]


@pytest.mark.parametrize("path", ["/stock", "/stock/changes", "/stock/movements", "/transfers", "/incidents"])
@pytest.mark.parametrize("cursor", ["x", "AAAA", "WyJhIl0", "WyIyMDI2LTAxLTAxIiwieCJd", "WyJcdTAwMDAiLCJhIiwiYiJd"])
def test_a_made_up_cursor_is_refused(api, path: str, cursor: str) -> None:
    answer = api.get(f"{path}?cursor={cursor}")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "cursor")


def test_the_feed_goes_on_where_it_stopped(api) -> None:
    make_store(api, "A", {"X": 5, "Y": 6})
    first = api.get("/stock/changes?limit=1").json
    assert [(i["sku"], i["on_hand"]) for i in first["items"]] == [("X", 5)]
    second = api.get(f"/stock/changes?cursor={first['next_cursor']}").json
    assert [(i["sku"], i["on_hand"]) for i in second["items"]] == [("Y", 6)]
    assert second["next_cursor"] is None
    caught_up = api.get(f"/stock/changes?cursor={second['resume_cursor']}").json
    assert caught_up == {"items": [], "next_cursor": None, "resume_cursor": second["resume_cursor"]}
    adjust(api, "loss", ("X", -2))
    more = api.get(f"/stock/changes?cursor={caught_up['resume_cursor']}").json
    assert [(i["sku"], i["on_hand"], i["available"]) for i in more["items"]] == [("X", 3, 3)]


def test_the_feed_of_an_empty_shop_has_a_place_to_resume(api) -> None:
    empty = api.get("/stock/changes").json
    assert empty["items"] == []
    make_store(api, "A", {"X": 5})
    assert len(api.get(f"/stock/changes?cursor={empty['resume_cursor']}").json["items"]) == 1


def test_the_ledger_pages_in_the_order_of_writing(api, clock) -> None:
    clock("2026-11-22T15:10+09:00")
    make_store(api, "A", {"X": 5})
    clock("2026-11-22T15:11+09:00")
    for _ in range(3):
        adjust(api, "found", ("X", 1))
    first = api.get("/stock/movements?limit=3").json
    rest = api.get(f"/stock/movements?limit=3&cursor={first['next_cursor']}").json
    assert [m["balance_after"] for m in first["items"] + rest["items"]] == [5, 6, 7, 8]
    assert rest["next_cursor"] is None
    since = api.get("/stock/movements?since=2026-11-22T06:11:00Z").json["items"]
    assert [m["balance_after"] for m in since] == [6, 7, 8]
    assert api.get("/stock/movements?location=B").json["items"] == []


def test_policies_are_set_whole_and_read_back(api) -> None:
    make_store(api, "A", {"X": 5})
    made = api.put("/stock/policies", {"channel": "ec", "location": "A", "sku": "X", "share": 50, "safety": 1})
    assert made.status_code == 200
    shown = {name: made.json[name] for name in ("channel", "location", "sku", "share", "safety", "buffer")}
    assert shown == {"channel": "ec", "location": "A", "sku": "X", "share": 50, "safety": 1, "buffer": None}
    again = api.put("/stock/policies", {"channel": "ec", "location": "A", "sku": "X", "buffer": 2})
    assert (again.json["share"], again.json["buffer"]) == (None, 2)
    api.put("/stock/policies", {"channel": "mall", "share": 10})
    assert [p["channel"] for p in api.get("/stock/policies").json["items"]] == ["ec", "mall"]
    assert [p["buffer"] for p in api.get("/stock/policies?channel=ec&sku=X").json["items"]] == [2]
    stale = api.put("/stock/policies", {"channel": "ec", "share": 1}, headers={"If-Match": '"old"'})
    assert stale.status_code == 412
    assert len(api.get("/stock/policies").json["items"]) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"share": 101}, 422),
        ({"share": -1}, 422),
        ({"share": 0.5}, 422),
        ({"safety": -1}, 422),
        ({"location": "Z"}, 404),
        ({"sku": "Q"}, 404),
        ({"channel": ""}, 422),
    ],
)
def test_bad_policies_change_nothing(api, body: dict[str, Any], status: int) -> None:
    assert api.put("/stock/policies", {"channel": "ec"} | body).status_code == status
    assert api.get("/stock/policies").json["items"] == []


READS = ["/stock", "/stock/changes", "/stock/movements", "/stock/policies", "/incidents", f"/incidents/{ABSENT}"]


def test_who_may(api, app, make_api) -> None:
    make_sku(api, "X")
    stranger, reader = make_api("catalog:write"), make_api("stock:read")
    for path in READS:
        assert app.test_client().get(f"/api/v1{path}").status_code == 401
        assert stranger.get(path).status_code == 403
        assert reader.get(path).status_code == (404 if path.endswith(ABSENT) else 200)
    assert adjust(reader, "found", ("X", 1)).status_code == 403
    assert reader.put("/stock/policies", {"channel": "ec"}).status_code == 403
    assert api.get("/incidents/nonsense").status_code == 404


def test_bounds_hide_other_places(api, make_api) -> None:
    make_store(api, "A", {"X": 5})
    make_store(api, "B", {"X": 1})
    adjust(api, "loss", ("X", -2), location="B")
    (incident,) = api.get("/incidents").json["items"]
    bound = make_api("stock:write", locations=("A",), channels=("ec",))
    assert figures(bound) == [("A", "X", 5)]
    assert [i["location"] for i in bound.get("/stock/changes").json["items"]] == ["A"]
    assert [m["location"] for m in bound.get("/stock/movements").json["items"]] == ["A"]
    assert bound.get("/incidents").json["items"] == []
    assert bound.get(f"/incidents/{incident['id']}").status_code == 404
    assert bound.get("/stock?location=B").status_code == 404
    assert adjust(bound, "found", ("X", 1), location="B").status_code == 404
    assert bound.put("/stock/policies", {"channel": "ec", "location": "B"}).status_code == 404
    assert bound.put("/stock/policies", {"channel": "ec"}).status_code == 404  # it would hold in B too
    assert bound.put("/stock/policies", {"channel": "mall", "location": "A"}).status_code == 404
    assert bound.put("/stock/policies", {"channel": "ec", "location": "A"}).status_code == 200
    assert figures(api, "?location=B") == [("B", "X", -1)]
