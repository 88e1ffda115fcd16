"""Refusals about places."""

from __future__ import annotations

from app.core.errors import NotFound


class UnknownLocation(NotFound):
    """There is no such location within the caller's bounds."""

    code = "unknown-location"
