"""The API's own description is complete, valid, and shows examples that work."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from openapi_spec_validator import validate

from app import docs, staff
from app.core import errors, texts
from app.core.http import OPERATIONS, PUBLIC_ENDPOINTS, Operation


def _has_fields(operation: Operation) -> bool:
    return operation.body is not None and bool(operation.body().fields)


def test_the_document_is_valid_openapi_3_1(app: Flask) -> None:
    document = app.test_client().get("/api/openapi.json").json
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_route_of_the_api_is_described_and_names_its_scope(app: Flask) -> None:
    served = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1") and rule.endpoint not in PUBLIC_ENDPOINTS
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert served == {(o.method, o.path) for o in OPERATIONS}
    described = docs.document()["paths"]
    assert sum(len(calls) for calls in described.values()) == len(served)
    for calls in described.values():
        for call in calls.values():
            assert call["x-scope"] == "any" or call["x-scope"] in staff.SCOPES


def test_every_call_with_a_body_has_an_example_that_its_schema_takes(app: Flask) -> None:
    assert [o.endpoint for o in OPERATIONS if _has_fields(o) and o.example is None] == []
    with app.test_request_context():
        for operation in OPERATIONS:
            if operation.body is not None and operation.example is not None:
                operation.body().load(operation.example)


def test_every_error_code_has_japanese_and_english_words(app: Flask) -> None:
    words = texts.entries("errors")
    private = {"some-line-missed"}
    missing = [c for c in errors.all_codes() if c not in private and not {"ja", "en"} <= set(words.get(c, {}))]
    assert missing == []
    assert [c for c, entry in texts.entries("words").items() if not {"ja", "en"} <= set(entry)] == []
    assert [c for c, entry in texts.entries("fields").items() if not {"ja", "en"} <= set(entry)] == []
    assert app


def test_the_root_leads_to_the_description(app: Flask) -> None:
    answer = app.test_client().get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/api/docs")


def test_the_page_begins_with_stock_and_shows_code_as_code(app: Flask) -> None:
    text = app.test_client().get("/api/docs").text
    order = ("stock", "reservations", "orders", "pickups", "waves", "pos", "shipping", "webhooks", "stores", "imports")
    at = [text.index(f'<h2 id="{tag}">') for tag in order]
    assert at == sorted(at)
    assert "`" not in text
    assert "export BASE=http" in text


@pytest.mark.parametrize("path", ["/api/docs", "/problems/insufficient-stock"])
def test_people_can_read_it_without_script_and_without_other_hosts(app: Flask, path: str) -> None:
    page = app.test_client().get(path)
    assert page.status_code == 200
    assert "<script" not in page.text
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(https?:)?//""", page.text)
    assert app.test_client().get("/problems/no-such-problem").status_code == 404
