"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, String, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.core import clock


class Id(TypeDecorator[str]):
    """A UUIDv7: native on PostgreSQL, 36 characters on SQLite; always text in Python."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Native UUIDs are 16 bytes where the database has them."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Uuid(as_uuid=False, native_uuid=True))
        return dialect.type_descriptor(String(36))


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware moment, stored in UTC. A naive one is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite has no timestamps: fixed-width text sorts the same way."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(32))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        """Refuse naive moments; keep microseconds."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a moment without a zone cannot be stored"
            raise ValueError(msg)
        return value.astimezone(dt.UTC) if dialect.name == "postgresql" else clock.text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """Always aware, always UTC."""
        return clock.parse(value)


Json = JSON().with_variant(JSONB(), "postgresql")
