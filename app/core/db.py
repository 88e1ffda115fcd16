"""The one place that begins and ends transactions.

`use_case` marks a verb of the product: the outermost one is one transaction, an inner one joins it in a SAVEPOINT.
The outermost body runs in a SAVEPOINT too, so that a refusal undoes the body and still leaves its record behind
(the stored reply, the counted PIN try) in the same commit. Serialisation failures, deadlocks, lock time-outs and
lost connections start the whole transaction again, a bounded number of times; after that the caller hears 503 and
knows that nothing happened.
"""

from __future__ import annotations

import datetime as dt
import functools
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

import psycopg
from flask import Flask, has_app_context
from flask_sqlalchemy import SQLAlchemy
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, Engine, event, exc
from sqlalchemy.orm import DeclarativeBase, registry

from app.core import clock, settings
from app.core.errors import AppError, Unavailable
from app.core.sql import Answer, Call, Params, Sql, queue_of, send
from app.core.types import Json, UtcDateTime


class Base(DeclarativeBase):
    """All tables of the product."""

    registry = registry(type_annotation_map={dt.datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json})


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
_depth: ContextVar[int] = ContextVar("use_case_depth", default=0)
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

_RETRY_STATES = {"40001", "40P01", "55P03"}
_GONE_STATES = {"57P01", "57P02", "57P03", "08000", "08003", "08006", "08001", "25P03"}
_NOW = Sql("SELECT clock_timestamp()", sqlite="SELECT 1")
_BEGIN = Sql("BEGIN")
_COMMIT = Sql("COMMIT")
_RELEASE = "RELEASE SAVEPOINT "
_SAVEPOINT = "SAVEPOINT "


class Again(Exception):
    """A rival is halfway through what would change the answer: start the whole transaction again, do not guess."""


class OutcomeUnknown(Unavailable):
    """The connection broke while COMMIT was on its way: it happened or it did not; the same key will tell."""

    code = "outcome-unknown"


def use_case(fn: Callable[P, R]) -> Callable[P, R]:
    """Make `fn` one transaction, or a savepoint of the caller's."""

    @functools.wraps(fn)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _depth.get():
            with db.session.begin_nested():
                return fn(*args, **kwargs)
        return transact(lambda: fn(*args, **kwargs))

    return run


def transact(
    body: Callable[[], R],
    *,
    before: Callable[[], R | None] | None = None,
    settle: Callable[[R | AppError], R | None] | None = None,
) -> R:
    """Run `body` as one transaction and commit it.

    `before` may answer in its place (a stored reply); `settle` is told the result or the refusal and writes what
    belongs to it in the same commit. Raises the refusal, or Unavailable when the database does not let it finish.
    """
    if _depth.get():
        msg = "transact() is for the outermost caller"
        raise RuntimeError(msg)
    deadline = time.monotonic() + settings.REQUEST_SECONDS
    for attempt in range(1, settings.MAX_TRIES + 1):
        try:
            return _once(body, before, settle)
        except AppError:
            raise
        except Exception as error:
            _reset(error)
            if not is_passing(error):
                raise
            wait = random.uniform(0.5, 1.5) * 0.01 * 2**attempt  # noqa: S311  jitter, not a secret
            if attempt == settings.MAX_TRIES or time.monotonic() + wait > deadline:
                raise Unavailable(reason="database-busy") from error
            threading.Event().wait(wait)
    raise Unavailable(reason="database-busy")


def _once(
    body: Callable[[], R],
    before: Callable[[], R | None] | None,
    settle: Callable[[R | AppError], R | None] | None,
) -> R:
    session = db.session
    if session.new or session.dirty or session.deleted:
        msg = "changes were made outside a use case"
        raise RuntimeError(msg)
    token = _depth.set(1)
    try:
        _begin()
        early = before() if before is not None else None
        if early is not None:
            session.rollback()
            return early
        try:
            with session.begin_nested():
                result = body()
        except AppError as refusal:
            if refusal.record is not None:
                refusal.record()
            if settle is not None:
                settle(refusal)
            _commit()
            raise
        replaced = settle(result) if settle is not None else None
        _commit()
        return result if replaced is None else replaced
    except BaseException:
        _discard()
        raise
    finally:
        _depth.reset(token)
        session.info.pop("now", None)


def _begin() -> None:
    """Turn a reader's connection into a writer's: SQLite ends its snapshot, PostgreSQL's readers have none."""
    session = db.session()
    session.info.pop("now", None)
    session.info.pop("after", None)
    if session.get_bind().dialect.name == "sqlite":
        session.rollback()
    elif session.in_transaction():
        queue_of(session.connection()).append((_BEGIN, {}))
    session.expire_all()


def _commit() -> None:
    """Send what still waits together with COMMIT, then run what was asked to follow it."""
    session = db.session
    session.flush()
    connection = session.connection()
    try:
        if connection.dialect.name == "postgresql":
            queue = queue_of(connection)
            queue[:] = [call for call in queue if not call[0].sqlite.startswith(_RELEASE)]  # COMMIT releases them all
            send(connection, [(_COMMIT, {})])
        else:
            send(connection, [])
        session.commit()
    except (psycopg.OperationalError, exc.OperationalError) as error:
        if _is_gone(error):
            _reset(error)
            raise OutcomeUnknown from error
        raise
    for then in session.info.pop("after", []):
        then()


def _discard() -> None:
    session = db.session()
    try:
        if session.in_transaction():
            queue_of(session.connection()).clear()
    except exc.SQLAlchemyError:
        session.invalidate()
    session.rollback()


def _reset(error: BaseException) -> None:
    """After a lost connection, let the pool forget every connection made before it was lost."""
    if _is_gone(error):
        db.session().invalidate()
        db.engine.dispose()


def _state_of(error: BaseException) -> str | None:
    orig = error.orig if isinstance(error, exc.DBAPIError) else error
    return getattr(orig, "sqlstate", None)


def _is_gone(error: BaseException) -> bool:
    if _state_of(error) in _GONE_STATES:
        return True
    orig = error.orig if isinstance(error, exc.DBAPIError) else error
    return isinstance(orig, psycopg.OperationalError | psycopg.InterfaceError) and orig.sqlstate is None


def is_passing(error: BaseException) -> bool:
    """Whether trying the whole transaction again may help."""
    if isinstance(error, Again):
        return True
    orig = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(orig, sqlite3.OperationalError):
        return "locked" in str(orig) or "busy" in str(orig)
    return _state_of(error) in _RETRY_STATES or _is_gone(error)


def is_unavailable(error: BaseException) -> bool:
    """Whether the database, not the code, is at fault: time-outs, a full disk, an exhausted pool."""
    state = _state_of(error) or ""
    return (
        is_passing(error)
        or isinstance(error, exc.TimeoutError)
        or state.startswith(("53", "57"))
        or (isinstance(error, exc.OperationalError) and isinstance(error.orig, sqlite3.OperationalError))
    )


def abandon() -> None:
    """Undo whatever a failed job left open in this context."""
    _discard()


def ask(*calls: Call) -> list[Answer]:
    """Send statements in one trip, after everything that waits, and return their answers."""
    session = db.session
    session.flush()
    return send(session.connection(), calls)


def ask_one(sql: Sql, params: Params) -> Answer:
    """One statement, one answer."""
    return ask((sql, params))[0]


def later(sql: Sql, params: Params) -> None:
    """Queue a write whose answer nobody needs; it travels with the next awaited statement or with COMMIT."""
    queue_of(db.session.connection()).append((sql, params))


def after_commit(then: Callable[[], None]) -> None:
    """Run `then` once this transaction is durable (to ring a bell, never to keep a promise)."""
    db.session.info.setdefault("after", []).append(then)


def remember_now(at: dt.datetime) -> None:
    """Keep the database's time for the rest of this transaction; it was read in passing."""
    db.session.info["now"] = at


def database_now() -> dt.datetime:
    """The database's clock, read once per transaction."""
    if not has_app_context():
        return clock.machine()
    session = db.session
    known: dt.datetime | None = session.info.get("now")
    if known is None:
        if session.get_bind().dialect.name == "postgresql":
            known = clock.parse(ask_one(_NOW, {}).rows[0][0]) or clock.machine()
        else:
            known = clock.machine()
        session.info["now"] = known
    return known


# --- engines ---------------------------------------------------------------------------------------------------


def init(app: Flask) -> None:
    """Bind the database of `app.config` and prepare its engine."""
    url = str(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.startswith("postgresql"):
        limits = (
            f"-c statement_timeout={app.config['STATEMENT_MS']} -c lock_timeout={app.config['LOCK_MS']} "
            "-c idle_in_transaction_session_timeout=30000 -c timezone=UTC -c application_name=hitotsu"
        )
        app.config.setdefault(
            "SQLALCHEMY_ENGINE_OPTIONS",
            {
                "pool_size": app.config["POOL_SIZE"],
                "max_overflow": 2,
                "pool_timeout": 5,
                "isolation_level": "AUTOCOMMIT",  # a reader needs no BEGIN; use cases say it themselves
                "connect_args": {"options": limits, "connect_timeout": 5},
            },
        )
    # An error may end up in a log: the values of a statement, which may be a person's, must not.
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", {})["hide_parameters"] = True
    db.init_app(app)
    app.teardown_appcontext(_let_go)  # registered later, so it runs before the session is removed
    with app.app_context():
        _queue_savepoints(db.engine)
    clock.use(database_now)


def _let_go(_error: BaseException | None) -> None:
    """End the session's reads. A broken connection is thrown away here, for the answer is made and must not fail."""
    if not db.session.registry.has():
        return
    try:
        db.session.close()  # and not rollback(), which would empty the objects a streamed answer still reads
    except (psycopg.Error, exc.SQLAlchemyError) as error:
        _reset(error)


def _queue_savepoints(engine: Engine) -> None:
    """Let savepoints travel with the next statement: a claim would otherwise pay four trips for nothing.

    A savepoint set where another one was just set is the same point and gets no statement of its own.
    """
    plain = functools.lru_cache(maxsize=256)(Sql)

    def savepoint(connection: Connection, name: str) -> None:
        queue = queue_of(connection)
        if queue and queue[-1][0].sqlite.startswith(_SAVEPOINT):
            connection.info["aliases"][name] = queue[-1][0].sqlite.removeprefix(_SAVEPOINT)
        else:
            connection.info["aliases"].pop(name, None)
            queue.append((plain(_SAVEPOINT + name), {}))

    def release(connection: Connection, name: str) -> None:
        queue = queue_of(connection)
        if connection.info["aliases"].pop(name, None) is not None:
            return
        if queue and queue[-1][0].sqlite == _SAVEPOINT + name:
            queue.pop()
        else:
            queue.append((plain(_RELEASE + name), {}))

    def rollback_to(connection: Connection, name: str) -> None:
        queue = queue_of(connection)
        name = connection.info["aliases"].pop(name, name)
        for index, (sql, _) in enumerate(queue):
            if sql.sqlite == _SAVEPOINT + name:
                del queue[index + 1 :]
                return
        queue.clear()
        send(connection, [(plain(f"ROLLBACK TO SAVEPOINT {name}"), {})])

    dialect: Any = engine.dialect
    dialect.do_savepoint, dialect.do_release_savepoint = savepoint, release
    dialect.do_rollback_to_savepoint = rollback_to


@event.listens_for(Engine, "connect")
def _on_connect(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
            connection.execute(f"PRAGMA {pragma}")
    elif isinstance(connection, psycopg.Connection):
        connection.adapters.register_loader("uuid", TextLoader)
        # psycopg empties its cache after a rollback by DEALLOCATE ALL, which would take the statements of `wire` along.
        connection.prepare_threshold = None


@event.listens_for(Engine, "begin")
def _on_begin(connection: Connection) -> None:
    queue_of(connection).clear()
    connection.info["aliases"] = {}
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if _depth.get() else "BEGIN")
    elif _depth.get():
        queue_of(connection).append((_BEGIN, {}))


@event.listens_for(Engine, "before_cursor_execute")
def _on_execute(connection: Connection, *_rest: object) -> None:
    if connection.info.get("later"):
        send(connection, [])
