"""HTTP for what a customer chooses when a promise cannot be kept, and for the store's offer of a substitute."""

from __future__ import annotations

from typing import Any

from app import catalog, stock, stores
from app.core.errors import Invalid
from app.core.http import Api, about
from app.core.states import IllegalTransition

from . import choosing, choosing_schemas, errors, options, pickups, queries, schemas, work
from .choosing import Choice

bp = Api("choosing", __name__)


@bp.operation(
    "GET", "/pickups/<pickup_id>/options", scope="pickups:read", reply=choosing_schemas.OptionsOut,
    problems=[errors.UnknownPickup],
)  # fmt: skip
def list_options(pickup_id: str) -> dict[str, Any]:
    """What the customer may choose now, the kindest first; none where nothing is missing or late."""
    row = pickups.get(pickup_id)
    return {
        "reason": row.choice_reason, "until": row.choose_by,
        "options": [] if row.is_over else options.of(row, pickups.lines_of(row)),
    }  # fmt: skip


@bp.operation(
    "POST", "/pickups/<pickup_id>/choose", scope="pickups:write", body=choosing_schemas.ChooseIn,
    reply=schemas.StorePickupOut, key="required", example={"option": "other_store", "location": "ginza"},
    problems=[errors.UnknownPickup, IllegalTransition, errors.NothingToChoose, errors.OptionNotOffered,
              errors.PickupNotOffered, stock.InsufficientStock, stores.UnknownLocation, Invalid],
)  # fmt: skip
def choose(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """The customer chooses what shall become of what is missing or late."""
    row = choosing.choose(pickup_id=pickup_id, choice=Choice(**body))
    about("pickup", row.id, row.location_id)
    return queries.show(row)


@bp.operation(
    "POST", "/pickups/<pickup_id>/substitute", scope="pickups:write", body=choosing_schemas.SubstituteIn,
    reply=schemas.StorePickupOut, key="required", example={"sku": "TEE-NAVY-M", "substitute": "TEE-BLACK-M"},
    problems=[errors.UnknownPickup, IllegalTransition, errors.NothingShort, catalog.UnknownSku],
)  # fmt: skip
def offer_substitute(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """Offer another SKU for missing pieces; the customer's choice decides."""
    row = work.substitute(pickup_id=pickup_id, sku=body["sku"], instead=body["substitute"])
    about("pickup", row.id, row.location_id)
    return queries.show(row)
