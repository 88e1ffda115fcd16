"""One caller of the public API: standard library only, one connection, patient where the contract says so."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

_TRIES = 8
_TIMEOUT_SECONDS = 60
_IN_FLIGHT = "/problems/request-in-flight"
# An import is at work as long as it says one of these.
_UNFINISHED = {"accepted", "pending", "processing", "queued", "received", "running", "started", "waiting"}
_IMPORT_SECONDS = 300


class DemoError(RuntimeError):
    """The server answered something that the demo does not expect."""


class NoServerError(DemoError):
    """Nothing listens at the address."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON that came with it."""

    status: int
    body: dict[str, Any]
    replayed: bool = False

    @property
    def problem(self) -> str:
        """The code of a problem, without its folder."""
        return str(self.body.get("type", "")).rsplit("/", 1)[-1]


class Api:
    """Calls below ``/api/v1`` with one API key. Not for two threads at once."""

    def __init__(self, base_url: str, api_key: str) -> None:
        parts = urlsplit(base_url)
        self._secure = parts.scheme == "https"
        self._host = parts.netloc
        self._prefix = parts.path.rstrip("/") + "/api/v1"
        self._key = api_key
        self._line: http.client.HTTPConnection | None = None

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """The body of a 200."""
        text = f"{path}?{urlencode(query)}" if query else path
        return self.must("GET", text, accept=(200,)).body

    def put(self, path: str, body: dict[str, Any]) -> Answer:
        """An upsert that has to succeed."""
        return self.must("PUT", path, body)

    def post(self, path: str, body: Any, *, key: str) -> Answer:
        """A change that has to succeed, or has to have succeeded before."""
        return self.must("POST", path, body, key=key)

    def must(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        accept: tuple[int, ...] = (200, 201, 202),
    ) -> Answer:
        """The answer, or DemoError when its status is not one of ``accept``."""
        answer = self.ask(method, path, body, key=key)
        if answer.status not in accept:
            raise DemoError(f"{method} {path}: {answer.status} {json.dumps(answer.body, ensure_ascii=False)[:600]}")
        return answer

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        kind: str = "application/json",
        device: str | None = None,
    ) -> Answer:
        """Whatever the server says, after the waits that it asks for."""
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "application/json", "Accept-Language": "ja"}
        data: bytes | None = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = kind
        named = {"Idempotency-Key": key, "X-Device-Id": device}
        headers |= {name: value for name, value in named.items() if value is not None}
        for attempt in range(1, _TRIES + 1):
            answer, pause = self._send(method, path, data, headers)
            busy = answer.status in {429, 503} or answer.body.get("type") == _IN_FLIGHT
            if not busy or attempt == _TRIES:
                return answer
            time.sleep(min(pause, 5.0))
        raise AssertionError  # the last attempt returned

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> tuple[Answer, float]:
        for fresh in (False, True):
            try:
                line = self._connection()
                line.request(method, self._prefix + path, data, headers)
                response = line.getresponse()
                text = response.read()
                break
            except (http.client.HTTPException, ConnectionError) as error:
                # The server may close an idle connection; every change carries a key, so asking again is safe.
                self.close()
                if isinstance(error, ConnectionRefusedError):
                    message = f"no server on {self._host}: is `make run` up? With another port: PORT=…"
                    raise NoServerError(message) from error
                if fresh:
                    raise DemoError(f"{method} {path}: no answer from {self._host}: {error}") from error
        pause = float(response.getheader("Retry-After") or 1)
        replayed = response.getheader("Idempotency-Replayed") == "true"
        return Answer(response.status, _json(text), replayed), pause

    def _connection(self) -> http.client.HTTPConnection:
        if self._line is None:
            make = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
            self._line = make(self._host, timeout=_TIMEOUT_SECONDS)
        return self._line

    def close(self) -> None:
        """Lets the connection go."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def upload(self, kind: str, content: bytes, *, key: str) -> dict[str, Any]:
        """Sends a CSV and waits for its report; DemoError when a row was refused."""
        answer = self.ask("POST", f"/imports/{kind}", content, key=key, kind="text/csv; charset=utf-8")
        if answer.status != 202:
            raise DemoError(f"import of {kind}: {answer.status} {answer.body}")
        until = time.monotonic() + _IMPORT_SECONDS
        report = self.get(f"/imports/{answer.body['id']}")
        while report["state"] in _UNFINISHED:
            if time.monotonic() > until:
                raise DemoError(f"import of {kind} is not done after {_IMPORT_SECONDS} s: {report}")
            time.sleep(0.2)
            report = self.get(f"/imports/{answer.body['id']}")
        if report.get("rows_failed") or report["state"] == "failed":
            raise DemoError(f"import of {kind}: {json.dumps(report, ensure_ascii=False)[:600]}")
        return report

    def pages(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """Every item of a list, page after page."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.get(path, **query, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return items


def _json(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {"detail": text[:300].decode(errors="replace")}
    return value if isinstance(value, dict) else {"items": value}


def segment(text: str) -> str:
    """A code as one segment of a path."""
    return quote(text, safe="")
