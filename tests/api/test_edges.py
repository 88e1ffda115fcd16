"""Odd requests at the edge of every call: none is a 500, none does something."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.core.db import db
from tests.factories import make_store

LONG = "x" * 300


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"/orders/{LONG}/cancel", {}),
        ("POST", f"/pickups/{LONG}/accept", None),
        ("POST", f"/reservations/{LONG}/release", None),
        ("POST", f"/transfers/{LONG}/ship", None),
        ("GET", f"/locations/{LONG}", None),
    ],
)
def test_a_name_far_too_long_is_nothing(api: Any, method: str, path: str, body: Any) -> None:
    assert api.call(method, path, body).status_code == 404


@pytest.mark.parametrize(
    ("raw", "status"), [(b"{broken", 400), (b'{"surprise": 1}', 422), (b"[]", 422), (b"{}", 404), (b"", 404)]
)
def test_a_call_without_fields_takes_none(api: Any, raw: bytes, status: int) -> None:
    path = "/pickups/01a20406-68c6-75f3-9972-93dc53ca210a/unlock"
    answer = api.call("POST", path, key="", data=raw, content_type="application/json")
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1989-12-31T00:00:00+09:00"])
def test_the_ends_of_the_calendar_are_out_of_range(api: Any, moment: str) -> None:
    body = {
        "channel": "ec", "external_ref": "E", "placed_at": moment,
        "fulfilment": {"method": "pickup", "location": "S1", "pickup_at": moment},
        "lines": [{"line_ref": "1", "sku": "A", "quantity": 1, "unit_price": 1}],
        "payments": [{"method": "card", "amount": 1, "state": "authorized"}],
    }  # fmt: skip
    answer = api.post("/orders", body)
    assert answer.status_code == 422
    assert {(e["pointer"], e["code"]) for e in answer.json["errors"]} >= {("/placed_at", "out-of-range")}


@pytest.mark.parametrize(
    ("given", "kept"), [("a", True), ("abc-1", True), ("x" * 64, True), ("x" * 65, False), ("a b", False)]
)
def test_a_request_keeps_the_id_it_came_with(app: Flask, given: str, kept: bool) -> None:
    answer = app.test_client().get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["X-Request-Id"] == given) is kept
    assert answer.headers["X-Request-Id"]


def test_an_empty_id_is_not_the_list(api: Any) -> None:
    assert api.get("/orders/").status_code == 404


def test_the_audit_names_what_was_asked_for(app: Flask, api: Any) -> None:
    make_store(api, "S1", {"A": 1})
    with app.app_context():
        rows = db.session.execute(text("SELECT action, outcome, actor FROM audit_entry ORDER BY id")).all()
    assert [row.outcome for row in rows[-3:]] == ["done", "done", "done"]
    assert rows[-1].action.endswith("adjustment")
    assert rows[-1].actor.startswith("client:")
