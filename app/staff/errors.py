"""Refusals about API clients."""

from __future__ import annotations

from app.core.errors import Conflict, Invalid, NotFound


class ClientExists(Conflict):
    """The name is taken by a client that was not revoked."""

    code = "client-exists"


class UnknownClient(NotFound):
    """No live client has this name."""

    code = "unknown-client"


class UnknownScope(Invalid):
    """Not one of the published scopes."""

    code = "unknown-scope"
