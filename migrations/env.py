"""How Alembic finds the tables and the database: both from the application."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import JSON

from app.core import types
from app.core.db import Base, db


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Our own column types by their name."""
    if kind == "type" and isinstance(item, types.Id | types.UtcDateTime):
        return f"types.{type(item).__name__}()"
    if kind == "type" and isinstance(item, JSON):
        return "types.Json"
    return False


def is_ours(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:  # noqa: FBT001
    """Views are written by hand; `-x tables=a,b` limits a new migration to some tables."""
    only = context.get_x_argument(as_dictionary=True).get("tables")
    if kind == "table" and only and name not in only.split(","):
        return False
    return not (kind == "table" and reflected and (name or "").startswith("v_"))


def run() -> None:
    """Upgrade or compare over the application's own engine, each migration in one transaction."""
    options = dict(current_app.extensions["migrate"].configure_args)
    for ours in ("compare_type", "render_as_batch"):
        options.pop(ours, None)
    with db.engine.connect() as plain:
        is_postgresql = plain.dialect.name == "postgresql"
        connection = plain.execution_options(isolation_level="READ COMMITTED") if is_postgresql else plain
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_item=render_item,
            include_object=is_ours,
            transaction_per_migration=True,
            compare_type=False,
            **options,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
