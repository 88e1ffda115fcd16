"""What tests of notices share: a customer, kinds whose letters a test decides, and the post."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from app import notifications
from app.core.db import db
from app.customers import Contact
from app.notifications.samples import SAMPLES
from tests.api.orders_kit import rows
from wsgi import create_app

NAME, MAIL, PHONE = "山田花子", "hanako.yamada@example.jp", "+819012345678"
TOKEN, PIN = "7ZQCANARYTOKEN0123456789AB", "918273"
NOON = "2026-11-22T12:00+09:00"
SENDER = "銀座百貨 <noreply@shop.example>"
PICKUP = "0199a000-0000-7000-8000-000000000001"


@dataclass
class Shop:
    """What a test lets be true: whom letters go to, and which kinds are not true any more."""

    app: Flask
    to: Contact = field(default_factory=lambda: Contact(name=NAME, email=MAIL, phone=PHONE))
    language: Any = "ja"
    untrue: set[str] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Contact] = field(default_factory=dict)
    composed: list[str] = field(default_factory=list)

    def offer(self, *kinds: str, urgent: bool = True) -> None:
        """Offer kinds whose letters are true unless the test says otherwise."""
        for kind in kinds:
            notifications.offer(kind, compose=self._composer(kind), urgent=urgent)

    def _composer(self, kind: str) -> Any:
        def compose(subject_id: str) -> notifications.Letter | None:
            self.composed.append(kind)
            if kind in self.untrue:
                return None
            to = self.others.get(subject_id, self.to)
            facts = {**SAMPLES[kind][0], "name": to.name or "", "pin": PIN,
                     "page_url": f"https://shop.example/p/{TOKEN}", **self.facts}  # fmt: skip
            return notifications.Letter(
                to=to, language=self.language, location_id="S1", timezone="Asia/Tokyo", facts=facts
            )

        return compose

    def request(self, kind: str, sequence: int, *, subject: str = PICKUP, **more: Any) -> None:
        """Ask for a notice in a transaction of its own."""
        with self.app.app_context():
            notifications.request(kind, subject=("pickup", subject), sequence=sequence, location="S1", **more)

    def post(self) -> None:
        """Send everything that is due."""
        with self.app.app_context():
            self.app.extensions["post"].finish()

    def notices(self) -> list[tuple[Any, ...]]:
        """(kind, sequence, state, channel, error), in order."""
        return rows(
            self.app, "SELECT kind, sequence, state, channel, error FROM notice ORDER BY subject_id, sequence, id"
        )

    def attempts(self) -> list[tuple[Any, ...]]:
        """(channel, state, code), the oldest first."""
        return rows(self.app, "SELECT channel, state, code FROM notice_delivery ORDER BY id")


def due_at(shop: Shop) -> list[str]:
    """When the unfinished notices are due, in order of sequence."""
    found = rows(shop.app, "SELECT due_at FROM notice WHERE state = 'queued' ORDER BY sequence, id")
    return [str(at).replace(" ", "T")[:16] for (at,) in found]


def everything(app: Flask) -> Iterator[str]:
    """Every value of every table that notices and the outbox fill."""
    for table in ("notice", "notice_delivery", "notice_template", "outbox_event", "state_change", "audit_entry"):
        for row in rows(app, f"SELECT * FROM {table}"):
            yield from map(str, row)


Build = Callable[..., Shop]


@contextlib.contextmanager
def building(database_url: str) -> Iterator[Build]:
    """Applications with the channels that a test sets up, and a shop in each."""
    made: list[Flask] = []

    def with_channels(**config: str) -> Shop:
        app = create_app(DATABASE_URL=database_url, APP_ENV="test", PROPAGATE_BUGS=True, TESTING=True, **config)
        made.append(app)
        shop = Shop(app)
        shop.offer("pickup.ready", "pickup.extended")
        return shop

    yield with_channels
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
