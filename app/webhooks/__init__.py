"""Signed webhooks out to EC sites, and the events they tell of.

Changes write their events into the outbox and know nothing of this package. Here they are dealt out to the endpoints
that asked, signed as Standard Webhooks say, sent at least once and in each aggregate's order, tried again for three
days, and kept in a log that can be replayed. `GET /events` tells the same story to whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask

from app.core import jobs, settings, texts

from .courier import Courier
from .deliveries import tidy
from .dialing import Post
from .topics import INTERNAL, PUBLIC

__all__ = ["INTERNAL", "PUBLIC", "Courier", "Post", "register"]


def register(app: Flask) -> None:
    """Serve endpoints, deliveries and events; send where jobs run."""
    from . import api, models  # noqa: F401  tables

    def courier(of: Flask, ring: Callable[[], None]) -> jobs.Step:
        return Courier(Post(api.rules_of(of)).send, ring).turn

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    jobs.beside("webhooks", courier)
    jobs.every(settings.FORGET_SECONDS, "webhooks.tidy")(tidy)
