"""Notices, every attempt to send one, and the shop's own templates. Nobody's name or address stands here."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id

_UNFINISHED = text("state IN ('queued', 'sending')")
_AWAITED = text("state = 'sent' AND channel = 'line'")


class Notice(Base):
    """Something to tell a person. It is written at the moment of sending, from what is true then.

    `planned_at` is a time asked for; `due_at` moves on with quiet hours and after trouble. `passed` are the channels
    that failed for good in this `round`; a person who sends it again begins a new one.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_notice_location"),
        UniqueConstraint("subject_id", "kind", "sequence", name="ux_notice_once"),
        Index("ix_notice_subject", "subject_id", "sequence"),
        Index("ix_notice_due", "due_at", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
        Index("ix_notice_awaited", "sent_at", sqlite_where=_AWAITED, postgresql_where=_AWAITED),
        Index("ix_notice_updated", "updated_at", "id"),
        Index("ix_notice_state", "state", "updated_at", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(40))
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]
    round: Mapped[int]
    planned_at: Mapped[dt.datetime | None]
    due_at: Mapped[dt.datetime]
    lease_until: Mapped[dt.datetime | None]
    channel: Mapped[str | None] = mapped_column(String(8))
    passed: Mapped[list[Any]]
    tries: Mapped[int]
    trying_since: Mapped[dt.datetime | None]
    error: Mapped[str | None] = mapped_column(String(40))
    language: Mapped[str | None] = mapped_column(String(2))
    template_version: Mapped[int | None]
    sent_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class NoticeDelivery(Base):
    """One attempt by one channel. `recipient` is a keyed hash, `tag` what the channel's own report will carry."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_notice_delivery_location"),
        ForeignKeyConstraint(["location_id", "notice_id"], ["notice.location_id", "notice.id"]),
        Index("ix_notice_delivery_notice", "notice_id", "id"),
        Index("ix_notice_delivery_tag", "tag"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    notice_id: Mapped[str] = mapped_column(Id)
    channel: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(12))
    code: Mapped[str | None] = mapped_column(String(40))
    provider_id: Mapped[str | None] = mapped_column(String(120))
    recipient: Mapped[str] = mapped_column(String(64))
    tag: Mapped[str] = mapped_column(String(100))
    at: Mapped[dt.datetime]
    delivered_at: Mapped[dt.datetime | None]


class NoticeTemplate(Base):
    """One version of a template in one language; the highest is in force. Version 0 is the product's own file."""

    __tablename__ = "notice_template"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_notice_template_location"),
        UniqueConstraint("kind", "language", "version", name="ux_notice_template_version"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(2))
    version: Mapped[int]
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    short: Mapped[str] = mapped_column(String(500))
    actor: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[dt.datetime]
