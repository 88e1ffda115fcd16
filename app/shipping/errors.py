"""Refusals about sending."""

from __future__ import annotations

from app.core.errors import Conflict


class NotShippable(Conflict):
    """The order is collected at a store or was sold at a till. Fact: `method`."""

    code = "not-shippable"


class NotCollected(Conflict):
    """The order is sent: a till cannot hand it over."""

    code = "not-collected"
