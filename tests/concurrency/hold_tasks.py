"""What rivals do to holds and waiting lists, and the rig that takes the customer's lock away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from app import customers
from bopis import waiting
from tests.concurrency.tasks import PATIENCE, post


def hold(app: Flask, key: str, sku: str, person: str) -> str:
    """One hold of a SKU for a person: "held", or the refusal's code."""
    wanted = {"location": "S1", "kind": "hold", "lines": [{"sku": sku, "quantity": 1}]}
    status, answer = post(app, key, "/reservations", wanted | {"customer": {"email": f"{person}@example.jp"}})
    return "held" if status == 201 else str(answer["type"]).removeprefix("/problems/")


def join(app: Flask, key: str, sku: str, person: str) -> str:
    """One place in a waiting list: "waits", or the refusal's code."""
    wanted: dict[str, Any] = {"location": "S1", "sku": sku, "customer": {"email": f"{person}@example.jp"}}
    status, answer = post(app, key, "/waiting-list", wanted)
    return "waits" if status == 201 else str(answer["type"]).removeprefix("/problems/")


def serve(app: Flask, sku: str) -> int:
    """How many of those who wait this server offered something."""
    with app.app_context():
        return waiting.serve("S1", sku)


def no_customer_lock(rivals: int) -> Callable[[], None]:
    """Count what a customer keeps without their lock, all rivals of a process at the same moment."""
    barrier, plain = threading.Barrier(rivals), customers.lock
    met = threading.local()

    def look(_customer_id: str) -> None:
        if not getattr(met, "once", False):
            met.once = True
            barrier.wait(PATIENCE)

    def restore() -> None:
        customers.lock = plain

    customers.lock = look
    return restore
