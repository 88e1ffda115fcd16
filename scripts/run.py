"""``make run``: from a fresh clone to a demo chain in the browser.

Migrates the database, starts the production server, waits until it is ready, and lets the demo chain be loaded
through the public API. The loading is repeatable, so it is always asked for; it prints the addresses to look at.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from scripts import serve

READY_SECONDS = 60
FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]


class Stopped(Exception):
    """Someone pressed Ctrl-C, sent a TERM or closed the terminal: end the children, then ourselves."""


def main() -> int:
    os.chdir(Path(__file__).parent.parent)
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    port = serve.port()
    if _taken(port):
        print(f"Port {port} is in use. Choose another: make run PORT={port + 1}", file=sys.stderr)
        return 1
    address = f"http://{serve.HOST}:{port}"
    os.environ.setdefault("PUBLIC_URL", address)
    children: list[subprocess.Popen[bytes]] = []
    try:
        return _run(address, children)
    except Stopped:
        print("\nStopping …")
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C does not wait
        for child in reversed(children):
            _end(child)


def _run(address: str, children: list[subprocess.Popen[bytes]]) -> int:
    Path("var").mkdir(exist_ok=True)
    code = _start(children, [*FLASK, "db", "upgrade"]).wait()
    if code:
        return code
    server = _start(children, serve.command(workers=1))
    if not _wait_ready(server):
        print(f"The server is not ready at {address}/readyz; its messages are above.", file=sys.stderr)
        return 1
    code = _start(children, [*FLASK, "demo", "load"], DEMO_BASE_URL=address).wait()
    if code:
        return code
    print(f"\nHitotsu serves on {address} — Ctrl-C stops it.", flush=True)
    return server.wait()


def _start(children: list[subprocess.Popen[bytes]], line: list[str], **extra: str) -> subprocess.Popen[bytes]:
    """Start a child in its own session: a Ctrl-C in the terminal reaches it once, through us."""
    child = subprocess.Popen(line, env={**os.environ, **extra}, start_new_session=True)
    children.append(child)
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(timeout=20)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        child.kill()
        child.wait()


def _wait_ready(server: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(serve.HOST, serve.port(), timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return True
        except OSError:
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.1)
    return False


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((serve.HOST, port))
        except OSError:
            return True
    return False


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
