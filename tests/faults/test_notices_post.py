"""Several processes share the post, and one dies: each subject's notices still go in order, and none is lost."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator

import pytest
from flask import Flask

from app.core import clock, settings
from app.core.db import db
from app.core.settings import ROOT
from app.customers import Contact
from tests.api.notices_kit import SENDER, Shop
from tests.api.orders_kit import rows
from tests.standins.mail import MailServer
from wsgi import create_app

SUBJECTS, POSTS = 30, 3
KINDS = ("pickup.requested", "pickup.ready", "pickup.extended")
TITLES = ("ご注文を承りました", "受取準備が完了しました", "受取期限を延長しました")


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as made:
        yield made


@pytest.fixture
def shops(database_url: str, server: MailServer) -> Iterator[list[Shop]]:
    """The application several times over, on one database."""
    made = [Shop(_app(database_url, server)) for _ in range(POSTS)]
    for shop in made:
        shop.others = {f"p{number}": Contact(name="山田", email=f"p{number}@example.jp") for number in range(SUBJECTS)}
        shop.offer(*KINDS)
    yield made
    clock.freeze(None)
    for shop in made:
        with shop.app.app_context():
            db.session.remove()
            db.engine.dispose()


def _app(database_url: str, server: MailServer) -> Flask:
    return create_app(DATABASE_URL=database_url, APP_ENV="test", SMTP_URL=server.url, MAIL_FROM=SENDER)


def _until_all_is_sent(shop: Shop) -> None:
    while rows(shop.app, "SELECT count(*) FROM notice WHERE state IN ('queued', 'sending')") != [(0,)]:
        shop.post()


def test_posts_side_by_side_send_each_notice_once_and_in_order(shops: list[Shop], server: MailServer) -> None:
    for number in range(SUBJECTS):
        for sequence, kind in enumerate(KINDS):
            shops[0].request(kind, sequence, subject=f"p{number}")
    threads = [threading.Thread(target=_until_all_is_sent, args=(shop,)) for shop in shops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = defaultdict(list)
    for mail in server.mails:
        got[mail["To"]].append(next(number for number, title in enumerate(TITLES) if title in mail["Subject"]))
    assert len(got) == SUBJECTS
    assert set(map(tuple, got.values())) == {(0, 1, 2)}
    assert rows(shops[0].app, "SELECT state, count(*) FROM notice GROUP BY state") == [("sent", 3 * SUBJECTS)]
    assert rows(shops[0].app, "SELECT state, count(*) FROM notice_delivery GROUP BY state") == [("sent", 3 * SUBJECTS)]


def test_a_post_that_dies_after_sending_leaves_a_copy_that_can_be_told(
    shops: list[Shop], server: MailServer, database_url: str
) -> None:
    shops[0].request("pickup.ready", 1, subject="p1")
    shops[0].request("pickup.extended", 2, subject="p1")
    child = [sys.executable, "-m", "tests.faults.notice_death", database_url, server.url]
    died = subprocess.run(child, cwd=ROOT, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert len(server.mails) == 1
    shops[0].post()
    assert len(server.mails) == 1  # its lease still runs, and the later notice waits for it
    clock.freeze(clock.machine() + dt.timedelta(seconds=settings.NOTICE_LEASE_SECONDS + 5))
    shops[0].post()
    first, copy, later = server.mails
    assert first["Message-ID"] == copy["Message-ID"] != later["Message-ID"]
    assert [row[2] for row in shops[0].notices()] == ["sent", "sent"]
