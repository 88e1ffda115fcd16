"""Stock over HTTP."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from functools import partial
from typing import Any

from app import stores
from app.catalog import UnknownSku
from app.core import etags, http, paging
from app.core.errors import Invalid, NotFound, PreconditionFailed
from app.core.fields import NoFields
from app.core.http import Api
from app.core.states import IllegalTransition
from app.stores import UnknownLocation

from . import availability, policies, queries, roads, transfers
from .adjustments import Reason, adjust
from .claims import merge
from .errors import InsufficientStock, SameLocation, UnknownIncident, UnknownTransfer
from .incidents import find_incident, incidents_query
from .models import StockIncident, StockPolicy, Transfer, TransferLine
from .schemas import (
    AdjustmentIn,
    AdjustmentOut,
    AvailabilityOut,
    AvailabilityQuery,
    ChangesPage,
    ChangesQuery,
    IncidentOut,
    IncidentPage,
    IncidentQuery,
    MovementPage,
    MovementQuery,
    PolicyIn,
    PolicyOut,
    PolicyPage,
    PolicyQuery,
    ReceiveIn,
    SendIn,
    StockPage,
    StockQuery,
    TransferIn,
    TransferOut,
    TransferPage,
    TransferQuery,
)

bp = Api("stock", __name__)
_LINES = [{"sku": "TEE-NVY-M", "quantity": 3}]


@bp.operation(
    "GET", "/availability", scope="any", query=AvailabilityQuery, reply=AvailabilityOut,
    problems=[UnknownSku, UnknownLocation],
)  # fmt: skip
def get_availability(query: dict[str, Any]) -> dict[str, Any]:
    """What can be promised of some SKUs, and where."""
    skus = list(dict.fromkeys(query["sku"]))
    found = availability.find(
        skus=skus, channel=query.get("channel"), location=query.get("location"), near=query.get("near"),
        limit=query["limit"],
    )  # fmt: skip
    ready_by = _ready_by(found)
    items = [
        {"sku": sku, "total_available": found.totals[sku], "locations": [_spot(s, ready_by) for s in found.spots[sku]]}
        for sku in skus
    ]
    return {"items": items, "as_of": found.as_of}


def _ready_by(found: availability.Found) -> dict[str, dt.datetime | None]:
    """By when each place that hands over could have an order of now ready, with the work that it has already."""
    places = {s.place.code: s.place for spots in found.spots.values() for s in spots if s.place.pickup_enabled}
    load = stores.load(places.values(), found.as_of)
    return {code: stores.expect(place, found.as_of, load) for code, place in places.items()}


def _spot(spot: availability.Spot, ready_by: dict[str, dt.datetime | None]) -> dict[str, Any]:
    place = spot.place
    shown = {
        "location": place.code, "name": place.name, "available": spot.available, "state": spot.state,
        "pickup": {"enabled": place.pickup_enabled, "ready_by": ready_by.get(place.code)},
    }  # fmt: skip
    return shown if spot.distance_km is None else {**shown, "distance_km": spot.distance_km}


@bp.operation(
    "GET", "/stock", scope="stock:read", query=StockQuery, reply=StockPage, problems=[UnknownLocation]
)  # fmt: skip
def list_stock(query: dict[str, Any]) -> dict[str, Any]:
    """The books: what is on hand, promised, kept back and on its way."""
    return queries.stock(query)


@bp.operation(
    "GET", "/stock/changes", scope="stock:read", query=ChangesQuery, reply=ChangesPage, problems=[UnknownLocation]
)  # fmt: skip
def list_changes(query: dict[str, Any]) -> dict[str, Any]:
    """Levels in the order of their last change; none is passed over, whoever commits late."""
    return queries.changes(query)


@bp.operation(
    "PUT", "/stock/policies", scope="stock:write", body=PolicyIn, reply=PolicyOut,
    problems=[NotFound, UnknownLocation, UnknownSku, PreconditionFailed],
    example={"channel": "ec", "location": "SHIBUYA", "share": 80, "safety": 1},
)  # fmt: skip
def put_policy(body: dict[str, Any]) -> dict[str, Any]:
    """Say how much of the stock a channel may sell."""
    parts = (body["channel"], body["location"] or "*", body["sku"] or "*")
    http.about("stock_policy", " ".join(parts)[:120], body["location"])
    return asdict(policies.set_policy(**body, agree=partial(etags.require_match, PolicyOut)))


@bp.operation("GET", "/stock/policies", scope="stock:read", query=PolicyQuery, reply=PolicyPage)
def list_policies(query: dict[str, Any]) -> dict[str, Any]:
    """The policies, ascending by their last change."""
    wanted = policies.policies_query(query.get("channel"), query.get("location"), query.get("sku"))
    return paging.page(wanted, StockPolicy, query, show=policies.view)


@bp.operation(
    "POST", "/stock/adjustments", scope="stock:write", body=AdjustmentIn, reply=AdjustmentOut, status=201,
    problems=[UnknownLocation, UnknownSku],
    example={"location": "SHIBUYA", "reason": "damage", "lines": [{"sku": "TEE-NVY-M", "quantity": -1}]},
)  # fmt: skip
def create_adjustment(body: dict[str, Any]) -> dict[str, Any]:
    """Write down goods that came or went; never refused for lack of stock."""
    lines = [(line["sku"], line["quantity"]) for line in body["lines"]]
    made = adjust(location=body["location"], reason=Reason(body["reason"]), lines=lines, note=body.get("note"))
    http.about("adjustment", made.id, made.location_id)
    return {"id": made.id, "movements": [asdict(movement) for movement in made.movements]}


@bp.operation("GET", "/stock/movements", scope="stock:read", query=MovementQuery, reply=MovementPage)
def list_movements(query: dict[str, Any]) -> dict[str, Any]:
    """The ledger, in the order in which it was written."""
    return queries.movements(query)


@bp.operation(
    "POST", "/transfers", scope="stock:write", body=TransferIn, reply=TransferOut, status=201, key="required",
    problems=[UnknownLocation, UnknownSku, InsufficientStock, SameLocation],
    example={"from": "SHIBUYA", "to": "UENO", "lines": _LINES},
)  # fmt: skip
def create_transfer(body: dict[str, Any]) -> dict[str, Any]:
    """Ask for goods to move from one place to another; they are promised at the sender."""
    lines = [(line["sku"], line["quantity"]) for line in body["lines"]]
    made = transfers.request(
        sender=body["sender"], receiver=body["receiver"], lines=lines, note=body.get("note"),
        expected_at=body.get("expected_at"),
    )  # fmt: skip
    return _changed(made)


@bp.operation(
    "POST", "/transfers/<transfer_id>/ship", scope="stock:write", body=SendIn, reply=TransferOut, key="required",
    problems=[UnknownTransfer, IllegalTransition, Invalid], example={"lines": _LINES},
)  # fmt: skip
def ship_transfer(body: dict[str, Any], transfer_id: str) -> dict[str, Any]:
    """The goods have left the sender, all or fewer; what stays behind is free there."""
    return _changed(transfers.ship(transfer_id, sent=_counted(body)))


@bp.operation(
    "POST", "/transfers/<transfer_id>/receive", scope="stock:write", body=ReceiveIn, reply=TransferOut, key="required",
    problems=[UnknownTransfer, IllegalTransition, UnknownSku], example={"lines": _LINES},
)  # fmt: skip
def receive_transfer(body: dict[str, Any], transfer_id: str) -> dict[str, Any]:
    """The goods are here; what is missing or over is written down."""
    return _changed(transfers.receive(transfer_id, arrived=_counted(body)))


@bp.operation(
    "POST", "/transfers/<transfer_id>/cancel", scope="stock:write", body=NoFields, reply=TransferOut, key="required",
    problems=[UnknownTransfer, IllegalTransition],
)  # fmt: skip
def cancel_transfer(body: dict[str, Any], transfer_id: str) -> dict[str, Any]:
    """Nothing was sent: the sender's goods are free again."""
    return _changed(transfers.cancel(transfer_id))


@bp.operation(
    "GET", "/transfers/<transfer_id>", scope="stock:read", reply=TransferOut, problems=[UnknownTransfer]
)  # fmt: skip
def get_transfer(transfer_id: str) -> dict[str, Any]:
    """One transfer."""
    found = roads.find_transfer(transfer_id)
    return _show(found, roads.lines_of(found))


@bp.operation("GET", "/transfers", scope="stock:read", query=TransferQuery, reply=TransferPage)
def list_transfers(query: dict[str, Any]) -> dict[str, Any]:
    """Transfers from or to the caller's places, ascending by their last change."""
    found = paging.page(roads.transfers_query(query.get("location"), query.get("state")), Transfer, query)
    lines = roads.lines_by_transfer(found["items"])
    return found | {"items": [_show(row, lines[row.id]) for row in found["items"]]}


@bp.operation("GET", "/incidents", scope="stock:read", query=IncidentQuery, reply=IncidentPage)
def list_incidents(query: dict[str, Any]) -> dict[str, Any]:
    """Where facts broke promises, ascending by their last change."""
    wanted = incidents_query(query.get("location"), query.get("state"))
    return paging.page(wanted, StockIncident, query, show=_incident)


@bp.operation(
    "GET", "/incidents/<incident_id>", scope="stock:read", reply=IncidentOut, problems=[UnknownIncident]
)  # fmt: skip
def get_incident(incident_id: str) -> dict[str, Any]:
    """One incident."""
    return _incident(find_incident(incident_id))


def _counted(body: dict[str, Any]) -> dict[str, int] | None:
    """Pieces by SKU; None where the body names no lines."""
    if "lines" not in body:
        return None
    return merge([(line["sku"], line["quantity"]) for line in body["lines"]])


def _changed(transfer: Transfer) -> dict[str, Any]:
    http.about("transfer", transfer.id, transfer.location_id)
    return _show(transfer, roads.lines_of(transfer))


def _show(row: Transfer, lines: list[TransferLine]) -> dict[str, Any]:
    return {
        "id": row.id, "state": row.state, "sender": row.location_id, "receiver": row.to_location_id,
        "whom": roads.whom(row), "lines": lines, "note": row.note, "expected_at": row.expected_at,
        "shipped_at": row.shipped_at, "received_at": row.received_at, "created_at": row.created_at,
        "updated_at": row.updated_at,
    }  # fmt: skip


def _incident(row: StockIncident) -> dict[str, Any]:
    names = ("id", "location_id", "sku", "kind", "state", "shortage", "waiting", "cause_code", "opened_at",
             "resolved_at", "updated_at")  # fmt: skip
    return {name: getattr(row, name) for name in names} | {"cause": {"type": row.cause_type, "id": row.cause_id}}
