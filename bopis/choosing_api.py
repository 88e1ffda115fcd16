"""HTTP for what a customer chooses when a promise cannot be kept, and for the store's offer of a substitute."""

from __future__ import annotations

from typing import Any

from app import catalog, stock, stores
from app.core.errors import Invalid

from . import choosing, choosing_schemas, errors, options, pickups, work
from .api import act, bp, done
from .choosing import Choice


@bp.operation(
    "GET",
    "/pickups/<pickup_id>/options",
    scope="pickups:read",
    reply=choosing_schemas.OptionsOut,
    problems=[errors.UnknownPickup],
)
def list_options(pickup_id: str) -> dict[str, Any]:
    """What the customer may choose now, the kindest first; none where nothing is missing or late."""
    row = pickups.get(pickup_id)
    offered = [] if row.is_over else options.of(row, pickups.lines_of(row))
    return {"reason": row.choice_reason, "until": row.choose_by, "options": offered}


@act(
    "choose",
    errors.NothingToChoose,
    errors.OptionNotOffered,
    errors.PickupNotOffered,
    stock.InsufficientStock,
    stores.UnknownLocation,
    Invalid,
    body=choosing_schemas.ChooseIn,
    example={"option": "other_store", "location": "ginza"},
)
def choose(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """The customer chooses what shall become of what is missing or late."""
    return done(choosing.choose(pickup_id=pickup_id, choice=Choice(**body)))


@act(
    "substitute",
    errors.NothingShort,
    catalog.UnknownSku,
    body=choosing_schemas.SubstituteIn,
    example={"sku": "TEE-NAVY-M", "substitute": "TEE-BLACK-M"},
)
def offer_substitute(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """Offer another SKU for missing pieces; the customer's choice decides."""
    return done(work.substitute(pickup_id=pickup_id, sku=body["sku"], instead=body["substitute"]))
