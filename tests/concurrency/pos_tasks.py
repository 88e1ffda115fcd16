"""What tills do in a crowd, and the rigs that take their guards away."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask

from pos_bridge import known, receipts, unresolved
from tests.concurrency.tasks import _meet, post

TRIES = 5


def upload(app: Flask, key: str, chunks: Sequence[Sequence[Any]]) -> list[tuple[int, list[int]]]:
    """Send batches one after the other, again while the house is full, as tills do; the statuses of calls and sales."""
    answers = []
    for chunk in chunks:
        status, body = 503, {}
        for _ in range(TRIES):
            status, body = post(app, key, "/pos/batches", {"sales": list(chunk)})
            if status != 503:
                break
        answers.append((status, [one["status"] for one in body.get("results", [])]))
    return answers


def sell(app: Flask, key: str, sale: dict[str, Any]) -> tuple[int, Any]:
    return post(app, key, "/pos/sales", sale)


def resolve(app: Flask, key: str, line: str, sku: str) -> tuple[int, Any]:
    return post(app, key, f"/pos/unresolved/{line}/resolve", {"sku": sku})


def no_lock(rivals: int) -> Callable[[], None]:
    """Nobody waits for a rival with the same receipt, and all of a process look before any of them writes."""
    barrier, plain_lock, plain_look = threading.Barrier(rivals), receipts.lock, receipts.look_up
    turns = itertools.count()

    def look_up(offers: Sequence[Any], _locking: Any = ()) -> known.Known:
        found = plain_look(offers)
        if next(turns) < rivals:
            _meet(barrier)
        return found

    receipts.lock, receipts.look_up = lambda _names: None, look_up

    def restore() -> None:
        receipts.lock, receipts.look_up = plain_lock, plain_look

    return restore


def blind_resolve(rivals: int) -> Callable[[], None]:
    """Post what was seen waiting, though a rival may have posted it meanwhile."""
    barrier, plain = threading.Barrier(rivals), unresolved._RESOLVE
    plain_lock = unresolved._LOCK
    ask = unresolved.ask_one

    def ask_one(sql: Any, params: Any) -> Any:
        if sql is plain_lock:
            found = ask(unguarded_look, params)
            _meet(barrier)
            return found
        return ask(unguarded if sql is plain else sql, params)

    unguarded = type(plain)("")
    unguarded.postgresql = plain.postgresql.replace("AND state = 'waiting'", "")
    unguarded_look = type(plain)("")
    unguarded_look.postgresql = plain_lock.postgresql.replace("FOR UPDATE", "")
    unresolved.ask_one = ask_one
    return lambda: setattr(unresolved, "ask_one", ask)
