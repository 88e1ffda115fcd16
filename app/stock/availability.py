"""What can be promised, where: reads only, and the one door to the levels' covering index.

One statement reads levels and past-due claims in one snapshot, so that no figure is ever torn; policies, places and the
time come in the same trip. `reserve` refuses by this very figure.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app import catalog, stores
from app.core import actor, clock, settings
from app.core.db import ask
from app.core.errors import NotFound
from app.core.sql import Call, Sql, json_param

from . import rules

DEFAULT_CHANNEL = "ec"

_PG_SKUS = "= ANY(ARRAY(SELECT jsonb_array_elements_text(CAST(:skus AS jsonb))))"
_LITE_SKUS = "IN (SELECT value FROM json_each(:skus))"
_TEXT = (
    "SELECT s.sku, s.location_id, s.on_hand, s.reserved - coalesce(d.pieces, 0) FROM stock_level s LEFT JOIN ("
    "SELECT l.sku, l.location_id, sum(l.open_quantity) AS pieces FROM claim_line l WHERE l.sku {skus} "
    "AND l.open_quantity > 0 AND l.expires_at IS NOT NULL AND l.expires_at <= {now} GROUP BY l.sku, l.location_id"
    ") d ON d.sku = s.sku AND d.location_id = s.location_id WHERE s.sku {skus}"
)
_HERE = " AND s.location_id = :location_id"
_PG_TEXT = _TEXT.format(skus=_PG_SKUS, now="coalesce(CAST(:now AS timestamptz), statement_timestamp())")
_LITE_NOW = "strftime('%Y-%m-%dT%H:%M:%f000+00:00', 'now')"
_LITE_TEXT = _TEXT.format(skus=_LITE_SKUS, now=f"coalesce(:now, {_LITE_NOW})")
_LEVELS = Sql(_PG_TEXT, sqlite=_LITE_TEXT)
_LEVELS_HERE = Sql(_PG_TEXT + _HERE, sqlite=_LITE_TEXT + _HERE)
_TIME = Sql("SELECT statement_timestamp()", sqlite=f"SELECT {_LITE_NOW}")


@dataclass(frozen=True, slots=True)
class Spot:
    """What a channel may promise of one SKU at one place."""

    place: stores.Place
    available: int
    distance_km: float | None

    @property
    def state(self) -> str:
        """In words: customers are shown `low` before a shelf is empty."""
        if self.available == 0:
            return "out"
        return "low" if self.available <= settings.LOW_STOCK_PIECES else "in_stock"


@dataclass(frozen=True, slots=True)
class Found:
    """The answer for some SKUs: per SKU the total over all places in sight, and the first places."""

    totals: dict[str, int]
    spots: dict[str, list[Spot]]
    as_of: dt.datetime


def find(
    *,
    skus: Sequence[str],
    channel: str | None,
    location: str | None,
    near: stores.Point | None,
    limit: int,
) -> Found:
    """Available pieces by SKU and place inside the actor's bounds: nearest first with `near`, else those with stock
    first. Raises UnknownSku, UnknownLocation.
    """
    chosen = channel or _usual_channel()
    actor.within(channel=chosen, missing=NotFound)
    catalog.require(skus)
    figures, as_of = _read(skus, chosen, location)
    spots: dict[str, list[Spot]] = {}
    for sku in skus:
        here = [Spot(place, pieces, _distance(near, place)) for place, pieces in figures[sku]]
        here.sort(key=_by_distance if near else _by_stock)
        spots[sku] = here
    return Found(
        totals={sku: sum(spot.available for spot in here) for sku, here in spots.items()},
        spots={sku: here[:limit] for sku, here in spots.items()},
        as_of=as_of,
    )


def at(location: str, channel: str, skus: Sequence[str]) -> dict[str, int]:
    """Available pieces at one location by SKU."""
    figures, _ = _read(skus, channel, location)
    return {sku: sum(pieces for _, pieces in figures[sku]) for sku in skus}


def alternatives(location: str, channel: str, wanted: Mapping[str, int]) -> list[dict[str, object]]:
    """Other places that have at least one of the lines: those that have all of them first, then the nearest."""
    figures, _ = _read(list(wanted), channel, None)
    enough: dict[str, int] = defaultdict(int)
    for sku, quantity in wanted.items():
        for place, pieces in figures[sku]:
            enough[place.code] += pieces >= quantity
    places = stores.directory()
    point = places[location].point
    found = [(places[code], lines == len(wanted)) for code, lines in enough.items() if lines and code != location]
    ranked = sorted(
        ((place, all_lines, _distance(point, place)) for place, all_lines in found),
        key=lambda f: (not f[1], f[2] is None, f[2] or 0.0, f[0].code),
    )
    return [
        {"location": place.code, "name": place.name, "available_for_all_lines": all_lines}
        | ({} if distance is None else {"distance_km": distance})
        for place, all_lines, distance in ranked[: settings.MAX_ALTERNATIVES]
    ]


def _usual_channel() -> str:
    channels = actor.current().channels
    return DEFAULT_CHANNEL if channels is None or DEFAULT_CHANNEL in channels else min(channels)


def _read(
    skus: Sequence[str], channel: str, location: str | None
) -> tuple[dict[str, list[tuple[stores.Place, int]]], dt.datetime]:
    """Figures by SKU and place in sight, and the moment they were true."""
    who = actor.current()
    levels, policies, stamp, time = ask(
        _levels_call(skus, location), rules.policies_call(channel, skus), stores.stamp_call(), (_TIME, {})
    )
    places = stores.directory(stamp)
    if location is not None and (location not in places or not who.sees_location(location)):
        raise stores.UnknownLocation(location=location)
    known = rules.policies_of(policies.rows)
    found: dict[str, list[tuple[stores.Place, int]]] = {sku: [] for sku in skus}
    for sku, code, on_hand, reserved in levels.rows:
        if who.sees_location(code):
            rule = rules.rule_for(channel, known, code, sku, places[code].safety_stock)
            found[sku].append((places[code], rule.available(on_hand, int(reserved))))
    if location is not None:
        for spots in found.values():
            if not spots:
                spots.append((places[location], 0))
    return found, clock.frozen() or clock.parse(time.rows[0][0]) or clock.machine()


def _levels_call(skus: Sequence[str], location: str | None) -> Call:
    known = clock.frozen()
    params = {"skus": json_param(list(skus)), "now": clock.text(known) if known else None}
    return (_LEVELS, params) if location is None else (_LEVELS_HERE, {**params, "location_id": location})


def _distance(point: stores.Point | None, place: stores.Place) -> float | None:
    return None if point is None or place.point is None else stores.distance_km(point, place.point)


def _by_distance(spot: Spot) -> tuple[bool, float, str]:
    return spot.distance_km is None, spot.distance_km or 0.0, spot.place.code


def _by_stock(spot: Spot) -> tuple[bool, str]:
    return spot.available == 0, spot.place.code
