"""Plain set-based SQL that reads the same on both databases, and the queue that saves round trips.

The hot paths (claim, release, till sale, availability) send statements written by hand over sets of rows. `Sql`
holds one such statement; `ask` sends statements and waits for their rows; `later` queues one whose answer nobody
needs, and it travels with the next statement that is awaited, at the latest with COMMIT. On PostgreSQL what is sent
together goes in one pipelined trip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import Connection

from app.core import wire

Params = Mapping[str, Any]
_PLACE = re.compile(r"%[(]([a-z_]+)[)]s")
_NAME = re.compile(r"(?<![:\w]):([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Rowset:
    """A table that travels as one JSON parameter: a set of rows for a set-based statement."""

    name: str
    param: str
    columns: Mapping[str, str]

    @property
    def postgresql(self) -> str:
        """As PostgreSQL reads it."""
        columns = ", ".join(f"{column} {kind}" for column, kind in self.columns.items())
        return f"jsonb_to_recordset(CAST(:{self.param} AS jsonb)) AS {self.name}({columns})"

    @property
    def sqlite(self) -> str:
        """As SQLite reads it."""
        columns = ", ".join(f"json_extract(value, '$.{column}') AS {column}" for column in self.columns)
        return f"(SELECT {columns} FROM json_each(:{self.param})) AS {self.name}"  # noqa: S608  names are ours


class Sql:
    """One statement with `:name` parameters; `{set}` stands for a rowset, `{for_update}` for a row lock."""

    __slots__ = ("is_insert", "postgresql", "sqlite")

    def __init__(self, text: str, *sets: Rowset, sqlite: str | None = None) -> None:
        pg, lite = text, sqlite or text
        for rows in sets:
            pg = pg.replace("{" + rows.name + "}", rows.postgresql)
            lite = lite.replace("{" + rows.name + "}", rows.sqlite)
        pg = pg.replace("{for_update_skip_locked}", "FOR UPDATE SKIP LOCKED").replace("{for_update}", "FOR UPDATE")
        self.postgresql = _NAME.sub(r"%(\1)s", pg.replace("%", "%%"))
        self.is_insert = text.startswith("INSERT") and "RETURNING" not in text
        self.sqlite = lite.replace("{for_update_skip_locked}", "").replace("{for_update}", "")


Call = tuple[Sql, Params]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one statement returned: its rows, and how many it touched."""

    rows: list[tuple[Any, ...]]
    count: int


def json_param(value: object) -> str:
    """A JSON parameter: the rows of a rowset, or one document."""
    return orjson.dumps(value).decode()


def json_of(value: Any) -> Any:
    """A JSON column as the drivers return it: text on SQLite, already read on PostgreSQL."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def queue_of(connection: Connection) -> list[Call]:
    """The statements waiting on this connection."""
    queue: list[Call] = connection.info.setdefault("later", [])
    return queue


def send(connection: Connection, calls: Sequence[Call]) -> list[Answer]:
    """Send what waits and then `calls`, in this order and in one trip; answer for `calls` alone."""
    queue = queue_of(connection)
    if queue:
        waiting = len(queue)
        calls = [*queue, *calls]
        queue.clear()
    else:
        waiting = 0
    if not calls:
        return []
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        return _pipeline(raw, calls[:waiting], calls[waiting:])
    answers = []
    for sql, params in calls:
        cursor = raw.execute(sql.sqlite, params)
        answers.append(Answer(cursor.fetchall(), cursor.rowcount))
    return answers[waiting:]


def _pipeline(raw: Any, waiting: Sequence[Call], calls: Sequence[Call]) -> list[Answer]:
    statements = [*_joined(waiting), *((sql.postgresql, params) for sql, params in calls)]
    answers = wire.run(raw, statements)
    return [Answer(rows, count) for rows, count in answers[len(answers) - len(calls) :]]


def _joined(waiting: Sequence[Call]) -> Iterator[tuple[str, Params]]:
    """What waits, with neighbouring INSERTs joined into one statement: fewer messages, the same rows."""
    for inserts, group in groupby(waiting, key=lambda call: call[0].is_insert):
        members = list(group)
        if inserts and len(members) > 1:
            text = _one_statement(tuple(sql.postgresql for sql, _ in members))
            yield text, {f"{name}_{i}": v for i, (_, params) in enumerate(members) for name, v in params.items()}
        else:
            yield from ((sql.postgresql, params) for sql, params in members)


@lru_cache(maxsize=512)
def _one_statement(texts: tuple[str, ...]) -> str:
    parts = []
    for i, text in enumerate(texts):
        renamed = _PLACE.sub(rf"%(\g<1>_{i})s", text)
        parts.append(f"w{i} AS ({renamed})")
    return f"WITH {', '.join(parts)} SELECT 1"
