"""Shelves: put down, moved, taken away; read by stores and by whoever plans a walk."""

from __future__ import annotations

from typing import Any

import pytest

from app import stock
from tests.factories import make_sku, make_store


@pytest.fixture
def shop(api) -> None:
    make_store(api, "A", {"X": 1, "Y": 1})
    make_store(api, "B")


def put(api: Any, *lines: tuple[str, str | None], location: str = "A") -> Any:
    body = {"location": location, "lines": [{"sku": sku, "shelf": shelf} for sku, shelf in lines]}
    return api.put("/stock/shelves", body)


def listed(api: Any, location: str = "A") -> dict[str, str]:
    items = api.get(f"/stock/shelves?location={location}").json["items"]
    return {item["sku"]: item["shelf"] for item in items}


def test_put_moved_and_taken_away(api, app, shop) -> None:
    done = put(api, ("Y", "B-02"), ("X", " A-01 "))
    assert (done.status_code, done.json) == (
        200, {"location": "A", "lines": [{"sku": "X", "shelf": "A-01"}, {"sku": "Y", "shelf": "B-02"}]},
    )  # fmt: skip
    assert listed(api) == {"X": "A-01", "Y": "B-02"}
    assert put(api, ("X", "C-03")).status_code == 200
    assert listed(api) == {"X": "C-03", "Y": "B-02"}
    assert put(api, ("X", "D-04"), ("X", None), ("Y", None), ("Y", "入口・平台")).status_code == 200
    assert listed(api) == {"Y": "入口・平台"}
    assert put(api, ("X", None)).status_code == 200
    assert put(api, ("Y", "1"), location="B").status_code == 200
    assert (listed(api), listed(api, "B")) == ({"Y": "入口・平台"}, {"Y": "1"})
    with app.app_context():
        assert stock.shelves("A", ["X", "Y"]) == {"Y": "入口・平台"}
        assert stock.shelves("A", []) == {}


def test_a_page_of_shelves(api, shop) -> None:
    for number in range(5):
        make_sku(api, f"S{number}")
        put(api, (f"S{number}", f"{number}"))
    first = api.get("/stock/shelves?location=A&limit=3").json
    rest = api.get(f"/stock/shelves?location=A&limit=3&cursor={first['next_cursor']}").json
    assert [item["sku"] for item in first["items"] + rest["items"]] == ["S0", "S1", "S2", "S3", "S4"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("body", "status", "what"),
    [
        ({"location": "Z"}, 404, "/problems/unknown-location"),
        ({"lines": [{"sku": "Q", "shelf": "1"}]}, 404, "/problems/unknown-sku"),
        ({"lines": []}, 422, "/lines length"),
        ({"lines": [{"sku": "X", "shelf": "1"}] * 501}, 422, "/lines length"),
        ({"lines": [{"sku": "X"}]}, 422, "/lines/0/shelf required"),
        ({"lines": [{"sku": "X", "shelf": ""}]}, 422, "/lines/0/shelf length"),
        ({"lines": [{"sku": "X", "shelf": "1" * 61}]}, 422, "/lines/0/shelf length"),
        ({"lines": [{"sku": "X", "shelf": "a\x07"}]}, 422, "/lines/0/shelf characters"),
        ({"lines": [{"sku": "X", "shelf": 3}]}, 422, "/lines/0/shelf not-text"),
        ({"aisle": 1}, 422, "/aisle unknown-field"),
    ],
)
def test_bad_shelves_change_nothing(api, shop, body: dict[str, Any], status: int, what: str) -> None:
    put(api, ("X", "A-01"))
    answer = api.put("/stock/shelves", {"location": "A", "lines": [{"sku": "X", "shelf": "9"}]} | body)
    problem = answer.json
    said = f"{problem['errors'][0]['pointer']} {problem['errors'][0]['code']}" if status == 422 else problem["type"]
    assert (answer.status_code, said) == (status, what)
    assert listed(api) == {"X": "A-01"}


def test_who_may_and_who_sees(api, app, make_api, shop) -> None:
    put(api, ("X", "A-01"))
    reader, here, there = (
        make_api("stock:read"), make_api("stock:write", locations=("A",)), make_api("stock:write", locations=("B",)),
    )  # fmt: skip
    assert app.test_client().get("/api/v1/stock/shelves?location=A").status_code == 401
    assert make_api("orders:read").get("/stock/shelves?location=A").status_code == 403
    assert [put(who, ("X", "2")).status_code for who in (reader, there, here)] == [403, 404, 200]
    statuses = [who.get("/stock/shelves?location=A").status_code for who in (reader, there, here)]
    assert statuses == [200, 404, 200]
    assert api.get("/stock/shelves").json["errors"][0] | {"message": ""} == {
        "pointer": "/location", "code": "required", "message": "",
    }  # fmt: skip
