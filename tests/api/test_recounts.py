"""Short picks doubt the book: what each reason does, what is kept from sale until somebody counts, and the count."""

from __future__ import annotations

from typing import Any

import pytest

from app import stock
from app.core.db import ask_one, use_case
from app.core.ids import new_id
from app.core.sql import Sql, json_of
from tests.api.stock_kit import rows
from tests.factories import make_sku, make_store

NOON = "2026-11-22T12:00+09:00"


@pytest.fixture(autouse=True)
def shop(api, clock) -> None:
    clock(NOON)
    make_store(api, "A", {"X": 10, "Y": 4})
    make_store(api, "B", {"X": 5})


def promise(app: Any, pieces: int, location: str = "A") -> str:
    with app.app_context():
        return stock.reserve(
            location=location, lines=[("X", pieces)], kind="pickup", channel="ec", expires_at=None
        ).id  # fmt: skip


def doubt(app: Any, reason: str, missing: int = 1, *, claim: str | None = None, location: str = "A") -> str | None:
    """As a short pick does it: the promise's pieces are given up, then the book is doubted."""
    with app.app_context():
        if claim is not None:
            stock.void(claim, {"X": missing})
        return stock.doubt(location, "X", missing=missing, reason=reason, cause_ref=("pickup", "p-1"))


def level(api: Any, location: str = "A") -> tuple[int, int, int]:
    (item,) = api.get(f"/stock?sku=X&location={location}").json["items"]
    return item["on_hand"], item["reserved"], item["available"]


def available(api: Any, channel: str = "ec") -> int:
    (item,) = api.get(f"/availability?sku=X&location=A&channel={channel}").json["items"]
    return int(item["total_available"])


def written(api: Any) -> list[tuple[str, int, str | None]]:
    items = api.get("/stock/movements?sku=X&location=A").json["items"]
    return [(m["kind"], m["quantity"], m["note"]) for m in items if m["kind"] != "opening"]


def recounts(api: Any, query: str = "") -> list[dict[str, Any]]:
    return list(api.get(f"/recounts{query}").json["items"])


def count(api: Any, recount_id: str | None, counted: Any, **kwargs: Any) -> Any:
    return api.post(f"/recounts/{recount_id}/done", {"counted": counted}, **kwargs)


def sound(app: Any) -> None:
    with app.app_context():
        assert [result for result in stock.check.check().results if not result.holds] == []


@pytest.mark.parametrize(
    ("reason", "kind", "asks"),
    [
        ("not_found", "variance", True),
        ("damaged", "damage", False),
        ("display_only", "display", False),
        ("not_fit", "damage", False),
        ("other", None, True),
    ],
)
def test_what_each_reason_does(api, app, reason: str, kind: str | None, asks: bool) -> None:
    claim = promise(app, 3)
    task = doubt(app, reason, 2, claim=claim)
    on_hand = 10 if kind is None else 8
    assert written(api) == ([] if kind is None else [(kind, -2, reason)])
    assert level(api) == ((on_hand, on_hand, 0) if asks else (8, 1, 7))
    assert available(api) == (0 if asks else 7)
    assert [row["id"] for row in recounts(api)] == ([task] if asks else [])
    assert (task is not None) == asks
    assert api.get("/incidents").json["items"] == []
    sound(app)


def test_a_place_in_doubt_sells_nothing_in_any_channel(api, app) -> None:
    task = doubt(app, "not_found", claim=promise(app, 1))
    assert [available(api, channel) for channel in ("ec", "store", "marketplace")] == [0, 0, 0]
    refused = api.post("/reservations", {"location": "A", "lines": [{"sku": "X", "quantity": 1}], "kind": "cart"})
    assert (refused.status_code, refused.json["type"]) == (409, "/problems/insufficient-stock")
    lines = [{"sku": "X", "quantity": 1}]
    assert api.post("/transfers", {"from": "A", "to": "B", "lines": lines}).status_code == 409
    (row,) = recounts(api)
    assert row == {
        "id": task, "location": "A", "sku": "X", "state": "open", "reason": "not_found", "missing": 1, "blocked": 9,
        "cause": {"type": "pickup", "id": "p-1"}, "counted": None, "difference": None, "done_at": None,
        "requested_at": "2026-11-22T03:00:00.000Z", "updated_at": "2026-11-22T03:00:00.000Z",
    }  # fmt: skip
    assert level(api, "B") == (5, 0, 5)


def test_a_promise_past_its_deadline_is_kept_from_sale_too(api, app, clock) -> None:
    api.post("/reservations", {"location": "A", "lines": [{"sku": "X", "quantity": 4}], "kind": "cart"})
    clock("2026-11-23T12:00+09:00")
    doubt(app, "other")
    assert (level(api), recounts(api)[0]["blocked"]) == ((10, 10, 0), 10)
    sound(app)


def test_a_second_doubt_joins_the_first(api, app) -> None:
    one, two = promise(app, 2), promise(app, 1)
    first = doubt(app, "other", 1, claim=one)
    assert recounts(api)[0]["blocked"] == 8
    assert doubt(app, "not_found", 1, claim=two) == first
    (row,) = recounts(api)
    assert (row["reason"], row["missing"], row["blocked"], level(api)) == ("other", 2, 8, (9, 9, 0))
    with app.app_context():
        told = rows("SELECT topic, sequence, payload FROM outbox_event WHERE aggregate_id = :id ORDER BY 2", id=first)
    assert [(event["topic"], json_of(event["payload"])["missing"]) for event in told] == [
        ("recount.requested", 1), ("recount.requested", 2),
    ]  # fmt: skip
    sound(app)


def test_a_fact_at_a_place_in_doubt_breaks_no_promise(api, app) -> None:
    """The till sold three of what nobody was promised: that is no oversell, there is only less to keep."""
    promise(app, 2)
    doubt(app, "other")
    with app.app_context():
        stock.record([stock.Goods("A", "X", -3)], stock.Cause("sale", "receipt", "1"))
    assert (level(api), recounts(api)[0]["blocked"], api.get("/incidents").json["items"]) == ((7, 7, 0), 5, [])
    with app.app_context():
        stock.record([stock.Goods("A", "X", -6)], stock.Cause("sale", "receipt", "2"))
    (incident,) = api.get("/incidents").json["items"]
    assert (level(api), recounts(api)[0]["blocked"]) == ((1, 2, 0), 0)
    assert (incident["shortage"], incident["cause_code"]) == (1, "till_sale")
    sound(app)
    assert count(api, recounts(api)[0]["id"], 2).status_code == 200
    assert level(api) == (2, 2, 0)
    sound(app)


def test_the_count_ends_the_doubt_and_corrects_the_book(api, app) -> None:
    claim = promise(app, 3)
    task = doubt(app, "not_found", 1, claim=claim)
    done = count(api, task, 7)
    assert (done.json["state"], done.json["counted"], done.json["difference"]) == ("done", 7, -2)
    assert (done.json["blocked"], done.json["done_at"]) == (0, "2026-11-22T03:00:00.000Z")
    assert (level(api), available(api)) == ((7, 2, 5), 5)
    assert written(api) == [("variance", -1, "not_found"), ("stocktake", -2, None)]
    assert (recounts(api, "?state=open"), len(recounts(api, "?state=done"))) == ([], 1)
    assert count(api, task, 7).json["state"] == "done"
    with app.app_context():
        (event,) = rows("SELECT payload FROM outbox_event WHERE topic = 'recount.done'")
    assert {k: json_of(event["payload"])[k] for k in ("sku", "missing", "difference")} == {
        "sku": "X", "missing": 1, "difference": -2,
    }  # fmt: skip
    sound(app)
    assert doubt(app, "other") != task


@pytest.mark.parametrize(("counted", "difference"), [(10, 0), (12, 2), (0, -10)])
def test_as_the_book_says_or_more_or_nothing(api, app, counted: int, difference: int) -> None:
    task = doubt(app, "other")
    assert count(api, task, counted).json["difference"] == difference
    assert level(api) == (counted, 0, counted)
    assert written(api) == [("stocktake", difference, None)]
    sound(app)


def test_fewer_than_are_promised_open_an_incident(api, app) -> None:
    promise(app, 4)
    task = doubt(app, "other")
    assert count(api, task, 3).status_code == 200
    (incident,) = api.get("/incidents?state=open").json["items"]
    assert (incident["shortage"], incident["cause_code"]) == (1, "recount")
    assert incident["cause"] == {"type": "recount", "id": task}
    assert level(api) == (3, 4, 0)
    sound(app)


def test_counted_again_is_refused_and_changes_nothing(api, app) -> None:
    task = doubt(app, "other")
    one, two = (count(api, task, 8, key="c-1") for _ in range(2))
    assert one.data == two.data
    assert two.headers["Idempotency-Replayed"] == "true"
    late = count(api, task, 3)
    assert (late.status_code, late.json["type"], late.json["state"]) == (409, "/problems/illegal-transition", "done")
    assert count(api, task, 3, key=None).json["type"] == "/problems/idempotency-key-required"
    assert (level(api), written(api)) == ((8, 0, 8), [("stocktake", -2, None)])


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"counted": -1}, "/counted", "out-of-range"),
        ({"counted": 1_000_000}, "/counted", "out-of-range"),
        ({"counted": 1.5}, "/counted", "not-integer"),
        ({"counted": None}, "/counted", "null"),
        ({}, "/counted", "required"),
        ({"counted": 1, "by": "me"}, "/by", "unknown-field"),
    ],
)
def test_bad_counts_change_nothing(api, app, body: dict[str, Any], pointer: str, code: str) -> None:
    task = doubt(app, "other")
    refused = api.post(f"/recounts/{task}/done", body)
    assert refused.status_code == 422
    assert [(e["pointer"], e["code"]) for e in refused.json["errors"]] == [(pointer, code)]
    assert (level(api), recounts(api)[0]["state"]) == ((10, 10, 0), "open")


def test_who_may_count_and_who_sees(api, app, make_api) -> None:
    task = doubt(app, "other")
    doubt(app, "other", location="B")
    reader, here, there = make_api("stock:read"), make_api("stock:write", locations=("A",)), make_api(
        "stock:write", locations=("B",)
    )  # fmt: skip
    assert app.test_client().get("/api/v1/recounts").status_code == 401
    assert make_api("orders:read").get("/recounts").status_code == 403
    assert count(reader, task, 1).status_code == 403
    assert [[row["location"] for row in recounts(who)] for who in (reader, here, there)] == [["A", "B"], ["A"], ["B"]]
    assert recounts(reader, "?location=B")[0]["location"] == "B"
    assert recounts(here, "?location=B") == []
    assert [count(who, task, 1).status_code for who in (there, here)] == [404, 200]
    for nobody in ("nonsense", new_id()):
        assert count(api, nobody, 1).json["type"] == "/problems/unknown-recount"
    assert api.get("/recounts?state=lost").status_code == 422


def test_a_sku_that_the_place_never_had(api, app) -> None:
    make_sku(api, "Z")
    with app.app_context():
        task = stock.doubt("A", "Z", missing=1, reason="not_found", cause_ref=("pickup", "p"))
    (incident,) = api.get("/incidents").json["items"]  # below zero, as after any other fact
    assert (incident["sku"], incident["shortage"], incident["cause_code"]) == ("Z", 1, "short_pick")
    (item,) = api.get("/stock?sku=Z&location=A").json["items"]
    assert (item["on_hand"], item["reserved"]) == (-1, 0)
    assert count(api, task, 2).json["difference"] == 3
    sound(app)


def test_a_block_without_its_recount_leaks_and_is_found(api, app) -> None:
    doubt(app, "other")
    with app.app_context():
        use_case(lambda: ask_one(Sql("UPDATE recount_task SET state = 'done'"), {}))()
        assert [result.name for result in stock.check.check().results if not result.holds] == [
            "claims of recounts live"
        ]
        assert stock.check.repair().holds
    assert level(api) == (10, 0, 10)
