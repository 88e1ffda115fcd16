"""Real mail servers (aiosmtpd) of every temper, each in a thread of its own."""

from __future__ import annotations

import contextlib
import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class MailServer:
    """Takes mail: `at_rcpt` and `at_data` are answers by recipient, `limit` mails a connection."""

    def __init__(self, *, user: tuple[str, str] | None = None, limit: int = 0) -> None:
        self.mails: list[EmailMessage] = []
        self.at_rcpt: dict[str, str] = {}
        self.at_data: dict[str, str] = {}
        self.connections = 0
        self.limit = limit
        self.controller = Controller(
            self, hostname="127.0.0.1", port=_free_port(), authenticator=_check(user) if user else None,
            auth_require_tls=False,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.controller.start()
        self.connections = 0  # the controller's own trial connection is none
        return self

    def __exit__(self, *_error: object) -> None:
        self.controller.stop()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.controller.port}"

    async def handle_EHLO(  # noqa: N802  the server calls it so
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        if self.limit and getattr(session, "mails", 0) >= self.limit:
            return "421 4.7.0 Too many mails on this connection"
        refusal = self.at_rcpt.get(address) or self.at_rcpt.get("*")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        refusal = self.at_data.get(envelope.rcpt_tos[0]) or self.at_data.get("*")
        if refusal:
            return refusal
        session.mails = getattr(session, "mails", 0) + 1
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        self.mails.append(email.message_from_bytes(raw, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"


def _check(user: tuple[str, str]) -> Any:
    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == user
        return AuthResult(success=known, handled=False)

    return authenticate


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def down() -> str:
    """The address of a mail server that does not run."""
    return f"smtp://127.0.0.1:{_free_port()}"


@contextlib.contextmanager
def hanging() -> Iterator[str]:
    """A mail server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    kept.append(listener.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()
