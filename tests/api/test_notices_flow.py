"""A notice's way: once, in order, never after it stopped being true, not at night, and again after trouble."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from app import notifications
from app.core import settings
from app.core.states import IllegalTransition
from app.customers import Contact
from app.notifications.post import Post
from app.notifications.senders import Message, Outcome
from tests.api.notices_kit import PICKUP, Shop, due_at
from tests.api.orders_kit import rows

NOON = "2026-11-22T12:00+09:00"
NIGHT = "2026-11-22T21:00+09:00"


@pytest.fixture
def shop(app: Flask) -> Shop:
    made = Shop(app)
    made.offer("pickup.requested", "pickup.ready", "pickup.reminder", "pickup.collected", "pickup.extended")
    return made


class Scripted:
    """A channel that does what the test says, in this order; then it sends."""

    def __init__(self, channel: str, *outcomes: Outcome | Exception) -> None:
        self.channel, self.outcomes, self.sent = channel, list(outcomes), list[Message]()

    def address(self, to: Contact) -> str | None:
        return to.email if self.channel == "mail" else to.phone

    def session(self) -> Any:
        return self

    def __enter__(self) -> Any:
        return self.send

    def __exit__(self, *_error: object) -> None:
        return None

    def send(self, message: Message) -> Outcome:
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome("sent")
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.state == "sent":
            self.sent.append(message)
        return outcome


def give(app: Flask, *senders: Scripted, reports: bool = False) -> None:
    """Let these be the application's channels."""
    app.extensions["post"] = Post(app.app_context, {s.channel: s for s in senders}, reports=reports)


def test_asked_for_twice_it_is_one_notice(app: Flask, shop: Shop) -> None:
    for _ in range(3):
        shop.request("pickup.ready", 4)
    shop.post()
    shop.request("pickup.ready", 4)
    shop.post()
    assert shop.notices() == [("pickup.ready", 4, "sent", "log", None)]
    assert shop.attempts() == [("log", "sent", None)]
    assert shop.composed == ["pickup.ready"]


def test_it_is_asked_for_with_the_callers_change_or_not_at_all(app: Flask, shop: Shop) -> None:
    class No(Exception):
        pass

    @notifications.requesting.use_case
    def change() -> None:
        notifications.request("pickup.ready", subject=("pickup", PICKUP), sequence=1, location="S1")
        raise No

    with app.app_context(), pytest.raises(No):
        change()
    assert shop.notices() == []


def test_a_kind_that_nobody_offers_is_not_asked_for(app: Flask, shop: Shop) -> None:
    with pytest.raises(ValueError, match="of kind pickup"):
        shop.request("pickup.birthday", 1)
    with pytest.raises(ValueError, match="no templates"):
        shop.offer("pickup.birthday")


def test_notices_of_one_subject_go_in_order_of_sequence(app: Flask, shop: Shop) -> None:
    mail = Scripted("mail")
    give(app, mail)
    shop.request("pickup.extended", 9)
    shop.request("pickup.ready", 7)
    shop.request("pickup.requested", 1)
    with app.app_context():
        assert app.extensions["post"].turn() == 1  # one at a time
    app.extensions["post"].threads["mail"].join()
    shop.post()
    assert [m.kind for m in mail.sent] == ["pickup.requested", "pickup.ready", "pickup.extended"]


def test_what_is_not_true_any_more_is_superseded_and_never_sent(app: Flask, shop: Shop) -> None:
    mail = Scripted("mail")
    give(app, mail)
    shop.request("pickup.ready", 4)
    shop.untrue.add("pickup.ready")  # collected meanwhile
    shop.request("pickup.collected", 5)
    shop.post()
    assert shop.notices() == [
        ("pickup.ready", 4, "superseded", None, None),
        ("pickup.collected", 5, "sent", "mail", None),
    ]
    assert [m.kind for m in mail.sent] == ["pickup.collected"]


def test_a_later_one_waits_for_one_in_trouble_which_is_tried_once_more_now(app: Flask, shop: Shop, clock: Any) -> None:
    clock(NOON)
    mail = Scripted("mail", *[Outcome("again", "smtp-450")] * 2)
    give(app, mail)
    shop.request("pickup.ready", 4)
    shop.post()
    shop.request("pickup.extended", 5)
    shop.post()  # hastened, and still in trouble: 120 s more
    assert shop.notices() == [
        ("pickup.ready", 4, "queued", "mail", "smtp-450"),
        ("pickup.extended", 5, "queued", None, None),
    ]
    assert due_at(shop) == ["2026-11-22T03:02", "2026-11-22T03:00"]
    clock("2026-11-22T12:02+09:00")
    shop.post()
    assert [m.kind for m in mail.sent] == ["pickup.ready", "pickup.extended"]


def test_one_in_trouble_that_became_untrue_makes_way(app: Flask, shop: Shop, clock: Any) -> None:
    clock(NOON)
    mail = Scripted("mail", Outcome("again", "smtp-450"))
    give(app, mail)
    shop.request("pickup.ready", 4)
    shop.post()
    shop.untrue.add("pickup.ready")
    shop.request("pickup.collected", 5)
    shop.post()
    assert [m.kind for m in mail.sent] == ["pickup.collected"]
    assert shop.notices()[0][:3] == ("pickup.ready", 4, "superseded")


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (NIGHT, "2026-11-22T23:00"),
        ("2026-11-22T23:59+09:00", "2026-11-22T23:00"),
        ("2026-11-23T07:59:59+09:00", "2026-11-22T23:00"),
        ("2026-11-23T08:00+09:00", None),
        ("2026-11-22T20:59:59+09:00", None),
    ],
)
def test_nobody_is_woken_by_what_can_wait(app: Flask, shop: Shop, clock: Any, moment: str, due: str | None) -> None:
    clock(moment)
    shop.offer("pickup.requested", urgent=False)
    shop.request("pickup.requested", 1)
    shop.post()
    if due is None:
        assert shop.notices()[0][2] == "sent"
        return
    assert shop.notices() == [("pickup.requested", 1, "queued", None, None)]
    assert due_at(shop) == [due]
    clock("2026-11-23T08:00+09:00")
    shop.post()
    assert shop.notices()[0][2] == "sent"


def test_what_is_urgent_goes_at_night_and_what_waited_for_the_morning_never_follows_it(
    app: Flask, shop: Shop, clock: Any
) -> None:
    clock(NIGHT)
    shop.offer("pickup.requested", urgent=False)
    shop.request("pickup.requested", 1)
    shop.post()
    shop.request("pickup.ready", 4)
    shop.post()
    clock("2026-11-23T09:00+09:00")
    shop.post()
    assert shop.notices() == [
        ("pickup.requested", 1, "superseded", None, None),
        ("pickup.ready", 4, "sent", "log", None),
    ]


def test_two_that_can_wait_go_in_the_morning_in_their_order(app: Flask, shop: Shop, clock: Any) -> None:
    clock(NIGHT)
    mail = Scripted("mail")
    give(app, mail)
    shop.offer("pickup.requested", "pickup.extended", urgent=False)
    shop.request("pickup.requested", 1)
    shop.post()
    shop.request("pickup.extended", 2)
    shop.post()
    assert [row[2] for row in shop.notices()] == ["queued", "queued"]
    clock("2026-11-23T08:00+09:00")
    shop.post()
    assert [m.kind for m in mail.sent] == ["pickup.requested", "pickup.extended"]


def test_one_planned_for_later_takes_its_place_then(app: Flask, shop: Shop, clock: Any) -> None:
    start = clock(NOON)
    mail = Scripted("mail")
    give(app, mail)
    shop.request("pickup.ready", 4)
    shop.request("pickup.reminder", 4, at=start + dt.timedelta(days=4))
    shop.post()
    shop.request("pickup.extended", 5)
    shop.post()
    assert [m.kind for m in mail.sent] == ["pickup.ready", "pickup.extended"]
    clock("2026-11-26T12:00+09:00")
    shop.post()
    assert [m.kind for m in mail.sent] == ["pickup.ready", "pickup.extended", "pickup.reminder"]


def test_a_reminder_of_what_was_collected_is_never_sent(app: Flask, shop: Shop, clock: Any) -> None:
    start = clock(NOON)
    shop.request("pickup.reminder", 4, at=start + dt.timedelta(days=4))
    shop.request("pickup.collected", 5)
    shop.untrue.add("pickup.reminder")
    clock("2026-11-26T12:00+09:00")
    shop.post()
    assert [row[2] for row in shop.notices()] == ["superseded", "sent"]


def test_what_is_taken_back_is_not_sent(app: Flask, shop: Shop) -> None:
    shop.request("pickup.ready", 4)
    shop.request("pickup.reminder", 4)
    shop.request("pickup.ready", 4, subject="another")
    with app.app_context():
        assert notifications.cancel_pending(("pickup", PICKUP), only={"pickup.reminder"}) == 1
        assert notifications.cancel_pending(("pickup", PICKUP)) == 1
        assert notifications.cancel_pending(("pickup", PICKUP)) == 0
    shop.post()
    assert sorted(row[2] for row in shop.notices()) == ["sent", "superseded", "superseded"]


def test_trouble_is_met_with_patience_that_doubles_and_ends_after_a_day(app: Flask, shop: Shop, clock: Any) -> None:
    at = clock(NOON)
    mail = Scripted("mail", *[Outcome("again", "smtp-451")] * 100)
    give(app, mail)
    shop.request("pickup.ready", 4)
    waits = []
    while True:
        shop.post()
        if shop.notices()[0][2] != "queued":
            break
        due = dt.datetime.fromisoformat(due_at(shop)[0]).replace(tzinfo=dt.UTC)
        waits.append(round((due - at).total_seconds() / 60))
        at = clock(due)
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert shop.notices() == [("pickup.ready", 4, "failed", "mail", "smtp-451")]
    assert dt.timedelta(hours=24) <= at - dt.datetime.fromisoformat(NOON) < dt.timedelta(hours=25)
    assert set(shop.attempts()) == {("mail", "again", "smtp-451")}


def test_a_channel_that_refuses_is_passed_by_and_the_last_one_ends_it(app: Flask, shop: Shop) -> None:
    give(app, Scripted("line", Outcome("refused", "line-422")), Scripted("mail", Outcome("refused", "smtp-550")))
    shop.request("pickup.ready", 4)
    shop.post()
    assert shop.attempts() == [("line", "refused", "line-422"), ("mail", "refused", "smtp-550")]
    assert shop.notices() == [("pickup.ready", 4, "failed", "mail", "smtp-550")]


def test_a_person_sends_it_again_from_the_first_channel_on(app: Flask, shop: Shop) -> None:
    line, mail = Scripted("line", Outcome("refused", "line-422")), Scripted("mail", Outcome("refused", "smtp-550"))
    give(app, line, mail)
    shop.request("pickup.ready", 4)
    shop.post()
    ((notice_id,),) = rows(app, "SELECT id FROM notice")
    with app.app_context():
        notifications.resend(str(notice_id))
    shop.post()
    assert shop.notices() == [("pickup.ready", 4, "sent", "line", None)]
    assert [m.tag for m in line.sent] == [f"{notice_id}.2"]


def test_what_a_person_sends_again_goes_at_night_too_but_not_when_it_is_untrue(
    app: Flask, shop: Shop, clock: Any
) -> None:
    clock(NOON)
    shop.offer("pickup.requested", urgent=False)
    shop.request("pickup.requested", 1)
    shop.post()
    clock(NIGHT)
    ((notice_id,),) = rows(app, "SELECT id FROM notice")
    with app.app_context():
        notifications.resend(str(notice_id))
    shop.post()
    assert shop.attempts() == [("log", "sent", None)] * 2
    shop.untrue.add("pickup.requested")
    with app.app_context():
        notifications.resend(str(notice_id))
    shop.post()
    assert shop.notices()[0][2] == "superseded"
    with app.app_context(), pytest.raises(IllegalTransition):
        notifications.resend(str(notice_id))
    with app.app_context(), pytest.raises(notifications.UnknownNotice):
        notifications.resend("no-id")


@pytest.mark.parametrize("to", [Contact(name="山田"), Contact(name="山田", email=""), Contact()])
def test_who_cannot_be_reached_is_listed(app: Flask, shop: Shop, to: Contact) -> None:
    shop.to = to
    shop.request("pickup.ready", 4)
    shop.post()
    assert shop.notices() == [("pickup.ready", 4, "failed", None, "no-recipient")]


def test_without_any_channel_every_notice_is_listed_as_failed(app: Flask, shop: Shop) -> None:
    give(app)
    shop.request("pickup.ready", 4)
    shop.post()
    assert shop.notices() == [("pickup.ready", 4, "failed", None, "no-channel")]


def test_one_that_cannot_be_composed_or_written_does_not_stop_the_others(app: Flask, shop: Shop) -> None:
    def broken(subject_id: str) -> notifications.Letter:
        raise RuntimeError(subject_id)

    notifications.offer("pickup.short", compose=broken, urgent=True)
    shop.request("pickup.short", 1, subject="a")
    shop.facts = {"store": {"name": "渋谷店"}}  # its address is missing
    shop.request("pickup.ready", 1, subject="b")
    shop.post()
    shop.facts = {}
    shop.request("pickup.ready", 1, subject="c")
    shop.post()
    assert shop.notices() == [
        ("pickup.short", 1, "failed", None, "compose-failed"),
        ("pickup.ready", 1, "failed", "log", "template-broken"),
        ("pickup.ready", 1, "sent", "log", None),
    ]


def test_a_senders_own_fault_is_trouble_like_any_other(app: Flask, shop: Shop, clock: Any) -> None:
    clock(NOON)
    give(app, Scripted("mail", RuntimeError("a bug")))
    shop.request("pickup.ready", 4)
    shop.post()
    assert shop.notices() == [("pickup.ready", 4, "queued", "mail", "sender-failed")]


def test_a_sender_that_died_loses_nothing(app: Flask, shop: Shop, clock: Any) -> None:
    start = clock(NOON)
    mail = Scripted("mail")
    give(app, mail)
    shop.request("pickup.ready", 4)
    shop.request("pickup.extended", 5)
    post = app.extensions["post"]
    with app.app_context():
        taken = notifications.leasing.lease(post.senders)  # and then the process is gone
    assert [channel for channel, _ in taken] == ["mail"]
    shop.post()
    assert mail.sent == []
    clock(start + dt.timedelta(seconds=settings.NOTICE_LEASE_SECONDS + 1))
    shop.post()
    assert [(m.kind, m.tag) for m in mail.sent][:1] == [("pickup.ready", taken[0][1].tag)]
    assert [m.kind for m in mail.sent] == ["pickup.ready", "pickup.extended"]


def test_a_channel_that_is_down_is_asked_once_a_turn_and_a_busy_one_not_at_all(
    app: Flask, shop: Shop, clock: Any
) -> None:
    clock(NOON)
    mail = Scripted("mail", Outcome("again", "timeout", down=True))
    give(app, mail)
    for number in range(5):
        shop.request("pickup.ready", 1, subject=f"p{number}")
    shop.post()
    assert len(shop.attempts()) == 1
    assert sorted(row[4] for row in shop.notices()) == ["channel-down"] * 4 + ["timeout"]
    assert due_at(shop) == ["2026-11-22T03:01"] * 5
    with app.app_context():
        assert notifications.leasing.lease(app.extensions["post"].senders, {"mail"}) == []
    clock("2026-11-22T12:01+09:00")
    with app.app_context():
        assert notifications.leasing.lease(app.extensions["post"].senders, {"mail"}) == []
    shop.post()
    assert len(mail.sent) == 5


def test_a_turn_that_takes_too_long_gives_the_rest_back(
    app: Flask, shop: Shop, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(NOON)
    monkeypatch.setattr(settings, "NOTICE_TURN_SECONDS", -1)
    give(app, mail := Scripted("mail"))
    shop.request("pickup.ready", 4)
    with app.app_context():
        assert app.extensions["post"].turn() == 1
    app.extensions["post"].threads["mail"].join()
    assert (mail.sent, shop.notices()) == ([], [("pickup.ready", 4, "queued", "mail", None)])
    assert rows(app, "SELECT tries FROM notice") == [(0,)]
