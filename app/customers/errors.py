"""Refusals about people."""

from __future__ import annotations

from app.core.errors import NotFound


class UnknownCustomer(NotFound):
    """There is no such customer."""

    code = "unknown-customer"
