"""API clients. Keys are kept as hashes only."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id


class ApiClient(Base):
    """A program that may call the API. None for channels or locations means all of them."""

    __tablename__ = "api_client"
    __table_args__ = (
        Index(
            "ux_api_client_live_name",
            "name",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]]
    channels: Mapped[list[Any] | None]
    locations: Mapped[list[Any] | None]
    created_at: Mapped[dt.datetime]
    rotated_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
