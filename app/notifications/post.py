"""The post: takes what is due and hands it to the channels, each in a thread of its own.

A server that hangs holds up its own channel and nothing else. Nothing of a batch is sent inside a transaction, and what
a process does not finish is leased again when its lease runs out.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import structlog

from app.core import actor, metrics, settings
from app.core.settings import SettingsError

from . import recording
from .leasing import Senders, lease
from .line import LineSender, templates_of
from .mail import MailSender
from .senders import Message, Outcome, Send
from .sms import LogSender, SmsSender

log = structlog.get_logger("app.notifications")
DOWN = "channel-down"

Context = Callable[[], AbstractContextManager[Any]]


def senders_of(config: Mapping[str, Any]) -> Senders:
    """The channels that are set up; for development one that only keeps a record, where there is none."""
    found: Senders = {}
    if config["LINE_CHANNEL_TOKEN"]:
        templates = templates_of(config["LINE_TEMPLATES"])
        found["line"] = LineSender(config["LINE_BASE_URL"], config["LINE_CHANNEL_TOKEN"], templates)
    if config["SMTP_URL"]:
        if not config["MAIL_FROM"]:
            msg = "MAIL_FROM must be set where SMTP_URL is: whom the shop's mails come from"
            raise SettingsError(msg)
        found["mail"] = MailSender(config["SMTP_URL"], config["MAIL_FROM"])
    if config["SMS_URL"]:
        found["sms"] = SmsSender(config["SMS_URL"], config["SMS_TOKEN"])
    if not found and config["APP_ENV"] != "production":
        found["log"] = LogSender()
    return found


class Post:
    """Sends in the background. `context` opens the application's own context in a channel's thread."""

    def __init__(self, context: Context, senders: Senders, *, reports: bool) -> None:
        self.context, self.senders, self.reports = context, senders, reports
        self.threads: dict[str, threading.Thread] = {}

    def turn(self) -> int:
        """Hand what is due to its channels and return at once; says how many notices are on their way."""
        if self.reports:  # without LINE's reports nobody knows what was not delivered
            recording.pass_on_undelivered()
        busy = {channel for channel, thread in self.threads.items() if thread.is_alive()}
        batches: dict[str, list[Message]] = defaultdict(list)
        for channel, message in lease(self.senders, busy):
            batches[channel].append(message)
        for channel, batch in batches.items():
            if channel == LogSender.channel:  # there is nothing to wait for
                self._deliver(channel, batch)
                continue
            thread = threading.Thread(target=self._deliver, args=(channel, batch), name=f"post-{channel}", daemon=True)
            self.threads[channel] = thread
            thread.start()
        return sum(map(len, batches.values()))

    def finish(self) -> None:
        """Send until nothing is due, and wait for it."""
        while self.turn():
            for thread in self.threads.values():
                thread.join()

    def _deliver(self, channel: str, batch: Sequence[Message]) -> None:
        actor.act_as(actor.SYSTEM)
        try:
            with self.context(), self.senders[channel].session() as send:
                _deliver_all(channel, send, batch)
        except Exception as error:  # noqa: BLE001  the database may be away; the leases run out
            log.warning("post_failed", channel=channel, error=type(error).__name__)


def _deliver_all(channel: str, send: Send, batch: Sequence[Message]) -> None:
    until = time.monotonic() + settings.NOTICE_TURN_SECONDS
    down = False
    for message in batch:
        if down or time.monotonic() > until:
            recording.put_off(message, DOWN if down else None)
            continue
        outcome = _attempt(channel, send, message)
        down = outcome.down
        recording.record(channel, message, outcome)
        metrics.JOBS.labels(f"notice.{channel}", outcome.state).inc()


def _attempt(channel: str, send: Send, message: Message) -> Outcome:
    try:
        return send(message)
    except Exception as error:  # noqa: BLE001  a sender's fault must not keep the others from being sent
        log.warning("notice_not_sent", notice=message.notice_id, channel=channel, error=type(error).__name__)
        return Outcome("again", "sender-failed")
