"""Endpoints, what is sent to them, and how far the events were read."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id

_OPEN = text("state IN ('queued', 'failed', 'sending')")
_ACTIVE = text("state = 'active'")


class WebhookEndpoint(Base):
    """An address of an EC site, what it wants to hear, and the bounds of the key that named it.

    `failures` counts failed attempts since the last success; a receiver that is down is left alone until `rest_until`.
    A replay goes from `replay_at`, `replay_id` to `replay_end`.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_webhook_endpoint_location"),
        Index("ix_webhook_endpoint_active", "id", sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index("ix_webhook_endpoint_updated", "updated_at", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    client_id: Mapped[str] = mapped_column(String(64))
    url: Mapped[str] = mapped_column(String(500))
    events: Mapped[list[Any]]
    channels: Mapped[list[Any] | None]
    locations: Mapped[list[Any] | None]
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_secret_until: Mapped[dt.datetime | None]
    state: Mapped[str] = mapped_column(String(10))
    failures: Mapped[int]
    rest_until: Mapped[dt.datetime | None]
    replay_at: Mapped[dt.datetime | None]
    replay_id: Mapped[str | None] = mapped_column(Id)
    replay_end: Mapped[dt.datetime | None]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class WebhookDelivery(Base):
    """One event on its way to one endpoint. While it is being sent, `due_at` is the end of the lease."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_webhook_delivery_location"),
        UniqueConstraint("endpoint_id", "event_id", name="ux_webhook_delivery_event"),
        Index("ix_webhook_delivery_due", "endpoint_id", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index(
            "ix_webhook_delivery_order", "endpoint_id", "aggregate_id", "sequence",
            sqlite_where=_OPEN, postgresql_where=_OPEN,
        ),
        Index("ix_webhook_delivery_updated", "updated_at", "id"),
    )  # fmt: skip
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    endpoint_id: Mapped[str] = mapped_column(Id, ForeignKey("webhook_endpoint.id"))
    event_id: Mapped[str] = mapped_column(Id)
    topic: Mapped[str] = mapped_column(String(60))
    aggregate_type: Mapped[str] = mapped_column(String(40))
    aggregate_id: Mapped[str] = mapped_column(String(160))
    sequence: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int]
    due_at: Mapped[dt.datetime]
    queued_at: Mapped[dt.datetime]
    delivered_at: Mapped[dt.datetime | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class WebhookFeed(Base):
    """How far a feed was read: `events` the outbox, `stock` the changes of levels."""

    __tablename__ = "webhook_feed"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[dt.datetime]
    after: Mapped[str] = mapped_column(String(200))
    read_at: Mapped[dt.datetime]


class StockTold(Base):
    """The number of the last `stock.changed` of a SKU at a place: these events have no row of their own to count."""

    __tablename__ = "webhook_stock"
    location_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sku: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int]
