"""What is to be sent, and what was."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id


class ShipTask(Base):
    """A place's work item: send pieces of one order."""

    __tablename__ = "ship_task"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_ship_task_location"),
        Index("ix_ship_task_order", "order_id"),
        Index("ix_ship_task_open", "location_id", "state", "created_at"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    order_id: Mapped[str] = mapped_column(Id)
    claim_id: Mapped[str] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class ShipTaskLine(Base):
    """Pieces of an order line to be sent: quantity = open + sent + those given up."""

    __tablename__ = "ship_task_line"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_ship_task_line_location"),
        UniqueConstraint("task_id", "line_ref", name="ux_ship_task_line_ref"),
        ForeignKeyConstraint(["location_id", "task_id"], ["ship_task.location_id", "ship_task.id"]),
        CheckConstraint("sent >= 0 AND given_up >= 0 AND sent + given_up <= quantity", name="ck_ship_task_line"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str] = mapped_column(Id)
    line_ref: Mapped[str] = mapped_column(String(64))
    sku: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int]
    sent: Mapped[int]
    given_up: Mapped[int]

    @property
    def open(self) -> int:
        """Pieces neither sent nor given up."""
        return self.quantity - self.sent - self.given_up


class Shipment(Base):
    """A parcel that left."""

    __tablename__ = "shipment"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_shipment_location"),
        ForeignKeyConstraint(["location_id", "task_id"], ["ship_task.location_id", "ship_task.id"]),
        Index("ix_shipment_task", "task_id"),
        Index("ix_shipment_tracking", "tracking_no"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    task_id: Mapped[str] = mapped_column(Id)
    order_id: Mapped[str] = mapped_column(Id)
    carrier: Mapped[str | None] = mapped_column(String(40))
    tracking_no: Mapped[str | None] = mapped_column(String(64))
    shipped_at: Mapped[dt.datetime]


class ShipmentLine(Base):
    """Pieces of an order line in a parcel."""

    __tablename__ = "shipment_line"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_shipment_line_location"),
        ForeignKeyConstraint(["location_id", "shipment_id"], ["shipment.location_id", "shipment.id"]),
        Index("ix_shipment_line_shipment", "shipment_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    shipment_id: Mapped[str] = mapped_column(Id)
    line_ref: Mapped[str] = mapped_column(String(64))
    sku: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int]
