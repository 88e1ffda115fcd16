"""LINE notification messages, held against a stand-in that was built from the published reference."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from app.core import settings
from app.core.settings import SettingsError
from app.customers import Contact
from app.notifications.line import LineSender, signature
from app.notifications.senders import Message, Outcome, Send
from tests.api.notices_kit import MAIL, NAME, NOON, PHONE, SENDER, TOKEN, Build, Shop, building
from tests.api.orders_kit import rows
from tests.standins.line import LineStandIn
from tests.standins.mail import MailServer
from tests.standins.web import WebServer, always
from wsgi import create_app

TEMPLATES = (
    '{"pickup.ready.ja": {"templateKey": "shipment_completed_ja", "emphasizedItem": {"date_002_ja": "deadline"},'
    '"items": {"number_001_ja": "order_number", "name_010_ja": "store.name", "price_001_ja": "nothing"},'
    '"buttons": {"check_delivery_status_ja": "page_url"}}}'
)


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


def test_the_published_example_of_a_numbers_hash() -> None:
    sender = LineSender("https://line.example", "token", {})
    number = "d41e0ad70dddfeb68f149ad6fc61574b9c5780ab7bcb2fba5517771ffbb2409c"
    assert sender.address(Contact(phone="+818000001234")) == number
    assert sender.address(Contact(phone="080-0000-1234")) is None
    assert sender.address(Contact(email=MAIL)) is None


def test_line_stand_in_gets_the_text_by_the_numbers_hash_under_a_tag(build: Build) -> None:
    with LineStandIn() as line:
        line.knows(PHONE)
        shop = build(**line.config)
        shop.request("pickup.ready", 4)
        shop.post()
    ((notice_id,),) = rows(shop.app, "SELECT id FROM notice")
    ((to, tag, body),) = line.got
    assert (to, tag) == (hashlib.sha256(PHONE.encode()).hexdigest(), f"{notice_id}.1")
    (message,) = body["messages"]
    assert message["type"] == "text"
    assert message["text"].startswith("【渋谷店】ご注文商品の受取準備が完了しました。注文番号 H7K2M9QX")
    assert PHONE not in str(line.web.calls)
    assert shop.notices() == [("pickup.ready", 4, "sent", "line", None)]
    assert rows(shop.app, "SELECT provider_id, tag FROM notice_delivery") == [("request-1", f"{notice_id}.1")]


def test_line_stand_in_gets_a_template_with_its_items_filled(build: Build) -> None:
    with LineStandIn() as line:
        line.knows(PHONE)
        shop = build(**line.config, LINE_TEMPLATES=TEMPLATES)
        shop.request("pickup.ready", 4)
        shop.post()
    assert line.got[0][2] == {
        "to": hashlib.sha256(PHONE.encode()).hexdigest(),
        "templateKey": "shipment_completed_ja",
        "body": {
            "emphasizedItem": {"itemKey": "date_002_ja", "content": "11月29日(日) 21:00"},
            "items": [
                {"itemKey": "number_001_ja", "content": "H7K2M9QX"},
                {"itemKey": "name_010_ja", "content": "渋谷店"},
            ],
            "buttons": [{"buttonKey": "check_delivery_status_ja", "url": f"https://shop.example/p/{TOKEN}"}],
        },
    }
    assert line.web.calls[0].path == "/v2/bot/message/pnp/templated/push"


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"a": 1}', '{"a": {}}', '{"a": {"templateKey": "x", "items": []}}',
     '{"a": {"templateKey": "x", "buttons": {"a": "b", "c": "d", "e": "f"}}}',
     '{"a": {"templateKey": "x", "emphasizedItem": {"a": "b", "c": "d"}}}'],
)  # fmt: skip
def test_line_templates_that_cannot_be_read_stop_the_start(database_url: str, text: str) -> None:
    with pytest.raises(SettingsError, match="LINE_TEMPLATES"):
        create_app(DATABASE_URL=database_url, APP_ENV="test", LINE_CHANNEL_TOKEN="t", LINE_TEMPLATES=text)


@pytest.mark.parametrize(
    ("trouble", "code"), [(None, "line-422"), (404, "line-404"), (400, "line-400"), (403, "line-403")]
)
def test_whom_line_stand_in_does_not_reach_gets_a_mail(build: Build, trouble: int | None, code: str) -> None:
    with LineStandIn(trouble=trouble) as line, MailServer() as server:
        shop = build(**line.config, SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.request("pickup.ready", 4)
        shop.post()
    assert shop.attempts() == [("line", "refused", code), ("mail", "sent", None)]
    assert shop.notices() == [("pickup.ready", 4, "sent", "mail", None)]
    assert len(server.mails) == 1


def test_whom_neither_line_stand_in_nor_mail_reaches_gets_an_sms(build: Build) -> None:
    with LineStandIn() as line, MailServer() as server, WebServer(always(202)) as gateway:
        server.at_rcpt["*"] = "550 5.7.1 Not for strangers"
        shop = build(**line.config, SMTP_URL=server.url, MAIL_FROM=SENDER, SMS_URL=gateway.url, SMS_TOKEN="key")
        shop.request("pickup.ready", 4)
        shop.post()
    assert shop.attempts() == [("line", "refused", "line-422"), ("mail", "refused", "smtp-550"), ("sms", "sent", None)]
    (call,) = gateway.calls
    assert call.headers["authorization"] == "Bearer key"
    assert set(call.body) == {"to", "text"}
    assert call.body["to"] == PHONE
    assert call.body["text"].startswith("【渋谷店】")


@pytest.mark.parametrize("trouble", [429, 500, 503])
def test_trouble_at_line_stand_in_is_borne_for_half_an_hour(build: Build, clock: Any, trouble: int) -> None:
    at = dt.datetime.fromisoformat(NOON)
    with LineStandIn(trouble=trouble) as line, MailServer() as server:
        shop = build(**line.config, SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.request("pickup.ready", 4)
        for minutes in (0, 1, 3, 7, 15):
            clock(at + dt.timedelta(minutes=minutes))
            shop.post()
            assert shop.notices() == [("pickup.ready", 4, "queued", "line", f"line-{trouble}")]
        clock(at + dt.timedelta(minutes=31))
        shop.post()
    assert shop.attempts() == [("line", "again", f"line-{trouble}")] * 6 + [("mail", "sent", None)]
    assert len(server.mails) == 1


@pytest.mark.usefixtures("impatient")
def test_a_call_that_line_stand_in_does_not_answer_is_not_repeated_but_followed_by_mail(
    build: Build, clock: Any
) -> None:
    with LineStandIn(hang=True) as line, MailServer() as server:
        shop = build(**line.config, SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.request("pickup.ready", 4)
        shop.post()
        assert shop.notices() == [("pickup.ready", 4, "sent", "line", "outcome-unknown")]
        clock("2026-11-22T12:30+09:00")
        shop.post()
        assert len(line.web.calls) == 1
    assert shop.notices() == [("pickup.ready", 4, "sent", "mail", None)]
    assert shop.attempts() == [("line", "undelivered", "outcome-unknown"), ("mail", "sent", None)]
    assert len(server.mails) == 1


def test_line_that_is_down_waits(build: Build) -> None:
    with WebServer(always(200)) as gone:
        pass
    shop = build(LINE_BASE_URL=gone.url, LINE_CHANNEL_TOKEN="t")
    shop.request("pickup.ready", 4)
    shop.post()
    assert shop.notices() == [("pickup.ready", 4, "queued", "line", "connection")]


def report(shop: Shop, body: bytes, headers: dict[str, str]) -> Any:
    return shop.app.test_client().post("/api/v1/notifications/line/webhook", data=body, headers=headers)


def test_a_report_of_line_stand_in_marks_the_notice_delivered_once(build: Build, clock: Any) -> None:
    with LineStandIn() as line, MailServer() as server:
        line.knows(PHONE)
        shop = build(**line.config, SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.request("pickup.ready", 4)
        shop.post()
        ((_, tag, _),) = line.got
        for _ in range(3):
            answer = report(shop, *line.report("somebody-elses-tag-1", tag, hashlib.sha256(b"x").hexdigest()))
            assert (answer.status_code, answer.json) == (200, {})
        clock("2026-11-22T13:00+09:00")
        shop.post()
    assert shop.notices() == [("pickup.ready", 4, "delivered", "line", None)]
    assert shop.attempts() == [("line", "delivered", None)]
    assert server.mails == []
    assert rows(shop.app, "SELECT version FROM notice") == [(4,)]


def test_what_line_stand_in_took_and_did_not_deliver_goes_by_mail(build: Build, clock: Any) -> None:
    with LineStandIn() as line, MailServer() as server:
        line.knows(PHONE)
        shop = build(**line.config, SMTP_URL=server.url, MAIL_FROM=SENDER)
        shop.request("pickup.ready", 4)
        shop.post()
        clock("2026-11-22T12:29:59+09:00")
        shop.post()
        assert server.mails == []
        clock("2026-11-22T12:30:00+09:00")
        shop.post()
        late = report(shop, *line.report(line.got[0][1]))
    assert late.status_code == 200
    assert len(server.mails) == 1
    assert shop.attempts() == [("line", "delivered", None), ("mail", "sent", None)]
    assert shop.notices() == [("pickup.ready", 4, "delivered", "mail", None)]


def test_what_line_stand_in_did_not_deliver_and_no_other_channel_takes_is_listed(build: Build, clock: Any) -> None:
    with LineStandIn() as line:
        line.knows(PHONE)
        shop = build(**line.config)
        shop.to = Contact(name=NAME, phone=PHONE)
        shop.request("pickup.ready", 4)
        shop.post()
        clock("2026-11-22T12:31+09:00")
        shop.post()
    assert shop.notices() == [("pickup.ready", 4, "failed", "line", "undelivered")]


class Overtaken(LineSender):
    """LINE's report of delivery arrives before its answer does."""

    shop: Shop

    def session(self) -> Any:
        @contextlib.contextmanager
        def opened() -> Iterator[Send]:
            yield self.overtaken

        return opened()

    def overtaken(self, message: Message) -> Outcome:
        assert report(self.shop, *LineStandIn().report(message.tag)).status_code == 200
        return Outcome("sent")


def test_a_report_may_overtake_our_own_note(build: Build) -> None:
    shop = build(LINE_CHANNEL_TOKEN="t", LINE_CHANNEL_SECRET="line-secret")
    sender = Overtaken("http://line.example", "t", {})
    sender.shop = shop
    shop.app.extensions["post"].senders = {"line": sender}
    shop.request("pickup.ready", 4)
    shop.post()
    assert shop.notices() == [("pickup.ready", 4, "delivered", "line", None)]
    assert shop.attempts() == [("line", "delivered", None)]


@pytest.mark.parametrize("given", ["AAAA", "", "é", None, "of another body"])
def test_a_report_that_is_not_signed_by_line_stand_in_is_refused(build: Build, given: str | None) -> None:
    with LineStandIn() as line:
        line.knows(PHONE)
        shop = build(**line.config)
        shop.request("pickup.ready", 4)
        shop.post()
        body, headers = line.report(line.got[0][1])
    if given != "of another body":
        headers = {} if given is None else {"X-Line-Signature": given}
    answer = report(shop, body + b" ", headers)
    assert answer.status_code == 401
    assert answer.json["type"] == "/problems/unauthorized"
    assert shop.notices() == [("pickup.ready", 4, "sent", "line", None)]


def signed(line: LineStandIn, body: bytes) -> tuple[bytes, dict[str, str]]:
    return body, {"X-Line-Signature": signature(line.secret, body), "Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "status"),
    [(b'{"events": []}', 200), (b"{}", 200), (b"[]", 200), (b'{"events": [1, {"type": "delivery"}]}', 200),
     (b'{"events": [{"type": "message"}]}', 200), (b'{"events": [{"type": "delivery", "delivery": {"data": 5}}]}', 200),
     (b"{", 400), (b"\xff", 400)],
)  # fmt: skip
def test_a_report_of_something_else_has_no_effect(build: Build, body: bytes, status: int) -> None:
    line = LineStandIn()
    shop = build(LINE_CHANNEL_TOKEN="t", LINE_CHANNEL_SECRET=line.secret)
    assert report(shop, *signed(line, body)).status_code == status
    closed = build()
    assert report(closed, *signed(line, body)).status_code == 401
