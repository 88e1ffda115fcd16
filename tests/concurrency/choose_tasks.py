"""What store, customer, till and transfer do to one pickup at once, and the rigs that take a guard away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from app import stock
from app.core import jobs, states
from bopis import arrivals
from tests.concurrency import pickup_tasks
from tests.concurrency.tasks import post

act = pickup_tasks.act
cancel_order = pickup_tasks.cancel_order


def step(app: Flask, key: str, transfer_id: str, action: str) -> tuple[int, Any]:
    """Send or receive a transfer."""
    return post(app, key, f"/transfers/{transfer_id}/{action}")


def listen(app: Flask) -> int:
    """Hear every event that is due."""
    with app.app_context():
        return jobs.drain()


def blind(rivals: int) -> Callable[[], None]:
    """Choose by looking, all rivals of a process at the same moment, and tell nobody of what becomes of the pickup.

    An event's sequence is a guard of its own, so it goes too.
    """
    restore_lock, tell = pickup_tasks.no_pickup_lock(rivals), states.emit

    def restore() -> None:
        restore_lock()
        states.emit = tell

    states.emit = lambda *_facts, **_more: None
    return restore


def deaf(_rivals: int) -> Callable[[], None]:
    """End a pickup without looking whether its goods came in this very moment."""
    take_in, give_up = arrivals.take_in, stock.give_up_transfer

    def restore() -> None:
        arrivals.take_in, stock.give_up_transfer = take_in, give_up

    def given_up(*facts: Any, **more: Any) -> str:
        give_up(*facts, **more)
        return "reduced"

    arrivals.take_in, stock.give_up_transfer = lambda _row: None, given_up
    return restore
