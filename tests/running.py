"""The product as it runs in production: server and worker processes that a test may kill."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from app.core import settings
from scripts import serve

READY_SECONDS = 40


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, happened: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
    """Poll until `happened`, or fail naming what did not."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Process:
    """A child in its own process group, so that kill -9 takes its workers too."""

    def __init__(self, line: list[str], env: dict[str, str]) -> None:
        self.line, self.env = line, {**os.environ, **env}
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start, or start again."""
        self.child = subprocess.Popen(self.line, env=self.env, cwd=settings.ROOT, start_new_session=True,
                                      stdout=subprocess.DEVNULL)  # fmt: skip
        return self

    def kill9(self) -> None:
        """No chance to tidy up."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self.child is not None and self.child.poll() is None:
            os.killpg(self.child.pid, number)
            try:
                self.child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self.child.pid, signal.SIGKILL)
                self.child.wait()


class Web(Process):
    """The production server."""

    def __init__(self, database_url: str, *, redis_url: str = "", workers: int = 1, **env: str) -> None:
        self.port = free_port()
        settings_of_run = {
            "DATABASE_URL": database_url, "REDIS_URL": redis_url, "PORT": str(self.port), "APP_ENV": "test",
            "SECRET_KEY": "0123456789abcdef0123456789abcdef", "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "DB_POOL": "8", **env,
        }  # fmt: skip
        os.environ["PORT"], before = str(self.port), os.environ.get("PORT")
        line = serve.command(workers=workers)
        if before is None:
            del os.environ["PORT"]
        else:
            os.environ["PORT"] = before
        super().__init__(line, settings_of_run)

    def ready(self) -> bool:
        """Whether /readyz answers 200."""
        try:
            return self.call("GET", "/readyz", timeout=3)[0] == 200
        except OSError:
            return False

    def start(self) -> Self:
        """Start and wait until it is ready."""
        super().start()
        until("the server is ready", self.ready)
        return self

    def call(
        self, method: str, path: str, body: Any = None, *, key: str = "", idempotency: str = "", timeout: float = 12
    ) -> tuple[int, Any]:
        """One request over a connection of its own; (status, JSON)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if idempotency:
            headers["Idempotency-Key"] = idempotency
        payload = None
        if body is not None:
            headers["Content-Type"] = "text/csv" if isinstance(body, bytes) else "application/json"
            payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, payload, headers)
            answer = connection.getresponse()
            raw = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        return answer.status, json.loads(raw) if raw else None


class Worker(Process):
    """Relay and RQ worker."""

    def __init__(self, database_url: str, redis_url: str) -> None:
        env = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "APP_ENV": "test",
               "SECRET_KEY": "0123456789abcdef0123456789abcdef"}  # fmt: skip
        super().__init__([sys.executable, "-m", "flask", "--app", "wsgi", "worker"], env)
