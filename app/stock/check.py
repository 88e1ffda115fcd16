"""Proof that the books are right: invariants that hold after every scenario, and the repair of those that do not.

Each invariant is one statement, so it sees one moment of a running shop. Other packages add their own with `add`: what
a claim's owner is, only they know. A repair writes ledger and claim entries like everybody else: a leaked claim is
released, a level is made to follow its ledger and its claims; the ledger itself is never touched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import clock, settings
from app.core.db import ask_one, use_case
from app.core.sql import Rowset, Sql, json_param

from . import claims, expiry, incidents, levels, roads, transfers
from .errors import UnknownReservation

Finding = dict[str, Any]
Finder = Callable[[], Sequence[Finding]]
Repairer = Callable[[Finding], None]

_LEVEL_GAPS = (
    "SELECT location_id, sku, sum(kept), sum(true_figure) FROM (SELECT location_id, sku, {column} AS kept, "
    "0 AS true_figure FROM stock_level UNION ALL SELECT location_id, sku, 0, {figure} FROM {table} "
    "GROUP BY location_id, sku) x GROUP BY location_id, sku HAVING sum(kept) <> sum(true_figure)"
)
_LEDGER = Sql(_LEVEL_GAPS.format(column="on_hand", figure="sum(quantity)", table="stock_movement"))
_PROMISED = Sql(_LEVEL_GAPS.format(column="reserved", figure="sum(open_quantity)", table="claim_line"))
_UNEXPLAINED = Sql(
    "SELECT s.location_id, s.sku, s.on_hand, s.reserved, i.shortage FROM stock_level s LEFT JOIN stock_incident i "
    "ON i.location_id = s.location_id AND i.sku = s.sku AND i.state = 'open' "
    "WHERE CASE WHEN s.reserved > s.on_hand THEN s.reserved - s.on_hand ELSE 0 END <> coalesce(i.shortage, 0)"
)
_HALF_WRITTEN = Sql(
    "SELECT c.id, c.location_id FROM claim c WHERE NOT EXISTS (SELECT 1 FROM claim_line l WHERE l.claim_id = c.id) "
    "UNION ALL SELECT l.claim_id, l.location_id FROM claim_line l "
    "WHERE l.open_quantity + l.posted_quantity > l.quantity"
)
_ENDS = Sql(
    "SELECT c.id, c.location_id, c.state, sum(l.open_quantity), sum(l.posted_quantity) FROM claim c "
    "JOIN claim_line l ON l.claim_id = c.id GROUP BY c.id, c.location_id, c.state HAVING "
    "(c.state <> 'reserved' AND sum(l.open_quantity) > 0) OR (c.state = 'reserved' AND sum(l.open_quantity) = 0) "
    "OR (c.state = 'fulfilled' AND sum(l.posted_quantity) = 0) OR (c.state = 'released' AND sum(l.posted_quantity) > 0)"
)
_ENDED_TWICE = Sql(
    "SELECT aggregate_id, location_id, count(*) FROM outbox_event WHERE topic IN ('reservation.fulfilled', "
    "'reservation.released', 'reservation.expired') GROUP BY aggregate_id, location_id HAVING count(*) > 1"
)
_SEQUENCES = Sql(
    "SELECT aggregate_type, aggregate_id, count(*), min(sequence), max(sequence) FROM outbox_event "
    "GROUP BY aggregate_type, aggregate_id HAVING min(sequence) <> 1 OR count(*) <> max(sequence)"
)
_UNITS = Sql(
    "SELECT on_hand, on_the_road, moved FROM (SELECT "
    "(SELECT coalesce(sum(on_hand), 0) FROM stock_level) AS on_hand, "
    "(SELECT coalesce(sum(l.shipped), 0) FROM transfer_line l JOIN transfer t ON t.id = l.transfer_id "
    "WHERE t.state = 'shipped') AS on_the_road, "
    "(SELECT coalesce(sum(quantity), 0) FROM stock_movement WHERE kind NOT IN ('transfer_out', 'transfer_in')) AS moved"
    ") x WHERE on_hand + on_the_road <> moved"
)
_STUCK = Sql(
    "SELECT id, topic, attempts FROM outbox_event WHERE state = 'due' AND lease_until IS NOT NULL AND lease_until < :at"
)
_HELD = Sql("SELECT id, location_id, owner_id FROM claim WHERE state = 'reserved' AND owner_type = :type ORDER BY id")
_OPEN_TRANSFERS = Sql(
    "SELECT t.id FROM transfer t JOIN {asked} ON t.id = asked.id WHERE t.state = 'requested'",
    Rowset("asked", "ids", {"id": "uuid"}),
)
_OPEN_RECOUNTS = Sql(
    "SELECT t.id FROM recount_task t JOIN {asked} ON t.id = asked.id WHERE t.state = 'open'",
    Rowset("asked", "ids", {"id": "uuid"}),
)
_TRAVELLING = Sql(
    "SELECT t.id, t.location_id, t.for_id FROM transfer t WHERE t.for_type = :type "
    "AND t.state IN ('requested', 'shipped') AND EXISTS (SELECT 1 FROM transfer_line l WHERE l.transfer_id = t.id "
    "AND l.promised > 0) ORDER BY t.id"
)
_PATIENCE = Sql("SET LOCAL statement_timeout = 0", sqlite="SELECT 1")  # a big ledger takes its time
_TRUE_LEVEL = Sql(
    "SELECT s.on_hand, s.reserved, "
    "(SELECT coalesce(sum(m.quantity), 0) FROM stock_movement m WHERE m.location_id = :location_id AND m.sku = :sku), "
    "(SELECT coalesce(sum(l.open_quantity), 0) FROM claim_line l WHERE l.location_id = :location_id AND l.sku = :sku) "
    "FROM stock_level s WHERE s.location_id = :location_id AND s.sku = :sku"
)
_CLOSE_ENDED = Sql(
    "UPDATE claim_line SET open_quantity = 0, expires_at = NULL WHERE claim_id = :id AND open_quantity > 0 "
    "AND EXISTS (SELECT 1 FROM claim WHERE claim.id = claim_line.claim_id AND claim.state <> 'reserved')"
)


@dataclass(frozen=True, slots=True)
class Invariant:
    """A name, how to find what breaks it, and how to mend one finding, where that is possible."""

    name: str
    find: Finder
    repair: Repairer | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """An invariant after it was looked at."""

    name: str
    findings: Sequence[Finding]

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Report:
    """All invariants, in one look."""

    results: Sequence[Result]
    repaired: int = 0

    @property
    def holds(self) -> bool:
        """Whether every invariant holds."""
        return all(result.holds for result in self.results)


_invariants: dict[str, Invariant] = {}


def add(name: str, find: Finder, repair: Repairer | None = None) -> None:
    """Let a package add an invariant of its own; called from its `register(app)`.

    `find` returns a dictionary per breach; `repair` mends one of them.
    """
    _invariants[name] = Invariant(name, find, repair)


def add_owner(owner_type: str, which_live: Callable[[Sequence[str]], set[str]]) -> None:
    """Let a package tell which of its claims' owners still live; claims of the others have leaked and can be freed.

    The same for goods that travel for an owner: when it has ended, nobody waits for them.
    """

    def without_owner(sql: Sql, name: str) -> list[Finding]:
        held = [_named((name, "location", "owner"), row) for row in ask_one(sql, {"type": owner_type}).rows]
        alive = which_live([str(one["owner"]) for one in held]) if held else set()
        return [one for one in held if one["owner"] not in alive]

    add(f"claims of {owner_type}s live", lambda: without_owner(_HELD, "claim"), release_leaked)
    add(f"transfers for {owner_type}s live", lambda: without_owner(_TRAVELLING, "transfer"), _give_up)


def living(sql: Sql) -> Callable[[Sequence[str]], set[str]]:
    """For `add_owner`: a statement that returns the living of the rowset parameter `ids`."""

    def which_live(ids: Sequence[str]) -> set[str]:
        return {str(row[0]) for row in ask_one(sql, {"ids": json_param([{"id": one} for one in ids])}).rows}

    return which_live


def check() -> Report:
    """Look at every invariant."""
    return Report([Result(i.name, _look(i)) for i in _invariants.values()])


def repair() -> Report:
    """Mend what can be mended, claims before the levels that follow them; returns how things stand afterwards."""
    repaired = 0
    for invariant in sorted(_invariants.values(), key=lambda i: i.name.startswith(("I1 ", "I3 "))):
        if invariant.repair is not None:
            for finding in _look(invariant):
                invariant.repair(finding)
                repaired += 1
    return Report(check().results, repaired)


def release_leaked(finding: Finding) -> None:
    """Release the claim named by `finding["claim"]`, whoever owned it: its owner has ended."""
    _release(str(finding["claim"]))


@use_case
def _release(claim_id: str) -> None:
    try:
        claim = claims.find(claim_id, lock=True)
    except UnknownReservation:
        return
    if claim.state == "reserved":
        owner = (claim.owner_type, claim.owner_id or "") if claim.owner_type else None
        claims.release(claim_id, owner=owner)


@use_case
def _give_up(finding: Finding) -> None:
    """What travels for an owner that has ended is nobody's: free at the sender, or free stock on arrival."""
    found = roads.view(str(finding["transfer"]))
    if found.owner is not None:
        transfers.give_up(found.id, {line.sku: line.promised for line in found.lines}, owner=found.owner)


def _look(invariant: Invariant) -> Sequence[Finding]:
    ask_one(_PATIENCE, {})
    return invariant.find()


@use_case
def _rebuild(finding: Finding) -> None:
    """Make a level follow its ledger and claims. Whoever changes these holds the level's row: the sums stand still."""
    place = (str(finding["location"]), str(finding["sku"]))
    levels.add({place: 0})
    rows = ask_one(_TRUE_LEVEL, {"location_id": place[0], "sku": place[1]}).rows
    on_hand, reserved, moved, promised = (int(figure) for figure in rows[0])
    after = levels.change({place: (moved - on_hand, promised - reserved)})
    expiry.settle(after, incidents.Why("reconcile", place[1], "reconcile"))


@use_case
def _close_ended(finding: Finding) -> None:
    ask_one(_CLOSE_ENDED, {"id": finding["claim"]})


def _gaps(sql: Sql) -> list[Finding]:
    names = ("location", "sku", "level", "true")
    return [_named(names, (row[0], row[1], int(row[2]), int(row[3]))) for row in ask_one(sql, {}).rows]


def _rows(sql: Sql, *names: str) -> Finder:
    return lambda: [_named(names, row) for row in ask_one(sql, {}).rows]


def _named(names: Sequence[str], row: Sequence[Any]) -> Finding:
    plain = (value if isinstance(value, int | str | None) else str(value) for value in row)
    return dict(zip(names, plain, strict=True))


def _stuck() -> list[Finding]:
    at = clock.now() - dt.timedelta(seconds=settings.STUCK_SECONDS)
    return [_named(("event", "topic", "attempts"), row) for row in ask_one(_STUCK, {"at": clock.text(at)}).rows]


def register() -> None:
    """Add the invariants of stock itself."""
    add("I1 ledger = level", lambda: _gaps(_LEDGER), _rebuild)
    add("I2 shortage = open incident", _rows(_UNEXPLAINED, "location", "sku", "on_hand", "reserved", "shortage"))
    add("I3 open claims = reserved", lambda: _gaps(_PROMISED), _rebuild)
    add("I5 claims are whole", _rows(_HALF_WRITTEN, "claim", "location"))
    add("I7 a claim ends once", _rows(_ENDS, "claim", "location", "state", "open", "posted"), _close_ended)
    add("I7 an end is told once", _rows(_ENDED_TWICE, "claim", "location", "ends"))
    add("I10 events without gaps", _rows(_SEQUENCES, "type", "id", "events", "first", "last"))
    add("I12 units are conserved", _rows(_UNITS, "on_hand", "on_the_road", "moved"))
    add("I13 nothing hangs", _stuck)
    add_owner("transfer", living(_OPEN_TRANSFERS))
    add_owner("recount", living(_OPEN_RECOUNTS))
