"""What was scanned: every hand-over and undo, and every refused try, with who, when, where and on which device."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select

from app.core import actor, clock
from app.core.audit import COMPANY
from app.core.db import db, later
from app.core.ids import new_id
from app.core.sql import Sql, json_param

from .models import PickupScan

DONE = "done"
TILL = "till"  # the proof of what a receipt took; its nonce is the receipt
# A hand-over that was told late and cannot be true as it stands: it is kept as a fact, and somebody looks at it.
GIVEN_TWICE, GIVEN_AFTER_END, GIVEN_AND_RETURNED = "given-twice", "given-after-end", "given-and-returned"
CONFLICTS = (GIVEN_TWICE, GIVEN_AFTER_END, GIVEN_AND_RETURNED)
_INSERT = Sql(
    "INSERT INTO pickup_scan (id, location_id, pickup_id, action, proof, outcome, actor_id, actor_name, device, nonce, "
    "receiver, proxy_id, identity_checked, parts, undone, occurred_at, recorded_at) VALUES (:id, :location_id, "
    ":pickup_id, :action, :proof, :outcome, :actor_id, :actor_name, :device, :nonce, :receiver, :proxy_id, "
    ":identity_checked, :parts, FALSE, :occurred_at, :recorded_at)"
)


@dataclass(frozen=True, slots=True)
class Scan:
    """The circumstances of a try. `occurred_at` is the device's word, kept beside the time that counts.

    With a nonce it is more: the tablet had no network and tells now what it did then.
    """

    action: str
    proof: str | None = None
    device: str | None = None
    nonce: str | None = None
    receiver: str | None = None
    proxy_id: str | None = None
    identity_checked: bool | None = None
    occurred_at: dt.datetime | None = None


def keep(scan: Scan, *, place: tuple[str, str] | None, outcome: str, parts: Mapping[str, int] | None = None) -> None:
    """Record a try; `place` is (location, pickup), None where there is no such pickup. `parts` counts by line_ref."""
    who = actor.current()
    later(
        _INSERT,
        {
            "id": new_id(), "location_id": place[0] if place else COMPANY, "pickup_id": place[1] if place else None,
            "action": scan.action, "proof": scan.proof, "outcome": outcome, "actor_id": who.id, "actor_name": who.name,
            "device": scan.device, "nonce": scan.nonce, "receiver": scan.receiver, "proxy_id": scan.proxy_id,
            "identity_checked": scan.identity_checked, "parts": json_param(dict(parts or {})),
            "occurred_at": clock.text(scan.occurred_at) if scan.occurred_at else None,
            "recorded_at": clock.text(clock.now()),
        },
    )  # fmt: skip


def given(pickup_id: str) -> list[PickupScan]:
    """The hand-overs of a pickup, the latest first."""
    return [scan for scan in told(pickup_id) if scan.outcome == DONE]


def told(pickup_id: str) -> list[PickupScan]:
    """The same with the conflicts: everything that is said to have been handed over."""
    return list(
        db.session.scalars(
            select(PickupScan)
            .where(
                PickupScan.pickup_id == pickup_id, PickupScan.action == "hand-over",
                PickupScan.outcome.in_((DONE, *CONFLICTS)),
            )
            .order_by(PickupScan.id.desc())
        )
    )  # fmt: skip


def conflicts(pickup_ids: Sequence[str]) -> Mapping[str, str]:
    """The latest conflict of each pickup that has one."""
    query = (
        select(PickupScan.pickup_id, PickupScan.outcome)
        .where(PickupScan.pickup_id.in_(pickup_ids), PickupScan.outcome.in_(CONFLICTS))
        .order_by(PickupScan.id)
    )
    return {str(pickup_id): outcome for pickup_id, outcome in db.session.execute(query)}


def in_conflict() -> Select[str | None]:
    """The ids of all pickups with a conflict."""
    return select(PickupScan.pickup_id).where(PickupScan.outcome.in_(CONFLICTS))


def is_retry(done: PickupScan, scan: Scan) -> bool:
    """Whether the try is the successful one again: same client, same device, same nonce."""
    same = done.actor_id == actor.current().id and done.device == scan.device
    return same and scan.nonce is not None and done.nonce == scan.nonce


def is_same_hand(done: PickupScan, scan: Scan) -> bool:
    """Whether the very tablet asks again, without a nonce of its own to tell a second scan from a retry."""
    same = done.actor_id == actor.current().id and done.device is not None and done.device == scan.device
    return same and scan.nonce is None and not done.undone
