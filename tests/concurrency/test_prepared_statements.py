"""Statements are prepared once per connection, and nothing else on it may throw them away."""

from __future__ import annotations

from flask import Flask

from app.core.db import ask_one, db
from app.core.sql import Sql

SUM = Sql("SELECT 41 + CAST(:one AS int)")


def test_a_rollback_after_many_equal_queries_leaves_them(app: Flask) -> None:
    with app.app_context():
        driver = db.session.connection().connection.driver_connection
        assert driver is not None
        for _ in range(3):
            for _ in range(10):
                driver.execute("SELECT 1 AS one")
            assert ask_one(SUM, {"one": 1}).rows == [(42,)]
            driver.rollback()
