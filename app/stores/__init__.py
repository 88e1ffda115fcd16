"""Places: shops and warehouses, their hours, closures, business day and pickup settings.

Front door: `UnknownLocation`, `safety_call`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import texts

from .errors import UnknownLocation
from .places import safety_call

__all__ = ["UnknownLocation", "register", "safety_call"]


def register(app: Flask) -> None:
    """Serve places."""
    from . import api, models  # noqa: F401  tables

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
