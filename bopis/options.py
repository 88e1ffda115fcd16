"""What a customer may choose when a promise cannot be kept: each option is one that could be carried out now.

Computed at the moment of asking from the same figures that a new order would be refused or taken by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app import catalog, orders, stock, stores
from app.core import clock, settings

from . import asking, opening, pickups
from .models import Pickup, PickupLine
from .states import OVER, PickupState

OTHER_STORE, SHIP, TRANSFER, PART, SUBSTITUTE, WAIT, CANCEL = (
    "other_store", "ship", "transfer", "part", "substitute", "wait", "cancel",
)  # fmt: skip
OPTIONS = (OTHER_STORE, SHIP, TRANSFER, PART, SUBSTITUTE, WAIT, CANCEL)


def missing_of(row: Pickup, lines: Sequence[PickupLine]) -> dict[str, int]:
    """The pieces by line that the question is about: what is missing, else what nobody has picked yet."""
    undecided = {line.line_ref: line.undecided for line in lines if line.undecided}
    if undecided or not asking.is_asked(row):
        return undecided
    return {line.line_ref: line.open for line in lines if line.open}


def of(row: Pickup, lines: Sequence[PickupLine]) -> list[dict[str, Any]]:
    """The options, the kindest first; none where there is no question, or time has ended the pickup already."""
    missing = missing_of(row, lines)
    if not missing or row.state_at(clock.now()) in OVER:
        return []
    if row.order_id is not None:
        wanted = pickups.asked_for(lines, missing)
    else:
        wanted = stock.merge([(line.sku, missing[line.line_ref]) for line in lines if missing.get(line.line_ref)])
    found: list[dict[str, Any]] = []
    whole = any(line.undecided for line in lines)
    if not whole:
        found.append({"option": WAIT})
    found += _substitutes(row, lines)
    elsewhere = list(having(row.location_id, row.channel, wanted))
    found += _stores(elsewhere)
    if row.order_id is not None:
        found += _sendings(row, elsewhere, pickups.order_parts(lines, missing))
    if whole and any(line.open or line.picked for line in lines):
        found.append({"option": PART, "refund": _worth(row, lines, missing)})
    owed = {line.line_ref: line.owed for line in lines}
    return [*found, {"option": CANCEL, "refund": _worth(row, lines, owed)}]


def _worth(row: Pickup, lines: Sequence[PickupLine], parts: Mapping[str, int]) -> int:
    return orders.worth(row.order_id, pickups.order_parts(lines, parts)) if row.order_id is not None else 0


def _substitutes(row: Pickup, lines: Sequence[PickupLine]) -> list[dict[str, Any]]:
    """What the store offers instead, as long as it can still be added to the picking."""
    if row.state not in {PickupState.PICKING, PickupState.AWAITING_CUSTOMER}:
        return []
    offered = stock.merge([(line.substitute, line.undecided) for line in lines if line.substitute and line.undecided])
    if not offered:
        return []
    at = stock.find_available(
        skus=list(offered), channel=row.channel, location=row.location_id, near=None, limit=settings.MAX_ALTERNATIVES
    )
    known = catalog.get(list(offered))
    return [
        {"option": SUBSTITUTE, "sku": sku, "name": known[sku].name}
        for sku, pieces in offered.items()
        if at.totals[sku] >= pieces
    ]


def having(location: str, channel: str, wanted: Mapping[str, int]) -> Iterable[tuple[stores.Place, float | None]]:
    """Other places that have every missing piece for this channel, the nearest first."""
    here = stores.directory()[location]
    found = stock.find_available(
        skus=list(wanted), channel=channel, location=None, near=here.point, limit=settings.MAX_LEVEL
    )
    enough: dict[str, int] = {}
    order: list[tuple[stores.Place, float | None]] = []
    for sku, pieces in wanted.items():
        for spot in found.spots[sku]:
            if spot.available >= pieces and spot.place.code != here.code:
                enough[spot.place.code] = enough.get(spot.place.code, 0) + 1
                if enough[spot.place.code] == len(wanted):
                    order.append((spot.place, spot.distance_km))
    return order


def _stores(elsewhere: Sequence[tuple[stores.Place, float | None]]) -> list[dict[str, Any]]:
    now = clock.now()
    offering = [(place, km) for place, km in elsewhere if place.pickup_enabled][: settings.MAX_ALTERNATIVES]
    load = stores.load([place for place, _ in offering], now)
    found = []
    for place, km in offering:
        ready_by = stores.expect(place, now, load)
        if ready_by is not None:
            found.append(
                {"option": OTHER_STORE, "location": place.code, "name": place.name, "ready_by": clock.public(ready_by)}
                | ({} if km is None else {"distance_km": km})
            )
    return found


def _sendings(
    row: Pickup, elsewhere: Sequence[tuple[stores.Place, float | None]], parts: Mapping[str, int]
) -> list[dict[str, Any]]:
    """From the warehouse if one has all, else from the nearest store: sent to this store, or home if it is paid."""
    if not elsewhere or row.order_id is None:
        return []
    sender = next((place for place, _ in elsewhere if place.kind == "warehouse"), elsewhere[0][0])
    here, now = stores.directory()[row.location_id], clock.now()
    ready_by = stores.expect(here, opening.begin_of(here, now, sent=True))
    found: list[dict[str, Any]] = [{"option": TRANSFER, "from": sender.code, "ready_by": clock.public(ready_by)}]
    if not orders.due_at_counter(row.order_id, parts):
        known = orders.contact_of(row.order_id).address
        found.append({"option": SHIP, "from": sender.code, "needs_address": not known})
    return found
