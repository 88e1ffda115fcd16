"""Imports: the run with its progress, the file in pieces, and the rows that were refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id


class ImportRun(Base):
    """One file on its way in. `position` is the number of the last row that was looked at: where to go on."""

    __tablename__ = "import_run"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_import_run_location"),
        Index("ix_import_run_updated", "updated_at"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(10))
    dry_run: Mapped[bool]
    facts: Mapped[dict[str, Any]]
    actor: Mapped[dict[str, Any]]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    header: Mapped[list[Any]]
    columns_ignored: Mapped[list[Any]]
    position: Mapped[int]
    rows_total: Mapped[int | None]
    rows_done: Mapped[int]
    rows_failed: Mapped[int]
    rows_changed: Mapped[int]
    fault: Mapped[dict[str, Any] | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]


class ImportChunk(Base):
    """A piece of the file, encrypted: files of people are imported too."""

    __tablename__ = "import_chunk"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_import_chunk_location"),
        UniqueConstraint("run_id", "number", name="ux_import_chunk_number"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str] = mapped_column(Id)
    number: Mapped[int]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ImportBadRow(Base):
    """A refused row: why, and the row itself, encrypted, to be sent back."""

    __tablename__ = "import_bad_row"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_import_bad_row_location"),
        UniqueConstraint("run_id", "row", name="ux_import_bad_row_row"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str] = mapped_column(Id)
    row: Mapped[int]
    faults: Mapped[list[Any]]
    raw: Mapped[bytes] = mapped_column(LargeBinary)
