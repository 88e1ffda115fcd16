"""Builds the database that each test gets a copy of."""

from __future__ import annotations

from app.core.db import Base, db
from app.reports import views
from wsgi import create_app


def build(url: str) -> None:
    """Make every table and view in an empty database."""
    app = create_app(DATABASE_URL=url, APP_ENV="test")
    with app.app_context():
        Base.metadata.create_all(db.engine)
        with db.engine.begin() as connection:
            views.create(connection)
        db.session.remove()
        db.engine.dispose()
