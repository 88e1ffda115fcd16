"""``make test``: the suite in its parts, one summary line for all of them.

The same tests run on SQLite and on PostgreSQL; races and faults count on PostgreSQL only, and run alone so that nothing
else takes their cores. A part with fewer tests than ``.ci/counts`` says has lost some, and fails; so does a skipped
test, because the set-up brings everything that a test needs. ``python -m scripts.test PART…`` runs some parts only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "var" / "test-results"
COUNTS = ROOT / ".ci" / "counts"

SERIAL = ("tests/concurrency", "tests/faults")
WITHOUT_DATABASE = ("tests/unit", "tests/test_layers.py", "tests/test_servers.py", "tests/test_tidy.py")
NO_TESTS_COLLECTED = 5


@dataclass(frozen=True)
class Part:
    name: str
    database: str
    folders: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    processes: int = 1

    def command(self, report: Path) -> list[str]:
        """Return pytest's command line; folders that no issue has filled yet are left out."""
        line = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"]
        if self.processes > 1:
            line += ["-n", str(self.processes), "--dist", "worksteal"]
        line += [f"--ignore={folder}" for folder in self.ignored]
        return [*line, *(folder for folder in self.folders if (ROOT / folder).exists())]

    def is_empty(self) -> bool:
        return not any((ROOT / folder).exists() for folder in self.folders)


PARTS = (
    Part("sqlite", "sqlite", ("tests",), ignored=SERIAL, processes=2),
    Part("postgresql", "postgresql", ("tests",), ignored=(*SERIAL, *WITHOUT_DATABASE, "tests/property"), processes=2),
    Part("races", "postgresql", ("tests/concurrency", "tests/property", "tests/faults")),
)


@dataclass(frozen=True)
class Result:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0


def main(names: list[str]) -> int:
    unknown = set(names) - {part.name for part in PARTS}
    if unknown:
        print(f"unknown part: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    floors = read_counts()
    results: dict[str, Result] = {}
    complaints: list[str] = []
    for part in PARTS:
        if not names or part.name in names:
            results[part.name], code = run(part)
            complaints += judge(part.name, results[part.name], code, floors.get(part.name, 0))
    print()
    for name, result in results.items():
        print(f"{name:<12}{result.passed:>6} passed {result.seconds:>8.1f} s")
    for complaint in complaints:
        print(complaint)
    failed = sum(result.failed for result in results.values())
    print(f"{sum(result.passed for result in results.values())} passed, {failed or len(complaints)} failed", flush=True)
    return 1 if complaints else 0


def run(part: Part) -> tuple[Result, int]:
    """Run one part; returns what was counted and pytest's exit code."""
    print(f"\n== {part.name}: {part.database} ==", flush=True)
    report = RESULTS / f"{part.name}.xml"
    report.unlink(missing_ok=True)
    if part.is_empty():
        return Result(), 0
    began = time.monotonic()
    environment = {**os.environ, "HITOTSU_TEST_DB": part.database}
    code = subprocess.run(part.command(report), check=False, cwd=ROOT, env=environment).returncode
    seconds = time.monotonic() - began
    if not report.exists():
        return Result(seconds=seconds), code or 1
    return tally(report.read_text(), seconds), 0 if code == NO_TESTS_COLLECTED else code


def tally(report: str, seconds: float) -> Result:
    """Count a pytest report. It is our own file, so the plain XML parser will do."""
    suites = list(ET.fromstring(report).iter("testsuite"))  # noqa: S314 -- written by pytest a moment ago

    def total(*names: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites for name in names)

    failed, skipped = total("failures", "errors"), total("skipped")
    return Result(total("tests") - failed - skipped, failed, skipped, seconds)


def judge(name: str, result: Result, code: int, floor: int) -> Iterator[str]:
    """Say what is wrong with a part; nothing when all is well."""
    if result.failed:
        yield f"{name}: {result.failed} failed"
    elif code:
        yield f"{name}: pytest ended with {code}"
    if result.skipped:
        yield f"{name}: {result.skipped} skipped; a test does not skip, the set-up brings what it needs"
    if result.passed + result.failed < floor:
        yield f"{name}: ran {result.passed + result.failed} tests, .ci/counts has {floor}; see scripts/counts.py"


def read_counts() -> dict[str, int]:
    lines = COUNTS.read_text().splitlines() if COUNTS.exists() else []
    return {name: int(count) for name, count in (line.split() for line in lines if line and line[0] != "#")}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
