"""GET /availability: the figure by which promises are refused."""

from __future__ import annotations

from typing import Any

import pytest

from app import stock
from tests.factories import make_sku, make_store

SHIBUYA = {"latitude": 35.658, "longitude": 139.7016}
UENO = {"latitude": 35.7138, "longitude": 139.7773}
OSAKA = {"latitude": 34.7025, "longitude": 135.4959}


def places(api: Any, path: str) -> list[tuple[str, int]]:
    answer = api.get(path)
    assert answer.status_code == 200, answer.text
    return [(spot["location"], spot["available"]) for spot in answer.json["items"][0]["locations"]]


def claim(api: Any, app: Any, quantity: int, **over: Any) -> stock.ClaimView:
    wanted = {"location": "A", "lines": [("X", quantity)], "kind": "cart", "channel": "ec", "expires_at": None} | over
    with app.app_context():
        return stock.reserve(**wanted)


def test_figures_states_pickup_and_totals(api, clock) -> None:
    now = clock("2026-11-22T15:10+09:00")
    make_store(api, "A", {"X": 5, "Y": 0})
    make_store(api, "B", {"X": 3}, pickup={"enabled": False, "lead_minutes": 60, "hold_days": 7})
    answer = api.get("/availability?sku=X&sku=Y&sku=X").json
    ready = "2026-11-22T07:10:00.000Z"
    assert answer == {
        "items": [
            {
                "sku": "X",
                "total_available": 8,
                "locations": [
                    {"location": "A", "name": "A店", "available": 5, "state": "in_stock",
                     "pickup": {"enabled": True, "ready_by": ready}},
                    {"location": "B", "name": "B店", "available": 3, "state": "low",
                     "pickup": {"enabled": False, "ready_by": None}},
                ],
            },
            {
                "sku": "Y",
                "total_available": 0,
                "locations": [
                    {"location": "A", "name": "A店", "available": 0, "state": "out",
                     "pickup": {"enabled": True, "ready_by": ready}},
                ],
            },
        ],
        "as_of": "2026-11-22T06:10:00.000Z",
    }  # fmt: skip
    assert now.tzinfo is not None


def test_nearest_first_and_no_more_than_asked_for(api) -> None:
    make_store(api, "A", {"X": 1}, **OSAKA)
    make_store(api, "B", {"X": 2}, **UENO)
    make_store(api, "C", {"X": 3}, **SHIBUYA)
    make_store(api, "D", {"X": 4}, latitude=None, longitude=None)
    near = "/availability?sku=X&near=35.6812,139.7671"
    assert places(api, near) == [("B", 2), ("C", 3), ("A", 1), ("D", 4)]
    assert places(api, near + "&limit=2") == [("B", 2), ("C", 3)]
    item = api.get(near + "&limit=2").json["items"][0]
    assert item["total_available"] == 10
    assert [spot.get("distance_km") for spot in item["locations"]] == [3.7, 6.5]


def test_without_a_point_what_is_there_comes_first(api) -> None:
    make_store(api, "A", {"X": 0})
    make_store(api, "B", {"X": 2})
    assert places(api, "/availability?sku=X") == [("B", 2), ("A", 0)]
    assert places(api, "/availability?sku=X&location=A") == [("A", 0)]
    make_store(api, "C")
    assert places(api, "/availability?sku=X&location=C") == [("C", 0)]


@pytest.mark.parametrize(
    ("policy", "on_hand", "available"),
    [({"share": 50}, 4, 2), ({"safety": 2}, 5, 3), ({"buffer": 9}, 5, 0), ({"share": 80, "buffer": 1}, 10, 7)],
)
def test_a_channel_sees_its_share_and_is_refused_by_it(
    api, app, policy: dict[str, int], on_hand: int, available: int
) -> None:
    make_store(api, "A", {"X": on_hand})
    assert api.put("/stock/policies", {"channel": "ec", **policy}).status_code == 200
    assert places(api, "/availability?sku=X") == [("A", available)]
    assert places(api, "/availability?sku=X&channel=store") == [("A", on_hand)]
    with pytest.raises(stock.InsufficientStock) as refusal:
        claim(api, app, available + 1)
    assert refusal.value.facts["lines"] == [{"sku": "X", "requested": available + 1, "available": available}]
    if available:
        claim(api, app, 1)
        rest = max(
            0, (on_hand - 1) * policy.get("share", 100) // 100 - policy.get("safety", 0) - policy.get("buffer", 0)
        )
        assert places(api, "/availability?sku=X") == [("A", rest)]


def test_a_past_due_claim_is_free_though_nobody_swept(api, app, clock) -> None:
    now = clock("2026-11-22T15:10+09:00")
    make_store(api, "A", {"X": 5}, safety_stock=1)
    held = claim(api, app, 4, expires_at=now.replace(minute=20))
    assert places(api, "/availability?sku=X") == [("A", 0)]
    clock("2026-11-22T15:20+09:00")
    assert places(api, "/availability?sku=X") == [("A", 4)]
    (level,) = api.get("/stock").json["items"]
    assert (level["on_hand"], level["reserved"], level["safety"], level["available"]) == (5, 0, 1, 4)
    assert claim(api, app, 4).state == "reserved"
    with app.app_context():
        assert stock.find(held.id).state == "expired"
        assert stock.check.check().holds


def test_bounds_hide_places_and_channels(api, make_api) -> None:
    make_store(api, "A", {"X": 5})
    make_store(api, "B", {"X": 3})
    bound = make_api("stock:read", locations=("A",), channels=("mall",))
    assert places(bound, "/availability?sku=X") == [("A", 5)]
    assert bound.get("/availability?sku=X").json["items"][0]["total_available"] == 5
    assert bound.get("/availability?sku=X&location=B").status_code == 404
    assert bound.get("/availability?sku=X&channel=ec").status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "required"),
        ("sku=X&near=north", 422, "not-point"),
        ("sku=X&near=95,10", 422, "not-point"),
        ("sku=X&limit=0", 422, "out-of-range"),
        ("sku=X&limit=201", 422, "out-of-range"),
        ("sku=X&color=red", 422, "unknown-field"),
        ("sku=" + "&sku=".join(f"S{i}" for i in range(201)), 422, "length"),
    ],
)
def test_bad_questions(api, query: str, status: int, code: str) -> None:
    make_sku(api, "X")
    answer = api.get(f"/availability?{query}")
    assert answer.status_code == status
    assert answer.json["errors"][0]["code"] == code


def test_unknown_things_and_callers(api, app, make_api) -> None:
    make_sku(api, "X")
    assert api.get("/availability?sku=X&sku=Z").json["skus"] == ["Z"]
    assert api.get("/availability?sku=Z").json["type"] == "/problems/unknown-sku"
    assert api.get("/availability?sku=X&location=Z").json["type"] == "/problems/unknown-location"
    assert app.test_client().get("/api/v1/availability?sku=X").status_code == 401
    assert make_api("reports:read").get("/availability?sku=X").status_code == 200
