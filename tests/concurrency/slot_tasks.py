"""What rivals do to a place's picking hours and slots, and the rig that takes the guard away."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from flask import Flask

from app import stores
from app.core import clock
from app.core.db import ask_one, use_case
from app.core.errors import AppError
from app.core.sql import Sql
from app.stores import bookings
from tests.concurrency.tasks import _meet

_LOOK = Sql(
    "SELECT taken FROM place_slot WHERE location_id = :location_id AND purpose = :purpose AND starts_at = :starts_at"
)
_ADD = Sql(
    "INSERT INTO place_slot (location_id, purpose, starts_at, taken) VALUES (:location_id, :purpose, :starts_at, 1) "
    "ON CONFLICT (location_id, purpose, starts_at) DO UPDATE SET taken = place_slot.taken + 1"
)


def slot(app: Flask, code: str, moment: str) -> str:
    """Try for a time to collect: "booked", or the refusal's code."""
    with app.app_context():
        try:
            stores.book_slot(stores.get(code), dt.datetime.fromisoformat(moment))
        except AppError as refusal:
            return refusal.code
    return "booked"


def slot_and_back(app: Flask, code: str, moment: str) -> str:
    """Take a time to collect and give it back at once."""
    with app.app_context():
        try:
            stores.free_slot(code, stores.book_slot(stores.get(code), dt.datetime.fromisoformat(moment)))
        except AppError as refusal:
            return refusal.code
    return "back"


def work(app: Flask, code: str, moment: str) -> str | None:
    """Take on an order: the picking hour that it got."""
    with app.app_context():
        hour = stores.book_work(stores.get(code), dt.datetime.fromisoformat(moment)).hour
    return None if hour is None else hour.isoformat()


def order(app: Flask, code: str, moment: str) -> str:
    """Take on an order with a time to collect, both or neither."""
    at = dt.datetime.fromisoformat(moment)

    @use_case
    def both() -> None:
        place = stores.get(code)
        stores.book_work(place, at)
        stores.book_slot(place, at + dt.timedelta(hours=2))

    with app.app_context():
        try:
            both()
        except AppError as refusal:
            return refusal.code
    return "booked"


def look_then_take(rivals: int) -> Callable[[], None]:
    """Take a place by looking first and writing afterwards, all rivals of a process at the same moment."""
    barrier, plain = threading.Barrier(rivals), bookings.take

    def take(location: str, purpose: str, starts_at: dt.datetime, capacity: int) -> bool:
        where = {"location_id": location, "purpose": purpose, "starts_at": clock.text(starts_at)}
        seen = ask_one(_LOOK, where).rows
        _meet(barrier)
        if seen and seen[0][0] >= capacity:
            return False
        ask_one(_ADD, where)
        return True

    bookings.take = take
    return lambda: setattr(bookings, "take", plain)
