"""Who is acting, and how far their eyes and hands reach.

Use cases ask `within()`; what lies outside the actor's locations or channels looks exactly like something absent.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from app.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Actor:
    """A caller: an API client, a job, or the command line. None for channels or locations means all."""

    kind: str
    id: str
    name: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    channels: frozenset[str] | None = None
    locations: frozenset[str] | None = None

    def sees_location(self, location_id: str) -> bool:
        """Whether this location is inside the actor's bounds."""
        return self.locations is None or location_id in self.locations

    def sees_channel(self, channel: str) -> bool:
        """Whether this channel is inside the actor's bounds."""
        return self.channels is None or channel in self.channels

    def has(self, scope: str) -> bool:
        """`x:write` includes `x:read`; pickups and returns read orders too; `admin` is its own scope."""
        if scope == "any" or scope in self.scopes:
            return True
        noun, _, verb = scope.partition(":")
        if verb != "read":
            return False
        if f"{noun}:write" in self.scopes:
            return True
        return noun == "orders" and bool(self.scopes & {"pickups:write", "returns:write"})


SYSTEM = Actor(kind="system", id="system", name="system")
_current: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def current() -> Actor:
    """The actor of this request or job; the system itself elsewhere."""
    return _current.get()


def act_as(actor: Actor) -> None:
    """Set the actor for the rest of this context."""
    _current.set(actor)


def request_id() -> str | None:
    """The id that ties together log lines, audit rows and the answer."""
    return _request_id.get()


def set_request_id(value: str | None) -> None:
    """Set by the HTTP edge and by the job runner."""
    _request_id.set(value)


def within(*, location: str | None = None, channel: str | None = None, missing: type[NotFound] = NotFound) -> None:
    """Raise `missing` when the location or channel is outside the actor's bounds."""
    actor = current()
    if (location is not None and not actor.sees_location(location)) or (
        channel is not None and not actor.sees_channel(channel)
    ):
        raise missing
