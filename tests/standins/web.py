"""A small HTTP server in a thread: it keeps what it is sent and answers what the test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = tuple[int, dict[str, str], Any]


@dataclass(frozen=True)
class Call:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: Any


def always(status: int) -> Callable[[Call], Answer]:
    """The same status whatever comes."""

    def answer(_call: Call) -> Answer:
        return status, {}, {}

    return answer


@dataclass
class WebServer:
    """Answers every POST by `answer`; `hang` keeps callers waiting until the server stops."""

    answer: Callable[[Call], Answer]
    hang: bool = False
    calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> Self:
        outer, self.stopped = self, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                call = Call(self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(raw))
                outer.calls.append(call)
                if outer.hang:
                    outer.stopped.wait(30)
                    return
                status, headers, body = outer.answer(call)
                told = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, format: str, *args: Any) -> None:
                """Tests print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"
