"""The ledger's tables. Only this package writes them; `reports` may read."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id

_OPEN_LINE = text("open_quantity > 0")
_OPEN_CLAIM = text("state = 'reserved' AND expires_at IS NOT NULL")
_OPEN = text("state = 'open'")
_ON_THE_ROAD = text("state = 'shipped'")


class StockLevel(Base):
    """What is at a place: derived from the ledger and the open claims, written in their transaction.

    No constraint says `reserved <= on_hand`: a till's sale is a fact and may break a promise.
    """

    __tablename__ = "stock_level"
    __table_args__ = (
        CheckConstraint("reserved >= 0", name="ck_stock_level_reserved"),
        Index("ix_stock_level_sku", "sku", "location_id", postgresql_include=["on_hand", "reserved"]),
        Index("ix_stock_level_changed", "changed_at", "location_id", "sku"),
    )
    location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"), primary_key=True)
    sku: Mapped[str] = mapped_column(String(64), ForeignKey("sku.code"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(BigInteger)
    reserved: Mapped[int] = mapped_column(BigInteger)
    oversold: Mapped[bool]
    changed_at: Mapped[dt.datetime]


class StockMovement(Base):
    """One line of the ledger: insert only. `quantity` is signed, `balance_after` the level it led to."""

    __tablename__ = "stock_movement"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_stock_movement_location"),
        Index("ix_stock_movement_sku", "sku", "location_id", "id"),
        Index("ix_stock_movement_reference", "reference_id"),
        Index("ix_stock_movement_recorded", "recorded_at", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    sku: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int]
    kind: Mapped[str] = mapped_column(String(30))
    reference_type: Mapped[str] = mapped_column(String(40))
    reference_id: Mapped[str] = mapped_column(String(120))
    occurred_at: Mapped[dt.datetime]
    recorded_at: Mapped[dt.datetime]
    actor: Mapped[str] = mapped_column(String(120))
    balance_after: Mapped[int] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(String(1000))


class Claim(Base):
    """A promise of stock: `reserved`, then ended exactly once as `fulfilled`, `released` or `expired`."""

    __tablename__ = "claim"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_claim_location"),
        Index("ix_claim_due", "expires_at", sqlite_where=_OPEN_CLAIM, postgresql_where=_OPEN_CLAIM),
        Index("ix_claim_owner", "owner_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    expires_at: Mapped[dt.datetime | None]
    external_ref: Mapped[str | None] = mapped_column(String(64))
    owner_type: Mapped[str | None] = mapped_column(String(20))
    owner_id: Mapped[str | None] = mapped_column(Id)
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class ClaimLine(Base):
    """A claim's pieces of one SKU: `quantity` = open + posted + voided."""

    __tablename__ = "claim_line"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_claim_line_location"),
        UniqueConstraint("claim_id", "sku", name="ux_claim_line_sku"),
        ForeignKeyConstraint(["location_id", "claim_id"], ["claim.location_id", "claim.id"]),
        CheckConstraint("open_quantity >= 0", name="ck_claim_line_open"),
        Index(
            "ix_claim_line_open", "sku", "expires_at", "location_id", "open_quantity",
            sqlite_where=_OPEN_LINE, postgresql_where=_OPEN_LINE,
        ),
    )  # fmt: skip
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    claim_id: Mapped[str] = mapped_column(Id)
    sku: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int]
    open_quantity: Mapped[int]
    posted_quantity: Mapped[int]
    expires_at: Mapped[dt.datetime | None]


class StockPolicy(Base):
    """What a channel may sell: share in percent, safety and buffer in pieces. '' means every location or SKU."""

    __tablename__ = "stock_policy"
    __table_args__ = (UniqueConstraint("channel", "location_id", "sku", name="ux_stock_policy"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    location_id: Mapped[str] = mapped_column(String(64))
    sku: Mapped[str] = mapped_column(String(64))
    share: Mapped[int | None]
    safety: Mapped[int | None]
    buffer: Mapped[int | None]
    updated_at: Mapped[dt.datetime]


class Transfer(Base):
    """Goods on their way from `location_id` to `to_location_id`.

    Those that come for somebody (`for_type`, `for_id`: an order) become a claim of `for_kind` on arrival.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_transfer_location"),
        Index("ix_transfer_updated", "updated_at", "id"),
        Index("ix_transfer_incoming", "to_location_id", sqlite_where=_ON_THE_ROAD, postgresql_where=_ON_THE_ROAD),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"))
    to_location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"))
    state: Mapped[str] = mapped_column(String(12))
    claim_id: Mapped[str] = mapped_column(Id)
    for_type: Mapped[str | None] = mapped_column(String(20))
    for_id: Mapped[str | None] = mapped_column(Id)
    for_kind: Mapped[str | None] = mapped_column(String(20))
    channel: Mapped[str | None] = mapped_column(String(40))
    arrived_claim_id: Mapped[str | None] = mapped_column(Id)
    expected_at: Mapped[dt.datetime | None]
    note: Mapped[str | None] = mapped_column(String(1000))
    shipped_at: Mapped[dt.datetime | None]
    received_at: Mapped[dt.datetime | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class TransferLine(Base):
    """What was asked for, sent and received of one SKU; `promised` pieces of it are claimed again on arrival."""

    __tablename__ = "transfer_line"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_transfer_line_location"),
        UniqueConstraint("transfer_id", "sku", name="ux_transfer_line_sku"),
        ForeignKeyConstraint(["location_id", "transfer_id"], ["transfer.location_id", "transfer.id"]),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    transfer_id: Mapped[str] = mapped_column(Id)
    sku: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int]
    promised: Mapped[int] = mapped_column(server_default="0")
    shipped: Mapped[int]
    received: Mapped[int]


class StockIncident(Base):
    """A fact broke a promise: fewer pieces are there than are promised. One open incident per place and SKU.

    It is resolved when nothing is short and `waiting`, the customers who were asked and have not chosen, is 0.
    """

    __tablename__ = "stock_incident"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_stock_incident_location"),
        Index(
            "ux_stock_incident_open", "location_id", "sku", unique=True,
            sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index("ix_stock_incident_updated", "updated_at", "id"),
    )  # fmt: skip
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    sku: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    shortage: Mapped[int] = mapped_column(BigInteger)
    waiting: Mapped[int] = mapped_column(server_default="0")
    cause_type: Mapped[str] = mapped_column(String(40))
    cause_id: Mapped[str] = mapped_column(String(120))
    cause_code: Mapped[str] = mapped_column(String(30), server_default="other")
    opened_at: Mapped[dt.datetime]
    resolved_at: Mapped[dt.datetime | None]
    version: Mapped[int]
    updated_at: Mapped[dt.datetime]


class RecountTask(Base):
    """Somebody must count a SKU at a place, for the book is in doubt. One open task per place and SKU.

    `claim_id` keeps what the book calls free from sale until then. `missing` sums the doubts that met here.
    """

    __tablename__ = "recount_task"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_recount_task_location"),
        Index("ux_recount_task_open", "location_id", "sku", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_recount_task_updated", "updated_at", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"))
    sku: Mapped[str] = mapped_column(String(64), ForeignKey("sku.code"))
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(20))
    missing: Mapped[int]
    claim_id: Mapped[str | None] = mapped_column(Id)
    cause_type: Mapped[str] = mapped_column(String(40))
    cause_id: Mapped[str] = mapped_column(String(120))
    counted: Mapped[int | None]
    difference: Mapped[int | None] = mapped_column(BigInteger)
    requested_at: Mapped[dt.datetime]
    done_at: Mapped[dt.datetime | None]
    version: Mapped[int]
    updated_at: Mapped[dt.datetime]


class StockShelf(Base):
    """Where a SKU lies in a store; clerks walk in the order of these words."""

    __tablename__ = "stock_shelf"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_stock_shelf_location"),
        UniqueConstraint("location_id", "sku", name="ux_stock_shelf_sku"),
        Index("ix_stock_shelf_updated", "updated_at", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"))
    sku: Mapped[str] = mapped_column(String(64), ForeignKey("sku.code"))
    shelf: Mapped[str] = mapped_column(String(60))
    updated_at: Mapped[dt.datetime]
