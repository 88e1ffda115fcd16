"""The migrations lead from nothing to exactly the tables of the models, and back."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from app.core.db import Base, db
from app.core.schema import pending_migrations
from app.reports import views


def test_models_and_migrations_agree(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = [d for d in compare_metadata(context, Base.metadata) if not _is_view(d)]
        assert differences == []
        assert pending_migrations() is False


def _is_view(difference: object) -> bool:
    return isinstance(difference, tuple) and difference[0] == "remove_table" and difference[1].name.startswith("v_")


def test_every_view_answers(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        assert set(inspect(connection).get_view_names()) == set(views.CREATE)
        for name in views.CREATE:
            assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() == 0


def test_down_to_nothing_and_up_again(app: Flask) -> None:
    with app.app_context():
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        upgrade()
        assert pending_migrations() is False
