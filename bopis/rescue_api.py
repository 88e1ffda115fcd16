"""HTTP of the rescue desk: what can be done about an incident, and doing it."""

from __future__ import annotations

from typing import Any

from app import stock
from app.core.errors import Invalid
from app.core.http import Api, about
from app.core.states import IllegalTransition

from . import errors, remedies, rescue, rescue_schemas
from .remedies import Effect, Kind, Remedy

bp = Api("rescue", __name__)
_NOT_KNOWN = dict.fromkeys(
    ("whose", "claim", "channel", "order_id", "order_number", "pickup", "code", "state", "transfer", "paid", "picked",
     "promised_at", "from", "from_name", "distance_km", "ready_by")
)  # fmt: skip


@bp.operation(
    "GET", "/incidents/<incident_id>/remedies", scope="stock:read", reply=rescue_schemas.RemediesOut,
    problems=[stock.UnknownIncident],
)  # fmt: skip
def list_remedies(incident_id: str) -> dict[str, Any]:
    """What can be done about an incident now: whose promise suffers least first, the kindest remedy first."""
    return _board(stock.incident(incident_id))


@bp.operation(
    "POST", "/incidents/<incident_id>/apply", scope="stock:write", body=rescue_schemas.ApplyIn,
    reply=rescue_schemas.RemediesOut, key="required",
    example={"remedy": "transfer:01936b1e-0000-7000-8000-000000000001:1:W1"},
    problems=[stock.UnknownIncident, errors.RemedyNotOffered, stock.InsufficientStock, IllegalTransition, Invalid],
)  # fmt: skip
def apply_remedy(body: dict[str, Any], incident_id: str) -> dict[str, Any]:
    """Carry out one remedy; the answer is what can be done afterwards."""
    incident = rescue.apply(incident_id=incident_id, remedy=body["remedy"])
    about("stock_incident", incident.id, incident.location_id)
    return _board(incident)


def _board(incident: stock.IncidentView) -> dict[str, Any]:
    board = remedies.of(incident)
    return {
        "incident": incident.id, "location": incident.location_id, "sku": incident.sku, "state": incident.state,
        "shortage": incident.shortage, "uncovered": board.uncovered, "cause_code": incident.cause_code,
        "recount": stock.recount_at(incident.location_id, incident.sku), "waiting": rescue.waiting(incident.id),
        "remedies": [_view(one) for one in board.remedies],
    }  # fmt: skip


def _view(one: Remedy) -> dict[str, Any]:
    shown: dict[str, Any] = _NOT_KNOWN | {
        "remedy": one.id, "kind": str(one.kind), "words": one.words, "customer": str(one.customer),
        "written": _is_written(one), "quantity": one.pieces, "refund": one.refund,
    }  # fmt: skip
    if one.source is not None:
        shown |= {
            "from": one.source.place.code, "from_name": one.source.place.name, "ready_by": one.source.ready_by,
            "distance_km": one.source.distance_km,
        }  # fmt: skip
    whose = one.promised
    if whose is None:
        return shown
    shown |= {
        "whose": str(whose.whose), "claim": whose.claim.id, "channel": whose.claim.channel or None,
        "transfer": whose.transfer, "paid": whose.paid, "picked": whose.picked,
    }  # fmt: skip
    if whose.parcel is not None:
        return shown | {"order_id": whose.parcel.order_id, "order_number": whose.parcel.number}
    row = whose.pickup
    if row is None:
        return shown
    return shown | {
        "order_id": row.order_id, "order_number": row.order_number, "pickup": row.id, "code": row.code,
        "state": str(row.state), "promised_at": row.ready_by,
    }  # fmt: skip


def _is_written(one: Remedy) -> bool:
    """Whether the customer gets a notice: of a new pickup, a question, the end of a pickup or of some of its pieces."""
    if one.customer == Effect.NOTHING and one.kind != Kind.TRANSFER:
        return False
    whose = one.promised
    return whose is not None and whose.pickup is not None
