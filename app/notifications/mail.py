"""Mail by SMTP: one connection for a batch, opened anew when the server closes it."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from app.core import clock, settings
from app.core.settings import SettingsError
from app.customers import Contact

from .senders import Message, Outcome, Send

_ADDRESS = re.compile(r"[^@\s<>(),;:\"\\\x00-\x1f\x7f]{1,64}@[^@\s<>(),;:\"\\\x00-\x1f\x7f]{1,253}")

_CLOSING = 421


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in: `smtp://user:pass@host:587?starttls=1`, or `smtps://` for TLS from the start."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool = False


def server_of(url: str) -> Server:
    """Read SMTP_URL, or raise SettingsError; the message does not repeat the address, which holds a password."""
    msg = "SMTP_URL must look like smtp://user:password@host:587?starttls=1"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(msg) from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SettingsError(msg)
    tls = parts.scheme == "smtps"
    return Server(
        host=parts.hostname,
        port=port or (465 if tls else 587),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=tls,
        starttls=parse_qs(parts.query).get("starttls", ["0"])[-1] == "1",
    )


class MailSender:
    """The channel `mail`."""

    channel = "mail"

    def __init__(self, url: str, sender: str) -> None:
        self.server, self.sender = server_of(url), sender
        address = parseaddr(sender)[1]
        if not _ADDRESS.fullmatch(address):
            msg = "MAIL_FROM must be a mail address, or a name and an address in angle brackets"
            raise SettingsError(msg)
        self.domain = address.rpartition("@")[2]

    def address(self, to: Contact) -> str | None:
        """Their mail address. Whether it is one is found out when it is used: then it is on record."""
        return to.email or None

    @contextlib.contextmanager
    def session(self) -> Iterator[Send]:
        """A connection that is made with the first message."""
        line = _Line(self)
        try:
            yield line.send
        finally:
            line.close()

    def letter(self, message: Message) -> EmailMessage:
        """The mail. Its Message-ID is the notice's, so that a second copy can be told from a second notice."""
        made = EmailMessage(policy=SMTP)
        made["Subject"] = message.subject
        made["From"] = self.sender
        made["To"] = message.address
        made["Date"] = format_datetime(clock.machine())
        made["Message-ID"] = f"<{message.tag}@{self.domain}>"
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(message.text, charset="utf-8")
        return made


class _Line:
    """A connection to the server, kept while it lasts."""

    def __init__(self, sender: MailSender) -> None:
        self.sender = sender
        self.smtp: smtplib.SMTP | None = None

    def send(self, message: Message) -> Outcome:
        if not _ADDRESS.fullmatch(message.address) or not message.address.isascii():
            return Outcome("refused", "address-invalid")
        try:
            letter = self.sender.letter(message)
        except (ValueError, MessageError):
            return Outcome("refused", "address-invalid")
        used = self.smtp is not None
        try:
            return self._hand_in(letter)
        except (smtplib.SMTPException, OSError) as error:
            if not (used and _hung_up(error)):
                return self._trouble(error)
        self.close()
        try:
            return self._hand_in(letter)
        except (smtplib.SMTPException, OSError) as error:
            return self._trouble(error)

    def _hand_in(self, letter: EmailMessage) -> Outcome:
        if self.smtp is None:
            self.smtp = _connect(self.sender.server)
        self.smtp.send_message(letter)
        return Outcome("sent", provider_id=str(letter["Message-ID"])[:120])

    def _trouble(self, error: Exception) -> Outcome:
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            return _of_code(next(iter(error.recipients.values()))[0])
        if isinstance(error, smtplib.SMTPDataError):
            return _of_code(error.smtp_code)
        self.close()
        if isinstance(error, smtplib.SMTPResponseException):  # the greeting, the login, our own address
            return Outcome("again", f"smtp-{error.smtp_code}", down=True)
        code = "tls" if isinstance(error, ssl.SSLError) else "connection"
        return Outcome("again", "timeout" if _is_timeout(error) else code, down=True)

    def close(self) -> None:
        if self.smtp is not None:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self.smtp.quit()
            self.smtp.close()
            self.smtp = None


def _hung_up(error: Exception) -> bool:
    """Whether the server ended the connection, as many do after some mails or a pause: a new one will do."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _CLOSING in {code for code, _ in error.recipients.values()}
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code == _CLOSING
    return isinstance(error, smtplib.SMTPServerDisconnected) and not _is_timeout(error)


def _is_timeout(error: BaseException) -> bool:
    """Whether nobody answered; smtplib tells of it as a lost connection."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _of_code(code: int) -> Outcome:
    return Outcome("refused" if code >= 500 else "again", f"smtp-{code}")


def _connect(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    seconds = settings.NOTICE_TIMEOUT_SECONDS
    made = (
        smtplib.SMTP_SSL(server.host, server.port, timeout=seconds, context=context)
        if server.tls
        else smtplib.SMTP(server.host, server.port, timeout=seconds)
    )
    try:
        if server.starttls:
            made.starttls(context=context)
        if server.user is not None:
            made.login(server.user, server.password or "")
    except BaseException:
        made.close()
        raise
    return made
