"""The product beside pgbench with the same statements, on the same cluster, alternating, in one run.

Prints a table and, with `--write`, puts it into docs/benchmarks.md. Absolute figures belong to one machine: only the
ratios mean something. After the load the invariants are checked.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from app import staff
from app.core.db import db
from app.core.settings import ROOT
from bench import capture, expiry, report, requests, shop
from bench.load import Load
from tests import servers, template
from tests.running import Web
from wsgi import create_app

SCENARIOS = ("spread", "hot", "availability", "till")
PGBENCH = {
    "spread": ("reservation", 20, 1000),
    "hot": ("reservation", 1, 1),
    "availability": ("availability", 20, 1000),
    "till": ("till", 20, 1000),
}
EXPIRY = "expiry"
WORKERS, CLIENTS = 2, 8
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  of a database that lives for minutes


@dataclass
class Figures:
    """One scenario over its rounds."""

    rates: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    worst: float = 0.0
    raw: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Median requests per second."""
        return statistics.median(self.rates)

    @property
    def raw_rate(self) -> float:
        """Median transactions per second of pgbench."""
        return statistics.median(self.raw)


def measure(scenario: str, figures: Figures, web: Web, key: str, seconds: int) -> None:
    """One round of the product."""
    round_ = Load(scenario, web, key, seconds).start().wait()
    figures.rates.append(round_.rate)
    figures.p50.append(round_.p50)
    figures.p99.append(round_.p99)
    figures.worst = max(figures.worst, round_.worst)


def measure_raw(scenario: str, figures: Figures, raw: Raw, seconds: int) -> None:
    """One round of pgbench with the statements of the product."""
    script, locations, skus = PGBENCH[scenario]
    line = [_pgbench(), "-n", "-M", "extended", "-c", str(CLIENTS), "-j", "1", "-T", str(seconds),
            "-D", f"locations={locations}", "-D", f"skus={skus}", *raw.arguments[script],
            "-f", str(raw.folder / f"{script}.sql"), raw.url.replace("+psycopg", "")]  # fmt: skip
    output = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", output.stdout)
    assert found, output.stdout + output.stderr
    assert "aborted" not in output.stderr, output.stderr
    figures.raw.append(float(found[1]))


@dataclass
class Raw:
    """pgbench's scripts, made from what the product sends."""

    url: str
    folder: Path
    arguments: dict[str, list[str]] = field(default_factory=dict)

    def make(self, key: str) -> None:
        """Record one request of each kind and write its script."""
        app = create_app(DATABASE_URL=self.url, APP_ENV="test", SECRET_KEY=SECRET)
        with app.app_context():
            client_id = str(staff.list_clients()[0].id)
            db.session.remove()
        for name in ("reservation", "availability", "till"):
            script = capture.Script(self.url, client_id)
            script.add(capture.record(app, getattr(requests, name)(key)))
            self.arguments[name] = script.write(self.folder / f"{name}.sql")
        with app.app_context():
            db.engine.dispose()


def _pgbench() -> str:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "pgbench").exists():
            return str(folder / "pgbench")
    return shutil.which("pgbench") or "pgbench"


def memory_of_workers(web: Web) -> list[float]:
    """Resident MiB of each worker process of the server."""
    assert web.child is not None
    listed = subprocess.run(["ps", "-o", "rss=,ppid=", "-A"], capture_output=True, text=True, check=True).stdout
    rows = [tuple(map(int, row.split())) for row in listed.splitlines()]
    return sorted(rss / 1024 for rss, parent in rows if parent == web.child.pid and rss > 20_000)


def _key(url: str) -> str:
    app = create_app(DATABASE_URL=url, APP_ENV="test", SECRET_KEY=SECRET)
    with app.app_context():
        key = staff.create_client(name="bench", scopes=sorted(staff.SCOPES))
        db.session.remove()
        db.engine.dispose()
    return key


def main() -> int:
    """Run everything; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--only", choices=(*SCENARIOS, EXPIRY), action="append")
    args = parser.parse_args()
    chosen = [scenario for scenario in SCENARIOS if scenario in (args.only or SCENARIOS)]
    results = {scenario: Figures() for scenario in chosen}
    swept: expiry.Swept | None = None
    settings = {"shared_buffers": "512MB", "max_wal_size": "4GB"}
    with servers.PostgresServer(durable=True, settings=settings).start() as postgres:
        url = postgres.createdb("bench")
        template.build(url)
        key = _key(url)
        env = {"WEB_THREADS": "4", "DB_POOL": "4", "APP_ENV": "production"}
        web = Web(url, workers=WORKERS, **env).start()
        try:
            print("seeding 20 stores × 1,000 SKUs through the API …", flush=True)
            shop.seed(web, key)
            raw = Raw(url, Path(tempfile.mkdtemp(prefix="hitotsu-bench-")))
            raw.make(key)
            for number in range(1, args.rounds + 1):
                for scenario in chosen:
                    measure(scenario, results[scenario], web, key, args.seconds)
                    measure_raw(scenario, results[scenario], raw, args.seconds)
                    done = results[scenario]
                    print(f"round {number} {scenario:13} {done.rates[-1]:9.0f}/s   pgbench {done.raw[-1]:9.0f}/s",
                          flush=True)  # fmt: skip
            if args.only is None or EXPIRY in args.only:
                swept = expiry.measure(web, url, key)
                print(swept, flush=True)
            memory = memory_of_workers(web)
        finally:
            web.stop()
        verdict = shop.invariants(url, SECRET)
    text = report.table(results, memory, verdict, args.rounds, args.seconds)
    if swept is not None:
        text += f"\n\n{swept}"
    print(text)
    if args.write:
        report.write(text)
    return 0 if verdict == "all hold" and (swept is None or swept.kept) else 1


if __name__ == "__main__":
    sys.exit(main())
