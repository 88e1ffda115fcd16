"""Facts: what tills say, what is counted, what travels between places; and time."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from structlog.testing import capture_logs

from app.core import clock, jobs
from app.core.db import db
from tests.property import acts
from tests.property.life import PLACES, Life, any_place, basket, pick, while_there

FAILURES = ("_failed", "_not_expired", "_not_escalated", "_late_not_told", "_not_decided", "_not_served", "_not_ended")


class Trade(Life):
    """Tills, counts, transfers, time."""

    @rule(place=any_place, lines=basket, kind=st.sampled_from(["sale", "sale", "return", "found", "loss"]))
    def facts_come_in(self, place: str, lines: list[tuple[str, int]], kind: str) -> None:
        """A till sells or takes back, maybe told hours later; goods are found, or lost."""
        sign = -1 if kind in {"sale", "loss"} else 1
        if kind in {"sale", "return"}:
            at = self.now - dt.timedelta(hours=5 * (len(lines) - 1))
            said = acts.sale(next(self.numbers), place, lines, at) | {"kind": kind}
            acts.done(self.api.post("/pos/sales", said), 201)
            self.receipts.append(said)
        else:
            parts = [(sku, sign * pieces) for sku, pieces in acts.merged(lines)]
            body = {"location": place, "reason": kind, "lines": acts.lines(parts)}
            acts.done(self.api.post("/stock/adjustments", body), 201)
        self.moved(place, acts.summed(lines), sign)

    @precondition(lambda self: bool(self.receipts))
    @rule(at=pick, lines=basket, again=st.booleans())
    def a_till_corrects_its_sale_or_says_it_again(self, at: int, lines: list[tuple[str, int]], again: bool) -> None:
        old = self.receipts[at % len(self.receipts)]
        if again:
            assert acts.done(self.api.post("/pos/sales", old), 200)["duplicate"] is True
            return
        new = acts.sale(int(old["receipt_no"]), old["store"], lines, self.now) | {
            "revision": old["revision"] + 1, "kind": old["kind"],
        }  # fmt: skip
        acts.done(self.api.post("/pos/sales", new), 201)
        sign = -1 if old["kind"] == "sale" else 1
        self.moved(old["store"], acts.lines_of(old), -sign)
        self.moved(old["store"], acts.lines_of(new), sign)
        self.receipts[self.receipts.index(old)] = new

    @while_there("recount")
    @rule(at=pick, difference=st.integers(-2, 2))
    def a_recount_is_made(self, at: int, difference: int) -> None:
        task = self.one_of(at, "SELECT id, location_id, sku FROM recount_task WHERE state = 'open' ORDER BY id")
        if task is not None:
            self.count(task["id"], (task["location_id"], task["sku"]), difference)

    def count(self, task_id: str, where: tuple[str, str], difference: int) -> None:
        """Somebody looks: what is there, and what the model had missed."""
        counted = max(0, self.pieces[where] + difference)
        acts.done(self.api.post(f"/recounts/{task_id}/done", {"counted": counted}), 200)
        self.pieces[where] = counted

    # --- between places

    @rule(lines=basket, ends=st.permutations(PLACES))
    def a_transfer_is_asked_for(self, lines: list[tuple[str, int]], ends: list[str]) -> None:
        self.tried("/transfers", {"from": ends[0], "to": ends[1], "lines": acts.lines(acts.merged(lines))})

    @while_there("road")
    @rule(at=pick, action=st.sampled_from(["on", "on", "on", "cancel"]), difference=st.integers(-2, 1))
    def a_transfer_moves(self, at: int, action: str, difference: int) -> None:
        found = self.one_of(at, "SELECT id, state FROM transfer WHERE state IN ('requested', 'shipped') ORDER BY id")
        if found is not None and (action == "on" or found["state"] == "requested"):
            on = "receive" if found["state"] == "shipped" else "ship"
            self.step(found["id"], on if action == "on" else action, difference)

    def step(self, transfer_id: str, action: str, difference: int = 0) -> None:
        """Send, receive or cancel; of the first line so many more or fewer."""
        before = self.api.get(f"/transfers/{transfer_id}").json
        count = "shipped" if action == "receive" else "quantity"
        parts = {line["sku"]: line[count] for line in before["lines"] if line[count]}
        first = min(parts)
        parts[first] = max(0, parts[first] + (min(0, difference) if action == "ship" else difference))
        body = None if action == "cancel" else {"lines": acts.lines(parts.items())}
        answer = self.tried(f"/transfers/{transfer_id}/{action}", body, 422)
        assert answer.status_code == 200 or (action, sum(parts.values())) == ("ship", 0), answer.text
        if answer.status_code == 200 and action != "cancel":
            self.moved(before["to" if action == "receive" else "from"], parts, 1 if action == "receive" else -1)

    # --- time

    @rule(minutes=st.sampled_from([1, 20, 70, 180, 60 * 24, 60 * 24 * 9]), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:
        self.now += dt.timedelta(minutes=minutes)
        clock.freeze(self.now)
        self.api.acted = True
        if swept:
            self.work_is_done()

    @rule()
    def events_are_heard(self) -> None:
        with self.app.app_context():
            self.api.acted |= bool(jobs.drain())
            db.session.remove()

    def work_is_done(self) -> None:
        """Timed jobs and events, none of which may fail."""
        with self.app.app_context(), capture_logs() as told:
            jobs.drain()
            jobs.run_timed()
            jobs.drain()
            db.session.remove()
        assert [one for one in told if str(one["event"]).endswith(FAILURES)] == []
