"""Sends what is due: one thread that deals, leases and writes, and a thread for each letter under way.

A letter's thread never touches the database, and the database's thread never waits for a receiver. A receiver that
hangs has two letters at most in its hands, one once it has failed some times, and failing ones together half of all
places: no dead endpoint delays another one.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from queue import Empty, SimpleQueue

import structlog

from app.core import actor, settings
from app.core.actor import SYSTEM
from app.core.db import abandon
from app.core.errors import Unavailable

from . import dealing, deliveries, endpoints, stock_feed
from .dialing import Letter, Outcome

log = structlog.get_logger("app.webhooks")
Send = Callable[[Letter], Outcome]


class Courier:
    """One of them in each process that runs jobs."""

    def __init__(self, send: Send, ring: Callable[[], None] = lambda: None) -> None:
        self.send, self.ring = send, ring
        self.done: SimpleQueue[tuple[Letter, Outcome]] = SimpleQueue()
        self.under_way: Counter[str] = Counter()
        self.failing: set[str] = set()

    def turn(self) -> int:
        """Write what came back, deal what happened, send what is due; returns whether more can be done at once."""
        actor.act_as(SYSTEM)
        self._write()
        listeners = endpoints.active()
        if not listeners:
            return 0
        # Noted before anything is written: a transaction forgets what was read, a lost connection even the rows.
        replaying = [listener.id for listener in listeners if listener.replay_at is not None]
        if stock_feed.is_asked_for(listeners):
            stock_feed.tell()
        more = dealing.is_new() and dealing.deal()
        for endpoint in replaying:
            more = dealing.deal_again(endpoint) or more
        self._start()
        return int(more)

    def _write(self) -> None:
        while True:
            try:
                letter, outcome = self.done.get_nowait()
            except Empty:
                return
            try:
                deliveries.record(letter, outcome)
            except Unavailable:
                self.done.put((letter, outcome))  # the database is away; the outcome is not
                raise
            except Exception as error:  # noqa: BLE001  the lease runs out, and it is sent again
                abandon()
                log.warning("webhook_outcome_lost", delivery=letter.delivery_id, error=type(error).__name__)
            self.under_way[letter.endpoint_id] -= 1

    def _start(self) -> None:
        waiting = deliveries.waiting()
        self.failing = {endpoint for endpoint, is_failing in waiting if is_failing}
        for endpoint, is_failing in waiting:
            room = self._room(is_failing=is_failing)
            for letter in self._lease(endpoint, room) if room > 0 else ():
                self.under_way[endpoint] += 1
                threading.Thread(target=self._carry, args=(letter,), name="webhook", daemon=True).start()

    @staticmethod
    def _lease(endpoint: str, room: int) -> list[Letter]:
        try:
            return deliveries.lease(endpoint, room)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  what is wrong with one endpoint is not the others' matter
            abandon()
            log.warning("webhook_lease_failed", endpoint=endpoint, error=type(error).__name__)
            return []

    def _room(self, *, is_failing: bool) -> int:
        each = 1 if is_failing else settings.WEBHOOK_IN_FLIGHT_EACH
        room = min(each, settings.WEBHOOK_IN_FLIGHT - self.under_way.total())
        if is_failing:
            failing = sum(self.under_way[one] for one in self.failing)
            room = min(room, settings.WEBHOOK_IN_FLIGHT_FAILING - failing)
        return room

    def _carry(self, letter: Letter) -> None:
        self.done.put((letter, self.send(letter)))
        self.ring()

    def is_idle(self) -> bool:
        """Whether nothing is under way, and nothing that came back waits to be written."""
        return not self.under_way.total()
