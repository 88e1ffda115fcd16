"""Who may hear of which event: the bounds of a key, kept with what it made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from app.core.outbox import channels_of

from .feed import Told
from .topics import PUBLIC, Whose


@dataclass(frozen=True, slots=True)
class Bounds:
    """None means all."""

    channels: Collection[str] | None
    locations: Collection[str] | None


Channels = dict[tuple[str, str], str]


def channels_for(events: Iterable[Told], readers: Iterable[Bounds]) -> Channels:
    """The channels of the events' aggregates, looked up when some reader is bounded to channels."""
    if all(reader.channels is None for reader in readers):
        return {}
    ids: dict[str, set[str]] = {}
    for event in events:
        if PUBLIC.get(event.topic) is Whose.CHANNEL:
            ids.setdefault(event.aggregate_type, set()).add(event.aggregate_id)
    return {
        (kind, one): channel
        for kind, wanted in ids.items()
        for one, channel in channels_of(kind, sorted(wanted)).items()
    }


def may_hear(reader: Bounds, event: Told, channels: Channels) -> bool:
    """Whether a public event lies inside the bounds. One whose channel cannot be told does not."""
    if event.topic not in PUBLIC:
        return False
    if reader.locations is not None and event.location_id not in reader.locations:
        return False
    if reader.channels is None or PUBLIC[event.topic] is Whose.PLACE:
        return True
    return channels.get(event.aggregate) in reader.channels


def heard(reader: Bounds, events: Sequence[Told]) -> list[Told]:
    """The events that one reader may hear of, in their order."""
    channels = channels_for(events, [reader])
    return [event for event in events if may_hear(reader, event, channels)]
