"""What `reconcile` knows of orders: a claim whose order has ended has leaked."""

from __future__ import annotations

from app import stock
from app.core.sql import Rowset, Sql

_LIVING = Sql(
    "SELECT o.id FROM sales_order o JOIN {asked} ON o.id = asked.id WHERE o.state IN ('placed', 'partly_fulfilled')",
    Rowset("asked", "ids", {"id": "uuid"}),
)


def register() -> None:
    """Add the invariant."""
    stock.check.add_owner("order", stock.check.living(_LIVING))
