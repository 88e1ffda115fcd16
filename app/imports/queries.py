"""Reading how an import went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from sqlalchemy import select

from app.core import actor, settings, vault
from app.core.db import db
from app.core.ids import is_id

from .errors import UnknownImport
from .faults import sentence
from .kinds import kind_named
from .models import ImportBadRow, ImportRun

_PAGE = 500


def find(run_id: str) -> ImportRun:
    """One import, or UnknownImport. A caller with bounds sees its own alone."""
    run = db.session.get(ImportRun, run_id) if is_id(run_id) else None
    who = actor.current()
    if run is None:
        raise UnknownImport
    bounded = who.locations is not None or who.channels is not None
    scope = kind_named(run.kind).scope
    if (bounded and run.actor["id"] != who.id) or (scope is not None and not who.has(scope)):
        raise UnknownImport
    return run


def report(run: ImportRun) -> dict[str, Any]:
    """How it went so far, its first faults in the caller's language."""
    plain = {name: getattr(run, name) for name in _PLAIN}
    return plain | {"errors": _errors(run)}


def bad_rows(run: ImportRun) -> Iterator[tuple[str, ...]]:
    """The refused rows as they came, each with its reason before it; a page of them in memory at a time."""
    last = 0
    while True:
        rows = _bad(run.id, last, _PAGE)
        for row in rows:
            reason = " / ".join(_worded(fault) for fault in row.faults)
            yield (reason, *orjson.loads(vault.unseal("import", row.raw)))
        if len(rows) < _PAGE:
            return
        last = rows[-1].row


def _errors(run: ImportRun) -> list[dict[str, Any]]:
    errors: list[dict[str, Any]] = []
    if run.fault is not None:
        errors.append(_shown(None, run.fault | {"facts": {}}))
    for row in _bad(run.id, 0, settings.MAX_IMPORT_ERRORS_SHOWN):
        errors += [_shown(row.row, fault) for fault in row.faults]
    return errors[: settings.MAX_IMPORT_ERRORS_SHOWN]


def _bad(run_id: str, after: int, limit: int) -> list[ImportBadRow]:
    query = select(ImportBadRow).where(ImportBadRow.run_id == run_id, ImportBadRow.row > after)
    return list(db.session.scalars(query.order_by(ImportBadRow.row).limit(limit)))


def _shown(row: int | None, fault: dict[str, Any]) -> dict[str, Any]:
    return {"row": row, "column": fault["column"], "code": fault["code"], "message": sentence(fault)}


def _worded(fault: dict[str, Any]) -> str:
    said = sentence(fault)
    return f"{fault['column']}: {said}" if fault["column"] else said


_PLAIN = (
    "id", "kind", "state", "dry_run", "rows_total", "rows_done", "rows_failed", "rows_changed", "columns_ignored",
    "created_at", "finished_at",
)  # fmt: skip
