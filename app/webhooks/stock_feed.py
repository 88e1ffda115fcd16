"""`stock.changed`: the figures of a SKU at a place, told once a second at most, and only while somebody asks.

Nothing is written where stock is taken. Once a second the feed of changed levels is read on, and each level that
changed since is told with its figures as they are then. Its `sequence` is counted here, for a level has no version.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from app import stock
from app.core import clock, outbox, paging, settings
from app.core.db import ask_one, use_case
from app.core.sql import Rowset, Sql, json_param

from . import endpoints
from .models import WebhookEndpoint
from .topics import STOCK_CHANGED, wanted

_TAKE = Sql("SELECT at, after, read_at FROM webhook_feed WHERE name = :name {for_update_skip_locked}")
_MOVE = Sql("UPDATE webhook_feed SET after = :after, read_at = :now WHERE name = :name")
_COUNT = Sql(
    "INSERT INTO webhook_stock (location_id, sku, sequence) SELECT t.location_id, t.sku, 1 FROM {t} WHERE true "
    "ON CONFLICT (location_id, sku) DO UPDATE SET sequence = webhook_stock.sequence + 1 "
    "RETURNING location_id, sku, sequence",
    Rowset("t", "rows", {"location_id": "text", "sku": "text"}),
)


def is_asked_for(listeners: Sequence[WebhookEndpoint]) -> bool:
    """Whether anybody wants to hear of changed stock."""
    return any(wanted(STOCK_CHANGED, one.events) for one in listeners)


@use_case
def tell() -> int:
    """Tell of the levels that changed since the last time; returns how many."""
    taken = ask_one(_TAKE, {"name": endpoints.STOCK}).rows
    now = clock.now()
    if not taken:
        return 0
    at, after, read_at = taken[0]
    # The first reading begins at the horizon that the first endpoint was made at; later ones go on from a cursor.
    cursor = str(after) or paging.encode(clock.text(clock.parse(at) or now), "", "")
    waited = now - (clock.parse(read_at) or now)
    if after and waited < dt.timedelta(seconds=settings.STOCK_TOLD_SECONDS):
        return 0
    found = stock.changes({"limit": settings.STOCK_TOLD_BATCH, "cursor": cursor})
    levels = {(item["location"], item["sku"]): item for item in found["items"]}
    _emit(levels)
    ask_one(_MOVE, {"name": endpoints.STOCK, "after": found["resume_cursor"], "now": clock.text(now)})
    return len(levels)


def _emit(levels: dict[tuple[str, str], dict[str, Any]]) -> None:
    if not levels:
        return
    rows = json_param([{"location_id": location, "sku": sku} for location, sku in levels])
    outbox.emit_many(
        STOCK_CHANGED,
        [
            (("stock_level", f"{location}/{sku}"), int(sequence), str(location), _figures(levels[location, sku]))
            for location, sku, sequence in ask_one(_COUNT, {"rows": rows}).rows
        ],
    )


def _figures(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("sku", "location", "on_hand", "reserved", "available")}
