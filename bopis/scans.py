"""What was scanned: every hand-over and undo, and every refused try, with who, when, where and on which device."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from app.core import actor, clock
from app.core.audit import COMPANY
from app.core.db import db, later
from app.core.ids import new_id
from app.core.sql import Sql, json_param

from .models import PickupScan

DONE = "done"
_INSERT = Sql(
    "INSERT INTO pickup_scan (id, location_id, pickup_id, action, proof, outcome, actor_id, actor_name, device, nonce, "
    "receiver, identity_checked, parts, undone, occurred_at, recorded_at) VALUES (:id, :location_id, :pickup_id, "
    ":action, :proof, :outcome, :actor_id, :actor_name, :device, :nonce, :receiver, :identity_checked, :parts, FALSE, "
    ":occurred_at, :recorded_at)"
)


@dataclass(frozen=True, slots=True)
class Scan:
    """The circumstances of a try. `occurred_at` is the device's word, kept beside the time that counts."""

    action: str
    proof: str | None = None
    device: str | None = None
    nonce: str | None = None
    receiver: str | None = None
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
            "device": scan.device, "nonce": scan.nonce, "receiver": scan.receiver,
            "identity_checked": scan.identity_checked, "parts": json_param(dict(parts or {})),
            "occurred_at": clock.text(scan.occurred_at) if scan.occurred_at else None,
            "recorded_at": clock.text(clock.now()),
        },
    )  # fmt: skip


def given(pickup_id: str) -> list[PickupScan]:
    """The hand-overs of a pickup, the latest first."""
    return list(
        db.session.scalars(
            select(PickupScan)
            .where(PickupScan.pickup_id == pickup_id, PickupScan.action == "hand-over", PickupScan.outcome == DONE)
            .order_by(PickupScan.id.desc())
        )
    )


def is_retry(done: PickupScan, scan: Scan) -> bool:
    """Whether the try is the successful one again: same client, same device, same nonce."""
    same = done.actor_id == actor.current().id and done.device == scan.device
    return same and scan.nonce is not None and done.nonce == scan.nonce


def is_same_hand(done: PickupScan, scan: Scan) -> bool:
    """Whether the very tablet asks again, without a nonce of its own to tell a second scan from a retry."""
    same = done.actor_id == actor.current().id and done.device is not None and done.device == scan.device
    return same and scan.nonce is None and not done.undone
