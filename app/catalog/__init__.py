"""Products, SKUs, barcodes and prices.

Front door: `require`, `UnknownSku`, `BarcodeTaken`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import texts

from .errors import BarcodeTaken, UnknownSku
from .lookup import forget, require

__all__ = ["BarcodeTaken", "UnknownSku", "forget", "register", "require"]


def register(app: Flask) -> None:
    """Serve SKUs."""
    from . import api, models  # noqa: F401  tables

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    forget()
