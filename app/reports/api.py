"""HTTP for reports."""

from __future__ import annotations

from typing import Any

from app import stores
from app.core.http import Api

from . import pickups
from .schemas import PickupReportOut, PickupReportQuery

bp = Api("reports", __name__)


@bp.operation(
    "GET",
    "/reports/pickups",
    scope="reports:read",
    query=PickupReportQuery,
    reply=PickupReportOut,
    problems=[stores.UnknownLocation],
)
def report_pickups(query: dict[str, Any]) -> dict[str, Any]:
    """How well stores keep their pickup promises, per store and day: kept %, times, no-shows, short picks."""
    return pickups.report(since=query["since"], until=query["until"], location=query.get("location"))
