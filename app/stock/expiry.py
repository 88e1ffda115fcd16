"""Ending past-due claims. A past-due claim is dead though nobody swept it: whoever needs its pieces ends it first.

Claims are ended before levels are touched, the same order as in every release. A claim that a rival is ending right
now is not waited for (that would tie knots): the caller takes what came free, or starts its transaction again.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.core import clock, settings
from app.core.db import ask, ask_one, use_case
from app.core.outbox import emit_many
from app.core.sql import Rowset, Sql, json_param

from . import blocks, incidents, levels
from .levels import Level

_SKUS = Rowset("wanted", "skus", {"sku": "text"})
_IDS = Rowset("ended", "ids", {"id": "uuid"})
_DUE = (
    "SELECT l.claim_id FROM claim_line l JOIN {wanted} ON l.sku = wanted.sku WHERE l.location_id = :location_id "
    "AND l.open_quantity > 0 AND l.expires_at IS NOT NULL AND l.expires_at <= :now"
)
_PAST_DUE = Sql(
    f"WITH due AS (SELECT id FROM claim WHERE state = 'reserved' AND id IN ({_DUE})), "  # noqa: S608  our own words
    "mine AS (SELECT c.id FROM claim c WHERE c.state = 'reserved' AND c.id IN (SELECT id FROM due) "
    "{for_update} OF c SKIP LOCKED) SELECT due.id, mine.id IS NOT NULL FROM due LEFT JOIN mine ON mine.id = due.id",
    _SKUS,
    sqlite=f"SELECT id, 1 FROM claim WHERE state = 'reserved' AND id IN ({_DUE})",  # noqa: S608
)
_ANY_PAST_DUE = Sql(
    "SELECT id FROM claim WHERE state = 'reserved' AND expires_at IS NOT NULL AND expires_at <= :now "
    "ORDER BY expires_at LIMIT :batch {for_update} SKIP LOCKED",
    sqlite="SELECT id FROM claim WHERE state = 'reserved' AND expires_at IS NOT NULL AND expires_at <= :now "
    "ORDER BY expires_at LIMIT :batch",
)
_END = Sql(
    "UPDATE claim SET state = 'expired', version = version + 1, updated_at = :now FROM {ended} "
    "WHERE claim.id = ended.id AND claim.state = 'reserved' "
    "RETURNING claim.id, claim.location_id, claim.version, claim.kind",
    _IDS,
    sqlite="UPDATE claim SET state = 'expired', version = version + 1, updated_at = :now FROM {ended} "
    "WHERE claim.id = ended.id AND claim.state = 'reserved' RETURNING id, location_id, version, kind",
)
_FREE = Sql(
    "SELECT l.location_id, l.sku, sum(l.open_quantity) FROM claim_line l JOIN {ended} ON l.claim_id = ended.id "
    "WHERE l.open_quantity > 0 GROUP BY l.location_id, l.sku",
    _IDS,
)
_CLOSE = Sql(
    "UPDATE claim_line SET open_quantity = 0, expires_at = NULL FROM {ended} WHERE claim_line.claim_id = ended.id", _IDS
)
_EXPIRED = incidents.Why("claim", "expired")


def make_way(location_id: str, skus: Sequence[str]) -> bool:
    """End the past-due claims on these SKUs; False when a rival has its hands on one of them just now."""
    mine, all_mine = _past_due(location_id, skus)
    incidents.match(_end(mine), _EXPIRED)
    return all_mine


def settle(after: Sequence[Level], why: incidents.Why) -> None:
    """Let incidents explain the levels after a fact. What is no promise has made way before they judge."""
    incidents.match(without_past_due(after), why)


def without_past_due(after: Sequence[Level]) -> list[Level]:
    """The levels as they stand once past-due claims in the way are ended, and what else those freed.

    Pieces that are only kept from sale until they are counted were promised to nobody: a fact takes them first.
    """
    final = {(level.location_id, level.sku): level for level in after}
    for level in after:
        if level.shortage:
            mine, _ = _past_due(level.location_id, [level.sku])
            final.update({(freed.location_id, freed.sku): freed for freed in _end(mine)})
            left = final[level.location_id, level.sku]
            if left.shortage:
                final[level.location_id, level.sku] = blocks.make_way(left)
    return list(final.values())


@use_case
def sweep(batch: int = settings.SWEEP_BATCH) -> int:
    """End up to `batch` past-due claims anywhere; returns how many were found."""
    found = ask_one(_ANY_PAST_DUE, {"now": clock.text(clock.now()), "batch": batch}).rows
    incidents.match(_end([str(row[0]) for row in found]), _EXPIRED)
    return len(found)


def sweep_all() -> int:
    """End every past-due claim, a batch per transaction; returns how many ended."""
    total = 0
    while (found := sweep()) > 0:
        total += found
    return total


def _past_due(location_id: str, skus: Sequence[str]) -> tuple[list[str], bool]:
    param = json_param([{"sku": sku} for sku in skus])
    found = ask_one(_PAST_DUE, {"skus": param, "location_id": location_id, "now": clock.text(clock.now())}).rows
    return [str(claim) for claim, mine in found if mine], all(mine for _, mine in found)


def _end(ids: Sequence[str]) -> list[Level]:
    """End these claims, whose rows are locked; returns the levels that came free.

    Levels come last: buyers wait for them, and for nothing else that is done here.
    """
    if not ids:
        return []
    param = {"ids": json_param([{"id": i} for i in sorted(ids)])}
    ended, open_lines, _ = ask((_END, {**param, "now": clock.text(clock.now())}), (_FREE, param), (_CLOSE, param))
    emit_many(
        "reservation.expired",
        [
            (("claim", str(claim_id)), version, location_id, {"id": str(claim_id), "kind": kind})
            for claim_id, location_id, version, kind in ended.rows
        ],
    )
    return levels.change({(place, sku): (0, -int(pieces)) for place, sku, pieces in open_lines.rows})
