"""Places. `code` is the caller's string and never changes; hours and settings may. And what they took on."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, Index, String
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
    pickup_cut_off: Mapped[str | None] = mapped_column(String(5))
    pickup_accept_minutes: Mapped[int]
    pickup_reserve_days: Mapped[int]
    pickup_transfer_hold_days: Mapped[int]
    pickup_transfer_days: Mapped[int]
    pickup_slot_minutes: Mapped[int | None]
    pickup_slot_capacity: Mapped[int | None]
    safety_stock: Mapped[int]
    version: Mapped[int]
    calendar_version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class LocationStamp(Base):
    """One row whose number rises with every change of a place: what other processes compare their memory with."""

    __tablename__ = "location_stamp"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class PlaceSlot(Base):
    """How much of a place's picking hour or collecting slot is taken; no row where nothing was ever taken."""

    __tablename__ = "place_slot"
    __table_args__ = (CheckConstraint("taken >= 0", name="ck_place_slot_taken"),)
    location_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(12), primary_key=True)
    starts_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    taken: Mapped[int]
