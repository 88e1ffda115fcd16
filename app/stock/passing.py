"""Pieces that pass from one claim to another without ever being free in between.

Picked goods that nobody will collect stay promised to their way back to the shelf; goods of an undone hand-over come
back on hand and are promised again in the same statement; goods that were sent for an order are its own on arrival.
None of this may be refused, for it has happened.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from app.core.db import later, use_case
from app.core.ids import new_id
from app.core.outbox import emit
from app.core.sql import json_param

from . import expiry, ledger, levels
from .claims import _VOID, ClaimView, _has_posted, _live, _move, _tell, _write, find_anywhere, reserve
from .errors import ReservationEnded


@use_case
def divide(
    claim_id: str,
    parts: Mapping[str, int],
    *,
    kind: str,
    owner: tuple[str, str] | None,
    new_owner: tuple[str, str],
) -> ClaimView:
    """Let some open pieces go on as a claim of their own, of another kind and owner. Levels stay as they are.

    Raises ReservationEnded, also for more than is open.
    """
    claim = _live(claim_id, owner)
    over = {sku: q for sku, q in parts.items() if q > claim.open.get(sku, 0)}
    if over or not parts:
        raise ReservationEnded(state=claim.state, id=claim.id)
    _take_out(claim, parts)
    return _begin(claim.location_id, claim.channel, kind, parts, new_owner)


@use_case
def take_back(
    claim_id: str,
    parts: Mapping[str, int],
    cause: ledger.Cause,
    *,
    location: str,
    kind: str,
    owner: tuple[str, str] | None,
) -> ClaimView:
    """Undo a post: the pieces are on hand again, under a new claim that also takes what the old one still had open.

    The old one may have ended at another place, for goods that were to come from there.
    """
    old = find_anywhere(claim_id, lock=True)
    rest = dict(old.open) if old.state == "reserved" else {}
    if rest:
        _take_out(_live(claim_id, owner), rest)
    after = levels.change({(location, sku): (q, q) for sku, q in parts.items()})
    ledger.write([ledger.Goods(location, sku, q) for sku, q in parts.items()], cause, after)
    expiry.settle(after, cause.why)
    whole = {sku: rest.get(sku, 0) + parts.get(sku, 0) for sku in sorted({*rest, *parts})}
    return _begin(location, old.channel, kind, whole, owner)


def keep(location: str, channel: str, kind: str, parts: Mapping[str, int], *, owner: tuple[str, str]) -> ClaimView:
    """Promise pieces whatever else is promised there. The caller holds the levels, and lets incidents judge them
    afterwards where that is called for.
    """
    levels.change({(location, sku): (0, pieces) for sku, pieces in parts.items()})
    return _begin(location, channel, kind, parts, owner)


@use_case
def enlarge(claim_id: str, parts: Mapping[str, int], *, location: str, kind: str, owner: tuple[str, str]) -> ClaimView:
    """Promise more to the claim's owner: a new claim that also takes what the old one still had open there.

    Raises InsufficientStock.
    """
    old = find_anywhere(claim_id, lock=True)
    more = reserve(
        location=location, lines=list(parts.items()), kind=kind, channel=old.channel, expires_at=None,
        owner=owner,
    )  # fmt: skip
    rest = dict(old.open) if old.state == "reserved" else {}
    if rest:
        _take_out(_live(claim_id, owner), rest)
    _take_out(_live(more.id, owner), more.open)
    whole = {sku: rest.get(sku, 0) + parts.get(sku, 0) for sku in sorted({*rest, *parts})}
    return _begin(location, old.channel, kind, whole, owner)


def _take_out(claim: ClaimView, parts: Mapping[str, int]) -> None:
    left = {sku: q - parts.get(sku, 0) for sku, q in claim.open.items() if q > parts.get(sku, 0)}
    state = "reserved" if left else ("fulfilled" if _has_posted(claim) else "released")
    _move(claim, state)
    later(_VOID, {"id": claim.id, "rows": json_param([{"sku": sku, "quantity": q} for sku, q in parts.items()])})
    _tell(claim, f"reservation.{state}" if state != "reserved" else "reservation.changed")


def _begin(
    location: str, channel: str, kind: str, parts: Mapping[str, int], owner: tuple[str, str] | None
) -> ClaimView:
    no_deadline: dt.datetime | None = None
    claim = ClaimView(
        id=new_id(), location_id=location, kind=kind, channel=channel, state="reserved", expires_at=no_deadline,
        external_ref=None, owner_type=owner[0] if owner else None, owner_id=owner[1] if owner else None, version=1,
        lines=dict(parts), open=dict(parts),
    )  # fmt: skip
    _write(claim)
    emit(
        "reservation.created", aggregate=("claim", claim.id), sequence=1, location=location, id=claim.id, kind=kind,
        lines=[{"sku": sku, "quantity": quantity} for sku, quantity in parts.items()],
    )  # fmt: skip
    return claim
