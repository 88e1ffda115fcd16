"""Being built."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:  # noqa: ARG001
    """Nothing yet."""
