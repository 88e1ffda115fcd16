"""The books as the API shows them: levels, the feed of their changes, movements. Reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, or_, select

from app import stores
from app.core import actor, clock, horizon, paging
from app.core.db import ask, db
from app.core.sql import Sql, json_param

from .models import StockMovement

BEGINNING = "1970-01-01T00:00:00.000000+00:00"

# One statement, one snapshot: a promise that is past due is none, and what is on the road is the receiver's to expect.
_LEVELS = (
    "SELECT s.sku, s.location_id, s.on_hand, s.reserved - coalesce((SELECT sum(l.open_quantity) FROM claim_line l "
    "WHERE l.sku = s.sku AND l.location_id = s.location_id AND l.open_quantity > 0 AND l.expires_at IS NOT NULL "
    "AND l.expires_at <= :now), 0), coalesce((SELECT sum(tl.shipped - tl.received) FROM transfer_line tl "
    "JOIN transfer t ON t.id = tl.transfer_id WHERE t.to_location_id = s.location_id AND t.state = 'shipped' "
    "AND tl.sku = s.sku), 0), s.changed_at FROM stock_level s WHERE {where}"
    "(s.changed_at, s.location_id, s.sku) > (:changed_at, :location_id, :after_sku) "
    "ORDER BY s.changed_at, s.location_id, s.sku LIMIT :rows"
)
_SKUS = "s.sku IN (SELECT value FROM json_each(:skus)) AND "
_PG_SKUS = "s.sku = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST(:skus AS jsonb)))) AND "
_PLACES = "s.location_id IN (SELECT value FROM json_each(:places)) AND "
_PG_PLACES = "s.location_id = ANY(ARRAY(SELECT jsonb_array_elements_text(CAST(:places AS jsonb)))) AND "
_SINCE = "s.changed_at >= :since AND "
_BEFORE = "s.changed_at < :horizon AND "


def stock(args: Mapping[str, Any]) -> dict[str, Any]:
    """One page of levels, the longest unchanged first."""
    found = _levels(args, before=None)
    return {"items": found[: args["limit"]], "next_cursor": _next(found, args["limit"])}


def changes(args: Mapping[str, Any]) -> dict[str, Any]:
    """The feed: levels in the order of their last change. `resume_cursor` is where to ask on, also when caught up."""
    found = _levels(args, before=horizon.settled())
    shown = found[: args["limit"]]
    resume = _cursor(shown[-1]) if shown else args.get("cursor") or paging.encode(BEGINNING, "", "")
    return {"items": shown, "next_cursor": _next(found, args["limit"]), "resume_cursor": resume}


def movements_query(sku: str | None, location: str | None, since: dt.datetime | None) -> Select[Any]:
    """Lines of the ledger inside the actor's bounds."""
    query = select(StockMovement)
    bounds = actor.current().locations
    if bounds is not None:
        query = query.where(StockMovement.location_id.in_(bounds))
    if sku is not None:
        query = query.where(StockMovement.sku == sku)
    if location is not None:
        query = query.where(StockMovement.location_id == location)
    if since is not None:
        query = query.where(StockMovement.recorded_at >= since)
    return query


def movements(args: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the ledger in the order in which it was written."""
    query = movements_query(args.get("sku"), args.get("location"), args.get("since"))
    if args.get("cursor"):
        stamp, last = paging.decode(args["cursor"])
        at = paging.moment(stamp)
        later = and_(StockMovement.recorded_at == at, StockMovement.id > paging.ident(last))
        query = query.where(or_(StockMovement.recorded_at > at, later))
    order = query.order_by(StockMovement.recorded_at, StockMovement.id).limit(args["limit"] + 1)
    rows: Sequence[StockMovement] = db.session.scalars(order).all()
    shown = rows[: args["limit"]]
    more = len(rows) > len(shown)
    cursor = paging.encode(clock.text(shown[-1].recorded_at), shown[-1].id) if more else None
    return {"items": [show_movement(row) for row in shown], "next_cursor": cursor}


def show_movement(row: StockMovement) -> dict[str, Any]:
    """A line of the ledger as the API shows it."""
    return {
        "id": row.id, "sku": row.sku, "location": row.location_id, "quantity": row.quantity, "kind": row.kind,
        "reference": {"type": row.reference_type, "id": row.reference_id}, "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at, "actor": row.actor, "balance_after": row.balance_after, "note": row.note,
    }  # fmt: skip


def _levels(args: Mapping[str, Any], before: dt.datetime | None) -> list[dict[str, Any]]:
    """At most one more row than a page has, so that the caller knows whether there is a next one."""
    changed_at, location_id, after_sku = BEGINNING, "", ""
    if args.get("cursor"):
        changed_at, location_id, after_sku = paging.decode(args["cursor"], 3)
    params: dict[str, Any] = {
        "changed_at": clock.text(paging.moment(changed_at)), "location_id": str(location_id),
        "after_sku": str(after_sku), "now": clock.text(clock.now()), "rows": args["limit"] + 1,
    }  # fmt: skip
    lite = pg = ""
    if args.get("sku"):
        lite, pg, params["skus"] = lite + _SKUS, pg + _PG_SKUS, json_param(args["sku"])
    places = _places(args.get("location"))
    if places is not None:
        lite, pg, params["places"] = lite + _PLACES, pg + _PG_PLACES, json_param(places)
    if args.get("updated_since"):
        lite, pg, params["since"] = lite + _SINCE, pg + _SINCE, clock.text(args["updated_since"])
    if before is not None:
        lite, pg, params["horizon"] = lite + _BEFORE, pg + _BEFORE, clock.text(before)
    statement = Sql(_LEVELS.replace("{where}", pg), sqlite=_LEVELS.replace("{where}", lite))
    levels, stamp = ask((statement, params), stores.stamp_call())
    directory = stores.directory(stamp)
    return [_show(row, directory[row[1]].safety_stock) for row in levels.rows]


def _places(location: str | None) -> list[str] | None:
    """The places to look at: None means all. Raises UnknownLocation."""
    if location is not None:
        return [stores.get(location).code]
    bounds = actor.current().locations
    return None if bounds is None else sorted(bounds)


def _show(row: Sequence[Any], safety: int) -> dict[str, Any]:
    sku, location, on_hand, reserved, incoming, changed_at = row
    return {
        "sku": sku, "location": location, "on_hand": on_hand, "reserved": int(reserved), "safety": safety,
        "available": max(0, on_hand - int(reserved) - safety), "incoming": int(incoming),
        "changed_at": clock.parse(changed_at),
    }  # fmt: skip


def _cursor(item: Mapping[str, Any]) -> str:
    return paging.encode(clock.text(item["changed_at"]), item["location"], item["sku"])


def _next(found: Sequence[Mapping[str, Any]], limit: int) -> str | None:
    return _cursor(found[limit - 1]) if len(found) > limit else None
