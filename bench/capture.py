"""Turns one request of the product into a pgbench script: the same statements, in the same trips, over other rows.

The statements are recorded as they leave for PostgreSQL. What must differ from run to run is drawn anew: SKUs, the
location, keys and receipt numbers, and identifiers (made from the time, as the product's are). Everything else is
sent as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from psycopg.pq import ExecStatus

from app.core import sql, wire

SKUS = ("S101", "S102", "S103")
LOCATION = "L7"
UNIQUE = "UNIQUE-77"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_NEW_ID = (
    "(lpad(to_hex(CAST(extract(epoch FROM now()) * 1000 AS bigint)), 12, '0') "
    "|| '7' || substr(md5('{0}' || :r), 1, 19))"
)

Statement = tuple[str, dict[str, Any]]


def record(app: Flask, send: Callable[[Any], Any]) -> list[list[Statement]]:
    """The trips of one request: run twice before, so that caches are warm and statements prepared."""
    trips: list[list[Statement]] = []
    plain = wire.run

    def spy(connection: Any, statements: Any) -> Any:
        trips.append([(text, dict(params)) for text, params in statements])
        return plain(connection, statements)

    client = app.test_client()
    for _ in range(2):
        send(client)
    sql.wire.run = spy  # type: ignore[attr-defined]
    try:
        answer = send(client)
    finally:
        sql.wire.run = plain  # type: ignore[attr-defined]
    assert answer.status_code < 300, answer.text
    return trips


class Script:
    """A pgbench script and the variables it is started with."""

    def __init__(self, url: str, client_id: str) -> None:
        self.connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self.kept = client_id  # an identifier that exists and stays
        self.variables: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.lines = [r"\set r random(1, 4000000000000000000)", r"\set l random(1, :locations)"]
        self.lines += [r"\set s1 random(1, :skus)", r"\set s2 :s1 % :skus + 1", r"\set s3 :s2 % :skus + 1"]

    def add(self, trips: list[list[Statement]]) -> None:
        """All trips of a request."""
        for trip in trips:
            statements = [self._statement(text, params) for text, params in trip]
            if len(statements) == 1:
                self.lines += statements
            else:
                self.lines += [r"\startpipeline", *statements, r"\endpipeline"]

    def write(self, path: Path) -> list[str]:
        """Write the script; returns the `-D` arguments it needs."""
        path.write_text("\n".join(self.lines) + "\n", "utf-8")
        return [part for name, value in self.variables.items() for part in ("-D", f"{name}={value}")]

    def _statement(self, text: str, params: dict[str, Any]) -> str:
        query, names = wire._numbered(text)  # noqa: SLF001  the product's own numbering
        types = self._types(query)
        parts = re.split(r"\$(\d+)", query.decode())
        out = parts[0]
        for number, rest in zip(parts[1::2], parts[2::2], strict=True):
            index = int(number) - 1
            out += f"CAST({self._value(params[names[index]])} AS {types[index]})" + rest
        return out + ";"

    def _types(self, query: bytes) -> list[str]:
        pg = self.connection.pgconn
        if query.startswith((b"BEGIN", b"COMMIT", b"SAVEPOINT", b"RELEASE")):
            return []
        made = pg.prepare(b"", query)
        assert made.status == ExecStatus.COMMAND_OK, made.error_message
        told = pg.describe_prepared(b"")
        oids = [told.param_type(i) for i in range(told.nparams)]
        rows = [self.connection.execute("SELECT %s::regtype::text", (oid,)).fetchone() for oid in oids]
        return [row[0] for row in rows if row]

    def _value(self, value: Any) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, bytes):
            return f"decode({self._variable(value.hex())}, 'hex')"
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        marks: dict[str, str] = {}
        for number, sku in enumerate(SKUS, start=1):
            text = self._mark(text, sku, f"@s{number}@", f"'S' || :s{number}", marks)
        text = self._mark(text, LOCATION, "@l@", "'L' || :l", marks)
        if UNIQUE in text:
            text = text.replace(UNIQUE, "@r@")
            marks["@r@"] = "CAST(:r AS text)"
        for found in dict.fromkeys(_UUID.findall(text)):
            if found != self.kept:
                name = self.ids.setdefault(found, f"u{len(self.ids)}")
                text = text.replace(found, f"@{name}@")
                marks[f"@{name}@"] = _NEW_ID.format(name)
        expression = self._variable(text)
        for mark, drawn in marks.items():
            expression = drawn if text == mark else f"replace({expression}, '{mark}', {drawn})"
        return expression

    def _mark(self, text: str, name: str, mark: str, drawn: str, marks: dict[str, str]) -> str:
        if text == name or f'"{name}"' in text:
            marks[mark] = drawn
            return mark if text == name else text.replace(f'"{name}"', f'"{mark}"')
        return text

    def _variable(self, text: str) -> str:
        name = next((n for n, v in self.variables.items() if v == text), None)
        if name is None:
            name = f"p{len(self.variables)}"
            self.variables[name] = text
        return f"CAST(:{name} AS text)"
