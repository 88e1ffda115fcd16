"""What the store, the order and the customer see of a pickup. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, or_, select

from app import customers, orders
from app.core import actor, clock, paging
from app.core.db import db

from . import noshows, passes, pickups, proxies, scans, sealing
from .errors import ProxyEnded, UnknownPickup
from .models import Pickup, PickupLine, PickupScan, ReshelveTask
from .states import PickupState, ReshelveState

_WAITING = (PickupState.REQUESTED.value, PickupState.ACCEPTED.value)
_TAIL = 4


def show(row: Pickup) -> dict[str, Any]:
    """One pickup as the store sees it: no PIN, no token."""
    return _views([row])[0]


def show_with_pass(row: Pickup) -> dict[str, Any]:
    """The same with what the customer shows; for whoever hands the pass on."""
    return {**show(row), **_pass_of(row)}


def for_order(row: Pickup) -> dict[str, Any]:
    """What an order's or a hold's answer shows of its pickup."""
    return {
        "id": row.id,
        "state": str(row.state_at(clock.now())),
        "collect_by_estimate": clock.public(row.collect_by_estimate),
        "expires_at": clock.public(row.expires_at),
        **_pass_of(row),
    }


def by_token(token: str) -> Pickup:
    """The pickup of a token, also of a lent one, inside the actor's bounds. Raises UnknownPickup, ProxyEnded."""
    found = passes.find(token)
    if found is None or not pickups.sees(found.pickup):
        raise UnknownPickup
    if found.lent is not None and not passes.is_good(found.lent, clock.now()):
        raise ProxyEnded
    return found.pickup


def amount_due(row: Pickup) -> int:
    """What the customer pays when collecting."""
    return _due([row], pickups.lines_of_all([row.id]))[row.id]


def page(args: dict[str, Any]) -> dict[str, Any]:
    """A page of pickups; `q` is an order number, a pickup code, or the last four digits of the phone."""
    query = _within(select(Pickup))
    if args.get("location"):
        query = query.where(Pickup.location_id == args["location"])
    if args.get("state"):
        query = query.where(_in_state(args["state"]))
    if args.get("q"):
        query = query.where(_named(args["q"]))
    if args.get("conflict") is not None:
        clashes = scans.in_conflict().where(PickupScan.pickup_id.is_not(None))
        query = query.where(Pickup.id.in_(clashes) if args["conflict"] else Pickup.id.not_in(clashes))
    found = paging.page(query, Pickup, args)
    return {"items": _views(found["items"]), "next_cursor": found["next_cursor"]}


def _within(query: Select[Any]) -> Select[Any]:
    who = actor.current()
    if who.locations is not None:
        query = query.where(Pickup.location_id.in_(who.locations))
    if who.channels is not None:
        query = query.where(Pickup.channel.in_(who.channels))
    return query


def _in_state(wanted: str) -> Any:
    """The state as it counts: what is past its deadline is expired though nobody swept it."""
    now = clock.now()
    ready_over = and_(Pickup.state == PickupState.READY.value, Pickup.expires_at <= now)
    held_over = and_(Pickup.state.in_(_WAITING), Pickup.hold_until <= now)
    if wanted == PickupState.EXPIRED.value:
        return or_(Pickup.state == wanted, ready_over, held_over)
    if wanted == PickupState.READY.value:
        return and_(Pickup.state == wanted, Pickup.expires_at > now)
    if wanted in _WAITING:
        return and_(Pickup.state == wanted, or_(Pickup.hold_until.is_(None), Pickup.hold_until > now))
    return Pickup.state == wanted


def _named(text: str) -> Any:
    wanted = text.strip()
    marks = [Pickup.code == wanted.upper(), Pickup.order_number == wanted.upper()]
    if len(wanted) == _TAIL and wanted.isdecimal():
        marks.append(Pickup.phone_mark == customers.phone_tail(wanted))
    return or_(*marks)


def _views(rows: Sequence[Pickup]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    lines, tasks, known = pickups.lines_of_all(ids), _tasks(ids), passes.living(ids)
    clashes = scans.conflicts(ids)
    due, absences = _due(rows, lines), noshows.count_of({row.customer_id for row in rows})
    return [
        {
            **_view(row), "no_shows": absences.get(row.customer_id, 0) if row.customer_id is not None else None,
            "amount_due": due[row.id], "lines": lines.get(row.id, []), "reshelve": tasks.get(row.id),
            "proxies": [proxies.view(one) for one in known.get(row.id, [])], "conflict": clashes.get(row.id),
        }
        for row in rows
    ]  # fmt: skip


def _view(row: Pickup) -> dict[str, Any]:
    return {
        "id": row.id, "kind": row.kind, "state": str(row.state_at(clock.now())), "location": row.location_id,
        "channel": row.channel, "order_id": row.order_id, "order_number": row.order_number,
        "reservation": row.claim_id, "external_ref": row.external_ref, "code": row.code, "pin_locked": row.pin_locked,
        "shelf": row.shelf, "reason": row.reason, "placed_at": row.placed_at, "pickup_at": row.pickup_at,
        "ready_by": row.ready_by, "collect_by_estimate": row.collect_by_estimate, "ready_at": row.ready_at,
        "expires_at": row.expires_at, "collected_at": row.collected_at, "version": row.version,
        "transfer": row.transfer_id, "wave": row.wave_id, "extensions": row.extensions, "accept_by": row.accept_by,
        "choose_by": row.choose_by, "choice_reason": row.choice_reason, "slot_at": row.slot_at,
        "arrived_at": row.arrived_at, "arrival_note": sealing.note_of(row), "cancel_asked_at": row.cancel_asked_at,
        "created_at": row.created_at, "updated_at": row.updated_at,
    }  # fmt: skip


def _due(rows: Sequence[Pickup], lines: Mapping[str, Sequence[PickupLine]]) -> dict[str, int]:
    """What is to be paid at the counter now, by pickup: an order's payments say it, a hold keeps its own sum."""
    asked: dict[str, tuple[str, dict[str, int]]] = {}
    due: dict[str, int] = {}
    for row in rows:
        mine = lines.get(row.id, [])
        parts = pickups.order_parts(mine, {line.line_ref: line.open + line.waiting for line in mine})
        if row.order_id is None:
            due[row.id] = row.amount_due
        elif row.is_over:
            due[row.id] = 0
        elif any(line.undecided for line in mine):
            due[row.id] = orders.due_at_counter(row.order_id, parts)  # nobody pays for what may never come
        else:
            asked[row.id] = (row.order_id, parts)
    return due | orders.due_at_counters(asked)


def _tasks(ids: Sequence[str]) -> Mapping[str, str]:
    """`open` while goods of a pickup wait to go back, `done` when they are all back."""
    found: dict[str, str] = {}
    query = select(ReshelveTask.pickup_id, ReshelveTask.state).where(ReshelveTask.pickup_id.in_(ids))
    for pickup_id, state in db.session.execute(query):
        if found.get(pickup_id) != ReshelveState.OPEN.value:
            found[pickup_id] = state
    return found


def _pass_of(row: Pickup) -> dict[str, Any]:
    known = passes.of(row)
    return {"code": known.code, "pin": known.pin, "qr_url": known.qr_url, "page_url": known.page_url}
