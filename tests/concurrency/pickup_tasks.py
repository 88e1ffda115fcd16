"""What rivals do to one pickup, and the rig that takes its lock away."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from bopis import ending, jobs, pickups, proofs
from bopis.models import Pickup
from tests.concurrency.tasks import _meet

_numbers = itertools.count()


def act(app: Flask, key: str, path: str, body: Any = None, *names: str) -> tuple[int, Any]:
    """One call over HTTP from a tablet: status and answer. `names` are the tablet's, and an Idempotency-Key."""
    device, idempotency = (*names, "", "")[:2]
    headers = {
        "Authorization": f"Bearer {key}",
        "Idempotency-Key": idempotency or f"p-{os.getpid()}-{next(_numbers)}",
    } | ({"X-Device-Id": device} if device else {})
    answer = app.test_client().post(f"/api/v1/pickups/{path}", json=body, headers=headers)
    return answer.status_code, answer.json


def cancel_order(app: Flask, key: str, order_id: str) -> tuple[int, Any]:
    """The customer's own cancel, through the order."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"o-{os.getpid()}-{next(_numbers)}"}
    answer = app.test_client().post(f"/api/v1/orders/{order_id}/cancel", json={"reason": "customer"}, headers=headers)
    return answer.status_code, answer.json


def expire(app: Flask, pickup_id: str) -> bool:
    """Whether this rival ended the pickup by time."""
    with app.app_context():
        return ending.expire(pickup_id=pickup_id)


def sweep(app: Flask) -> int:
    """How many pickups this sweeper ended."""
    with app.app_context():
        return jobs.expire_due()


def post(app: Flask, key: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One call over HTTP beside the pickups' own: status and answer."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"w-{os.getpid()}-{next(_numbers)}"}
    answer = app.test_client().post(f"/api/v1{path}", json=body, headers=headers)
    return answer.status_code, answer.json


def no_turns(rivals: int) -> Callable[[], None]:
    """Let PINs be tried without waiting for a turn: all rivals have compared before the first is counted."""
    barrier, plain, count = threading.Barrier(rivals), proofs.take_turn, proofs.count_try

    def counted(pickup_id: str) -> int:
        _meet(barrier)
        return count(pickup_id)

    def restore() -> None:
        proofs.take_turn, proofs.count_try = plain, count

    proofs.take_turn, proofs.count_try = lambda _pickup_id: None, counted
    return restore


def no_pickup_lock(rivals: int) -> Callable[[], None]:
    """Decide about a pickup by looking at it, all rivals at the same moment."""
    barrier, plain = threading.Barrier(rivals), pickups.locked
    met = threading.local()

    def looked(pickup_id: str) -> Pickup:
        row = pickups.get(pickup_id)
        if not getattr(met, "once", False):
            met.once = True
            _meet(barrier)
        return row

    def restore() -> None:
        pickups.locked = plain

    pickups.locked = looked
    return restore
