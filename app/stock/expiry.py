"""Ending past-due claims. A past-due claim is dead though nobody swept it: whoever needs its pieces ends it first.

Claims are ended before levels are touched, the same order as in every release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.core import clock, settings
from app.core.db import ask_one, use_case
from app.core.outbox import emit
from app.core.sql import Rowset, Sql, json_param

from . import levels

_SKUS = Rowset("wanted", "skus", {"sku": "text"})
_IDS = Rowset("ended", "ids", {"id": "uuid"})
_PAST_DUE = Sql(
    "SELECT c.id FROM claim c WHERE c.state = 'reserved' AND c.id IN (SELECT l.claim_id FROM claim_line l "
    "JOIN {wanted} ON l.sku = wanted.sku WHERE l.location_id = :location_id AND l.open_quantity > 0 "
    "AND l.expires_at IS NOT NULL AND l.expires_at <= :now) {for_update}",
    _SKUS,
)
_PAST_DUE.postgresql += " OF c SKIP LOCKED"
_ANY_PAST_DUE = Sql(
    "SELECT id FROM claim WHERE state = 'reserved' AND expires_at IS NOT NULL AND expires_at <= :now "
    "ORDER BY expires_at LIMIT :batch {for_update}"
)
_ANY_PAST_DUE.postgresql += " SKIP LOCKED"
_END = Sql(
    "UPDATE claim SET state = 'expired', version = version + 1, updated_at = :now FROM {ended} "
    "WHERE claim.id = ended.id AND claim.state = 'reserved' "
    "RETURNING claim.id, claim.location_id, claim.version, claim.kind",
    _IDS,
    sqlite="UPDATE claim SET state = 'expired', version = version + 1, updated_at = :now FROM {ended} "
    "WHERE claim.id = ended.id AND claim.state = 'reserved' RETURNING id, location_id, version, kind",
)
_FREE = Sql(
    "SELECT l.location_id, l.sku, l.open_quantity FROM claim_line l JOIN {ended} ON l.claim_id = ended.id "
    "WHERE l.open_quantity > 0",
    _IDS,
)
_CLOSE = Sql(
    "UPDATE claim_line SET open_quantity = 0, expires_at = NULL FROM {ended} WHERE claim_line.claim_id = ended.id", _IDS
)


def end_past_due(location_id: str, skus: Sequence[str]) -> int:
    """End the past-due claims on these SKUs; returns how many pieces of anything came free."""
    now = clock.text(clock.now())
    param = json_param([{"sku": sku} for sku in skus])
    found = ask_one(_PAST_DUE, {"skus": param, "location_id": location_id, "now": now}).rows
    return _end([str(row[0]) for row in found])


@use_case
def sweep(batch: int = 500) -> int:
    """End up to `batch` past-due claims anywhere; returns how many were found."""
    found = ask_one(_ANY_PAST_DUE, {"now": clock.text(clock.now()), "batch": batch}).rows
    _end([str(row[0]) for row in found])
    return len(found)


def sweep_all() -> int:
    """End every past-due claim, a batch per transaction."""
    total = 0
    while (found := sweep()) > 0:
        total += found
        if total > settings.MAX_LEVEL:
            break
    return total


def _end(ids: Sequence[str]) -> int:
    if not ids:
        return 0
    param = {"ids": json_param([{"id": i} for i in sorted(ids)])}
    ended = ask_one(_END, {**param, "now": clock.text(clock.now())}).rows
    if not ended:
        return 0
    param = {"ids": json_param([{"id": str(row[0])} for row in ended])}
    freed: dict[tuple[str, str], int] = defaultdict(int)
    for location_id, sku, open_quantity in ask_one(_FREE, param).rows:
        freed[location_id, sku] += open_quantity
    ask_one(_CLOSE, param)
    levels.change({place: (0, -quantity) for place, quantity in freed.items()})
    for claim_id, location_id, version, kind in ended:
        emit(
            "reservation.expired", aggregate=("claim", str(claim_id)), sequence=version, location=location_id,
            id=str(claim_id), kind=kind,
        )  # fmt: skip
    return sum(freed.values())
