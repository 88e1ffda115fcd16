"""Reports: read-only SQL over the tables of every feature.

Front door: `views`, the fixed reporting views, which migrations make.
"""

from __future__ import annotations

from flask import Flask

from . import views

__all__ = ["register", "views"]


def register(app: Flask) -> None:
    """Nothing to serve: analysts' tools read the views in the database."""
