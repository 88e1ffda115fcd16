"""Notices to people: composed when they are about to be sent, in order, by LINE, mail or SMS, each attempt on record.

Front door: a feature above says with `offer` who composes a kind, asks with `request` inside its own transaction, and
takes back with `cancel_pending`; `resend` is a person's wish. `Letter` and the facts of its templates are in `letters`.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import http, jobs, settings, texts

from .errors import UnknownNotice
from .kinds import offer
from .letters import Letter, LineFacts, PickupFacts, ReminderFacts, StoreFacts, WaitlistFacts
from .post import Post, senders_of
from .requesting import cancel_pending, request, resend

__all__ = [
    "Letter",
    "LineFacts",
    "PickupFacts",
    "ReminderFacts",
    "StoreFacts",
    "UnknownNotice",
    "WaitlistFacts",
    "cancel_pending",
    "offer",
    "register",
    "request",
    "resend",
]


def register(app: Flask) -> None:
    """Send notices in the background and serve their list."""
    from . import api

    texts.load(Path(__file__).parent)
    app.register_blueprint(api.bp)
    http.public("notices_api.line_webhook")
    post = Post(app.app_context, senders_of(app.config), reports=bool(app.config["LINE_CHANNEL_SECRET"]))
    app.extensions["post"] = post
    jobs.every(settings.NOTICE_SECONDS, "notifications.send")(post.turn)
