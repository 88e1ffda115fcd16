"""A durable cluster of its own, a migrated database with a small shop, and a key."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app import staff
from app.core.db import db
from app.core.http import OPERATIONS
from app.core.settings import ROOT
from tests import servers, template
from tests.running import Web
from wsgi import create_app

SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Ground:
    """What a fault happens to."""

    postgres: servers.PostgresServer
    url: str
    key: str


@pytest.fixture
def ground() -> Iterator[Ground]:
    """PostgreSQL with durable commits, an empty shop, and a key that may do everything."""
    with servers.PostgresServer(durable=True).start() as postgres:
        url = postgres.createdb("faults")
        template.build(url)
        app = create_app(DATABASE_URL=url, APP_ENV="test", SECRET_KEY=SECRET)
        assert OPERATIONS
        with app.app_context():
            key = staff.create_client(name="faults", scopes=sorted(staff.SCOPES))
            db.session.remove()
            db.engine.dispose()
        yield Ground(postgres, url, key)


def open_shop(web: Web, key: str, *, stock: int, skus: int = 3) -> None:
    """One store, some SKUs, opening stock: all through the API."""
    hours = {day: [["10:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    place = {"name": "銀座店", "kind": "store", "timezone": "Asia/Tokyo", "hours": hours, "closures": [],
             "pickup": {"enabled": True, "lead_minutes": 60, "hold_days": 7}}  # fmt: skip
    assert web.call("PUT", "/api/v1/locations/ginza", place, key=key)[0] in {200, 201}
    lines = []
    for number in range(skus):
        sku = {"product": "P", "name": f"商品{number}", "barcodes": [], "tax_category": "standard", "list_price": 1000,
               "options": {}}  # fmt: skip
        assert web.call("PUT", f"/api/v1/skus/S{number}", sku, key=key)[0] in {200, 201}
        lines.append({"sku": f"S{number}", "quantity": stock})
    opening = {"location": "ginza", "reason": "opening", "lines": lines}
    assert web.call("POST", "/api/v1/stock/adjustments", opening, key=key)[0] == 201


def reconcile(url: str) -> None:
    """The books are right, says the product's own command."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "reconcile", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "DATABASE_URL": url, "APP_ENV": "test", "SECRET_KEY": SECRET},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
