"""Claims: reserve → post (in parts) | release | expire, each ended once.

`reserve` is the hot path: one conditional UPDATE decides, everything else is queued and travels with COMMIT. An outer
use case (an order, a pickup) takes a claim over with `attach`; from then on only its owner ends it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core import actor, clock
from app.core.db import Again, ask, ask_one, later, use_case
from app.core.errors import Conflict
from app.core.ids import is_id, new_id
from app.core.outbox import emit
from app.core.sql import Rowset, Sql, json_param

from . import expiry, incidents, ledger, levels, rules, shortage
from .errors import ReservationAttached, ReservationEnded, UnknownReservation


@dataclass(slots=True)
class ClaimView:
    """A claim as its owner sees it; `lines` maps SKU to pieces claimed, `open` to pieces still open."""

    id: str
    location_id: str
    kind: str
    channel: str
    state: str
    expires_at: dt.datetime | None
    external_ref: str | None
    owner_type: str | None
    owner_id: str | None
    version: int
    lines: dict[str, int] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)


_LINES = Rowset("line", "rows", {"id": "uuid", "sku": "text", "quantity": "int"})
_TAKEN = Rowset("part", "rows", {"sku": "text", "quantity": "int"})
_CLAIM = "id, location_id, kind, channel, state, expires_at, external_ref, owner_type, owner_id, version"
_INSERT = Sql(
    "INSERT INTO claim (id, location_id, kind, channel, state, expires_at, external_ref, owner_type, owner_id, "
    "version, created_at, updated_at) VALUES (:id, :location_id, :kind, :channel, 'reserved', :expires_at, "
    ":external_ref, :owner_type, :owner_id, 1, :now, :now)"
)
_INSERT_LINE = Sql(
    "INSERT INTO claim_line (id, location_id, claim_id, sku, quantity, open_quantity, posted_quantity, expires_at) "
    "VALUES (:id, :location_id, :claim_id, :sku, :quantity, :quantity, 0, :expires_at)"
)
_INSERT_LINES = Sql(
    "INSERT INTO claim_line (id, location_id, claim_id, sku, quantity, open_quantity, posted_quantity, expires_at) "
    "SELECT line.id, :location_id, CAST(:claim_id AS uuid), line.sku, line.quantity, line.quantity, 0, "
    "CAST(:expires_at AS timestamptz) FROM {line}",
    _LINES,
    sqlite="INSERT INTO claim_line (id, location_id, claim_id, sku, quantity, open_quantity, posted_quantity, "
    "expires_at) SELECT line.id, :location_id, :claim_id, line.sku, line.quantity, line.quantity, 0, :expires_at "
    "FROM {line}",
)
_FIND = Sql(f"SELECT {_CLAIM} FROM claim WHERE id = :id")  # noqa: S608
_LOCK = Sql(f"SELECT {_CLAIM} FROM claim WHERE id = :id {{for_update}}")  # noqa: S608
_FIND_LINES = Sql("SELECT sku, quantity, open_quantity FROM claim_line WHERE claim_id = :id ORDER BY sku")
_OPEN_AT = Sql(
    f"SELECT {_CLAIM} FROM claim WHERE state = 'reserved' AND (expires_at IS NULL OR expires_at > :now) AND id IN "  # noqa: S608
    "(SELECT claim_id FROM claim_line WHERE sku = :sku AND location_id = :location_id AND open_quantity > 0) "
    "ORDER BY created_at, id"
)
_LINES_AT = Sql(
    "SELECT l.claim_id, l.sku, l.quantity, l.open_quantity FROM claim_line l WHERE l.claim_id IN "
    "(SELECT claim_id FROM claim_line WHERE sku = :sku AND location_id = :location_id AND open_quantity > 0) "
    "ORDER BY l.sku"
)
_MOVE = Sql(
    "UPDATE claim SET state = :state, expires_at = :expires_at, owner_type = :owner_type, owner_id = :owner_id, "
    "version = version + 1, updated_at = :now WHERE id = :id AND state = 'reserved' AND version = :version"
)
_SET_LINE_EXPIRY = Sql("UPDATE claim_line SET expires_at = :expires_at WHERE claim_id = :id AND open_quantity > 0")
_SET_KIND = Sql("UPDATE claim SET kind = :kind WHERE id = :id")
_POSTED = Sql("SELECT coalesce(sum(posted_quantity), 0) FROM claim_line WHERE claim_id = :id")
_POST = Sql(
    "UPDATE claim_line SET open_quantity = claim_line.open_quantity - part.quantity, "
    "posted_quantity = claim_line.posted_quantity + part.quantity FROM {part} "
    "WHERE claim_line.claim_id = :id AND claim_line.sku = part.sku AND claim_line.open_quantity >= part.quantity",
    _TAKEN,
)
_VOID = Sql(
    "UPDATE claim_line SET open_quantity = claim_line.open_quantity - part.quantity FROM {part} "
    "WHERE claim_line.claim_id = :id AND claim_line.sku = part.sku AND claim_line.open_quantity >= part.quantity",
    _TAKEN,
)


def merge(lines: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Demand summed per SKU: two lines of one SKU never pass alone."""
    wanted: dict[str, int] = defaultdict(int)
    for sku, quantity in lines:
        wanted[sku] += quantity
    return dict(sorted(wanted.items()))


@use_case
def reserve(
    *,
    location: str,
    lines: Sequence[tuple[str, int]],
    kind: str,
    channel: str,
    expires_at: dt.datetime | None,
    external_ref: str | None = None,
    owner: tuple[str, str] | None = None,
) -> ClaimView:
    """Promise the pieces, all lines or none.

    Refuses by the very figure that availability shows for `channel`; past-due claims in the way are ended first.
    Raises UnknownLocation, UnknownSku, InsufficientStock (with every short line and other locations).
    """
    wanted = merge(lines)
    taking = rules.takes(location, channel, wanted)
    if not _take(location, taking):
        alone = expiry.make_way(location, list(wanted))
        if not _take(location, taking):
            if not alone:
                raise Again
            raise shortage.explain(location, channel, wanted)
    claim = ClaimView(
        id=new_id(), location_id=location, kind=kind, channel=channel, state="reserved", expires_at=expires_at,
        external_ref=external_ref, owner_type=owner[0] if owner else None, owner_id=owner[1] if owner else None,
        version=1, lines=wanted, open=dict(wanted),
    )  # fmt: skip
    _write(claim)
    emit(
        "reservation.created", aggregate=("claim", claim.id), sequence=1, location=location, id=claim.id, kind=kind,
        lines=[{"sku": sku, "quantity": quantity} for sku, quantity in wanted.items()],
    )  # fmt: skip
    return claim


class _Missed(Conflict):
    """Some SKU of several was not available; never leaves this module."""

    code = "some-line-missed"


def _take(location: str, taking: Sequence[levels.Take]) -> bool:
    if len(taking) == 1:
        return levels.take(location_id=location, wanted=taking)
    try:
        _take_all(location, taking)
    except _Missed:
        return False
    return True


@use_case
def _take_all(location: str, taking: Sequence[levels.Take]) -> None:
    if not levels.take(location_id=location, wanted=taking):
        raise _Missed


def _write(claim: ClaimView) -> None:
    expires = clock.text(claim.expires_at) if claim.expires_at else None
    shared = {"location_id": claim.location_id, "claim_id": claim.id, "expires_at": expires}
    later(
        _INSERT,
        {
            "id": claim.id, "location_id": claim.location_id, "kind": claim.kind, "channel": claim.channel,
            "expires_at": expires, "external_ref": claim.external_ref, "owner_type": claim.owner_type,
            "owner_id": claim.owner_id, "now": clock.text(clock.now()),
        },
    )  # fmt: skip
    rows = [{"id": new_id(), "sku": sku, "quantity": quantity} for sku, quantity in claim.lines.items()]
    if len(rows) == 1:
        later(_INSERT_LINE, {**rows[0], **shared})
    else:
        later(_INSERT_LINES, {"rows": json_param(rows), **shared})


def find(claim_id: str, *, lock: bool = False) -> ClaimView:
    """A claim inside the actor's bounds, as it stands: a past-due one is `expired` though nobody swept it.

    Raises UnknownReservation.
    """
    claim = find_anywhere(claim_id, lock=lock)
    if not actor.current().sees_location(claim.location_id):
        raise UnknownReservation
    return claim


def find_anywhere(claim_id: str, *, lock: bool = False) -> ClaimView:
    """The same without bounds, for its owner: an order's goods may lie where its clerk has no say."""
    if not is_id(claim_id):
        raise UnknownReservation
    head, lines = ask((_LOCK if lock else _FIND, {"id": claim_id}), (_FIND_LINES, {"id": claim_id}))
    if not head.rows:
        raise UnknownReservation
    view = _view(head.rows[0], lines.rows)
    if view.state == "reserved" and view.expires_at is not None and view.expires_at <= clock.now():
        view.state = "expired"
    return view


def open_at(location: str, sku: str) -> list[ClaimView]:
    """Every promise of this SKU at this place that still counts, the oldest first. Without bounds."""
    place = {"location_id": location, "sku": sku}
    heads, lines = ask((_OPEN_AT, {**place, "now": clock.text(clock.now())}), (_LINES_AT, place))
    by_claim: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for claim_id, *line in lines.rows:
        by_claim[str(claim_id)].append(tuple(line))
    return [_view(row, by_claim[str(row[0])]) for row in heads.rows]


def _view(row: Sequence[Any], lines: Sequence[Sequence[Any]]) -> ClaimView:
    return ClaimView(
        id=str(row[0]), location_id=row[1], kind=row[2], channel=row[3], state=row[4], expires_at=clock.parse(row[5]),
        external_ref=row[6], owner_type=row[7], owner_id=None if row[8] is None else str(row[8]), version=row[9],
        lines={sku: quantity for sku, quantity, _ in lines}, open={sku: left for sku, _, left in lines if left},
    )  # fmt: skip


def _live(claim_id: str, owner: tuple[str, str] | None) -> ClaimView:
    """The claim, locked, if it is open and `owner` may decide about it."""
    claim = find_anywhere(claim_id, lock=True) if owner is not None else find(claim_id, lock=True)
    if claim.state != "reserved":
        raise ReservationEnded(state=claim.state, id=claim.id)
    held_by = (claim.owner_type, claim.owner_id) if claim.owner_type else None
    if held_by != owner:
        raise ReservationAttached(id=claim.id, owner_type=claim.owner_type)
    return claim


def _move(claim: ClaimView, state: str) -> None:
    now = clock.text(clock.now())
    moved = ask_one(
        _MOVE,
        {
            "id": claim.id, "version": claim.version, "state": state, "owner_type": claim.owner_type,
            "owner_id": claim.owner_id, "now": now,
            "expires_at": clock.text(claim.expires_at) if claim.expires_at else None,
        },
    )  # fmt: skip
    if moved.count != 1:
        raise ReservationEnded(state=find_anywhere(claim.id).state, id=claim.id)
    claim.state, claim.version = state, claim.version + 1


@use_case
def release(claim_id: str, *, owner: tuple[str, str] | None = None) -> ClaimView:
    """End the claim as `released`: every open piece is free again. Raises ReservationEnded, ReservationAttached."""
    claim = _live(claim_id, owner)
    parts = dict(claim.open)
    _move(claim, "released")
    _void_lines(claim, parts)
    _tell(claim, "reservation.released")
    return claim


@use_case
def extend(claim_id: str, *, expires_at: dt.datetime | None, owner: tuple[str, str] | None = None) -> ClaimView:
    """Give the claim another deadline (None: no deadline of its own)."""
    claim = _live(claim_id, owner)
    claim.expires_at = expires_at
    _move(claim, "reserved")
    later(_SET_LINE_EXPIRY, {"id": claim.id, "expires_at": clock.text(expires_at) if expires_at else None})
    _tell(claim, "reservation.extended")
    return claim


@use_case
def attach(claim_id: str, *, owner: tuple[str, str], kind: str, previous: tuple[str, str] | None = None) -> ClaimView:
    """Let `owner` (type, id) take the claim over: its deadline then belongs to the owner."""
    claim = _live(claim_id, previous)
    claim.owner_type, claim.owner_id, claim.expires_at, claim.kind = *owner, None, kind
    _move(claim, "reserved")
    later(_SET_KIND, {"id": claim.id, "kind": kind})
    later(_SET_LINE_EXPIRY, {"id": claim.id, "expires_at": None})
    _tell(claim, "reservation.attached")
    return claim


@use_case
def void(claim_id: str, parts: Mapping[str, int], *, owner: tuple[str, str] | None = None) -> ClaimView:
    """Free some open pieces; the claim ends as `released` (or `fulfilled`, if any were posted) when none is left."""
    claim = _live(claim_id, owner)
    return _reduce(claim, {k: v for k, v in parts.items() if v}, posted=False, cause=None)


@use_case
def post(
    claim_id: str, parts: Mapping[str, int], cause: ledger.Cause, *, owner: tuple[str, str] | None = None
) -> ClaimView:
    """Fulfil some open pieces: they leave the shelf and the promise together. Ends as `fulfilled` when none is left."""
    claim = _live(claim_id, owner)
    return _reduce(claim, {k: v for k, v in parts.items() if v}, posted=True, cause=cause)


def _reduce(claim: ClaimView, parts: Mapping[str, int], *, posted: bool, cause: ledger.Cause | None) -> ClaimView:
    short = {sku: q for sku, q in parts.items() if q > claim.open.get(sku, 0)}
    if short:
        over = [{"sku": sku, "quantity": quantity} for sku, quantity in short.items()]
        raise ReservationEnded(state="reserved", id=claim.id, over=over)
    left = {sku: q - parts.get(sku, 0) for sku, q in claim.open.items() if q > parts.get(sku, 0)}
    was_posted = posted or _has_posted(claim)
    state = "reserved" if left else ("fulfilled" if was_posted else "released")
    _move(claim, state)
    claim.open = left
    if posted and cause is not None:
        _post_lines(claim, parts, cause)
    else:
        _void_lines(claim, parts)
    _tell(claim, f"reservation.{state}" if state != "reserved" else "reservation.changed")
    return claim


def _has_posted(claim: ClaimView) -> bool:
    rows = ask_one(_POSTED, {"id": claim.id}).rows
    return bool(rows[0][0])


def _void_lines(claim: ClaimView, parts: Mapping[str, int]) -> None:
    if not parts:
        return
    rows = json_param([{"sku": sku, "quantity": q} for sku, q in parts.items()])
    later(_VOID, {"id": claim.id, "rows": rows})
    after = levels.change({(claim.location_id, sku): (0, -q) for sku, q in parts.items()})
    incidents.match(after, incidents.Why("claim", claim.id))


def _post_lines(claim: ClaimView, parts: Mapping[str, int], cause: ledger.Cause) -> None:
    if not parts:
        return
    rows = json_param([{"sku": sku, "quantity": q} for sku, q in parts.items()])
    later(_POST, {"id": claim.id, "rows": rows})
    after = levels.change({(claim.location_id, sku): (-q, -q) for sku, q in parts.items()})
    ledger.write([ledger.Goods(claim.location_id, sku, -q) for sku, q in parts.items()], cause, after)
    expiry.settle(after, cause.why)


def _tell(claim: ClaimView, topic: str) -> None:
    emit(topic, aggregate=("claim", claim.id), sequence=claim.version, location=claim.location_id, id=claim.id,
         kind=claim.kind, state=claim.state)  # fmt: skip
