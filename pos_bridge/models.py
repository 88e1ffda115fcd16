"""What the tills sent, as they sent it, and what is not understood yet."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id

_CURRENT = text("current")
_WAITING = text("state = 'waiting'")


class PosReceipt(Base):
    """One revision of one receipt. `current` is the one that counts: there is one per natural key, whoever races.

    `location_id` is `-` while the store is unknown. `document` is the paper's own number (source, store, terminal, day,
    receipt number), `original` that of the paper it voids or returns. `sealed` is the sale as it was sent, encrypted:
    it may hold a member's card number.
    """

    __tablename__ = "pos_receipt"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_pos_receipt_location"),
        Index("ux_pos_receipt_key", "natural_key", unique=True, sqlite_where=_CURRENT, postgresql_where=_CURRENT),
        Index("ix_pos_receipt_natural", "natural_key"),
        Index("ix_pos_receipt_document", "document"),
        Index("ix_pos_receipt_original", "original"),
        Index("ix_pos_receipt_state", "state", "updated_at", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(64))
    source_id: Mapped[str | None] = mapped_column(String(64))
    store: Mapped[str | None] = mapped_column(String(64))
    terminal: Mapped[str | None] = mapped_column(String(64))
    business_date: Mapped[str | None] = mapped_column(String(10))
    receipt_no: Mapped[str | None] = mapped_column(String(64))
    natural_key: Mapped[str] = mapped_column(String(400))
    document: Mapped[str | None] = mapped_column(String(400))
    original: Mapped[str | None] = mapped_column(String(400))
    revision: Mapped[int]
    kind: Mapped[str | None] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    current: Mapped[bool]
    problems: Mapped[list[Any]]
    totals: Mapped[dict[str, Any] | None]
    fingerprint: Mapped[str] = mapped_column(String(64))
    mended: Mapped[str | None] = mapped_column(String(64))
    sealed: Mapped[str] = mapped_column(Text)
    order_id: Mapped[str | None] = mapped_column(Id)
    back_order_id: Mapped[str | None] = mapped_column(Id)
    settles_id: Mapped[str | None] = mapped_column(Id)
    replaces_id: Mapped[str | None] = mapped_column(Id)
    original_id: Mapped[str | None] = mapped_column(Id)
    voided_by_id: Mapped[str | None] = mapped_column(Id)
    occurred_at: Mapped[dt.datetime | None]
    recorded_at: Mapped[dt.datetime]
    version: Mapped[int]
    updated_at: Mapped[dt.datetime]


class PosUnresolved(Base):
    """A sold line whose code nobody knows; `quantity` is what the ledger will get once it is known."""

    __tablename__ = "pos_unresolved"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_pos_unresolved_location"),
        ForeignKeyConstraint(["location_id", "receipt_id"], ["pos_receipt.location_id", "pos_receipt.id"]),
        Index("ix_pos_unresolved_code", "source", "code", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_pos_unresolved_receipt", "receipt_id"),
        Index("ix_pos_unresolved_updated", "updated_at", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    receipt_id: Mapped[str] = mapped_column(Id)
    line_no: Mapped[int]
    source: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int]
    occurred_at: Mapped[dt.datetime]
    state: Mapped[str] = mapped_column(String(10))
    sku: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int]
    updated_at: Mapped[dt.datetime]


class PosAlias(Base):
    """What an unknown code of a source was found to be: the next receipt with it needs nobody's help."""

    __tablename__ = "pos_alias"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_pos_alias_location"),
        UniqueConstraint("source", "code", name="ux_pos_alias_code"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(64))
    sku: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[dt.datetime]
