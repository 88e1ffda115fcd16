"""An application on a database of its own for each test: SQLite, or PostgreSQL with HITOTSU_TEST_DB=postgresql."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import staff
from app.core import actor, jobs
from app.core import clock as app_clock
from app.core.db import db
from tests import described, servers, template
from wsgi import create_app

ON_POSTGRESQL = os.environ.get("HITOTSU_TEST_DB") == "postgresql"
ALL_SCOPES = sorted(staff.SCOPES)
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What only means something on PostgreSQL runs there alone; it is not collected elsewhere."""
    if not ON_POSTGRESQL:
        items[:] = [i for i in items if not {"concurrency", "faults"} & set(Path(str(i.fspath)).parts)]


@pytest.fixture(scope="session")
def cluster() -> servers.Postgres | None:
    """A PostgreSQL cluster for the session, careless about crashes and fast."""
    return servers.shared_postgres() if ON_POSTGRESQL else None


@pytest.fixture(scope="session")
def blank(cluster: servers.Postgres | None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated, empty database to copy: a file's path, or a template database's name."""
    if cluster is None:
        path = tmp_path_factory.mktemp("blank") / "blank.db"
        template.build(f"sqlite:///{path}")
        return str(path)
    name = f"blank_{os.getpid()}"
    template.build(cluster.createdb(name))
    return name


@pytest.fixture
def database_url(blank: str, cluster: servers.Postgres | None, tmp_path: Path) -> Iterator[str]:
    """A fresh database."""
    if cluster is None:
        shutil.copy(blank, tmp_path / "test.db")
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    name = f"t_{os.getpid()}_{next(_numbers)}"
    yield cluster.createdb(name, template=blank)
    cluster.dropdb(name)


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    """The whole application; bugs propagate instead of becoming a 500."""
    made = create_app(DATABASE_URL=database_url, APP_ENV="test", PROPAGATE_BUGS=True, TESTING=True)
    yield made
    app_clock.freeze(None)
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


class Api:
    """A caller with a key; POSTs carry a fresh Idempotency-Key unless one is given."""

    def __init__(self, app: Flask, key: str) -> None:
        self.app, self.key = app, key

    def call(self, method: str, path: str, json: Any = None, *, key: str | None = "", **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Language": "en", **kwargs.pop("headers", {})}
        if method == "POST" and key is not None:
            headers.setdefault("Idempotency-Key", key or f"k-{next(_numbers)}-{os.getpid()}")
        if json is not None:
            kwargs["json"] = json
        answer = self.app.test_client().open("/api/v1" + path, method=method, headers=headers, **kwargs)
        described.check(method, "/api/v1" + path, answer)
        return answer

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, *, key: str | None = "", **kwargs: Any) -> TestResponse:
        return self.call("POST", path, json, key=key, **kwargs)

    def put(self, path: str, json: Any = None, **kwargs: Any) -> TestResponse:
        return self.call("PUT", path, json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self.call("DELETE", path, **kwargs)


@pytest.fixture
def make_api(app: Flask) -> Callable[..., Api]:
    """Make a caller with the given scopes (all of them by default) and bounds."""

    def make(*scopes: str, channels: tuple[str, ...] = (), locations: tuple[str, ...] = (), name: str = "") -> Api:
        with app.app_context():
            key = staff.create_client(
                name=name or f"client-{next(_numbers)}",
                scopes=scopes or ALL_SCOPES,
                channels=channels,
                locations=locations,
            )
        return Api(app, key)

    return make


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """A caller who may do everything."""
    return make_api()


@pytest.fixture
def clock() -> Iterator[Callable[[str | dt.datetime], dt.datetime]]:
    """Let time stand still at a moment: `clock("2026-11-22T15:10+09:00")`."""

    def at(moment: str | dt.datetime) -> dt.datetime:
        when = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        app_clock.freeze(when)
        return when

    yield at
    app_clock.freeze(None)


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], None]:
    """Run every timed job, due by the frozen clock or not, and then all events."""

    def run() -> None:
        with app.app_context():
            for job in list(jobs._timed.values()):
                actor.act_as(actor.SYSTEM)
                job.run()
            jobs.drain()

    return run
