"""The shop that is measured: 20 stores with 1,000 SKUs each, made through the public API."""

from __future__ import annotations

import os
import subprocess
import sys

from app.core.settings import ROOT
from tests.running import Web, until

STORES, SKUS, PIECES = 20, 1000, 900_000


def seed(web: Web, key: str) -> None:
    """Stores, SKUs and opening stock."""
    hours = {day: [["10:00", "20:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    for number in range(1, STORES + 1):
        place = {"name": f"店舗{number}", "kind": "store", "timezone": "Asia/Tokyo", "hours": hours, "closures": [],
                 "latitude": 35.0 + number / 10, "longitude": 139.0,
                 "pickup": {"enabled": True, "lead_minutes": 60, "hold_days": 7}}  # fmt: skip
        status, answer = web.call("PUT", f"/api/v1/locations/L{number}", place, key=key)
        assert status in {200, 201}, answer
    rows = [f"S{n},P{n},商品{n},standard,1000" for n in range(1, SKUS + 1)]
    _upload(web, key, "skus", ["sku,product,name,tax_category,list_price", *rows])
    rows = [f"L{place},S{sku},{PIECES}" for place in range(1, STORES + 1) for sku in range(1, SKUS + 1)]
    _upload(web, key, "stock", ["location,sku,quantity", *rows])


def _upload(web: Web, key: str, kind: str, lines: list[str]) -> None:
    body = "\n".join(lines).encode()
    status, answer = web.call("POST", f"/api/v1/imports/{kind}", body, key=key, timeout=60)
    assert status == 202, answer

    def finished() -> bool:
        state = web.call("GET", f"/api/v1/imports/{answer['id']}", key=key)[1]
        assert state["rows_failed"] == 0, state
        return bool(state["state"] == "done")

    until(f"{kind} are imported", finished, seconds=300)


def invariants(url: str, secret: str) -> str:
    """`all hold`, or what the checker printed."""
    env = {**os.environ, "DATABASE_URL": url, "SECRET_KEY": secret, "APP_ENV": "test", "STATEMENT_MS": "600000"}
    line = [sys.executable, "-m", "flask", "--app", "wsgi", "reconcile"]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    # pgbench takes levels without claims of the same sum only where its clients were cut off at the end.
    return "all hold" if done.returncode == 0 else done.stdout + done.stderr
