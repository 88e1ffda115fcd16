"""Reading receipts and waiting lines for the API, inside the caller's bounds."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Select, String, cast, func, select

from app.core import actor, paging
from app.core.db import db
from app.core.ids import is_id

from .errors import UnknownReceipt
from .judging import NOWHERE
from .models import PosReceipt, PosUnresolved
from .receipts import sees
from .states import UnresolvedState
from .writing import unseal

_PLAIN = (
    "id", "state", "source", "source_id", "revision", "kind", "store", "terminal", "business_date", "receipt_no",
    "problems", "totals", "occurred_at", "recorded_at", "updated_at",
)  # fmt: skip


def receipts(*, state: str | None, location: str | None, source: str | None) -> Select[Any]:
    """Receipts to be paged."""
    query: Select[Any] = select(PosReceipt)
    bounds = actor.current().locations
    if bounds is not None:
        query = query.where(PosReceipt.location_id.in_(sorted(bounds)))
    for column, value in ((PosReceipt.state, state), (PosReceipt.store, location), (PosReceipt.source, source)):
        if value is not None:
            query = query.where(column == value)
    return query


def find(receipt_id: str) -> PosReceipt:
    """One receipt, or UnknownReceipt."""
    row = db.session.get(PosReceipt, receipt_id) if is_id(receipt_id) else None
    if row is None or not sees(row.location_id):
        raise UnknownReceipt
    return row


def show(row: PosReceipt) -> dict[str, Any]:
    """A receipt as a list answers it."""
    return {name: getattr(row, name) for name in _PLAIN} | {
        "location": None if row.location_id == NOWHERE else row.location_id,
        "order": row.settles_id or row.order_id or row.back_order_id,
        "replaces": row.replaces_id,
        "original": row.original_id,
        "voided_by": row.voided_by_id,
    }


def show_whole(row: PosReceipt) -> dict[str, Any]:
    """A receipt with the sale as it was sent or mended."""
    return show(row) | {"sale": orjson.loads(unseal(row.sealed))}


def unresolved(args: dict[str, Any]) -> dict[str, Any]:
    """A page of unknown codes, the longest waiting first; `id` is that of the first line, and stands for all."""
    line = PosUnresolved
    query = select(
        func.min(cast(line.id, String)).label("first"), line.source, line.code,
        func.max(line.name), func.count(), func.sum(line.quantity), func.min(line.occurred_at),
    ).where(line.state == UnresolvedState.WAITING)  # fmt: skip
    for column, value in ((line.location_id, args.get("location")), (line.source, args.get("source"))):
        if value is not None:
            query = query.where(column == value)
    bounds = actor.current().locations
    if bounds is not None:
        query = query.where(line.location_id.in_(sorted(bounds)))
    if args.get("updated_since") is not None:
        query = query.where(line.updated_at >= args["updated_since"])
    query = query.group_by(line.source, line.code)
    if args.get("cursor"):
        (last,) = paging.decode(args["cursor"], 1)
        query = query.having(func.min(cast(line.id, String)) > str(last))
    limit = args["limit"]
    rows = db.session.execute(query.order_by("first").limit(limit + 1)).all()
    places = _places([row[0] for row in rows[:limit]])
    items = [
        {"id": row[0], "source": row[1], "code": row[2], "name": row[3], "lines": row[4], "quantity": row[5],
         "first_at": row[6], "locations": places.get((row[1], row[2]), [])}
        for row in rows[:limit]
    ]  # fmt: skip
    return {"items": items, "next_cursor": paging.encode(items[-1]["id"]) if len(rows) > limit else None}


def _places(ids: list[str]) -> dict[tuple[str, str], list[str]]:
    """Where each of these codes waits."""
    if not ids:
        return {}
    line = PosUnresolved
    codes = select(line.source, line.code).where(line.id.in_(ids)).subquery()
    query = (
        select(line.source, line.code, line.location_id)
        .join(codes, (codes.c.source == line.source) & (codes.c.code == line.code))
        .where(line.state == UnresolvedState.WAITING)
        .distinct()
        .order_by(line.location_id)
    )
    found: dict[tuple[str, str], list[str]] = {}
    for source, code, place in db.session.execute(query):
        if sees(place):
            found.setdefault((source, code), []).append(place)
    return found
