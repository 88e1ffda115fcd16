"""Remedies for an incident: for the promises that suffer least, what can be done now, the kindest first.

Enough promises are named to cover the shortage. A remedy's id says what is done to which claim with how many pieces, so
that one that was read and is applied later is the same or is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app import orders, stock, stores
from app.core import clock, settings
from app.core.texts import word

from . import at_risk, opening, options, pickups
from .at_risk import Promised, Whose
from .models import Pickup, PickupLine


class Kind(StrEnum):
    """What can be done, the kindest first."""

    RECOUNT = "recount"
    RESHELVE = "reshelve"
    STOP_TRANSFER = "stop_transfer"
    SEND_FROM = "send_from"
    TRANSFER = "transfer"
    ASK = "ask"
    RELEASE = "release"
    CANCEL = "cancel"


class Effect(StrEnum):
    """What the customer notices."""

    NOTHING = "nothing"
    LATER = "later"
    QUESTION = "question"
    RELEASED = "released"
    REFUND = "refund"


_EFFECTS: Mapping[Kind, Effect] = {
    Kind.RECOUNT: Effect.NOTHING, Kind.RESHELVE: Effect.NOTHING, Kind.STOP_TRANSFER: Effect.NOTHING,
    Kind.SEND_FROM: Effect.NOTHING, Kind.TRANSFER: Effect.LATER, Kind.ASK: Effect.QUESTION,
    Kind.RELEASE: Effect.RELEASED, Kind.CANCEL: Effect.REFUND,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Another place that has the pieces, and when the customer would have them from there."""

    place: stores.Place
    distance_km: float | None
    ready_by: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Remedy:
    """One thing that can be done now. `promised` is None where nobody's pieces are touched."""

    kind: Kind
    pieces: int
    promised: Promised | None = None
    source: Source | None = None
    refund: int | None = None

    @property
    def id(self) -> str:
        """The same as long as it would do the same."""
        if self.promised is None:
            return str(self.kind)
        what = f"{self.kind}:{self.promised.claim.id}{'.picked' if self.promised.picked else ''}:{self.pieces}"
        return what if self.source is None else f"{what}:{self.source.place.code}"

    @property
    def customer(self) -> Effect:
        """What the customer notices; a move that is in time for the promise is not noticed."""
        if self.kind == Kind.TRANSFER and self.promised is not None and self.source is not None:
            at, ready_by = self.promised.at, self.source.ready_by
            return Effect.NOTHING if at is not None and ready_by is not None and ready_by <= at else Effect.LATER
        return _EFFECTS[self.kind]

    @property
    def words(self) -> str:
        """What it is and what the customer notices, for the clerk."""
        whose = word(f"rescue-whose-{self.promised.whose}") if self.promised is not None else ""
        place = self.source.place.name if self.source is not None else ""
        return word(f"rescue-{self.kind}", whose=whose, pieces=self.pieces, place=place)


@dataclass(frozen=True, slots=True)
class Board:
    """What can be done about an incident; `uncovered` is the shortage that no promise in sight explains."""

    remedies: Sequence[Remedy]
    uncovered: int


def of(incident: stock.IncidentView) -> Board:
    """The remedies now, in the order of what suffers least; none where nothing is short."""
    left = incident.shortage
    if incident.state != "open" or not left:
        return Board([], 0)
    found: list[Remedy] = []
    if stock.recount_at(incident.location_id, incident.sku) is None:
        found.append(Remedy(Kind.RECOUNT, left))
    for one in at_risk.ranked(incident.location_id, incident.sku):
        if not left:
            break
        pieces = min(left, one.pieces)
        found += _for(one, pieces, incident)
        left -= pieces
    return Board(found, left)


def _for(one: Promised, pieces: int, incident: stock.IncidentView) -> list[Remedy]:
    match one.whose:
        case Whose.RESHELVE:
            return [Remedy(Kind.RESHELVE, pieces, one)]
        case Whose.TRANSFER:
            return [Remedy(Kind.STOP_TRANSFER, one.pieces, one)]
        case Whose.CART:
            return [Remedy(Kind.RELEASE, one.pieces, one)]
        case Whose.PARCEL:
            return _for_parcel(one, pieces, incident)
        case _:
            return _for_pickup(one, pieces, incident)


def _for_parcel(one: Promised, pieces: int, incident: stock.IncidentView) -> list[Remedy]:
    if one.parcel is None:
        return []
    now = clock.now()
    found = [
        Remedy(Kind.SEND_FROM, pieces, one, Source(place, km, stores.promise(place, now)))
        for place, km in _having(one, pieces, incident)
    ]
    refund = orders.worth(one.parcel.order_id, one.parcel.parts(incident.sku, pieces))
    return [*found, Remedy(Kind.CANCEL, pieces, one, refund=refund)]


def _for_pickup(one: Promised, pieces: int, incident: stock.IncidentView) -> list[Remedy]:
    row = one.pickup
    if row is None:
        return []
    ask = Remedy(Kind.ASK, pieces, one)
    if row.order_id is None:
        waits = at_risk.is_waiting_hold(row)
        return [ask, Remedy(Kind.RELEASE, one.pieces, one) if waits else Remedy(Kind.CANCEL, pieces, one, refund=0)]
    parts = pickups.order_parts(one.lines, parts_of(one.lines, incident.sku, pieces, picked=one.picked))
    refund = orders.worth(row.order_id, parts)
    return [*_transfers(one, row, pieces, incident), ask, Remedy(Kind.CANCEL, pieces, one, refund=refund)]


def _transfers(one: Promised, row: Pickup, pieces: int, incident: stock.IncidentView) -> list[Remedy]:
    here, now = stores.directory()[row.location_id], clock.now()
    if not here.pickup_enabled:
        return []
    ready_by = stores.expect(here, opening.begin_of(here, now, sent=True))
    sources = [(place, km) for place, km in _having(one, pieces, incident) if place.code != here.code]
    return [Remedy(Kind.TRANSFER, pieces, one, Source(place, km, ready_by)) for place, km in sources if ready_by]


def _having(one: Promised, pieces: int, incident: stock.IncidentView) -> Iterable[tuple[stores.Place, float | None]]:
    """Places that have the pieces: warehouses first, then the nearest to where they are missing."""
    found = options.having(incident.location_id, one.claim.channel, {incident.sku: pieces})
    return sorted(found, key=lambda spot: spot[0].kind != "warehouse")[: settings.RESCUE_SOURCES]


def parts_of(lines: Sequence[PickupLine], sku: str, pieces: int, *, picked: bool) -> dict[str, int]:
    """So many pieces of a SKU by line, of those not yet picked or of those picked; the last lines first."""
    found: dict[str, int] = {}
    for line in reversed(lines):
        there = line.waiting if picked else line.open
        taken = min(there, pieces - sum(found.values())) if line.sku == sku else 0
        if taken:
            found[line.line_ref] = taken
    return found
