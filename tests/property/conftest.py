"""Many databases in one test: hypothesis tries life after life."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.core.db import db
from tests import servers
from wsgi import create_app

_numbers = itertools.count(1)


@pytest.fixture
def fresh_app(blank: str, cluster: servers.Postgres | None, tmp_path: Path) -> Callable[[], Iterator[Flask]]:
    """Makes an application on a new database; exhausting it takes both away."""

    def fresh() -> Iterator[Flask]:
        number = next(_numbers)
        name = f"life_{os.getpid()}_{number}"
        if cluster is None:
            shutil.copy(blank, tmp_path / f"{name}.db")
            url = f"sqlite:///{tmp_path / name}.db"
        else:
            url = cluster.createdb(name, template=blank)
        app = create_app(DATABASE_URL=url, APP_ENV="test", PROPAGATE_BUGS=True, TESTING=True)
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        if cluster is not None:
            cluster.dropdb(name)

    return fresh
