"""Oversell incidents: a fact broke a promise. Opened and closed by looking at levels after each change.

Whoever changes a level with a fact calls `expiry.settle`, which ends past-due claims first and then comes here. An
incident whose shortage is gone stays open while customers it was put to have not chosen (`keep_open`, `let_go`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from app.core import actor, clock, metrics
from app.core.db import ask_one, db, later, use_case
from app.core.ids import is_id, new_id
from app.core.outbox import emit
from app.core.sql import Sql

from . import levels
from .errors import UnknownIncident
from .levels import Level
from .models import StockIncident

_MARK = Sql("UPDATE stock_level SET oversold = :oversold WHERE location_id = :location_id AND sku = :sku")
_OPEN = Sql(
    "INSERT INTO stock_incident (id, location_id, sku, kind, state, shortage, cause_type, cause_id, cause_code, "
    "opened_at, version, updated_at) VALUES (:id, :location_id, :sku, 'oversell', 'open', :shortage, :cause_type, "
    ":cause_id, :cause_code, :now, 1, :now)"
)
_SET = "version = version + 1, updated_at = :now"
_HERE = "location_id = :location_id AND sku = :sku AND state = 'open'"
_TOLD = "RETURNING id, version, state, location_id, sku, shortage, waiting"
_STILL_SHORT = Sql(
    f"UPDATE stock_incident SET shortage = :shortage, {_SET} WHERE {_HERE} AND shortage <> :shortage {_TOLD}"  # noqa: S608
)
_ENOUGH = Sql(
    "UPDATE stock_incident SET shortage = 0, state = CASE WHEN waiting = 0 THEN 'resolved' ELSE 'open' END, "  # noqa: S608
    f"resolved_at = CASE WHEN waiting = 0 THEN :now ELSE resolved_at END, {_SET} "
    f"WHERE {_HERE} AND (shortage <> 0 OR waiting = 0) {_TOLD}"
)
_KEEP_OPEN = Sql(
    f"UPDATE stock_incident SET waiting = waiting + 1, {_SET} WHERE id = :id AND state = 'open' {_TOLD}"  # noqa: S608
)
_LET_GO = Sql(
    "UPDATE stock_incident SET waiting = waiting - 1, "  # noqa: S608
    "state = CASE WHEN waiting = 1 AND shortage = 0 THEN 'resolved' ELSE state END, "
    "resolved_at = CASE WHEN waiting = 1 AND shortage = 0 THEN :now ELSE resolved_at END, "
    f"{_SET} WHERE id = :id AND state = 'open' AND waiting > 0 {_TOLD}"
)
_COUNT = Sql("SELECT count(*) FROM stock_incident WHERE state = 'open'")

# What people call the fact that broke a promise, by the movement's kind.
CODES: Mapping[str, str] = {
    "sale": "till_sale", "return": "till_correction", "void": "till_correction", "pickup": "hand_over",
    "ship": "parcel", "receipt": "receipt", "damage": "damage", "display": "display", "loss": "loss",
    "found": "correction", "correction": "correction", "stocktake": "count", "opening": "count",
    "variance": "short_pick", "transfer_out": "transfer", "transfer_in": "transfer", "transfer_over": "transfer",
    "transfer_short": "transfer_short", "recount": "recount", "reconcile": "reconcile",
}  # fmt: skip
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Why:
    """The document that changed levels, and the kind of its movement ('' where none was written)."""

    type: str
    id: str
    kind: str = ""

    @property
    def code(self) -> str:
        """In one word; a count that somebody was asked for is told from a stocktake."""
        return CODES.get("recount" if self.type == "recount" else self.kind, OTHER)


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident as other packages see it."""

    id: str
    location_id: str
    sku: str
    shortage: int
    waiting: int
    cause: tuple[str, str]
    cause_code: str
    state: str
    opened_at: dt.datetime


def match(after: Sequence[Level], why: Why) -> None:
    """Open, update or resolve incidents so that they explain `after` exactly; each place and SKU comes once."""
    for level in after:
        if level.shortage and not level.oversold:
            _open(level, why)
        elif level.oversold:
            _change(level)


def _open(level: Level, why: Why) -> None:
    incident_id = new_id()
    place = {"location_id": level.location_id, "sku": level.sku}
    later(_MARK, {**place, "oversold": True})
    later(
        _OPEN,
        {**place, "id": incident_id, "shortage": level.shortage, "cause_type": why.type, "cause_id": why.id,
         "cause_code": why.code, "now": clock.text(clock.now())},
    )  # fmt: skip
    emit("oversell.opened", aggregate=("stock_incident", incident_id), sequence=1, location=level.location_id,
         id=incident_id, sku=level.sku, shortage=level.shortage, cause=why.code)  # fmt: skip


def _change(level: Level) -> None:
    place = {"location_id": level.location_id, "sku": level.sku, "now": clock.text(clock.now())}
    if level.shortage:
        _tell(ask_one(_STILL_SHORT, {**place, "shortage": level.shortage}).rows)
    else:
        _tell(ask_one(_ENOUGH, place).rows)


@use_case
def keep_open(incident_id: str) -> None:
    """A customer is asked because of this incident: it stays open until they have chosen. Raises UnknownIncident.

    The caller holds the level, and takes the pieces out of the promise afterwards.
    """
    if not _tell(ask_one(_KEEP_OPEN, {"id": incident_id, "now": clock.text(clock.now())}).rows):
        raise UnknownIncident


@use_case
def let_go(incident_id: str) -> None:
    """A customer who was asked has chosen; the incident is over if nothing is short and nobody else is waited for."""
    row = db.session.get_one(StockIncident, incident_id)
    levels.lock([(row.location_id, row.sku)])
    _tell(ask_one(_LET_GO, {"id": incident_id, "now": clock.text(clock.now())}).rows)


def _tell(rows: Sequence[Sequence[Any]]) -> bool:
    """Emit what an UPDATE came to; says whether it found the incident."""
    for incident_id, version, state, location_id, sku, shortage, waiting in rows:
        resolved = state == "resolved"
        if resolved:
            later(_MARK, {"location_id": location_id, "sku": sku, "oversold": False})
        emit("oversell.resolved" if resolved else "oversell.changed", aggregate=("stock_incident", str(incident_id)),
             sequence=version, location=location_id, id=str(incident_id), sku=sku, shortage=int(shortage),
             waiting=int(waiting))  # fmt: skip
    return bool(rows)


def find_incident(incident_id: str) -> StockIncident:
    """One incident inside the actor's bounds, or UnknownIncident."""
    found = db.session.get(StockIncident, incident_id, populate_existing=True) if is_id(incident_id) else None
    if found is None or not actor.current().sees_location(found.location_id):
        raise UnknownIncident
    return found


def view(incident_id: str) -> IncidentView:
    """One incident inside the actor's bounds, for other packages. Raises UnknownIncident."""
    row = find_incident(incident_id)
    return IncidentView(
        id=row.id, location_id=row.location_id, sku=row.sku, shortage=row.shortage,
        waiting=row.waiting, cause=(row.cause_type, row.cause_id), cause_code=row.cause_code, state=row.state,
        opened_at=row.opened_at,
    )  # fmt: skip


def waited_for() -> dict[str, int]:
    """How many customers each open incident waits for, where it does."""
    query = select(StockIncident.id, StockIncident.waiting).where(
        StockIncident.state == "open", StockIncident.waiting > 0
    )
    return {str(id_): waiting for id_, waiting in db.session.execute(query)}


def incidents_query(location: str | None, state: str | None) -> Select[Any]:
    """Incidents inside the actor's bounds, to be paged."""
    query = select(StockIncident)
    bounds = actor.current().locations
    if bounds is not None:
        query = query.where(StockIncident.location_id.in_(bounds))
    if location:
        query = query.where(StockIncident.location_id == location)
    if state:
        query = query.where(StockIncident.state == state)
    return query


@use_case
def count_open() -> int:
    """Tell the metrics how many incidents are open."""
    found = int(ask_one(_COUNT, {}).rows[0][0])
    metrics.INCIDENTS.set(found)
    return found
