"""What every channel has in common: a message that is ready, what came of it, and one small interface.

A sender knows no table and is called outside transactions, in its channel's own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import httpx

from app.core import settings
from app.customers import Contact

# LINE first, for it is read; SMS last, for it costs.
ORDER = ("line", "mail", "sms", "log")
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Message:
    """One notice for one channel. `tag` names the notice and its round: the same for every try of it."""

    notice_id: str
    kind: str
    language: str
    tag: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    short: str = field(repr=False)
    facts: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt: `sent`, `again` (passing trouble), or `refused` (this channel will never take it).

    `down`: the trouble is the channel's and not the message's, so the others need not be tried now.
    """

    state: Literal["sent", "again", "refused"]
    code: str | None = None
    provider_id: str | None = None
    down: bool = False


Send = Callable[[Message], Outcome]


class Sender(Protocol):
    """A channel."""

    channel: str

    def address(self, to: Contact) -> str | None:
        """Where this channel reaches a person; None where it cannot."""

    def session(self) -> AbstractContextManager[Send]:
        """Open the channel for several messages. Opening may not fail; each message tells its own outcome."""


def of_status(channel: str, status: int) -> Outcome:
    """What an HTTP status that is no success means."""
    code = f"{channel}-{status}"
    if status in _PASSING or status >= 500:
        return Outcome("again", code)
    return Outcome("refused", code)


def of_error(error: httpx.HTTPError) -> Outcome:
    """What a call that got no answer means."""
    code = "timeout" if isinstance(error, httpx.TimeoutException) else "connection"
    return Outcome("again", code, down=True)


def client() -> httpx.Client:
    """An HTTP client whose every step has a time-out; it follows no redirects, for they would take the key along."""
    return httpx.Client(timeout=settings.NOTICE_TIMEOUT_SECONDS, trust_env=False)
