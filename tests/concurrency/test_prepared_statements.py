"""Statements are prepared once per connection, and psycopg's own cache must not throw them away after a rollback."""

from __future__ import annotations

import psycopg
import pytest
from flask import Flask

from app.core import wire
from app.core.db import db

SUM = ("SELECT 41 + CAST(%(one)s AS int)", {"one": 1})


def query_and_roll_back(connection: psycopg.Connection) -> None:
    for _ in range(10):
        connection.execute("SELECT 1 AS one")
    assert wire.run(connection, [SUM]) == [([(42,)], 1)]
    connection.rollback()


def test_a_rollback_after_many_equal_queries_leaves_them(app: Flask) -> None:
    with app.app_context():
        driver = db.session.connection().connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        for _ in range(3):
            query_and_roll_back(driver)


def test_twin_with_psycopgs_own_cache_they_are_lost(database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        query_and_roll_back(connection)
        with pytest.raises(psycopg.errors.InvalidSqlStatementName):
            query_and_roll_back(connection)
