"""`flask reconcile`: what it finds, that it changes nothing unasked, and what it mends with --apply."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app import stock
from app.core import jobs
from app.core.db import db
from tests.api.stock_kit import rows
from tests.factories import make_store


@pytest.fixture
def shop(api, app: Flask) -> str:
    """Two places, and a transfer that holds two pieces of X at A; its id."""
    make_store(api, "A", {"X": 5, "Y": 3})
    make_store(api, "B", {"X": 1})
    return str(api.post("/transfers", {"from": "A", "to": "B", "lines": [{"sku": "X", "quantity": 2}]}).json["id"])


def plant(app: Flask, statement: str, **params: Any) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(statement), params)


def reconcile(app: Flask, *options: str) -> tuple[int, dict[str, Any]]:
    ran = app.test_cli_runner().invoke(args=["reconcile", "--json", *options])
    report = json.loads(ran.output)
    return ran.exit_code, {i["name"]: i["findings"] for i in report["invariants"] if not i["holds"]}


def tables(app: Flask) -> list[list[dict[str, Any]]]:
    with app.app_context():
        names = ("stock_level", "stock_movement", "claim", "claim_line", "outbox_event")
        return [rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in names]


def test_a_sound_shop(app: Flask, shop: str) -> None:
    assert reconcile(app) == (0, {})
    before = tables(app)
    assert reconcile(app, "--apply") == (0, {})
    assert tables(app) == before
    plain = app.test_cli_runner().invoke(args=["reconcile"])
    assert plain.exit_code == 0
    assert "holds   I1 ledger = level" in plain.output


def test_a_planted_leak_is_found_and_mended_only_with_apply(app: Flask, shop: str) -> None:
    plant(app, "UPDATE transfer SET state = 'cancelled'")
    (claim,) = tables(app)[2]
    expected = {"claims of transfers live": [{"claim": str(claim["id"]), "location": "A", "owner": shop}]}
    before = tables(app)
    assert reconcile(app) == (1, expected)
    assert tables(app) == before
    assert reconcile(app, "--apply") == (0, {})
    with app.app_context():
        assert stock.find(str(claim["id"])).state == "released"
        assert rows("SELECT reserved FROM stock_level WHERE location_id = 'A' AND sku = 'X'") == [{"reserved": 0}]
    assert tables(app)[1] == before[1]  # the ledger stays as it was
    assert reconcile(app) == (0, {})


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        ("UPDATE stock_level SET on_hand = 9 WHERE location_id = 'A' AND sku = 'X'",
         {"I1 ledger = level", "I12 units are conserved"}),
        ("UPDATE stock_level SET reserved = 1 WHERE location_id = 'A' AND sku = 'Y'", {"I3 open claims = reserved"}),
        ("UPDATE claim SET state = 'released'", {"I7 a claim ends once"}),
    ],
)  # fmt: skip
def test_figures_follow_the_ledger_and_the_claims_again(app: Flask, shop: str, damage: str, broken: set[str]) -> None:
    ledger = tables(app)[1]
    plant(app, damage)
    code, found = reconcile(app)
    assert (code, set(found)) == (1, broken)
    assert reconcile(app, "--apply") == (0, {})
    assert tables(app)[1] == ledger


@pytest.mark.parametrize(
    ("damage", "broken"),
    [
        ("UPDATE stock_movement SET quantity = 4 WHERE location_id = 'B'", "I1 ledger = level"),
        ("UPDATE outbox_event SET sequence = 3 WHERE aggregate_type = 'claim'", "I10 events without gaps"),
        ("UPDATE stock_level SET on_hand = -1 WHERE location_id = 'B'", "I2 shortage = open incident"),
        ("UPDATE claim_line SET posted_quantity = 1", "I5 claims are whole"),
        ("UPDATE outbox_event SET state = 'due', lease_until = '2020-01-01T00:00:00.000000+00:00'",
         "I13 nothing hangs"),
    ],
)  # fmt: skip
def test_each_breach_has_a_name(app: Flask, shop: str, damage: str, broken: str) -> None:
    plant(app, damage)
    code, found = reconcile(app)
    assert code == 1
    assert broken in found


def test_a_package_may_add_its_own(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock.check, "_invariants", dict(stock.check._invariants))
    stock.check.add("shelves are straight", lambda: [{"shelf": 3}])
    assert reconcile(app) == (1, {"shelves are straight": [{"shelf": 3}]})


def test_open_incidents_are_a_metric(api, app: Flask, shop: str) -> None:
    lines = [{"sku": "X", "quantity": -9}]
    assert api.post("/stock/adjustments", {"location": "A", "reason": "loss", "lines": lines}).status_code == 201
    with app.app_context():
        jobs.run_timed()
    assert "hitotsu_open_incidents 1.0" in app.test_client().get("/metrics").text
