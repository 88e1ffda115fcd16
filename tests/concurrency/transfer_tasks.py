"""What rivals do to goods that travel for somebody, and the rig that takes their lock away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from app import stock
from app.core.db import ask_one
from app.core.errors import AppError
from app.core.sql import Sql
from app.stock import roads, transfers
from app.stock.models import Transfer

PATIENCE = 20
_SET = Sql(
    "UPDATE transfer SET state = :state, version = version + 1, updated_at = CURRENT_TIMESTAMP WHERE id = :id "
    "RETURNING version"
)


def buy(app: Flask, owner: tuple[str, str], pieces: int) -> str:
    """Claim pieces of X at W for somebody and send them to S; the transfer's id."""
    with app.app_context():
        claim = stock.reserve(
            location="W", lines=[("X", pieces)], kind="pickup", channel="ec", expires_at=None, owner=owner
        )
        return stock.send_for(claim.id, owner=owner, receiver="S", expected_at=None)


def step(app: Flask, action: str, transfer_id: str) -> str:
    """Ship, receive or cancel: the state it led to, or the refusal's code."""
    with app.app_context():
        try:
            moved: Any = getattr(transfers, action)(transfer_id)
        except AppError as refusal:
            return refusal.code
        return str(moved.state)


def give_up(app: Flask, transfer_id: str, owner: tuple[str, str], pieces: int) -> str:
    """What giving up did."""
    with app.app_context():
        return stock.give_up_transfer(transfer_id, {"X": pieces}, owner=owner)


def doubt(app: Flask, reason: str) -> str | None:
    """A short pick of one piece of X at W: the recount it led to."""
    with app.app_context():
        return stock.doubt("W", "X", missing=1, reason=reason, cause_ref=("pickup", "p"))


def sell(app: Flask, number: int) -> int:
    """A till's sale of one piece of X at W."""
    with app.app_context():
        return len(stock.record([stock.Goods("W", "X", -1)], stock.Cause("sale", "receipt", str(number))))


def no_road_lock(rivals: int) -> Callable[[], None]:
    """Decide about a transfer by looking at it, all rivals at the same moment, and move it wherever it is."""
    barrier, held, move = threading.Barrier(rivals), roads.held, transfers.states.move

    def looked(transfer_id: str) -> Transfer:
        row = roads.find_transfer(transfer_id)
        try:
            barrier.wait(PATIENCE)
        except threading.BrokenBarrierError:
            return row
        return row

    def unguarded(row: Any, action: str, table: Any, **_rest: Any) -> None:
        row.state = table[row.state, action]
        row.version = ask_one(_SET, {"id": row.id, "state": str(row.state)}).rows[0][0]

    def restore() -> None:
        roads.held, transfers.states.move = held, move

    roads.held, transfers.states.move = looked, unguarded
    return restore
