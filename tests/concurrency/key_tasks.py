"""One request under one key from many hands, and the rig that takes the key's lock away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from app.core import idempotency
from app.core.sql import Sql

PATIENCE = 20
_NO_LOCK = Sql("SELECT NULL, clock_timestamp()")


def post_as(app: Flask, key: str, path: str, body: dict[str, Any], idempotency_key: str) -> tuple[int, bytes, bool]:
    """One call: status, bytes, and whether it is a first answer given again."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": idempotency_key}
    answer = app.test_client().post("/api/v1" + path, json=body, headers=headers)
    return answer.status_code, answer.data, answer.headers.get("Idempotency-Replayed") == "true"


def without_key_lock(rivals: int) -> Callable[[], None]:
    """Look for a first answer without waiting for whoever is making it, all rivals of a process at one moment."""
    barrier, plain, lock = threading.Barrier(rivals), idempotency.find, idempotency._LOCK
    met = threading.local()

    def look(client_id: str, key: str, print_: str) -> idempotency.Stored | None:
        found = plain(client_id, key, print_)
        if not getattr(met, "once", False):
            met.once = True
            barrier.wait(PATIENCE)
        return found

    def restore() -> None:
        idempotency.find, idempotency._LOCK = plain, lock

    idempotency.find, idempotency._LOCK = look, _NO_LOCK
    return restore
