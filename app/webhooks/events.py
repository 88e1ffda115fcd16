"""`GET /events`: what happened, for whoever wants to be sure that nothing was missed."""

from __future__ import annotations

from typing import Any

from app.core import actor, clock, horizon, ids, paging, settings
from app.core.errors import invalid

from . import feed
from .bounds import Bounds, heard
from .topics import wanted


def page(args: dict[str, Any]) -> dict[str, Any]:
    """One page of public events inside the caller's bounds; `resume_cursor` is where to ask on, also at the end.

    `after` is a cursor of ours, or the id of an event (a delivery's `webhook-id`). A page looks at so many rows at
    most: it may be empty and have a `next_cursor`.
    """
    at, before = _position(args.get("after") or ""), horizon.settled()
    shown: list[feed.Told] = []
    rows, scanned, more = args["limit"], 0, True
    while more and len(shown) < args["limit"] and scanned < settings.EVENT_SCAN:
        room = args["limit"] - len(shown)
        found, reached = feed.read(at, rows, before)
        fitting = _fitting(found, args)
        if len(fitting) > room:  # read again, and less
            found, reached = feed.read(at, found.index(fitting[room - 1]) + 1, before)
            fitting = _fitting(found, args)
        shown += fitting
        more, scanned, rows = reached != at, scanned + len(found), settings.WEBHOOK_BATCH
        at = reached
    resume = paging.encode(clock.text(at.at), at.event_id)
    items = [feed.show(event) for event in shown]
    return {"items": items, "next_cursor": resume if more else None, "resume_cursor": resume}


def _fitting(found: list[feed.Told], args: dict[str, Any]) -> list[feed.Told]:
    caller = actor.current()
    asked = [event for event in found if wanted(event.topic, args.get("type") or ("*",))]
    return heard(Bounds(caller.channels, caller.locations), asked)


def _position(after: str) -> feed.Position:
    if not after:
        return feed.BEGINNING
    if ids.is_id(after):
        known = feed.by_id([after])
        if after not in known:
            raise invalid("/after", "cursor")
        return known[after].position
    stamp, last = paging.decode(after)
    return feed.Position(paging.moment(stamp), paging.ident(last))
