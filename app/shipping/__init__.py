"""Sending goods: the fulfilment method `ship`, its work item, and the parcels that left.

An order to be sent takes its goods from a named place, else from the first warehouse, else store, that has every line.
Each parcel posts its part of the order's claim; what leaves is what is captured.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app import orders
from app.core import texts

from .method import Ship
from .sending import ship

__all__ = ["register", "ship"]


def register(app: Flask) -> None:
    """Serve shipments, and offer the method."""
    from . import api, models  # noqa: F401  tables

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    orders.offer("ship", Ship())
