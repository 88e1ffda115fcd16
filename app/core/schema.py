"""Which migrations the code has and which the database has run."""

from __future__ import annotations

from functools import lru_cache

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.core.db import db
from app.core.settings import ROOT


@lru_cache(maxsize=1)
def heads() -> frozenset[str]:
    """The newest migrations in the code."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return frozenset(ScriptDirectory.from_config(config).get_heads())


def pending_migrations() -> bool:
    """Whether `flask db upgrade` still has work to do."""
    context = MigrationContext.configure(db.session.connection())
    return frozenset(context.get_current_heads()) != heads()
