"""The outbox, read in an order in which nothing is passed over and no aggregate's story is told backwards.

Rows come by (occurred_at, id), up to the horizon before which every transaction has ended. Two transactions that
waited for one another may have dated their events the wrong way round; so an event whose forerunner lies further on is
preceded by it here, and the forerunner comes a second time at its own place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import clock, horizon
from app.core.audit import COMPANY
from app.core.db import ask_one
from app.core.sql import Rowset, Sql, json_of, json_param

NO_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the feed: everything up to and with it was read."""

    at: dt.datetime
    event_id: str


BEGINNING = Position(dt.datetime(1970, 1, 1, tzinfo=dt.UTC), NO_ID)


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it was written."""

    id: str
    topic: str
    aggregate_type: str
    aggregate_id: str
    sequence: int
    location_id: str
    data: dict[str, Any]
    at: dt.datetime

    @property
    def aggregate(self) -> tuple[str, str]:
        """Whose story it belongs to."""
        return self.aggregate_type, self.aggregate_id

    @property
    def position(self) -> Position:
        """Where it stands in the feed."""
        return Position(self.at, self.id)


_COLUMNS = (
    "o.id, o.topic, o.aggregate_type, o.aggregate_id, o.sequence, o.location_id, o.payload, o.occurred_at "
    "FROM outbox_event o"
)
_NEXT = Sql(
    f"SELECT {_COLUMNS} WHERE (o.occurred_at, o.id) > (:at, :id) AND o.occurred_at < :before "
    "ORDER BY o.occurred_at, o.id LIMIT :rows"
)
_FORERUNNERS = Sql(
    f"SELECT {_COLUMNS} JOIN {{gap}} ON gap.aggregate_type = o.aggregate_type AND gap.aggregate_id = o.aggregate_id "
    "AND gap.sequence = o.sequence WHERE (o.occurred_at, o.id) > (:at, :id)",
    Rowset("gap", "gaps", {"aggregate_type": "text", "aggregate_id": "text", "sequence": "int"}),
)
_BY_ID = Sql(
    f"SELECT {_COLUMNS} JOIN {{wanted}} ON wanted.id = o.id",
    Rowset("wanted", "ids", {"id": "uuid"}),
)
_STORY = Sql(
    f"SELECT {_COLUMNS} WHERE o.aggregate_type = :type AND o.aggregate_id = :id AND o.sequence > :after "
    "ORDER BY o.sequence LIMIT :rows"
)


def read(after: Position, rows: int, before: dt.datetime | None = None) -> tuple[list[Told], Position]:
    """The next events after a position, none dated `before` (the horizon) or later; and the position reached."""
    limit = before or horizon.settled()
    params = {"at": clock.text(after.at), "id": after.event_id, "before": clock.text(limit), "rows": rows}
    found = _told(ask_one(_NEXT, params).rows)
    if not found:
        return [], after
    reached = found[-1].position
    return _in_order([*_forerunners(found, reached), *found]), reached


def _forerunners(found: Sequence[Told], reached: Position) -> list[Told]:
    """Events further on that come before one of these in its aggregate's own count, the furthest back first."""
    known = {(event.aggregate, event.sequence) for event in found}
    fetched: list[Told] = []
    looked_at = list(found)
    while True:
        gaps = [
            {"aggregate_type": e.aggregate_type, "aggregate_id": e.aggregate_id, "sequence": e.sequence - 1}
            for e in looked_at
            if e.sequence > 1 and (e.aggregate, e.sequence - 1) not in known
        ]
        if not gaps:
            return fetched
        params = {"gaps": json_param(gaps), "at": clock.text(reached.at), "id": reached.event_id}
        looked_at = _told(ask_one(_FORERUNNERS, params).rows)
        known |= {(event.aggregate, event.sequence) for event in looked_at}
        fetched = [*looked_at, *fetched]


def _in_order(events: Sequence[Told]) -> list[Told]:
    """Each at its place, but for an aggregate's events, which take their places in the order of their count."""
    stories: dict[tuple[str, str], list[Told]] = {}
    for event in events:
        stories.setdefault(event.aggregate, []).append(event)
    turns = {whose: iter(sorted(story, key=lambda e: e.sequence)) for whose, story in stories.items()}
    return [next(turns[event.aggregate]) for event in events]


def by_id(ids: Iterable[str]) -> dict[str, Told]:
    """Events by their ids."""
    wanted = json_param([{"id": one} for one in ids])
    return {event.id: event for event in _told(ask_one(_BY_ID, {"ids": wanted}).rows)}


def story(aggregate: tuple[str, str], after_sequence: int, rows: int) -> list[Told]:
    """The events of one aggregate after a number, in their order."""
    params = {"type": aggregate[0], "id": aggregate[1], "after": after_sequence, "rows": rows}
    return _told(ask_one(_STORY, params).rows)


def _told(rows: Sequence[Sequence[Any]]) -> list[Told]:
    return [
        Told(
            id=str(id_), topic=str(topic), aggregate_type=str(kind), aggregate_id=str(aggregate),
            sequence=int(sequence), location_id=str(location), data=json_of(payload), at=clock.parse(at) or clock.now(),
        )
        for id_, topic, kind, aggregate, sequence, location, payload, at in rows
    ]  # fmt: skip


def show(event: Told) -> dict[str, Any]:
    """An event as it leaves the house: the webhook's body, and a line of `GET /events`."""
    return {
        "type": event.topic, "id": event.id, "timestamp": clock.public(event.at), "sequence": event.sequence,
        "aggregate": {"type": event.aggregate_type, "id": event.aggregate_id},
        "location": None if event.location_id == COMPANY else event.location_id,
        "data": event.data,
    }  # fmt: skip
