"""Finding places: a directory kept in memory and checked against the database in the caller's own trip."""

from __future__ import annotations

from app.core.sql import Call, Sql

_SAFETY = Sql("SELECT safety_stock FROM location WHERE code = :code")


def safety_call(code: str) -> Call:
    """The statement that reads a location's safety stock; no row means that there is no such location."""
    return _SAFETY, {"code": code}
