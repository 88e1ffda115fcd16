"""The notice's table: every pair of state and action, and whose turn it is."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from app.notifications import turns
from app.notifications.models import Notice
from app.notifications.states import NOTICE, NoticeState

NOW = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
LEADS_TO = {
    "queued": {"lease": "sending", "supersede": "superseded", "fail": "failed", "deliver": "delivered"},
    "sending": {"send": "sent", "wait": "queued", "pass-on": "queued", "fail": "failed", "deliver": "delivered"},
    "sent": {"pass-on": "queued", "deliver": "delivered", "resend": "queued"},
    "delivered": {"resend": "queued"},
    "failed": {"deliver": "delivered", "resend": "queued"},
    "superseded": {},
}
ACTIONS = sorted({action for _, action in NOTICE})


@pytest.mark.parametrize(("state", "action"), list(itertools.product(NoticeState, ACTIONS)))
def test_where_every_action_leads_from_every_state(state: NoticeState, action: str) -> None:
    assert NOTICE.get((state, action)) == LEADS_TO[state].get(action)


def test_every_state_is_reached_and_only_a_superseded_one_is_the_end() -> None:
    assert set(NOTICE.values()) | {NoticeState.QUEUED} == set(NoticeState)
    assert set(NoticeState) - {state for state, _ in NOTICE} == {NoticeState.SUPERSEDED}


def row(sequence: int, state: str = "queued", due: int = 0, tries: int = 0, **more: object) -> Notice:
    return Notice(id=str(sequence), sequence=sequence, state=state, due_at=NOW + due * MINUTE, tries=tries, **more)


@pytest.mark.parametrize(
    ("rows", "following", "outrun"),
    [
        ([], None, []),
        ([row(1)], 1, []),
        ([row(2), row(1)], 1, []),
        ([row(1, due=1)], None, []),
        ([row(1, due=1), row(2)], 2, [1]),
        ([row(1, due=1, planned_at=NOW + MINUTE), row(2)], 2, []),
        ([row(1, due=1, planned_at=NOW - MINUTE), row(2)], 2, [1]),
        ([row(1, due=1, tries=1), row(2)], None, []),
        ([row(1), row(2, due=1, tries=1)], 1, []),
        ([row(1, "sending", lease_until=NOW), row(2)], None, []),
        ([row(1), row(2, "sending", lease_until=NOW + MINUTE)], None, []),
        ([row(1, "sending", lease_until=NOW - MINUTE), row(2)], 1, []),
        ([row(1, "sending", lease_until=None), row(2)], 1, []),
        ([row(1), row(2, "sending", lease_until=NOW - MINUTE)], 1, []),
    ],
)
def test_whose_turn_it_is(rows: list[Notice], following: int | None, outrun: list[int]) -> None:
    turn = turns.of(rows, NOW)
    assert (turn.next.sequence if turn.next else None, [r.sequence for r in turn.outrun]) == (following, outrun)
