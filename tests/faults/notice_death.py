"""Hands a mail in and dies before it can note it. Run by test_notices_post.py, which gives it the two addresses."""

from __future__ import annotations

import os
import signal
import sys

from app.notifications import recording
from tests.api.notices_kit import SENDER, Shop
from wsgi import create_app


def main(database_url: str, smtp_url: str) -> None:
    app = create_app(DATABASE_URL=database_url, APP_ENV="test", SMTP_URL=smtp_url, MAIL_FROM=SENDER)
    Shop(app).offer("pickup.ready", "pickup.extended")
    recording.record = lambda *_facts: os.kill(os.getpid(), signal.SIGKILL)
    with app.app_context():
        app.extensions["post"].finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
