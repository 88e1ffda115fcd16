"""From an error's pointers to a sheet's columns, and from codes to words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core import problems
from app.core.errors import AppError

from .kinds import Fault


def faults_of(error: AppError, data: Any, blame: Mapping[str, str]) -> tuple[Fault, ...]:
    """Why the row was refused, by column."""
    listed = error.facts.get("errors")
    if not isinstance(listed, list) or not listed:
        return (Fault(blame.get(error.code), error.code, _plain(error.facts)),)
    columns = set(data) if isinstance(data, dict) else set()
    return tuple(
        Fault(
            _column(str(fault["pointer"]), columns),
            fault["code"],
            _plain({name: value for name, value in fault.items() if name not in {"pointer", "code"}}),
        )
        for fault in listed
    )


def sentence(fault: Mapping[str, Any]) -> str:
    """A stored fault in the language of this request."""
    return problems.message(fault["code"], **fault["facts"])


def _column(pointer: str, columns: set[str]) -> str | None:
    """The column that a pointer into the row's body means: `/options/color` is `option.color`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        first, _, rest = name.partition(".")
        singular = first.removesuffix("s") + ("." + rest if rest else "")
        for candidate in (name, singular):
            if candidate in columns:
                return candidate
    return parts[0] if parts else None


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if isinstance(value, str | int | list) or value is None}
