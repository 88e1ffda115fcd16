"""Places and their collection slots over HTTP."""

from __future__ import annotations

from typing import Any

from app.core import clock, etags, http, paging
from app.core.errors import PreconditionFailed
from app.core.fields import PageQuery
from app.core.http import Api

from . import bookings, places
from .errors import UnknownLocation
from .locations import put_location
from .models import Location
from .queries import find, show, visible
from .schemas import LocationIn, LocationOut, LocationPage, SlotsOut, SlotsQuery

bp = Api("stores", __name__)
_EXAMPLE = {
    "name": "渋谷店",
    "name_en": "Shibuya",
    "kind": "store",
    "timezone": "Asia/Tokyo",
    "postal_code": "150-0002",
    "address": "東京都渋谷区渋谷1-1-1",
    "latitude": 35.658,
    "longitude": 139.701,
    "phone": "03-1234-5678",
    "hours": {day: [["10:00", "21:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
    "closures": ["2027-01-01"],
    "pickup": {
        "enabled": True, "lead_minutes": 60, "hold_days": 7, "orders_per_hour": 30, "cut_off": "19:00",
        "slot_minutes": 30, "slot_capacity": 10,
    },
    "safety_stock": 1,
}  # fmt: skip


@bp.operation(
    "PUT", "/locations/<code>", scope="catalog:write", body=LocationIn, reply=LocationOut,
    problems=[UnknownLocation, PreconditionFailed], example=_EXAMPLE,
)  # fmt: skip
def put_one_location(body: dict[str, Any], code: str) -> dict[str, Any]:
    """Add or change a store or a warehouse."""
    code = http.path_code(code)
    http.about("location", code, code)

    def expect(present: Location | None) -> None:
        etags.require_match(LocationOut, None if present is None else show(present))

    row, _changed = put_location(code=code, settings=body, expect=expect)
    return show(row)


@bp.operation("GET", "/locations/<code>", scope="any", reply=LocationOut, problems=[UnknownLocation])
def get_location(code: str) -> dict[str, Any]:
    """One place."""
    return show(find(code))


@bp.operation("GET", "/locations", scope="any", query=PageQuery, reply=LocationPage)
def list_locations(query: dict[str, Any]) -> dict[str, Any]:
    """The places, ascending by their last change."""
    return paging.page(visible(), Location, query, show=show, key="code")


@bp.operation(
    "GET", "/locations/<code>/slots", scope="any", query=SlotsQuery, reply=SlotsOut, problems=[UnknownLocation]
)
def list_slots(query: dict[str, Any], code: str) -> dict[str, Any]:
    """The times at which customers can collect at a place, and how many orders more each of them takes."""
    place = places.get(code)
    return {"items": bookings.slots(place, since=query.get("since") or clock.now(), days=query["days"])}
