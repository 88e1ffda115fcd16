"""What the processes of a crowd do to orders, and the rig that takes the order's lock away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from app import orders
from app.orders import queries


def end_past_due(app: Flask) -> int:
    """Sweep unpaid orders; how many this sweeper ended."""
    with app.app_context():
        return orders.end_past_due()


def without_lock(_jobs: int) -> Callable[[], None]:
    """Let every command read its order without waiting for the others."""
    plain: Any = queries.find

    def find(order_id: str, *, lock: bool = False) -> Any:
        return plain(order_id)

    queries.find = find  # type: ignore[assignment]

    def restore() -> None:
        queries.find = plain

    return restore
