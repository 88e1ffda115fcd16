"""The store's work on its stock over HTTP: counts that are owed, and shelves."""

from __future__ import annotations

from typing import Any

from app.catalog import UnknownSku
from app.core import http, paging
from app.core.states import IllegalTransition
from app.stores import UnknownLocation

from . import recounts, shelving
from .api import bp
from .errors import UnknownRecount
from .models import RecountTask, StockShelf
from .work_schemas import (
    CountedIn,
    RecountOut,
    RecountPage,
    RecountQuery,
    ShelfPage,
    ShelfQuery,
    ShelvesIn,
    ShelvesOut,
)


@bp.operation("GET", "/recounts", scope="stock:read", query=RecountQuery, reply=RecountPage)
def list_recounts(query: dict[str, Any]) -> dict[str, Any]:
    """Counts that somebody owes or has made, ascending by their last change."""
    wanted = recounts.recounts_query(query.get("location"), query.get("state"))
    found = paging.page(wanted, RecountTask, query)
    kept = recounts.blocked(found["items"])
    return found | {"items": [_show(row, kept[row.id]) for row in found["items"]]}


@bp.operation(
    "POST", "/recounts/<recount_id>/done", scope="stock:write", body=CountedIn, reply=RecountOut, key="required",
    problems=[UnknownRecount, IllegalTransition], example={"counted": 4},
)  # fmt: skip
def finish_recount(body: dict[str, Any], recount_id: str) -> dict[str, Any]:
    """Everything there was counted: the book follows, and the goods are for sale again."""
    task = recounts.done(recount_id, counted=body["counted"])
    http.about("recount_task", task.id, task.location_id)
    return _show(task, 0)


@bp.operation(
    "PUT", "/stock/shelves", scope="stock:write", body=ShelvesIn, reply=ShelvesOut,
    problems=[UnknownLocation, UnknownSku],
    example={"location": "SHIBUYA", "lines": [{"sku": "TEE-NVY-M", "shelf": "A-03-2"}]},
)  # fmt: skip
def put_shelves(body: dict[str, Any]) -> dict[str, Any]:
    """Say where SKUs lie in a store; the last line of a SKU counts."""
    lines = {line["sku"]: line["shelf"] for line in body["lines"]}
    shelving.put(location=body["location"], lines=lines)
    http.about("location", body["location"], body["location"])
    shown = [{"sku": sku, "shelf": shelf} for sku, shelf in sorted(lines.items())]
    return {"location": body["location"], "lines": shown}


@bp.operation(
    "GET", "/stock/shelves", scope="stock:read", query=ShelfQuery, reply=ShelfPage, problems=[UnknownLocation]
)  # fmt: skip
def list_shelves(query: dict[str, Any]) -> dict[str, Any]:
    """Where the SKUs of a store lie, ascending by their last change."""
    return paging.page(shelving.shelves_query(query["location"]), StockShelf, query)


def _show(row: RecountTask, blocked: int) -> dict[str, Any]:
    names = ("id", "location_id", "sku", "state", "reason", "missing", "counted", "difference", "requested_at",
             "done_at", "updated_at")  # fmt: skip
    shown = {name: getattr(row, name) for name in names}
    return shown | {"blocked": blocked, "cause": {"type": row.cause_type, "id": row.cause_id}}
