"""Repeated jobs: those whose time has not come cost one look together."""

from __future__ import annotations

from app.core import jobs
from tests.api.orders_kit import rows


def test_nothing_is_asked_for_a_job_that_is_not_due(app, clock, monkeypatch):
    taken: list[str] = []
    take = jobs._take_timed
    monkeypatch.setattr(jobs, "_take_timed", lambda job: taken.append(job.name) or take(job))
    clock("2026-11-22T15:00:00+09:00")
    with app.app_context():
        every = jobs.run_timed()
        assert every == len(taken)
        taken.clear()
        assert (jobs.run_timed(), taken) == (0, [])
    clock("2026-11-22T15:00:02+09:00")
    with app.app_context():
        assert jobs.run_timed() == len(taken)
        assert taken == ["notifications.send"]
    assert rows(app, "SELECT count(*) FROM timed_job") == [(every,)]
