"""The production server: one granian process for ``make serve``, ``make run`` and the bench.

Threads are few on purpose: a thread is a database connection, and the database does the work.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

HOST = "127.0.0.1"
THREADS_PER_WORKER = 4


def port() -> int:
    return int(os.environ.get("PORT") or 8000)


def command(*, workers: int) -> list[str]:
    """Return the server's command line, for whoever starts it."""
    return [
        str(Path(sys.executable).with_name("granian")),
        *("--interface", "wsgi"),
        *("--factory", "wsgi:serve"),
        *("--host", os.environ.get("HOST") or HOST),
        *("--port", str(port())),
        *("--http", "1"),
        "--no-ws",
        *("--workers", str(workers)),
        *("--blocking-threads", os.environ.get("WEB_THREADS") or str(THREADS_PER_WORKER)),
        *("--workers-kill-timeout", "20"),
        *("--log-level", "error"),
    ]


def main() -> None:
    line = command(workers=int(os.environ.get("WEB_WORKERS") or 1))
    os.execv(line[0], line)  # noqa: S606 -- the server takes this process's place, so that signals reach it


if __name__ == "__main__":
    main()
