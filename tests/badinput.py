"""Bodies that no endpoint may take: shared by every area's tests.

`broken()` spoils a good body in every way that a stranger's client might; whatever comes of it is a problem with a
status of 400, 413, 415 or 422, and nothing is changed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

# What is not JSON, or no JSON object, and the status it is answered with.
RAW_BODIES = [
    pytest.param(b"", "application/json", {400, 422}, id="empty"),
    pytest.param(b"{", "application/json", {400}, id="cut off"),
    pytest.param(b"{'a': 1}", "application/json", {400}, id="single quotes"),
    pytest.param(b'{"a": NaN}', "application/json", {400}, id="not a number"),
    pytest.param(b"\xff\xfe{\x00}\x00", "application/json", {400}, id="utf-16"),
    pytest.param('{"name": "店"}'.encode("cp932"), "application/json", {400}, id="cp932 bytes"),
    pytest.param(b'{"name": "\\ud800"}', "application/json", {400, 422}, id="half a character"),
    pytest.param(b"[" * 100_000, "application/json", {400}, id="deep"),
    pytest.param(b"[]", "application/json", {422}, id="list"),
    pytest.param(b"null", "application/json", {422}, id="null"),
    pytest.param(b'"text"', "application/json", {422}, id="text"),
    pytest.param(b"12", "application/json", {422}, id="number"),
    pytest.param(b"{}", "text/plain", {415}, id="plain text"),
    pytest.param(b"a=1", "application/x-www-form-urlencoded", {415}, id="form"),
    pytest.param(b"{}", "application/json; charset=shift_jis", {415}, id="another charset"),
    pytest.param(b'{"a": "' + b"x" * (2 * 1024 * 1024) + b'"}', "application/json", {413}, id="too large"),
]

# Values that fit no field of the named kind.
NOT_INTEGERS = [1.5, 1.0, "1", "", True, None, [], {}, -(10**18), 10**18, 1e308, "１"]
NOT_TEXTS = [1, 1.5, True, None, [], {}, "", " ", "a\x00b", "a\x1fb", "x" * 5_000]
NOT_INSTANTS = [
    "2026-11-22T15:10:00", "2026-11-22", "15:10", 1_795_000_000, "", None, True, "2026-02-30T00:00:00Z", [], {},
    "2026-11-22T25:00:00Z",
]  # fmt: skip
NOT_OBJECTS = [1, "text", True, []]

# Texts that are unusual and still right: they are kept as they are.
ODD_TEXTS = [
    "👕 Tシャツ",
    "ﾃｨｰｼｬﾂ",
    "𠮷野家",
    "Ⅳ①㈱髙﨑",
    "é ñ ß",
    "=1+1",
    "<b>&amp;</b>",
    "'; DROP TABLE sku; --",
    "%_\\",
]


def post_raw(api: Any, method: str, path: str, body: bytes, content_type: str) -> Any:
    """Send bytes as they are."""
    return api.call(method, path, data=body, content_type=content_type)


def spoilt(body: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """A copy of `body` with `value` at the JSON pointer."""
    made = copy.deepcopy(body)
    at: Any = made
    *way, last = pointer.split("/")[1:]
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[int(last) if isinstance(at, list) else last] = value
    return made


def without(body: dict[str, Any], name: str) -> dict[str, Any]:
    """A copy of `body` that lacks a field."""
    return {key: value for key, value in body.items() if key != name}


def broken(body: dict[str, Any], pointers: dict[str, list[Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each pointer with each of its bad values in an otherwise good body, and a field that nobody knows."""
    for pointer, values in pointers.items():
        for value in values:
            yield pointer, spoilt(body, pointer, value)
    yield "/nobody_knows", {**body, "nobody_knows": 1}


def assert_refused(answer: Any, pointer: str) -> None:
    """422, and one of its faults is at the pointer or inside it."""
    assert answer.status_code == 422, f"{pointer}: {answer.status_code} {answer.text}"
    assert answer.content_type == "application/problem+json"
    pointers = [fault["pointer"] for fault in answer.json["errors"]]
    assert any(p == pointer or p.startswith(pointer + "/") for p in pointers), f"{pointer}: {json.dumps(answer.json)}"
