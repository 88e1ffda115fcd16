"""SMS by a small gateway; and that nothing personal is kept or logged, whatever goes wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.core import settings
from app.customers import Contact
from app.notifications.sms import SmsSender
from tests.api.notices_kit import MAIL, NAME, NOON, PHONE, SENDER, TOKEN, Build, building, everything
from tests.api.orders_kit import rows
from tests.standins.line import LineStandIn
from tests.standins.mail import MailServer
from tests.standins.web import WebServer, always


@pytest.fixture
def build(database_url: str, clock: Any) -> Iterator[Build]:
    """An application with the channels that the test sets up; it is noon."""
    clock(NOON)
    with building(database_url) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits longer than a moment for an answer."""
    monkeypatch.setattr(settings, "NOTICE_TIMEOUT_SECONDS", 0.2)


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [(200, "sent", None), (400, "failed", "sms-400"), (401, "queued", "sms-401"), (429, "queued", "sms-429"),
     (503, "queued", "sms-503")],
)  # fmt: skip
def test_what_the_sms_gateway_answers(build: Build, status: int, state: str, code: str | None) -> None:
    with WebServer(always(status)) as gateway:
        shop = build(SMS_URL=gateway.url)
        shop.request("pickup.ready", 4)
        shop.post()
    assert shop.notices() == [("pickup.ready", 4, state, "sms", code)]
    assert "authorization" not in gateway.calls[0].headers


@pytest.mark.usefixtures("impatient")
def test_an_sms_gateway_that_hangs_or_is_down_waits(build: Build) -> None:
    with WebServer(always(200), hang=True) as gateway:
        shop = build(SMS_URL=gateway.url)
        shop.request("pickup.ready", 1, subject="a")
        shop.post()
    shop.request("pickup.ready", 1, subject="b")
    shop.post()
    assert [row[4] for row in shop.notices()] == ["timeout", "connection"]


def test_an_sms_goes_to_no_landline() -> None:
    sender = SmsSender("https://sms.example", None)
    assert sender.address(Contact(phone=PHONE)) == PHONE
    for phone in ("+81312345678", "+81120123456", "03-1234-5678", "+1", None, ""):
        assert sender.address(Contact(phone=phone)) is None


def test_no_name_address_number_token_or_pin_is_kept_or_logged(
    build: Build, clock: Any, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with LineStandIn() as line, MailServer() as server, WebServer(always(500)) as gateway:
        server.at_rcpt["*"] = f"550 5.1.1 <{MAIL}>: no such user"
        shop = build(**line.config, SMTP_URL=server.url, MAIL_FROM=SENDER, SMS_URL=gateway.url)
        shop.request("pickup.ready", 4)
        shop.post()
        server.at_rcpt.clear()
        shop.request("pickup.extended", 5)
        shop.facts = {"store": PHONE}  # a broken letter, with a number where none belongs
        shop.request("pickup.extended", 6)
        shop.post()
    assert {row[0] for row in shop.attempts()} == {"line", "mail", "sms"}
    secrets = (NAME, "山田", MAIL, "hanako", PHONE, PHONE[3:], TOKEN, "918273",
               hashlib.sha256(PHONE.encode()).hexdigest())  # fmt: skip
    kept = list(everything(shop.app))
    assert kept
    said = capfd.readouterr()
    for secret in secrets:
        assert [value for value in kept if secret in value] == []
        assert secret not in said.out + said.err + caplog.text
    hashes = rows(shop.app, "SELECT DISTINCT recipient FROM notice_delivery")
    assert all(re.fullmatch(r"[0-9a-f]{64}", str(value)) for (value,) in hashes)
