"""Builds the database that each test gets a copy of: by the migrations, like everybody's."""

from __future__ import annotations

from flask_migrate import upgrade

from app.core.db import db
from wsgi import create_app


def build(url: str) -> None:
    """Make every table and view in an empty database."""
    app = create_app(DATABASE_URL=url, APP_ENV="test")
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()
