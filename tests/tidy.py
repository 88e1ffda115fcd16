"""The house rules that no linter knows, as a checker over one file's text. test_tidy.py runs it over the product.

A rule is a function ``(Source) -> Iterator[(line, message)]``; RULES lists them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

Breaches = Iterator[tuple[int, str]]

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

TRANSACTION_HOME = "app/core/db.py"
TRANSACTION_CALLS = {"commit", "rollback", "begin_nested"}
CLOCK_HOME = "app/core/clock.py"
CLOCK_CALLS = {"now", "utcnow", "today"}

# Files that speak HTTP or read bodies; every other file of a feature is a use case and knows none of it.
EDGE_FILES = {"__init__", "api", "pages", "schemas", "fields", "http", "cli", "openapi"}
EDGE_LIBRARIES = {"flask", "marshmallow", "rq", "werkzeug"}

PRIVATE_FILES = {"api", "jobs", "models", "pages", "schemas"}
ROOMS = {"bopis", "pos_bridge"}
REPORTS = "app.reports"  # reads foreign tables, and nothing else of what is private


@dataclass(frozen=True)
class Source:
    path: str  # as in "app/stock/claims.py"
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def parts(self) -> list[str]:
        return self.path.removesuffix(".py").split("/")

    @cached_property
    def feature(self) -> str | None:
        """The package that this file belongs to: "app.stock", "bopis"; None for app/factory.py and wsgi.py."""
        return _feature(self.parts[:-1])

    @cached_property
    def is_edge(self) -> bool:
        """api.py, api_orders.py, order_schemas.py and api/orders.py are edges alike."""
        inside = self.parts[len((self.feature or "").split(".")) :]
        return any(word in EDGE_FILES for part in inside for word in (part, *part.split("_")))


def _feature(parts: list[str]) -> str | None:
    if parts and parts[0] in ROOMS:
        return parts[0]
    return ".".join(parts[:2]) if len(parts) >= 2 and parts[0] == "app" else None


def file_length(source: Source) -> Breaches:
    lines = len(source.text.splitlines())
    if lines > MAX_FILE_LINES:
        yield MAX_FILE_LINES + 1, f"{lines} lines; a file has at most {MAX_FILE_LINES}"


def docstring(source: Source) -> Breaches:
    if not ast.get_docstring(source.tree):
        yield 1, "no docstring: say what this module is"


def function_length(source: Source) -> Breaches:
    for function in _functions(source.tree):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > MAX_FUNCTION_LINES:
            yield function.lineno, f"{function.name} has {lines} lines; a function has at most {MAX_FUNCTION_LINES}"


def imports_at_the_top(source: Source) -> Breaches:
    allowed = {
        id(node) for function in _functions(source.tree) if function.name == "register" for node in ast.walk(function)
    }
    seen: set[int] = set()
    for function in _functions(source.tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in allowed | seen:
                seen.add(id(node))
                yield node.lineno, "an import inside a function hides a circle; only register() may"


def transactions(source: Source) -> Breaches:
    for call, name in _method_calls(source.tree):
        if name in TRANSACTION_CALLS and source.path != TRANSACTION_HOME:
            yield call.lineno, f".{name}() belongs into {TRANSACTION_HOME}: one use case is one transaction"


def clock(source: Source) -> Breaches:
    for call, name in _method_calls(source.tree):
        owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        if name in CLOCK_CALLS and owner.split(".")[-1] in {"datetime", "date", "dt"} and source.path != CLOCK_HOME:
            yield call.lineno, f"{owner}.{name}(): ask app.core.clock for the time"


def import_style(source: Source) -> Breaches:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "app":
                    yield node.lineno, f"write 'from app.x import y' for {alias.name}: 'app' is the application's name"


def use_cases_know_no_http(source: Source) -> Breaches:
    if source.feature in {None, "app.core"} or source.is_edge:
        return
    for line, module, _ in _imports(source.tree):
        library = module.split(".")[0]
        if library in EDGE_LIBRARIES or library.startswith("flask_"):
            yield line, f"a use case knows no {library}; that belongs into api.py, pages.py or schemas.py"


def front_doors(source: Source) -> Breaches:
    """Another package's tables, schemas and views are private, except that reports read tables."""
    for line, module, names in _imports(source.tree):
        parts = module.split(".")
        owner = _feature(parts)
        if owner in {None, "app.core", source.feature} or source.feature is None:
            continue
        reached = {*parts[len((owner or "").split(".")) :][:1], *(names if module == owner else ())}
        for file in sorted(reached & PRIVATE_FILES):
            if not (source.feature == REPORTS and file == "models"):
                yield line, f"{owner}.{file} is private: enter by the front door, 'from app import …'"


RULES = (
    file_length,
    docstring,
    function_length,
    imports_at_the_top,
    transactions,
    clock,
    import_style,
    use_cases_know_no_http,
    front_doors,
)


def breaches(path: str, text: str) -> list[str]:
    """Return what is wrong with one file, as ``path:line: message``."""
    source = Source(path, text)
    return [f"{path}:{line}: {message}" for rule in RULES for line, message in rule(source)]


# What belongs to one machine or to a package index, never into the repository.
FOREIGN = re.compile(
    r"(?<![\w.~-])/(?:work|tmp|root|home/\w+|Users/\w+)/"
    r"|\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|deb\.debian\.org)"
    r"|\bfile:///"
)


def foreign(text: str) -> list[str]:
    """Return the machine paths and package hosts in a text."""
    return [match.group() for match in FOREIGN.finditer(text)]


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _method_calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr


def _imports(tree: ast.AST) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield (line, module, names) of every absolute import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ()
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or "", tuple(alias.name for alias in node.names)
