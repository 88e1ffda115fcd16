"""HTTP for waiting lists."""

from __future__ import annotations

from typing import Any

from app import catalog, customers, stores
from app.core import texts
from app.core.http import Api, about
from app.core.states import IllegalTransition

from . import waiting
from .errors import AlreadyWaiting, PickupNotOffered, TooManyHolds, UnknownWait
from .waiting_schemas import WaitIn, WaitOut, WaitPageOut, WaitQuery

bp = Api("waiting", __name__)
_SCOPE = "reservations:write"


@bp.operation(
    "POST",
    "/waiting-list",
    scope=_SCOPE,
    body=WaitIn,
    reply=WaitOut,
    status=201,
    key="required",
    problems=[
        stores.UnknownLocation,
        catalog.UnknownSku,
        customers.UnknownCustomer,
        PickupNotOffered,
        AlreadyWaiting,
        TooManyHolds,
    ],
    example={
        "location": "SHIBUYA", "sku": "TEE-NAVY-M", "quantity": 1,
        "customer": {"name": "山田花子", "email": "hanako@example.jp"},
    },
)  # fmt: skip
def join_waiting_list(body: dict[str, Any]) -> dict[str, Any]:
    """Wait for a SKU at a store: when pieces are free again, the longest waiting customer gets a hold and a notice."""
    row = waiting.join(language=texts.language(), **body)
    about("waiting_customer", row.id, row.location_id)
    return waiting.show(row)


@bp.operation("GET", "/waiting-list", scope=_SCOPE, query=WaitQuery, reply=WaitPageOut)
def list_waiting(query: dict[str, Any]) -> dict[str, Any]:
    """Who waits for what, ascending by their last change."""
    return waiting.page(query)


@bp.operation(
    "POST",
    "/waiting-list/<wait_id>/leave",
    scope=_SCOPE,
    reply=WaitOut,
    key="required",
    problems=[UnknownWait, IllegalTransition],
)
def leave_waiting_list(wait_id: str) -> dict[str, Any]:
    """Give a place in a waiting list up."""
    row = waiting.leave(wait_id=wait_id)
    about("waiting_customer", row.id, row.location_id)
    return waiting.show(row)
