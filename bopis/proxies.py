"""代理受取: somebody else comes. By name, or with a pass that is lent for a while and can be taken back.

A name is personal: it is sealed, shown to the store, and told in no event. Reissuing the pickup's own pass ends every
lent one; proxies by name stay, for they have no token that could have been copied.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.core import clock, ids, settings
from app.core.db import db, use_case
from app.core.ids import new_id
from app.core.states import move

from . import passes, pickups, sealing
from .errors import TooManyProxies, UnknownProxy
from .models import Pickup, PickupPass
from .passes import Kind
from .states import PICKUP

ALL = "all"


@use_case
def name_one(*, pickup_id: str, name: str) -> tuple[Pickup, PickupPass]:
    """Somebody known by name may collect. Raises TooManyProxies, IllegalTransition."""
    row = _one_more(pickup_id)
    made = _keep(row, Kind.NAMED, name_sealed=sealing.name(name))
    return row, made


@use_case
def lend(*, pickup_id: str, minutes: int) -> tuple[Pickup, PickupPass]:
    """Make a pass that whoever has it may show for so long. Raises TooManyProxies, IllegalTransition."""
    row = _one_more(pickup_id)
    pass_id = new_id()
    until = clock.now() + dt.timedelta(minutes=minutes)
    mark = ids.sha256(passes.lent_token(pass_id))
    return row, _keep(row, Kind.LENT, pass_id=pass_id, token_hash=mark, expires_at=until)


@use_case
def take_back(*, pickup_id: str, which: str) -> Pickup:
    """End one proxy, or all of them, at once; one that ended before stays ended. Raises UnknownProxy."""
    row = pickups.locked(pickup_id)
    pickups.require(row, "proxy")
    living = passes.living([row.id]).get(row.id, [])
    if which != ALL:
        if passes.proxy_of(row, which) is None:
            raise UnknownProxy
        living = [one for one in living if one.id == which]
    for one in living:
        one.ended_at = clock.now()
        _tell(row, one, "removed")
    return row


def view(one: PickupPass) -> dict[str, Any]:
    """A proxy as the store sees it: no token."""
    return {"id": one.id, "kind": one.kind, "name": sealing.name_of(one), "expires_at": one.expires_at}


def view_with_token(one: PickupPass) -> dict[str, Any]:
    """The same for whoever made it, with what a lent pass shows; it can be derived again from the id alone."""
    if one.kind != Kind.LENT:
        return {**view(one), "token": None, "qr_url": None, "page_url": None}
    shown = passes.Ticket(passes.lent_token(one.id))
    return {**view(one), "token": shown.token, "qr_url": shown.qr_url, "page_url": shown.page_url}


def _one_more(pickup_id: str) -> Pickup:
    row = pickups.locked(pickup_id)
    pickups.require(row, "proxy")
    if len(passes.living([row.id]).get(row.id, [])) >= settings.MAX_PROXIES:
        raise TooManyProxies(most=settings.MAX_PROXIES)
    return row


def _keep(row: Pickup, kind: Kind, *, pass_id: str | None = None, **facts: Any) -> PickupPass:
    made = PickupPass(
        id=pass_id or new_id(), location_id=row.location_id, pickup_id=row.id, kind=kind.value,
        created_at=clock.now(), **facts,
    )  # fmt: skip
    db.session.add(made)
    db.session.flush()
    _tell(row, made, "added")
    return made


def _tell(row: Pickup, one: PickupPass, change: str) -> None:
    move(
        row, "proxy", PICKUP, event="pickup.proxy_changed", proxy=one.id, proxy_kind=one.kind, change=change,
        expires_at=clock.public(one.expires_at), **pickups.facts(row),
    )  # fmt: skip
