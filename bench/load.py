"""One run of wrk against the product, and what it measured."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Self

from app.core.settings import ROOT
from tests.running import Web

CONNECTIONS = 16


@dataclass(frozen=True)
class Measured:
    """Requests per second, and times in milliseconds."""

    rate: float
    p50: float
    p99: float
    worst: float


class Load:
    """A scenario of bench/wrk that runs for some seconds, or until it is ended."""

    def __init__(self, scenario: str, web: Web, key: str, seconds: int) -> None:
        env = {**os.environ, "BENCH_KEY": key, "BENCH_RUN": str(time.time_ns() // 1_000_000 % 1_000_000_000)}
        line = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "12s", "-s",
                f"bench/wrk/{scenario}.lua", f"http://127.0.0.1:{web.port}"]  # fmt: skip
        self.scenario, self.line, self.env = scenario, line, env
        self.child: subprocess.Popen[str] | None = None

    def start(self) -> Self:
        """Begin."""
        self.child = subprocess.Popen(self.line, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, text=True)
        return self

    def end(self) -> Measured:
        """Stop now; what was measured until here."""
        assert self.child is not None
        self.child.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> Measured:
        """What was measured. A failed request fails the bench."""
        assert self.child is not None
        output, _ = self.child.communicate()
        found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", output)
        assert found, output
        requests, micros, failed, p50, p99, worst = (int(n) for n in found.groups())
        assert failed == 0, f"{self.scenario}: {failed} requests failed\n{output}"
        return Measured(requests / micros * 1e6, p50 / 1000, p99 / 1000, worst / 1000)
