"""docs/promises.md names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache

from app.core import settings

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_promise_names_tests_that_exist() -> None:
    named = _NAMED.findall((settings.ROOT / "docs" / "promises.md").read_text(encoding="utf-8"))
    assert len(named) > 30
    assert [f"{file}::{test}" for file, test in named if test not in _tests_of(file)] == []


@cache
def _tests_of(file: str) -> frozenset[str]:
    path = settings.ROOT / file
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
