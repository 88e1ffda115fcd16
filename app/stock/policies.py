"""Policies: how much of a place's stock a channel may sell. The most special one wins, field by field (see `rules`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from app import catalog, stores
from app.core import actor, clock
from app.core.db import ask_one, db, use_case
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.sql import Sql

from .models import StockPolicy

_MAKE = Sql(
    "INSERT INTO stock_policy (id, channel, location_id, sku, updated_at) VALUES (:id, :channel, :location_id, :sku, "
    ":now) ON CONFLICT (channel, location_id, sku) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy; None for location or SKU means all of them, None for a figure that a wider policy decides."""

    channel: str
    location: str | None
    sku: str | None
    share: int | None
    safety: int | None
    buffer: int | None
    updated_at: dt.datetime


def view(row: StockPolicy) -> PolicyView:
    """A row as the caller sees it."""
    return PolicyView(
        channel=row.channel, location=row.location_id or None, sku=row.sku or None, share=row.share, safety=row.safety,
        buffer=row.buffer, updated_at=row.updated_at,
    )  # fmt: skip


@use_case
def set_policy(
    *,
    channel: str,
    location: str | None,
    sku: str | None,
    share: int | None,
    safety: int | None,
    buffer: int | None,
    agree: Callable[[PolicyView | None], None],
) -> PolicyView:
    """Set the whole policy of (channel, location, SKU); a figure that is None falls back to a wider policy.

    `agree` is shown the present policy and may refuse (If-Match). Raises UnknownLocation, UnknownSku. Who is bound to
    places cannot set what holds everywhere.
    """
    actor.within(channel=channel, missing=NotFound)
    if location is not None:
        actor.within(location=location, missing=stores.UnknownLocation)
        stores.get(location)
    elif actor.current().locations is not None:
        raise stores.UnknownLocation(location=location)
    if sku is not None:
        catalog.require([sku])
    place = {"channel": channel, "location_id": location or "", "sku": sku or ""}
    made = ask_one(_MAKE, {**place, "id": new_id(), "now": clock.text(clock.now())}).count
    row = db.session.scalars(select(StockPolicy).filter_by(**place).with_for_update()).one()
    agree(None if made else view(row))
    row.share, row.safety, row.buffer, row.updated_at = share, safety, buffer, clock.now()
    db.session.flush()
    return view(row)


def policies_query(channel: str | None, location: str | None, sku: str | None) -> Select[Any]:
    """Policies that touch the actor's places and channels, to be paged."""
    query = select(StockPolicy)
    who = actor.current()
    if who.locations is not None:
        query = query.where(StockPolicy.location_id.in_(["", *who.locations]))
    if who.channels is not None:
        query = query.where(StockPolicy.channel.in_(who.channels))
    if channel is not None:
        query = query.where(StockPolicy.channel == channel)
    if location is not None:
        query = query.where(StockPolicy.location_id == location)
    if sku is not None:
        query = query.where(StockPolicy.sku == sku)
    return query
