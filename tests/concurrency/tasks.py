"""What the processes of a crowd do, and the rigs that take a guard away from them."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask

from app import stock
from app.core import clock
from app.core.db import ask_one
from app.core.errors import AppError
from app.core.sql import Sql
from app.stock import claims, levels, queries

_numbers = itertools.count()
PATIENCE = 20


def post(app: Flask, key: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """One call over HTTP: status and answer."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"{os.getpid()}-{next(_numbers)}"}
    answer = app.test_client().post("/api/v1" + path, json=body, headers=headers)
    return answer.status_code, answer.json


def move(app: Flask, key: str, sender: str, receiver: str, lines: Sequence[dict[str, Any]]) -> int:
    """A whole transfer: asked for, sent, received. The status of the first refusal, or 200."""
    status, made = post(app, key, "/transfers", {"from": sender, "to": receiver, "lines": lines})
    if status != 201:
        return status
    for action in ("ship", "receive"):
        status, _ = post(app, key, f"/transfers/{made['id']}/{action}")
        if status != 200:
            return status
    return 200


def end(app: Flask, how: str, claim_id: str) -> str:
    """Try to end, or to prolong, a claim: what became of it, or the refusal's code."""
    with app.app_context():
        try:
            if how == "post":
                cause = stock.Cause(kind="hand_over", type="test", id=claim_id)
                return stock.post(claim_id, {"X": 1}, cause).state
            if how == "release":
                return stock.release(claim_id).state
            if how == "extend":
                return stock.extend(claim_id, expires_at=clock.now() + dt.timedelta(minutes=5)).state
            stock.sweep_all()
            return "swept"
        except AppError as refusal:
            return refusal.code


def sweep(app: Flask) -> int:
    """Sweep; how many claims this sweeper ended."""
    with app.app_context():
        return stock.sweep_all()


def churn(app: Flask, key: str, times: int) -> list[int]:
    """Writers for the readers' test: pieces promised and freed again, and goods on the road between two places."""
    statuses = []
    for _ in range(times):
        status, made = post(app, key, "/reservations", cart("A", ("X", 2)))
        if status == 201:
            statuses.append(post(app, key, f"/reservations/{made['id']}/release")[0])
        statuses.append(move(app, key, "A", "B", [{"sku": "X", "quantity": 3}]))
        statuses.append(move(app, key, "B", "A", [{"sku": "X", "quantity": 3}]))
    return statuses


def watch(app: Flask, times: int, pieces: int) -> list[str]:
    """Readers: every snapshot that does not add up."""
    broken = []
    for _ in range(times):
        with app.app_context():
            items = queries.stock({"limit": 200, "sku": ["X"]})["items"]
        broken += [f"sum: {i}" for i in items if i["available"] != max(0, i["on_hand"] - i["reserved"] - i["safety"])]
        if sum(item["on_hand"] + item["incoming"] for item in items) != pieces:
            broken.append(f"pieces: {items}")
    return broken


def cart(location: str, *lines: tuple[str, int], channel: str = "ec", seconds: int = 600) -> dict[str, Any]:
    """The body of a reservation."""
    return {
        "location": location,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
        "kind": "cart",
        "channel": channel,
        "expires_in": seconds,
    }


# --- rigs: a guard taken away, at the exact point where it matters ----------------------------------------------------

_FREE = Sql("SELECT on_hand - reserved FROM stock_level WHERE location_id = :location_id AND sku = :sku")
_ADD = Sql(
    "UPDATE stock_level SET reserved = reserved + :quantity WHERE location_id = :location_id AND sku = :sku "
    "AND on_hand > -999"
)
_UNGUARDED_MOVE = Sql(
    "UPDATE claim SET state = :state, expires_at = :expires_at, owner_type = :owner_type, owner_id = :owner_id, "
    "version = version + 1, updated_at = :now WHERE id = :id AND :version > 0"
)


def _meet(barrier: threading.Barrier) -> None:
    """Wait until the rivals of this process are at the same point; whoever comes again later just goes on."""
    try:
        barrier.wait(PATIENCE)
    except threading.BrokenBarrierError:
        return


def read_then_write(rivals: int) -> Callable[[], None]:
    """Take stock by looking first and writing afterwards."""
    barrier, plain = threading.Barrier(rivals), levels.take

    def take(*, location_id: str, wanted: Sequence[levels.Take]) -> bool:
        place = {"location_id": location_id, "sku": wanted[0].sku}
        free = ask_one(_FREE, place).rows[0][0]
        _meet(barrier)
        if free < wanted[0].quantity:
            return False
        ask_one(_ADD, {**place, "quantity": wanted[0].quantity})
        return True

    levels.take = take
    return lambda: setattr(levels, "take", plain)


def no_order(rivals: int) -> Callable[[], None]:
    """Take the lines of a basket one by one, every other rival backwards."""
    barrier, plain, turns = threading.Barrier(rivals), levels.take, itertools.count()
    met = threading.local()

    def take(*, location_id: str, wanted: Sequence[levels.Take]) -> bool:
        backwards = next(turns) % 2 == 0
        for take_one in sorted(wanted, key=lambda w: w.sku, reverse=backwards):
            ask_one(_ADD, {"location_id": location_id, "sku": take_one.sku, "quantity": take_one.quantity})
            if not getattr(met, "once", False):
                met.once = True
                _meet(barrier)
        return True

    levels.take = take
    return lambda: setattr(levels, "take", plain)


def no_claim_lock(rivals: int) -> Callable[[], None]:
    """Decide about a claim without holding it, and write whatever it has become meanwhile."""
    barrier, find, guarded, tell = threading.Barrier(rivals), claims.find, claims._MOVE, claims._tell

    def find_only(claim_id: str, *, lock: bool = False) -> claims.ClaimView:
        found = find(claim_id)
        if lock:
            _meet(barrier)
        return found

    def restore() -> None:
        claims.find, claims._MOVE, claims._tell = find, guarded, tell

    # The events' gap-free sequence is a guard of its own, so it goes too.
    claims.find, claims._MOVE, claims._tell = find_only, _UNGUARDED_MOVE, lambda _claim, _topic: None
    return restore
