"""What `reconcile` knows of pickups: a claim whose pickup or way back to the shelf has ended has leaked."""

from __future__ import annotations

from app import stock
from app.core.sql import Rowset, Sql

_ASKED = Rowset("asked", "ids", {"id": "uuid"})
_PICKUPS = Sql(
    "SELECT p.id FROM pickup p JOIN {asked} ON p.id = asked.id "
    "WHERE p.state NOT IN ('collected', 'cancelled', 'expired')",
    _ASKED,
)
_TASKS = Sql("SELECT t.id FROM reshelve_task t JOIN {asked} ON t.id = asked.id WHERE t.state = 'open'", _ASKED)


def register() -> None:
    """Add the invariants."""
    stock.check.add_owner("pickup", stock.check.living(_PICKUPS))
    stock.check.add_owner("reshelve", stock.check.living(_TASKS))
