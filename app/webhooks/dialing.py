"""The one place from which webhooks leave: judges the address when it dials, and keeps one deadline for everything.

A name is resolved once, all its addresses are judged, and the connection goes to one of them; the host's name stays in
the TLS handshake and in the request. Redirects are not followed. A receiver that drips is cut off at the deadline.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore

from app.core import settings

from .addresses import Resolver, Rules, is_public, resolve

MAX_TRIED = 3
_GONE = 410
_deadline: ContextVar[float] = ContextVar("webhook_deadline")


@dataclass(frozen=True, slots=True)
class Letter:
    """A signed delivery as it is sent; `version` is the delivery's, so that only its own sender writes the outcome."""

    delivery_id: str
    endpoint_id: str
    version: int
    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try: a status, or the word for what went wrong."""

    status: int | None = None
    error: str | None = None
    retry_after: int | None = None

    @property
    def is_delivered(self) -> bool:
        """Only 2xx counts; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """The receiver says that it is not there any more."""
        return self.status == _GONE


class ForbiddenAddress(Exception):
    """The name leads to an address that is not public; nothing was sent."""


def _left(timeout: float | None = None) -> float:
    """The seconds that remain, at most `timeout`."""
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("deadline")
    return left if timeout is None else min(left, timeout)


class _Line(httpcore.NetworkStream):
    """A connection that knows the deadline of whoever uses it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self.inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Line(self.inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class _Exchange(httpcore.NetworkBackend):
    """Connects to addresses that were judged, never to a name."""

    def __init__(self, rules: Rules, resolver: Resolver) -> None:
        self.rules, self.resolver, self.plain = rules, resolver, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self.resolver(host, port)
        if not self.rules.allow_private and not all(is_public(address) for address in addresses):
            raise ForbiddenAddress
        until = time.monotonic() + _left(timeout)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses[:MAX_TRIED]:
            left = until - time.monotonic()
            if left <= 0:
                raise httpcore.ConnectTimeout from failure
            try:
                return _Line(self.plain.connect_tcp(address, port, left, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class Post:
    """Sends letters; used by many threads."""

    def __init__(self, rules: Rules, resolver: Resolver = resolve, ssl_context: ssl.SSLContext | None = None) -> None:
        self.pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or httpcore.default_ssl_context(), retries=0, keepalive_expiry=4.0,
            max_connections=settings.WEBHOOK_IN_FLIGHT, network_backend=_Exchange(rules, resolver),
        )  # fmt: skip

    def send(self, letter: Letter) -> Outcome:
        """Send one and say what came of it; raises nothing."""
        _deadline.set(time.monotonic() + settings.WEBHOOK_TOTAL_SECONDS)
        try:
            return self._send(letter)
        except ForbiddenAddress:
            return Outcome(error="forbidden-address")
        except httpcore.TimeoutException:
            return Outcome(error="timeout")
        except httpcore.ConnectError as error:
            return Outcome(error="tls" if isinstance(error.__cause__, ssl.SSLError) else "no-connection")
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return Outcome(error="connection-broken")
        except Exception as error:  # noqa: BLE001  a letter that cannot be sent must not end its sender
            return Outcome(error=type(error).__name__[:40])

    def _send(self, letter: Letter) -> Outcome:
        waits = {"connect": settings.WEBHOOK_CONNECT_SECONDS, "pool": settings.WEBHOOK_CONNECT_SECONDS}
        with self.pool.stream(
            "POST", letter.url, headers=list(letter.headers.items()), content=letter.body, extensions={"timeout": waits}
        ) as response:
            outcome = Outcome(status=response.status, retry_after=_retry_after(response.headers))
            _read_on(response)
        return outcome

    def close(self) -> None:
        """Let go of all connections."""
        self.pool.close()


def _read_on(response: httpcore.Response) -> None:
    """Read a short body to its end, so that the connection can be used again; the status alone decides."""
    _deadline.set(min(_deadline.get(), time.monotonic() + settings.WEBHOOK_DRAIN_SECONDS))
    size = 0
    try:
        for chunk in response.iter_stream():
            size += len(chunk)
            if size > settings.WEBHOOK_REPLY_BYTES:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        return


def _retry_after(headers: list[tuple[bytes, bytes]]) -> int | None:
    """The seconds the receiver asks us to wait, where it says so in seconds."""
    text = next((value for name, value in headers if name.lower() == b"retry-after"), b"")
    return min(int(text), settings.WEBHOOK_RETRY_AFTER_MAX_SECONDS) if text.isdigit() else None
