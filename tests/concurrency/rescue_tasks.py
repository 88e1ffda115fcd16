"""What two clerks at the rescue desk do, and the rig that lets them decide by what they read."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from app import stock
from bopis import remedies, rescue
from bopis.remedies import Board

_numbers = itertools.count()
PATIENCE = 20


def apply(app: Flask, key: str, incident_id: str, remedy: str) -> tuple[int, Any]:
    """One remedy over HTTP: status and answer."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"r-{os.getpid()}-{next(_numbers)}"}
    answer = app.test_client().post(f"/api/v1/incidents/{incident_id}/apply", json={"remedy": remedy}, headers=headers)
    return answer.status_code, answer.json


def sell(app: Flask, number: int) -> int:
    """A till sells one A at S1."""
    with app.app_context():
        return len(stock.record([stock.Goods("S1", "A", -1)], stock.Cause("sale", "receipt", f"r-{number}")))


def by_what_was_read(rivals: int) -> Callable[[], None]:
    """Look at the remedies once, all rivals at the same moment, and never again under the locks."""
    barrier, plain = threading.Barrier(rivals), remedies.of
    met = threading.local()

    def looked(incident: stock.IncidentView) -> Board:
        known: Board | None = getattr(met, "board", None)
        if known is None:
            known = met.board = plain(incident)
            barrier.wait(PATIENCE)
        return known

    def restore() -> None:
        rescue.remedies.of = plain

    rescue.remedies.of = looked
    return restore
