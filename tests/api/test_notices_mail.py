"""Mail, by a real server of every temper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.core import settings
from app.core.settings import SettingsError
from app.customers import Contact
from app.notifications.mail import MailSender, server_of
from tests.api.notices_kit import MAIL, NAME, NOON, PHONE, SENDER, TOKEN, Build, building, due_at
from tests.api.orders_kit import rows
from tests.standins import mail as mail_servers
from tests.standins.mail import MailServer
from tests.standins.web import WebServer, always
from wsgi import create_app


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


def test_a_mail_arrives_as_it_was_written(build: Build) -> None:
    with MailServer() as server:
        shop = build(SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.request("pickup.ready", 4)
        shop.post()
    (mail,) = server.mails
    ((notice_id,),) = rows(shop.app, "SELECT id FROM notice")
    assert mail["Subject"] == "【渋谷店】ご注文商品の受取準備が完了しました(注文番号 H7K2M9QX)"
    assert (mail["From"], mail["To"]) == (SENDER, MAIL)
    assert mail["Message-ID"] == f"<{notice_id}.1@shop.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().startswith("山田花子 様\r\n")
    assert f"https://shop.example/p/{TOKEN}" in mail.get_content()
    assert shop.notices() == [("pickup.ready", 4, "sent", "mail", None)]
    assert rows(shop.app, "SELECT provider_id FROM notice_delivery") == [(f"<{notice_id}.1@shop.example>",)]


def test_a_batch_shares_a_connection_and_a_server_that_ends_it_is_called_again(build: Build) -> None:
    with MailServer(limit=3) as server:
        shop = build(SMTP_URL=server.url, MAIL_FROM=SENDER)
        for number in range(7):
            shop.request("pickup.ready", 1, subject=f"p{number}")
        shop.post()
        assert len(server.mails) == 7
        assert server.connections == 3
    assert {row[2] for row in shop.notices()} == {"sent"}


def test_a_login_that_the_server_knows(build: Build) -> None:
    with MailServer(user=("shop", "p@ss word")) as server:
        url = server.url.replace("smtp://", "smtp://shop:p%40ss%20word@")
        shop = build(SMTP_URL=url, MAIL_FROM=SENDER)
        shop.request("pickup.ready", 4)
        shop.post()
        assert len(server.mails) == 1


def test_a_login_that_it_does_not_know_is_the_shops_trouble_and_waits(build: Build) -> None:
    with MailServer(user=("shop", "right")) as server:
        shop = build(SMTP_URL=server.url.replace("smtp://", "smtp://shop:wrong@"), MAIL_FROM=SENDER)
        shop.request("pickup.ready", 4)
        shop.post()
        assert server.mails == []
    assert shop.notices() == [("pickup.ready", 4, "queued", "mail", "smtp-535")]


@pytest.mark.parametrize(
    ("where", "answer", "state", "code"),
    [
        ("rcpt", "550 5.1.1 No such user", "failed", "smtp-550"),
        ("rcpt", "450 4.2.1 Mailbox busy", "queued", "smtp-450"),
        ("rcpt", "552 5.2.2 Mailbox full", "failed", "smtp-552"),
        ("data", "554 5.7.1 Blocked", "failed", "smtp-554"),
        ("data", "451 4.3.0 Later", "queued", "smtp-451"),
    ],
)
def test_a_server_that_refuses(build: Build, where: str, answer: str, state: str, code: str) -> None:
    with MailServer() as server:
        refusals = server.at_rcpt if where == "rcpt" else server.at_data
        refusals[MAIL] = answer
        shop = build(SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.request("pickup.ready", 1, subject="a")
        shop.post()
        shop.to = Contact(name=NAME, email="other@example.jp")
        shop.request("pickup.ready", 1, subject="b")
        shop.post()
    assert shop.notices() == [("pickup.ready", 1, state, "mail", code), ("pickup.ready", 1, "sent", "mail", None)]
    assert [mail["To"] for mail in server.mails] == ["other@example.jp"]


def test_one_refused_recipient_does_not_spoil_the_batch(build: Build) -> None:
    with MailServer() as server:
        server.at_rcpt[MAIL] = "550 5.1.1 No such user"
        shop = build(SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.others = {f"p{number}": Contact(name=NAME, email=f"{number}@example.jp") for number in (0, 2)}
        for number in range(3):
            shop.request("pickup.ready", 1, subject=f"p{number}")
        shop.post()
        assert [mail["To"] for mail in server.mails] == ["0@example.jp", "2@example.jp"]
        assert server.connections == 1
    assert [row[4] for row in shop.notices()] == [None, "smtp-550", None]


def test_a_server_that_is_down_loses_nothing(build: Build, clock: Any) -> None:
    server = MailServer()
    shop = build(SMTP_URL=server.url, MAIL_FROM=SENDER)
    for number in range(3):
        shop.request("pickup.ready", 1, subject=f"p{number}")
    shop.post()
    assert shop.attempts() == [("mail", "again", "connection")]
    assert due_at(shop) == ["2026-11-22T03:01"] * 3
    clock("2026-11-22T12:01+09:00")
    with server:
        shop.post()
    assert len(server.mails) == 3
    assert {row[2] for row in shop.notices()} == {"sent"}


@pytest.mark.usefixtures("impatient")
def test_a_server_that_hangs_holds_up_mail_alone(build: Build) -> None:
    with mail_servers.hanging() as url, WebServer(always(200)) as gateway:
        shop = build(SMTP_URL=url, MAIL_FROM=SENDER, SMS_URL=gateway.url)
        for number in range(4):
            shop.request("pickup.ready", 1, subject=f"mail{number}")
            shop.request("pickup.ready", 1, subject=f"sms{number}")
            shop.others[f"sms{number}"] = Contact(name=NAME, phone=PHONE)
        shop.post()
    assert len(gateway.calls) == 4
    assert rows(shop.app, "SELECT code FROM notice_delivery WHERE channel = 'mail'") == [("timeout",)]
    assert sorted(row[4] or row[2] for row in shop.notices()) == ["channel-down"] * 3 + ["sent"] * 4 + ["timeout"]


@pytest.mark.parametrize(
    "address",
    [
        "no address",
        "a@b@c",
        "two@a.jp,three@b.jp",
        "x@y.jp\nBcc: all@z.jp",
        "x@y.jp\r\nDATA",
        "<x@y.jp>",
        "花子@例え.jp",
    ],
)
def test_an_address_that_is_none_never_reaches_the_server(build: Build, address: str) -> None:
    with MailServer() as server:
        shop = build(SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.to = Contact(name=NAME, email=address)
        shop.request("pickup.ready", 4)
        shop.post()
        assert (server.mails, server.connections) == ([], 0)
    assert shop.notices() == [("pickup.ready", 4, "failed", "mail", "address-invalid")]


@pytest.mark.parametrize(
    "name", ["山田\nBcc: everybody@example.jp", "山田\r\nSubject: 当選", "a\r\n.\r\nMAIL FROM:<x@y.jp>"]
)
def test_a_name_adds_no_header_no_recipient_and_no_second_mail(build: Build, name: str) -> None:
    with MailServer() as server:
        shop = build(SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.to = Contact(name=name, email=MAIL)
        shop.facts = {"order_number": name}
        shop.request("pickup.ready", 4)
        shop.post()
    (mail,) = server.mails
    assert {name for name in mail if not name.startswith("X-")} == {
        "Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "MIME-Version", "Message-ID",
        "Subject", "To",
    }  # fmt: skip
    assert mail.get_all("Subject") == [mail["Subject"]]
    assert mail.get_all("To") == [MAIL]


@pytest.mark.parametrize("url", ["", "mail.example:25", "http://mail.example", "smtp://", "smtp://host:port"])
def test_a_mail_server_that_cannot_be_read_stops_the_start_and_shows_no_password(url: str) -> None:
    with pytest.raises(SettingsError, match="SMTP_URL must look like"):
        server_of(url)


def test_what_an_address_of_a_mail_server_says() -> None:
    plain, tls = server_of("smtp://u:p%20w@mail.example?starttls=1"), server_of("smtps://mail.example")
    assert (plain.host, plain.port, plain.user, plain.password, plain.starttls, plain.tls) == (
        "mail.example", 587, "u", "p w", True, False,
    )  # fmt: skip
    assert (tls.port, tls.user, tls.starttls, tls.tls) == (465, None, False, True)
    assert "p w" not in repr(plain)


@pytest.mark.parametrize("sender", ["", "nobody", "a b@c d"])
def test_mail_comes_from_somebody(sender: str) -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        MailSender("smtp://mail.example", sender)


def test_a_mail_server_without_a_sender_does_not_start(database_url: str) -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        create_app(DATABASE_URL=database_url, APP_ENV="test", SMTP_URL="smtp://mail.example")
