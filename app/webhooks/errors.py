"""Refusals about webhooks."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound


class UnknownEndpoint(NotFound):
    """There is no such endpoint, or another client made it."""

    code = "unknown-webhook-endpoint"


class UnknownDelivery(NotFound):
    """There is no such delivery, or it goes to another client's endpoint."""

    code = "unknown-webhook-delivery"


class EndpointEnded(Conflict):
    """The endpoint was deleted, or disabled by its own answer 410: nothing is sent to it any more."""

    code = "webhook-endpoint-ended"


class TooManyEndpoints(Conflict):
    """There are as many endpoints as there may be; delete one first."""

    code = "too-many-webhook-endpoints"
