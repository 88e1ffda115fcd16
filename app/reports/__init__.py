"""Reports: read-only SQL over the tables of every feature.

Front door: `views`, the fixed reporting views, which migrations make. Figures that stores are led by are served.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import texts

from . import views

__all__ = ["register", "views"]


def register(app: Flask) -> None:
    """Serve figures; analysts' tools read the views in the database."""
    from . import api

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
