"""Two executors for one outbox: a thread in the web process, or a relay that hands event ids to RQ.

The truth, the due times and the retries are rows; Redis and the in-process bell only wake. A row is leased before it
is run, so a dead worker's work comes back after the lease. Failures wait longer each time and are parked at last.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from flask import Flask
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.core import actor, clock, metrics, outbox, settings
from app.core.actor import SYSTEM
from app.core.db import Base, abandon, ask_one, later, use_case
from app.core.ids import new_id
from app.core.outbox import Event
from app.core.sql import Sql, json_of

log = structlog.get_logger("app.jobs")


class TimedJob(Base):
    """When a repeated job is next due, and who has it."""

    __tablename__ = "timed_job"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    next_at: Mapped[dt.datetime]


@dataclass(frozen=True, slots=True)
class Timed:
    """A repeated job: its name, its distance in seconds, and what it does."""

    name: str
    seconds: int
    run: Callable[[], object]


_timed: dict[str, Timed] = {}
Step = Callable[[], int]
_beside: dict[str, Callable[[Flask, Callable[[], None]], Step]] = {}
_LEASE_DUE = Sql(
    "UPDATE outbox_event SET lease_until = :until, attempts = attempts + :counted WHERE id IN ("
    "SELECT id FROM outbox_event WHERE state = 'due' AND due_at <= :now "
    "AND (lease_until IS NULL OR lease_until < :now) ORDER BY due_at, id LIMIT :batch {for_update_skip_locked}) "
    "RETURNING id, topic, aggregate_type, aggregate_id, sequence, location_id, payload, attempts"
)
_FIND = Sql(
    "UPDATE outbox_event SET attempts = attempts + 1 WHERE id = :id AND state = 'due' "
    "RETURNING id, topic, aggregate_type, aggregate_id, sequence, location_id, payload, attempts"
)
_GIVE_BACK = Sql("UPDATE outbox_event SET lease_until = NULL WHERE id = :id AND state = 'due'")
_DONE = Sql("UPDATE outbox_event SET state = 'done', lease_until = NULL WHERE id = :id AND state = 'due'")
_AGAIN = Sql(
    "UPDATE outbox_event SET state = :state, due_at = :due_at, lease_until = NULL, last_error = :error WHERE id = :id"
)
_NOT_YET = Sql("SELECT name FROM timed_job WHERE next_at > :now")
_ADD_TIMED = Sql("INSERT INTO timed_job (name, next_at) VALUES (:name, :now) ON CONFLICT (name) DO NOTHING")
_TAKE_TIMED = Sql("UPDATE timed_job SET next_at = :next_at WHERE name = :name AND next_at <= :now")
_OLDEST = Sql("SELECT min(due_at), count(*) FROM outbox_event WHERE state = 'due' AND due_at <= :now")
_PARKED = Sql("SELECT count(*) FROM outbox_event WHERE state = 'parked'")


def every(seconds: int, name: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Run a function about every `seconds`, in one process at a time."""

    def keep(run: Callable[[], object]) -> Callable[[], object]:
        _timed[name] = Timed(name, seconds, run)
        return run

    return keep


def beside(name: str, make: Callable[[Flask, Callable[[], None]], Step]) -> None:
    """Give work that must wait for no other job a thread of its own, wherever jobs run.

    `make(app, ring)` returns what is done each half second, and at once after `ring` was called.
    """
    _beside[name] = make


@use_case
def lease(batch: int = settings.JOB_BATCH, *, counted: int = 1) -> list[Event]:
    """Take the oldest due events for `JOB_LEASE_SECONDS`; nobody else gets them meanwhile."""
    now = clock.now()
    until = now + dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)
    found = ask_one(
        _LEASE_DUE, {"now": clock.text(now), "until": clock.text(until), "batch": batch, "counted": counted}
    )
    # PostgreSQL returns them in any order; ids tell the order in which they were written.
    return sorted((_event(row) for row in found.rows), key=lambda event: event.id)


def _event(row: tuple[object, ...]) -> Event:
    id_, topic, kind, aggregate, sequence, location, payload, attempts = row
    return Event(
        id=str(id_), topic=str(topic), aggregate_type=str(kind), aggregate_id=str(aggregate),
        sequence=int(str(sequence)), location_id=str(location), payload=json_of(payload), attempts=int(str(attempts)),
    )  # fmt: skip


def execute(event: Event) -> bool:
    """Run an event's handlers; each is idempotent and makes its own transactions. Returns whether it is done."""
    actor.act_as(SYSTEM)
    actor.set_request_id(new_id())
    try:
        for handler in outbox.handlers_of(event.topic):
            handler(event)
    except Exception as error:  # noqa: BLE001  whatever it is, it must not stop the queue
        abandon()
        _failed(event, error)
        return False
    _finished(event.id)
    metrics.JOBS.labels(event.topic, "done").inc()
    return True


@use_case
def _finished(event_id: str) -> None:
    ask_one(_DONE, {"id": event_id})


@use_case
def _failed(event: Event, error: Exception) -> None:
    parked = event.attempts >= settings.JOB_MAX_ATTEMPTS
    wait = min(settings.JOB_BACKOFF_SECONDS * 2 ** (event.attempts - 1), settings.JOB_BACKOFF_MAX_SECONDS)
    ask_one(
        _AGAIN,
        {
            "id": event.id,
            "state": "parked" if parked else "due",
            "due_at": clock.text(clock.now() + dt.timedelta(seconds=wait)),
            "error": f"{type(error).__name__}: {error}"[:500],
        },
    )
    metrics.JOBS.labels(event.topic, "parked" if parked else "failed").inc()
    log.warning("job_failed", topic=event.topic, event_id=event.id, attempts=event.attempts, parked=parked,
                error=type(error).__name__)  # fmt: skip


@use_case
def give_back(events: Sequence[Event]) -> None:
    """End the lease of events that could not be handed on: they are due again at once."""
    for event in events:
        later(_GIVE_BACK, {"id": event.id})


def execute_by_id(event_id: str) -> bool:
    """What RQ calls: the id is all that Redis ever held. A done event is left alone."""
    found = _find(event_id)
    return execute(found) if found is not None else True


@use_case
def _find(event_id: str) -> Event | None:
    rows = ask_one(_FIND, {"id": event_id}).rows
    return _event(rows[0]) if rows else None


@use_case
def _take_timed(job: Timed) -> bool:
    now = clock.now()
    ask_one(_ADD_TIMED, {"name": job.name, "now": clock.text(now)})
    next_at = now + dt.timedelta(seconds=job.seconds)
    taken = ask_one(_TAKE_TIMED, {"name": job.name, "now": clock.text(now), "next_at": clock.text(next_at)})
    return taken.count == 1


def run_timed() -> int:
    """Run every repeated job that is due; one failing job does not stop the others."""
    ran = 0
    waiting = {str(row[0]) for row in ask_one(_NOT_YET, {"now": clock.text(clock.now())}).rows}
    for job in _timed.values():
        if job.name in waiting:
            continue
        actor.act_as(SYSTEM)
        try:
            if _take_timed(job):
                job.run()
                ran += 1
        except Exception as error:  # noqa: BLE001  it is due again at its next time
            abandon()
            metrics.JOBS.labels(job.name, "failed").inc()
            log.warning("timed_job_failed", name=job.name, error=type(error).__name__, detail=str(error)[:200])
    return ran


def drain(limit: int = 10_000, seconds: float = math.inf) -> int:
    """Run due events here and now until none is left, or enough is done; returns how many ran."""
    ran = 0
    until = time.monotonic() + seconds
    while ran < limit and time.monotonic() < until:
        events = lease()
        if not events:
            break
        for event in events:
            execute(event)
            ran += 1
    return ran


def _drain_a_while() -> int:
    """Long work asks for more of itself; timed jobs must have their turn in between."""
    return drain(seconds=settings.JOB_TURN_SECONDS)


def backlog() -> tuple[float, int]:
    """Age in seconds of the oldest due event, and the number of parked ones."""
    now = clock.now()
    oldest = clock.parse(ask_one(_OLDEST, {"now": clock.text(now)}).rows[0][0])
    parked = int(ask_one(_PARKED, {}).rows[0][0])
    return (max(0.0, (now - oldest).total_seconds()) if oldest else 0.0), parked


class Loop:
    """The in-process executor: one thread that sleeps until a bell, a due time, or half a second.

    A loop that was named does its own work alone; the one that was not runs what is due, and the timed jobs.
    """

    def __init__(
        self, app: Flask, step: Callable[[], int] = _drain_a_while, pause: float = 0.5, name: str | None = None
    ) -> None:
        self.app, self.step, self.pause, self.name = app, step, pause, name
        self.bell, self.stopped = threading.Event(), threading.Event()
        self.thread: threading.Thread | None = None
        if name is None:
            outbox.on_bell(self.bell.set)

    def start(self) -> None:
        """Begin; a daemon thread, for the database remembers what it did not finish."""
        self.thread = threading.Thread(target=self._run, name=self.name or "jobs", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Ask it to end and wait."""
        self.stopped.set()
        self.bell.set()
        if self.thread is not None:
            self.thread.join(timeout=10)

    def _run(self) -> None:
        while not self.stopped.is_set():
            self.bell.clear()
            try:
                with self.app.app_context():
                    if self.step():
                        self.bell.set()
                    if self.name is None:
                        run_timed()
            except Exception as error:  # noqa: BLE001  the database may be away; the loop outlives it
                log.warning("job_loop_failed", loop=self.name, error=type(error).__name__, detail=str(error)[:200])
                self.stopped.wait(1.0)
            self.bell.wait(self.pause)


def start(app: Flask, step: Step = _drain_a_while) -> list[Loop]:
    """Start the loop for due events and timed jobs, and those beside it."""
    loops = [Loop(app, step)]
    for name, make in _beside.items():
        loop = Loop(app, name=name)
        loop.step = make(app, loop.bell.set)
        loops.append(loop)
    for loop in loops:
        loop.start()
    return loops
