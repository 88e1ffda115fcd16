"""SMS by a gateway that takes `POST {to, text}`, and the channel that only keeps a record, for development."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx
import phonenumbers

from app.customers import Contact

from .senders import Message, Outcome, Send, client, of_error, of_status

_LANDLINES = frozenset({phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.TOLL_FREE})
_KEY_REFUSED = frozenset({401, 403})


class SmsSender:
    """The channel `sms`."""

    channel = "sms"

    def __init__(self, url: str, token: str | None) -> None:
        self.url, self.token = url, token

    def address(self, to: Contact) -> str | None:
        """Their number, unless it is known to be a landline's."""
        if not to.phone or not to.phone.startswith("+"):
            return None
        try:
            kind = phonenumbers.number_type(phonenumbers.parse(to.phone))
        except phonenumbers.NumberParseException:
            return None
        return None if kind in _LANDLINES else to.phone

    @contextlib.contextmanager
    def session(self) -> Iterator[Send]:
        """One client for the batch."""
        with client() as http:
            yield lambda message: self._send(http, message)

    def _send(self, http: httpx.Client, message: Message) -> Outcome:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            answer = http.post(self.url, json={"to": message.address, "text": message.short}, headers=headers)
        except httpx.HTTPError as error:
            return of_error(error)
        if answer.is_success:
            return Outcome("sent")
        if answer.status_code in _KEY_REFUSED:  # the shop's trouble, and the last channel: it waits to be mended
            return Outcome("again", f"sms-{answer.status_code}", down=True)
        return of_status(self.channel, answer.status_code)


class LogSender:
    """The channel `log`: nothing leaves the house. For development, where no other channel is set up."""

    channel = "log"

    def address(self, to: Contact) -> str | None:
        """Any way to reach them will do."""
        return to.email or to.phone or None

    @contextlib.contextmanager
    def session(self) -> Iterator[Send]:
        """Nothing to open."""
        yield lambda _message: Outcome("sent")
