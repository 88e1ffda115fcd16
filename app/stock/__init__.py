"""THE LEDGER: movements, levels, claims, transfers, recounts, incidents. One stock pool for every channel.

Promises (`reserve`) may be refused, facts (`record`) may not. A claim is reserved, then posted, released or expired,
once. Levels follow the ledger and the open claims in the same transaction, and `check` proves it.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app import catalog, imports, stores
from app.core import jobs, settings, texts

from . import check, counts
from .availability import find as find_available
from .claims import ClaimView, attach, extend, find, merge, post, release, reserve, void
from .claims import open_at as open_claims
from .errors import (
    InsufficientStock,
    ReservationAttached,
    ReservationEnded,
    ReservationMismatch,
    UnknownIncident,
    UnknownReservation,
    UnknownTransfer,
)
from .expiry import sweep_all
from .incidents import IncidentView, count_open
from .incidents import keep_open as keep_incident_open
from .incidents import let_go as let_incident_go
from .incidents import view as incident
from .incidents import waited_for as incidents_waiting
from .ledger import Cause, Goods, Movement, net_of, record, record_all
from .levels import lock as lock_levels
from .passing import divide, enlarge, take_back
from .queries import changes
from .recounts import Doubt, doubt
from .recounts import owed_at as recount_at
from .roads import RoadLine, TransferView
from .roads import view as transfer
from .shelving import of as shelves
from .transfers import cancel as cancel_transfer
from .transfers import give_up as give_up_transfer
from .transfers import send_for

__all__ = [
    "Cause",
    "ClaimView",
    "Doubt",
    "Goods",
    "IncidentView",
    "InsufficientStock",
    "Movement",
    "ReservationAttached",
    "ReservationEnded",
    "ReservationMismatch",
    "RoadLine",
    "TransferView",
    "UnknownIncident",
    "UnknownReservation",
    "UnknownTransfer",
    "attach",
    "cancel_transfer",
    "changes",
    "check",
    "divide",
    "doubt",
    "enlarge",
    "extend",
    "find",
    "find_available",
    "give_up_transfer",
    "incident",
    "incidents_waiting",
    "keep_incident_open",
    "let_incident_go",
    "lock_levels",
    "merge",
    "net_of",
    "open_claims",
    "post",
    "record",
    "record_all",
    "recount_at",
    "register",
    "release",
    "reserve",
    "send_for",
    "shelves",
    "sweep_all",
    "take_back",
    "transfer",
    "void",
]


def register(app: Flask) -> None:
    """Serve stock, and sweep past-due claims now and then."""
    from . import api, models, whose, work_api  # noqa: F401  tables, and calls on the same blueprint

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    check.register()
    imports.offer(
        "stock", counts.COLUMNS, counts.apply, prepare=counts.prepare, scope="stock:write", numbered=True,
        blame={catalog.UnknownSku.code: "sku", stores.UnknownLocation.code: "location"},
    )  # fmt: skip
    jobs.every(settings.SWEEP_SECONDS, "stock.sweep")(sweep_all)
    jobs.every(settings.INCIDENT_COUNT_SECONDS, "stock.incidents")(count_open)
