"""Several server processes, each with an application of its own, whose threads all start at one word.

A task is a function of this folder: `task(app, *arguments)`. A rig is one too: it takes a guard away in the process and
returns what puts it back. Nothing here sleeps: every process says that its threads stand ready, then hears "go".
"""

from __future__ import annotations

import multiprocessing
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from flask import Flask

from app.core import db as core_db
from wsgi import create_app

Task = Callable[..., Any]
Rig = Callable[[int], Callable[[], None]]
PROCESSES = 4


@dataclass(frozen=True)
class Outcome:
    """What one call returned, or the error that got out of it."""

    value: Any = None
    error: str = ""


@dataclass(frozen=True)
class Round:
    """What came of a round: an outcome per job, in their order, and how often the database broke a deadlock."""

    outcomes: list[Outcome]
    deadlocks: int

    @property
    def values(self) -> list[Any]:
        broken = [o.error for o in self.outcomes if o.error]
        assert not broken, broken[0]
        return [o.value for o in self.outcomes]


class Crowd:
    """Processes that wait for work."""

    def __init__(self, processes: int = PROCESSES) -> None:
        context = multiprocessing.get_context("spawn")
        self._lines: list[Connection] = []
        self._processes = []
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)

    def run(
        self, url: str, jobs: Sequence[tuple[Any, ...]], rig: Rig | None = None, processes: int | None = None
    ) -> Round:
        """Deal `jobs` (task, arguments…) to the processes in turn, let all begin together, and wait for them."""
        lines = self._lines[:processes]
        shares = [jobs[i :: len(lines)] for i in range(len(lines))]
        for line, share in zip(lines, shares, strict=True):
            line.send((url, share, rig))
        for line in lines:
            assert line.recv() == "ready"
        for line in lines:
            line.send("go")
        answers = [line.recv() for line in lines]
        outcomes: list[Outcome] = [Outcome()] * len(jobs)
        for i, (share, _) in enumerate(answers):
            outcomes[i :: len(lines)] = share
        return Round(outcomes, sum(deadlocks for _, deadlocks in answers))

    def close(self) -> None:
        for line in self._lines:
            line.send(None)
            line.close()
        for process in self._processes:
            process.join(timeout=10)


def _work(line: Connection) -> None:
    app: Flask | None = None
    known = ""
    while (order := line.recv()) is not None:
        url, jobs, rig = order
        if app is None or url != known:
            _leave(app)
            # A connection for each thread of a round: these races are for rows, not for the pool.
            app, known = (
                create_app(DATABASE_URL=url, APP_ENV="test", DB_POOL="20", PROPAGATE_BUGS=True, TESTING=True),
                url,
            )
        line.send(_round(app, jobs, rig, line))
    _leave(app)


def _round(app: Flask, jobs: Sequence[tuple[Any, ...]], rig: Rig | None, line: Connection) -> tuple[list[Outcome], int]:
    restore = rig(len(jobs)) if rig is not None else None
    deadlocks, watched = _watch_deadlocks()
    standing, go = threading.Barrier(len(jobs) + 1), threading.Event()
    with ThreadPoolExecutor(max(1, len(jobs))) as pool:
        waiting: list[Future[Outcome]] = [pool.submit(_one, app, job, standing, go) for job in jobs]
        standing.wait()
        line.send("ready")
        line.recv()
        go.set()
        outcomes = [future.result() for future in waiting]
    watched()
    if restore is not None:
        restore()
    return outcomes, len(deadlocks)


def _one(app: Flask, job: tuple[Any, ...], standing: threading.Barrier, go: threading.Event) -> Outcome:
    task, *arguments = job
    standing.wait()
    go.wait()
    try:
        return Outcome(value=task(app, *arguments))
    except Exception:  # noqa: BLE001  whatever it is, the test wants to see it
        return Outcome(error=traceback.format_exc())


def _watch_deadlocks() -> tuple[list[str], Callable[[], None]]:
    """Note each deadlock that the retry hides from callers."""
    seen: list[str] = []
    plain = core_db.is_passing

    def watching(error: BaseException) -> bool:
        if core_db._state_of(error) == "40P01":
            seen.append(str(error))
        return plain(error)

    core_db.is_passing = watching
    return seen, lambda: setattr(core_db, "is_passing", plain)


def _leave(app: Flask | None) -> None:
    if app is not None:
        with app.app_context():
            core_db.db.session.remove()
            core_db.db.engine.dispose()
