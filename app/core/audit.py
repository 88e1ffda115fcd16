"""Who did what, when, to what: one row per command, written in the command's own transaction.

Rows are written unchained; a sealer may chain finished ones later without a global row in any write's way.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core import actor, clock
from app.core.db import Base, later
from app.core.ids import new_id
from app.core.sql import Sql, json_param
from app.core.types import Id

COMPANY = "-"


class AuditEntry(Base):
    """One act. `facts` never hold personal data or tokens."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ux_audit_location", "location_id", "id", unique=True),
        Index("ix_audit_object", "object_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime]
    actor: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(80))
    object_type: Mapped[str | None] = mapped_column(String(40))
    object_id: Mapped[str | None] = mapped_column(String(120))
    outcome: Mapped[str] = mapped_column(String(60))
    facts: Mapped[dict[str, Any]]
    request_id: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str | None] = mapped_column(String(64))


_INSERT = Sql(
    "INSERT INTO audit_entry (id, location_id, at, actor, action, object_type, object_id, outcome, facts, request_id) "
    "VALUES (:id, :location_id, :at, :actor, :action, :object_type, :object_id, :outcome, :facts, :request_id)"
)


def record(
    action: str,
    *,
    outcome: str = "done",
    location: str | None = None,
    object_type: str | None = None,
    object_id: str | None = None,
    **facts: object,
) -> None:
    """Write one audit row with this transaction. `outcome` is `done` or the code of the refusal."""
    who = actor.current()
    later(
        _INSERT,
        {
            "id": new_id(),
            "location_id": location or COMPANY,
            "at": clock.text(clock.now()),
            "actor": f"{who.kind}:{who.name}",
            "action": action,
            "object_type": object_type,
            "object_id": object_id[:120] if object_id else None,
            "outcome": outcome,
            "facts": json_param(facts),
            "request_id": actor.request_id(),
        },
    )
