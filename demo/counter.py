"""The stores' staff of the live day: clerks take rounds of visits in hand, and walk the shelves for a whole round."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterable
from itertools import count
from typing import Any

from demo import rescue, ways
from demo.board import CLOSES, OPENS
from demo.client import Api, DemoError
from demo.steps import STEPS
from demo.town import COMMON, Store, barcode
from demo.visit import ARRIVE, BARRIERS, LATER, OVER, PICK, Day, NotYetError, UnexpectedError, Visit

ROUND = 8
_HOUR = 3_600.0
_SECONDS_TO_WAIT = 3.0
# Reasons after which a SKU is kept from sale until somebody has counted it.
_COUNTED = frozenset({"not_found", "other"})
_AGAIN = "again"


class Desk:
    """What is to be done, by the played time at which it is due; all clerks take from it."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._due: list[tuple[float, int, list[Visit]]] = []
        self._numbers = count()
        self._busy = 0
        self._change = threading.Condition()
        self.visits: list[Visit] = []

    def put(self, due: float, visits: list[Visit]) -> None:
        """A round of one store's visits, to be taken in hand at that time."""
        with self._change:
            heapq.heappush(self._due, (due, next(self._numbers), visits))
            self._change.notify()

    def add(self, visit: Visit) -> None:
        """A visit that came out of another one."""
        self.visits.append(visit)
        self.put(self._day.board.now(), [visit])

    def fill(self, visits: Iterable[Visit]) -> None:
        """The day's visits in rounds per store, spread over the opening hours but the last."""
        by_store: dict[str, list[Visit]] = {}
        for visit in visits:
            self.visits.append(visit)
            by_store.setdefault(visit.store.code, []).append(visit)
        for number, mine in enumerate(by_store.values()):
            rounds = [mine[at : at + ROUND] for at in range(0, len(mine), ROUND)]
            for place, some in enumerate(rounds):
                share = (place + number / len(by_store)) / len(rounds)
                self.put(OPENS + (CLOSES - OPENS - 2 * _HOUR) * share, some)

    def work(self) -> None:
        """One clerk's day: until nothing is left and nobody is at something that may lead to more."""
        api = self._day.connect()
        while (visits := self._take()) is not None:
            try:
                self._round(api, visits)
            finally:
                with self._change:
                    self._busy -= 1
                    self._change.notify_all()
        api.close()

    def _take(self) -> list[Visit] | None:
        with self._change:
            while True:
                now = self._day.board.now()
                if self._due and self._due[0][0] <= now:
                    self._busy += 1
                    return heapq.heappop(self._due)[2]
                if not self._due and not self._busy:
                    return None
                self._change.wait(0.1)

    def _round(self, api: Api, visits: list[Visit]) -> None:
        at_work = visits
        while at_work:
            stands: dict[str, list[Visit]] = {}
            for visit in at_work:
                visit.api = api
                stands.setdefault(_guarded(visit), []).append(visit)
            if PICK in stands:
                _walk(api, stands[PICK][0].store, stands[PICK])
            if LATER in stands:
                now = self._day.board.now()
                self.put(max(now, min(now + _HOUR, CLOSES)), stands[LATER])
            if _AGAIN in stands:
                self.put(self._day.board.after(_SECONDS_TO_WAIT), stands[_AGAIN])
            at_work = [visit for where in (PICK, ARRIVE) for visit in stands.get(where, [])]


def _guarded(visit: Visit) -> str:
    """Goes on to the next barrier and says which; a story that went wrong is over."""
    try:
        return _go_on(visit)
    except NotYetError:
        return _AGAIN
    except (UnexpectedError, DemoError, LookupError) as error:
        _fail(visit, error)
        return OVER


def _fail(visit: Visit, error: Exception) -> None:
    visit.steps.clear()
    visit.day.board.fail(f"{visit.store.code} {visit.way} {visit.name}", error)


def _go_on(visit: Visit) -> str:
    if not visit.pickup:
        ways.place(visit)
        visit.began = time.monotonic()
        visit.day.board.count("ways", visit.way)
    while visit.steps:
        word, _, arg = visit.steps[0].partition(":")
        if word in {PICK, LATER}:
            visit.steps.popleft()
            return word
        more = STEPS[word](visit, arg)
        visit.steps.popleft()
        visit.day.board.count("steps", f"{word}:{arg}" if arg else word)
        if more:
            visit.steps.extendleft(reversed(str(more).split()))
        if word in BARRIERS:
            return word
    return OVER


def _walk(api: Api, store: Store, visits: list[Visit]) -> None:
    """One wave for all of them; what is wrong or missing is told on the way."""
    leader = visits[0]
    try:
        wave = leader.ask("POST", "/waves", {"location": store.code, "pickups": [visit.id for visit in visits]})
        for visit in visits:
            if visit.notes.pop("mistake", None):
                wrong = next(sku for sku in COMMON if sku not in dict(visit.goods))
                visit.do("pick", {"lines": [{"barcode": barcode(wrong), "quantity": 1}]}, refused="wrong-item")
        gone = {visit.id: visit.missing[0] for visit in visits if visit.missing}
        for stop in wave["picks"]:
            for scan in _scans(stop, gone):
                leader.ask("POST", f"/waves/{wave['id']}/pick", {"barcode": stop["barcodes"][0]} | scan)
        leader.ask("POST", f"/waves/{wave['id']}/finish")
        leader.day.board.count("steps", "wave")
        for visit in visits:
            if visit.missing:
                _report(visit, *visit.missing)
                visit.missing = None
    except (UnexpectedError, DemoError, LookupError) as error:
        for visit in visits:
            _fail(visit, error)


def _scans(stop: dict[str, Any], gone: dict[str, str]) -> list[dict[str, Any]]:
    """One scan for all totes, or one for each where somebody's piece is missing."""
    if all(gone.get(tote["id"]) != stop["sku"] for tote in stop["pickups"]):
        return [{"quantity": stop["quantity"]}]
    found = [(tote["id"], tote["quantity"] - (gone.get(tote["id"]) == stop["sku"])) for tote in stop["pickups"]]
    return [{"quantity": pieces, "pickup": pickup} for pickup, pieces in found if pieces]


def _report(visit: Visit, sku: str, reason: str) -> None:
    """The piece is not to be had; where the book is in doubt somebody counts at once."""
    visit.do("short", {"sku": sku, "quantity": 1, "reason": reason})
    visit.day.board.tell("SHORT", visit.store.code, f"{visit.pickup['code']}  {sku} {reason}")
    visit.day.board.count("steps", f"short:{reason}")
    if reason in _COUNTED:
        rescue.recount(visit, sku)
