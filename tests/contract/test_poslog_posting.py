"""A real store's log ends in the right ledger rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.core import jobs
from app.core.db import db
from tests.factories import make_sku, make_store
from tests.till import level, movements
from tests.unit.poslog_text import APPLE, grand, item, log, tender, transaction

SMALL = (Path(__file__).parents[1] / "data" / "poslog" / "SMALL.xml").read_bytes()


def send(app: Any, api: Any, data: bytes) -> dict[str, Any]:
    answer = api.post("/pos/files/poslog", data=data, content_type="application/xml")
    assert answer.status_code == 202, answer.text
    with app.app_context():
        jobs.drain()
    return dict(api.get(f"/pos/files/poslog/{answer.json['id']}").json)


def test_the_real_log_is_posted_and_again_changes_nothing(app: Any, api: Any) -> None:
    make_sku(api, "APPLE", barcodes=["00000000067591"], tax_category="exempt")
    make_store(api, "9", stock={"APPLE": 10}, timezone="America/Los_Angeles")
    report = send(app, api, SMALL)
    assert (report["state"], report["rows_done"], report["rows_failed"]) == ("done", 1, 0)
    (receipt,) = api.get("/pos/receipts").json["items"]
    assert (receipt["state"], receipt["receipt_no"], receipt["occurred_at"]) == (
        "posted",
        "161",
        "2017-10-01T09:02:54.000Z",
    )
    assert receipt["problems"] == [
        {"pointer": "/lines/0/weight_g", "code": "weight-unit-unknown"},
        {"pointer": "/currency", "code": "currency-not-yen"},
    ]
    assert receipt["totals"] == {
        "subtotal": 126, "discounts": 19, "points_used": 0, "total": 107,
        "tax": [{"rate": 0, "taxable": 107, "tax": 0}],
    }  # fmt: skip
    assert movements(app) == [("9", "APPLE", -1, "sale", receipt["id"])]
    assert (send(app, api, SMALL)["rows_changed"], level(api, "9", "APPLE")) == (0, 9)


def test_a_log_of_a_store_that_is_not_known_yet_waits_for_it(app: Any, api: Any) -> None:
    send(
        app,
        api,
        log(transaction(item(1, "300") + grand("300") + tender("300"), EndDateTime="2026-11-22T15:10:00+09:00")),
    )
    (receipt,) = api.get("/pos/receipts?state=parked").json["items"]
    make_store(api, "S1")
    assert api.post(f"/pos/receipts/{receipt['id']}/replay").json["state"] == "posted"
    (waiting,) = api.get("/pos/unresolved").json["items"]
    make_sku(api, "APPLE")
    api.post(f"/pos/unresolved/{waiting['id']}/resolve", {"sku": "APPLE"})
    assert movements(app) == [("S1", "APPLE", -1, "sale", receipt["id"])]


def test_returns_voids_and_exchanges_of_a_log(app: Any, api: Any) -> None:
    make_sku(api, "APPLE", barcodes=[APPLE])
    make_store(api, "S1", stock={"APPLE": 10})

    def link(reason: str) -> str:
        return (
            f'<TransactionLink ReasonCode="{reason}"><RetailStoreID>S1</RetailStoreID><WorkstationID>2</WorkstationID>'
            "<SequenceNumber>1</SequenceNumber><BusinessDayDate>2026-11-22</BusinessDayDate></TransactionLink>"
        )

    back = item(1, "-300", "-1", element="Return", more=link("Return")) + grand("-300") + tender("300", code="Refund")
    exchange = item(1, "900", "3") + item(2, "-300", "-1") + grand("600") + tender("600")
    report = send(
        app, api,
        log(
            transaction(back, SequenceNumber="2"),
            transaction(item(1, "600", "2") + grand("600") + tender("600"), SequenceNumber="1"),
            transaction(exchange, SequenceNumber="3"),
            transaction(link("Void"), SequenceNumber="4"),
        ),
    )  # fmt: skip
    assert (report["rows_done"], report["errors"]) == (4, [])
    moved = [(row[2], row[3]) for row in movements(app)]
    assert sorted(moved) == [(-3, "sale"), (-2, "sale"), (1, "return"), (1, "sale"), (2, "void")]
    assert level(api, "S1", "APPLE") == 10 + 1 - 3 + 1
    with app.app_context():
        found = db.session.execute(text("SELECT kind, state, total FROM sales_order ORDER BY kind, total"))
        assert [tuple(row) for row in found] == [
            ("return", "completed", 300), ("return", "completed", 300), ("sale", "cancelled", 600),
            ("sale", "completed", 900),
        ]  # fmt: skip
