"""Places. `code` is the caller's string and never changes; hours and settings may."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Location(Base):
    """A store or a warehouse."""

    __tablename__ = "location"
    __table_args__ = (Index("ix_location_updated", "updated_at", "code"),)
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(12))
    timezone: Mapped[str] = mapped_column(String(64))
    postal_code: Mapped[str | None] = mapped_column(String(16))
    address: Mapped[str | None] = mapped_column(String(300))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    phone: Mapped[str | None] = mapped_column(String(32))
    hours: Mapped[dict[str, Any]]
    closures: Mapped[list[Any]]
    pickup_enabled: Mapped[bool]
    pickup_lead_minutes: Mapped[int]
    pickup_hold_days: Mapped[int]
    pickup_orders_per_hour: Mapped[int | None]
    safety_stock: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class LocationStamp(Base):
    """One row whose number rises with every change of a place: what other processes compare their memory with."""

    __tablename__ = "location_stamp"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
