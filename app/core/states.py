"""One way to move anything from one state to the next: a table, a conditional UPDATE, a history row, an event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Index, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from app.core import actor, clock
from app.core.db import Base, db, later
from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.outbox import emit
from app.core.sql import Sql
from app.core.types import Id

Table = Mapping[tuple[Any, str], Any]


class IllegalTransition(Conflict):
    """The action does not fit the state: facts are `state` and the `allowed` actions."""

    code = "illegal-transition"


class Stateful(Protocol):
    """What `move` needs of a row."""

    id: Any
    state: Any
    version: Any
    location_id: Any
    updated_at: Any


class StateChange(Base):
    """History: which object went where, by which action, by whom, when."""

    __tablename__ = "state_change"
    __table_args__ = (Index("ix_state_change_object", "object_id", "id"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(40))
    before: Mapped[str] = mapped_column(String(40))
    after: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(120))
    at: Mapped[dt.datetime]


_HISTORY = Sql(
    "INSERT INTO state_change (id, location_id, object_type, object_id, action, before, after, actor, at) VALUES "
    "(:id, :location_id, :object_type, :object_id, :action, :before, :after, :actor, :at)"
)


def allowed(table: Table, state: StrEnum) -> list[str]:
    """The actions possible in `state`, sorted."""
    return sorted({action for (before, action) in table if before == state})


def move(row: Stateful, action: str, table: Table, *, event: str | None = None, **payload: Any) -> None:
    """Take `action` on `row`, or raise IllegalTransition; of many rivals one wins. Emits `event` if one is named."""
    before = row.state
    after = table.get((before, action))
    if after is None:
        raise IllegalTransition(state=str(before), allowed=allowed(table, before), action=action)
    model: Any = type(row)
    won: Any = db.session.execute(
        update(model)
        .where(model.id == row.id, model.state == before, model.version == row.version)
        .values(state=after, version=row.version + 1, updated_at=clock.now())
    )
    if won.rowcount != 1:
        db.session.refresh(row)
        raise IllegalTransition(state=str(row.state), allowed=allowed(table, row.state), action=action)
    name = model.__tablename__
    who = actor.current()
    later(
        _HISTORY,
        {
            "id": new_id(),
            "location_id": row.location_id,
            "object_type": name,
            "object_id": row.id,
            "action": action,
            "before": str(before),
            "after": str(after),
            "actor": f"{who.kind}:{who.name}",
            "at": clock.text(clock.now()),
        },
    )
    if event is not None:
        emit(
            event,
            aggregate=(name, row.id),
            sequence=row.version,
            location=row.location_id,
            id=row.id,
            state=str(after),
            **payload,
        )


def entered(object_id: str, state: StrEnum) -> dt.datetime | None:
    """When an object came into `state`, the last time."""
    found: dt.datetime | None = db.session.scalar(
        select(func.max(StateChange.at)).where(StateChange.object_id == object_id, StateChange.after == str(state))
    )
    return found


def touch(row: Stateful, event: str, **payload: Any) -> None:
    """Tell of a change that leaves the state as it is: raises the version and emits `event`."""
    row.version += 1
    row.updated_at = clock.now()
    db.session.flush()
    emit(
        event,
        aggregate=(type(row).__tablename__, row.id),  # type: ignore[attr-defined]
        sequence=row.version,
        location=row.location_id,
        id=row.id,
        state=str(row.state),
        **payload,
    )
