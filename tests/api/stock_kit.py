"""What the stock tests share: a look into the tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from app.core.db import db


def rows(query: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of a query, as dictionaries."""
    with db.engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(query), params).mappings()]
