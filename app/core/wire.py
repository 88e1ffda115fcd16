"""Several statements to PostgreSQL in one round trip, at the price of the protocol and not of a cursor each.

psycopg's cursors cost about 100 µs of Python per statement; a claim sends ten. This speaks to libpq through psycopg's
own binding: statements are prepared once per connection, sent in a pipeline, and their text answers read by type.
ADR 0004 has the measurement. Only `app.core.sql` uses it.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import select
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import psycopg
from psycopg import errors, pq

MAX_PREPARED = 500
WAIT_MS = 10_000
_PLACE = re.compile(r"%\((\w+)\)s")
_Status = pq.ExecStatus
_names = itertools.count()
_prepared: WeakKeyDictionary[psycopg.Connection, dict[str, bytes]] = WeakKeyDictionary()

Result = tuple[list[tuple[Any, ...]], int]


def _number(raw: bytes) -> int | Decimal:
    return Decimal(raw.decode()) if b"." in raw else int(raw)


_READ: dict[int, Callable[[bytes], Any]] = {
    16: lambda raw: raw == b"t",
    17: lambda raw: bytes.fromhex(raw[2:].decode()),
    20: int,
    21: int,
    23: int,
    26: int,
    114: orjson.loads,
    700: float,
    701: float,
    1082: lambda raw: dt.date.fromisoformat(raw.decode()),
    1184: lambda raw: dt.datetime.fromisoformat(raw.decode()),
    1700: _number,
    2278: lambda _raw: None,
    3802: orjson.loads,
}


@lru_cache(maxsize=2000)
def _numbered(text: str) -> tuple[bytes, tuple[str, ...]]:
    """`%(name)s` as `$n`, and the names in that order."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return _PLACE.sub(number, text).replace("%%", "%").encode(), tuple(names)


def _write(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    if value is True or value is False:
        return b"t" if value else b"f"
    text = str(value)
    if "\x00" in text:
        raise errors.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return text.encode()


def run(connection: psycopg.Connection, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Result]:
    """Send the statements in one trip; (rows, row count) of each. The first failure is raised after all is read."""
    pg = connection.pgconn
    known = _prepared.setdefault(connection, {})
    expected: list[str | None] = []  # a text that is being prepared, or None for an answer to keep
    pg.enter_pipeline_mode()
    try:
        for text, params in statements:
            query, names = _numbered(text)
            values = [_write(params[n]) for n in names]
            binary = [pq.Format.BINARY if type(v) is bytes else pq.Format.TEXT for v in map(params.get, names)]
            name = known.get(text)
            if name is None and len(known) < MAX_PREPARED:
                name = known[text] = b"h%d" % next(_names)
                pg.send_prepare(name, query)
                expected.append(text)
            if name is None:
                pg.send_query_params(query, values, param_formats=binary)
            else:
                pg.send_query_prepared(name, values, param_formats=binary)
            expected.append(None)
        pg.pipeline_sync()
        return _receive(pg, expected, known)
    except BaseException as error:
        if not isinstance(error, errors.Error) or pg.status != pq.ConnStatus.OK or pg.pipeline_status:
            connection.close()  # the stream is in an unknown place
        raise


def _receive(pg: Any, expected: Sequence[str | None], known: dict[str, bytes]) -> list[Result]:
    results: list[Result] = []
    failure: psycopg.Error | None = None
    for preparing in [*expected, "sync"]:
        result = _next(pg)
        status = result.status
        if status == _Status.PIPELINE_SYNC:
            break
        if status == _Status.FATAL_ERROR:
            failure = failure or errors.error_from_result(result, encoding="utf-8")
            _forget(known, preparing)
        elif status == _Status.PIPELINE_ABORTED:
            _forget(known, preparing)
        elif preparing is None:
            results.append(_rows(result))
        if _next(pg, final=True) is not None:  # each statement's answers end with a null
            raise errors.InterfaceError("unexpected answer in the pipeline")
    pg.exit_pipeline_mode()
    if failure is not None:
        raise failure
    return results


def _forget(known: dict[str, bytes], preparing: str | None) -> None:
    if preparing is not None:
        known.pop(preparing, None)


def _next(pg: Any, *, final: bool = False) -> Any:
    """The next answer; waits for the socket, never longer than any request may take."""
    while pg.flush():
        _wait(pg, select.POLLIN | select.POLLOUT)
        pg.consume_input()
    while pg.is_busy():
        _wait(pg, select.POLLIN)
        pg.consume_input()
    result = pg.get_result()
    if result is None and not final:
        raise errors.OperationalError("the server ended the pipeline early")
    return result


def _wait(pg: Any, events: int) -> None:
    poll = select.poll()
    poll.register(pg.socket, events)
    if not poll.poll(WAIT_MS):
        raise errors.OperationalError("the database does not answer")


def _rows(result: Any) -> Result:
    if result.status == _Status.TUPLES_OK:
        width = result.nfields
        readers = [_READ.get(result.ftype(i), bytes.decode) for i in range(width)]
        get = result.get_value
        rows = [
            tuple(None if (raw := get(i, j)) is None else readers[j](raw) for j in range(width))
            for i in range(result.ntuples)
        ]
        return rows, len(rows)
    return [], result.command_tuples or 0
