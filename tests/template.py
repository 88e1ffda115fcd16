"""Builds the database that each test gets a copy of: the tables as the models say, and the reporting views."""

from __future__ import annotations

from flask_migrate import stamp

from app.core.db import db
from app.reports import views
from wsgi import create_app


def build(url: str) -> None:
    """Make every table and view in an empty database."""
    app = create_app(DATABASE_URL=url, APP_ENV="test")
    with app.app_context():
        db.create_all()
        with db.engine.begin() as connection:
            views.create(connection)
        stamp()
        db.session.remove()
        db.engine.dispose()
