"""An import from its file to its last row.

The file is stored with the request; a job takes five hundred rows per transaction, each in a savepoint, and writes its
progress in the same transaction. Whoever finds the progress elsewhere than expected stops: a row goes in once, whatever
dies, and however often the job is run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
import structlog

from app.core import actor, clock, settings, states, vault
from app.core.actor import Actor
from app.core.audit import COMPANY
from app.core.db import db, is_passing, later, use_case
from app.core.errors import AppError, Forbidden
from app.core.ids import new_id
from app.core.outbox import emit
from app.core.sql import Sql, json_param
from app.core.uploads import Upload

from . import chunks
from .errors import FileUnreadable
from .faults import faults_of
from .kinds import Fault, Kind, Record, Source, kind_named
from .models import ImportRun
from .states import TABLE, RunState

TOPIC = "import.requested"
PAUSED_KEPT = 8
log = structlog.get_logger("app.imports")
_paused: dict[tuple[str, int], Iterator[list[Record]]] = {}
_BAD_ROW = Sql(
    "INSERT INTO import_bad_row (id, location_id, run_id, row, faults, raw) VALUES "
    "(:id, :location_id, :run_id, :row, :faults, :raw)"
)


@use_case
def start(
    *, kind: str, upload: Upload, dry_run: bool = False, facts: Mapping[str, Any] | None = None, public: bool = False
) -> ImportRun:
    """Store the file and ask for its import. Raises UnknownImportKind, Forbidden, FileUnreadable.

    `facts` are handed to the kind's reader.
    """
    known = kind_named(kind, public=public)
    who = actor.current()
    if known.scope is not None and not who.has(known.scope):
        raise Forbidden(scope=known.scope)
    upload.file.seek(0)
    told = {**(facts or {}), "sha256": upload.sha256}
    source = known.open(upload.file, told)
    now = clock.now()
    run = ImportRun(
        id=new_id(), location_id=COMPANY, kind=kind, state=RunState.QUEUED, dry_run=dry_run, facts=told,
        actor=_frozen(who), size=upload.size, sha256=upload.sha256, header=list(source.header),
        columns_ignored=list(source.ignored), position=0, rows_total=None, rows_done=0, rows_failed=0, rows_changed=0,
        fault=None, version=1, created_at=now, updated_at=now, finished_at=None,
    )  # fmt: skip
    db.session.add(run)
    db.session.flush()
    upload.file.seek(0)
    chunks.store(run.id, upload.file)
    emit(TOPIC, aggregate=("import_run", run.id), sequence=1, id=run.id, kind=kind)
    return run


def go_on(run_id: str, *, seconds: float = settings.IMPORT_SLICE_SECONDS) -> None:
    """Work on an import for a while; ask for more if there is more. Safe to call twice, or in two places at once."""
    run = _begin(run_id)
    if run is None:
        return
    actor.act_as(_thawed(run.actor))
    kind = kind_named(run.kind)
    until = time.monotonic() + seconds
    position = run.position
    try:
        if run.rows_total is None:
            _count(run_id, _length(_open(kind, run)))
        batches = _paused.pop((run_id, position), None) or _batches(_rows(_open(kind, run), position))
        for batch in batches:
            if not _take(run_id, kind, position, batch):
                return
            position = batch[-1].number
            if time.monotonic() > until:
                _pause(run_id, position, batches)
                _ask_for_more(run_id, position)
                return
    except FileUnreadable as error:
        _fail(run_id, error.reason, error.column)
        return
    _finish(run_id, position)


def give_up(run_id: str) -> None:
    """Say that an import failed for a reason of ours, after the last try."""
    _fail(run_id, "internal", None)


# --- steps, each one transaction -------------------------------------------------------------------------------


@use_case
def _begin(run_id: str) -> ImportRun | None:
    run = _locked(run_id)
    if run.state == RunState.QUEUED:
        states.move(run, "begin", TABLE, event="import.started")
    return run if run.state == RunState.RUNNING else None


@use_case
def _count(run_id: str, rows: int) -> None:
    _locked(run_id).rows_total = rows


@use_case
def _take(run_id: str, kind: Kind, expected: int, batch: Sequence[Record]) -> bool:
    """Put one batch in, unless somebody else already did."""
    run = _locked(run_id)
    if run.state != RunState.RUNNING or run.position != expected:
        return False
    outcome = _rehearse(kind, batch) if run.dry_run else _put_in(kind, batch)
    run.position = batch[-1].number
    run.rows_done += outcome.done
    run.rows_changed += outcome.changed
    run.rows_failed += len(outcome.bad)
    run.updated_at = clock.now()
    for record, faults in outcome.bad:
        later(
            _BAD_ROW,
            {
                "id": new_id(), "location_id": COMPANY, "run_id": run_id, "row": record.number,
                "faults": json_param([asdict(fault) for fault in faults]),
                "raw": vault.seal("import", orjson.dumps(record.raw)),
            },
        )  # fmt: skip
    return True


@use_case
def _ask_for_more(run_id: str, expected: int) -> None:
    run = _locked(run_id)
    if run.state == RunState.RUNNING and run.position == expected:
        states.touch(run, TOPIC, kind=run.kind)


@use_case
def _finish(run_id: str, expected: int) -> None:
    run = _locked(run_id)
    if run.state == RunState.RUNNING and run.position == expected:
        _end(run, "finish")


@use_case
def _fail(run_id: str, code: str, column: str | None) -> None:
    run = _locked(run_id)
    if run.state in {RunState.QUEUED, RunState.RUNNING}:
        run.fault = {"code": code, "column": column}
        _end(run, "fail")


def _end(run: ImportRun, action: str) -> None:
    run.finished_at = clock.now()
    chunks.drop(run.id)
    states.move(run, action, TABLE, event=f"import.{'finished' if action == 'finish' else 'failed'}", kind=run.kind)


def _locked(run_id: str) -> ImportRun:
    return db.session.get_one(ImportRun, run_id, with_for_update=True, populate_existing=True)


def _open(kind: Kind, run: ImportRun) -> Source:
    return kind.open(chunks.reader(run.id, run.size), run.facts)


def _pause(run_id: str, position: int, batches: Iterator[list[Record]]) -> None:
    """Keep the place in the file: another process would have to read it from its beginning."""
    if len(_paused) >= PAUSED_KEPT:
        _paused.clear()
    _paused[run_id, position] = batches


# --- rows ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Outcome:
    done: int = 0
    changed: int = 0
    bad: list[tuple[Record, tuple[Fault, ...]]] = field(default_factory=list)


class _Undo(Exception):
    """Carries the outcome of a rehearsal out of the savepoint that it rolls back."""

    def __init__(self, outcome: _Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def _rehearse(kind: Kind, batch: Sequence[Record]) -> _Outcome:
    @use_case
    def and_undo() -> None:
        raise _Undo(_put_in(kind, batch))

    try:
        and_undo()
    except _Undo as undo:
        return undo.outcome
    raise AssertionError


def _put_in(kind: Kind, batch: Sequence[Record]) -> _Outcome:
    outcome = _Outcome()
    prepared = kind.prepare([record.data for record in batch if not record.faults])
    apply = use_case(kind.apply)
    for record in batch:
        faults = record.faults
        if not faults:
            try:
                outcome.changed += apply(record.data, prepared)
            except AppError as refusal:
                if refusal.status >= 500:
                    raise
                faults = faults_of(refusal, record.data, kind.blame)
            except Exception as error:
                if is_passing(error):
                    raise
                log.exception("import_row_failed", kind=kind.name, row=record.number)
                faults = (Fault(None, "internal"),)
        if faults:
            outcome.bad.append((record, faults))
        else:
            outcome.done += 1
    return outcome


def _rows(source: Source, position: int) -> Iterator[Record]:
    return (record for record in source if record.number > position)


def _batches(rows: Iterator[Record]) -> Iterator[list[Record]]:
    """The rows some hundreds at a time; what was read before a file broke off is good."""
    batch: list[Record] = []
    try:
        for record in rows:
            batch.append(record)
            if len(batch) == settings.IMPORT_BATCH:
                yield batch
                batch = []
    except FileUnreadable:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _length(source: Source) -> int:
    """How many rows there are, up to where the file breaks off."""
    rows = 0
    with suppress(FileUnreadable):
        for _ in source:
            rows += 1
    return rows


def _frozen(who: Actor) -> dict[str, Any]:
    return {
        "kind": who.kind, "id": who.id, "name": who.name, "scopes": sorted(who.scopes),
        "channels": None if who.channels is None else sorted(who.channels),
        "locations": None if who.locations is None else sorted(who.locations),
    }  # fmt: skip


def _thawed(kept: Mapping[str, Any]) -> Actor:
    sets = {name: None if kept[name] is None else frozenset(kept[name]) for name in ("channels", "locations")}
    return Actor(kind=kept["kind"], id=kept["id"], name=kept["name"], scopes=frozenset(kept["scopes"]), **sets)
