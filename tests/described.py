"""Every answer of every test is held against our own OpenAPI document."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import jsonschema
from werkzeug.test import TestResponse

from app import docs


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return docs.document()


@lru_cache(maxsize=1)
def _paths() -> list[tuple[re.Pattern[str], str]]:
    paths = sorted(_document()["paths"], key=lambda p: p.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path) for path in paths]


@lru_cache(maxsize=1000)
def _validator(path: str, method: str, status: str) -> jsonschema.Draft202012Validator | None:
    answers = _document()["paths"][path][method]["responses"]
    assert status in answers, f"{method} {path} answered {status}, which its description does not name"
    content = answers[status].get("content", {})
    schema = next(iter(content.values()), {}).get("schema")
    if schema is None:
        return None
    return jsonschema.Draft202012Validator({**schema, "components": _document()["components"]})


def check(method: str, url: str, answer: TestResponse) -> None:
    """Fail when an answer of a described call is of an undescribed status or form."""
    path = url.split("?", 1)[0]
    known = next((p for pattern, p in _paths() if pattern.fullmatch(path)), None)
    if known is None or method.lower() not in _document()["paths"][known]:
        assert answer.status_code in {404, 405}, f"{method} {path} is served and not described"
        return
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    validator = _validator(known, method.lower(), str(answer.status_code))
    if validator is not None and answer.is_json:
        faults = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(answer.json)]
        assert not faults, f"{method} {path} {answer.status_code}: {faults[:5]}"
