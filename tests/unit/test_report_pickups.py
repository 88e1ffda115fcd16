"""The figures of pickups when orders come while they are read."""

from __future__ import annotations

from app.core.sql import Answer
from app.reports.pickups import Figures, _sum_up

NOTHING = Answer([], 0)


def test_a_days_first_order_may_come_between_two_statements() -> None:
    pieces, times = Answer([(3, 2, 1)], 1), Answer([(3, "ready", 1, 1, 90)], 1)
    assert _sum_up(NOTHING, pieces, times, NOTHING) == {3: Figures(pieces=2, short=1, times={"ready": (90, 90)})}
