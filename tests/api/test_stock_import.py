"""POST /imports/stock: opening and counted quantities by file."""

from __future__ import annotations

from typing import Any

from app import stock
from app.core import jobs
from tests.factories import make_sku, make_store

FILE = "location,sku,quantity,date\nA,X,5,2026-11-01\nA,Y,0,\nB,X,3,\nZ,X,1,\nA,Q,1,\nA,X,1.5,\nA,Y,-1,\n"


def send(api: Any, text: str | bytes, **kwargs: Any) -> dict[str, Any]:
    started = api.post("/imports/stock", data=text, content_type="text/csv", **kwargs)
    assert started.status_code == 202, started.text
    with api.app.app_context():
        jobs.drain()
    return dict(api.get(f"/imports/{started.json['id']}").json)


def figures(api: Any) -> dict[tuple[str, str], int]:
    return {(item["location"], item["sku"]): item["on_hand"] for item in api.get("/stock").json["items"]}


def shop(api: Any) -> None:
    make_store(api, "A")
    make_store(api, "B", {"X": 7})
    make_sku(api, "Y")


def test_good_rows_go_in_and_bad_rows_are_named(api) -> None:
    shop(api)
    report = send(api, FILE)
    assert (report["state"], report["rows_total"], report["rows_done"], report["rows_failed"]) == ("done", 7, 3, 4)
    assert [(error["row"], error["column"]) for error in report["errors"]] == [
        (5, "location"), (6, "sku"), (7, "quantity"), (8, "quantity"),
    ]  # fmt: skip
    assert figures(api) == {("A", "X"): 5, ("A", "Y"): 0, ("B", "X"): 3}
    written = api.get("/stock/movements").json["items"]
    assert [(m["location"], m["sku"], m["kind"], m["quantity"], m["balance_after"]) for m in written] == [
        ("B", "X", "opening", 7, 7),
        ("A", "X", "opening", 5, 5),
        ("A", "Y", "opening", 0, 0),
        ("B", "X", "stocktake", -4, 3),
    ]
    assert written[1]["occurred_at"] == "2026-10-31T15:00:00.000Z"


def test_the_same_file_again_changes_nothing_though_goods_were_sold_meanwhile(api, app) -> None:
    shop(api)
    send(api, FILE)
    sold = {"location": "A", "reason": "loss", "lines": [{"sku": "X", "quantity": -2}]}
    assert api.post("/stock/adjustments", sold).status_code == 201
    before = api.get("/stock/movements").json
    report = send(api, FILE)
    assert (report["rows_done"], report["rows_failed"]) == (3, 4)
    assert api.get("/stock/movements").json == before
    assert figures(api)["A", "X"] == 3
    send(api, FILE.replace("A,X,5", "A,X,4"))  # another count
    assert figures(api)["A", "X"] == 4
    with app.app_context():
        assert stock.check.check().holds


def test_a_japanese_file_and_a_rehearsal(api) -> None:
    shop(api)
    text = "店舗コード,商品コード,数量\nA,X,12\n".encode("cp932")
    report = send(api, text, query_string={"dry_run": "1"})
    assert report["rows_done"] == 1
    assert figures(api) == {("B", "X"): 7}
    send(api, text)
    assert figures(api)["A", "X"] == 12


def test_only_places_in_sight_and_only_with_the_scope(api, make_api) -> None:
    shop(api)
    bound = make_api("catalog:write", "stock:write", locations=("A",))
    report = send(bound, "location,sku,quantity\nA,X,1\nB,X,1\n")
    assert (report["rows_done"], report["rows_failed"]) == (1, 1)
    assert figures(api) == {("A", "X"): 1, ("B", "X"): 7}
    assert make_api("catalog:write").post("/imports/stock", data=FILE, content_type="text/csv").status_code == 403
