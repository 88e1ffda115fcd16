"""The end of the live day: what became of everything, and whether the books say the same as the stores."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from demo.board import Board
from demo.client import Api
from demo.town import STORES
from demo.visit import Visit

_PAGE = 200
_TRIES = 10
_PAUSE = 2.0
_ENDED = frozenset({"collected", "cancelled", "expired"})
_STATES = ("collected", "cancelled", "expired", "ready", "requested", "other")
Say = Callable[[str], None]
Found = TypeVar("Found")


def fates(api: Api, visits: Iterable[Visit], say: Say) -> None:
    """How the day's pickups were ordered, and where they ended."""
    states = {row["id"]: row["state"] for row in _pickups(api)}
    table: dict[str, Counter[str]] = {}
    for visit in visits:
        state = states.get(str(visit.pickup.get("id")), "other")
        table.setdefault(visit.way, Counter())[state if state in _STATES else "other"] += 1
    total: Counter[str] = sum(table.values(), Counter())
    say(f"{'受取 / pickups':<18}{'total':>8}" + "".join(f"{state:>11}" for state in _STATES))
    for way, counts in [*sorted(table.items()), ("total", total)]:
        say(f"  {way:<20}{counts.total():>6}" + "".join(f"{counts[state]:>11}" for state in _STATES))


def tallies(board: Board, say: Say) -> None:
    """What happened on the way, and what was refused as it should be."""
    for name, title in (("steps", "出来事 / steps"), ("refusals", "想定どおりの拒否 / refused as expected")):
        found = sorted(board.tallies.get(name, Counter()).items())
        say(f"{title}: " + ", ".join(f"{what} {number}" for what, number in found))


def incidents(api: Api, board: Board) -> bool:
    """Open ones are counted; each must say what caused it, and those of the day's stores were mended."""
    ours = {store.code for store in STORES}

    def mended() -> tuple[bool, list[dict[str, Any]]]:
        found = api.pages("/incidents", state="open", limit=_PAGE)
        return not any(one["location"] in ours for one in found), found

    found = _settled(mended)
    causes = Counter(str(one["cause_code"]) for one in found)
    nameless = sum(not one["cause_code"] for one in found)
    left = sum(one["location"] in ours for one in found)
    board.tell(
        "CHECK",
        "",
        f"対応中の超過 / open incidents {len(found)} ({', '.join(f'{c} {n}' for c, n in sorted(causes.items()))}), "
        f"{left} of them at the day's stores, 原因不明 / without a cause code {nameless}",
    )
    return not nameless and not left


def claims(api: Api, board: Board) -> bool:
    """Every promised piece at the twenty stores belongs to somebody who lives."""

    def compared() -> tuple[bool, tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]]:
        promised, owed = _promised(api), _owed(api)
        return promised == owed, (promised, owed)

    promised, owed = _settled(compared)
    differing = sorted(place for place in promised.keys() | owed.keys() if promised[place] != owed[place])
    board.tell(
        "CHECK",
        "",
        f"引当 / open claims {promised.total()} pieces = live orders {owed.total()}, differing places {len(differing)}",
    )
    for place in differing:
        board.tell("CHECK", place[0], f"{place[1]} promised {promised[place]}, owed {owed[place]}")
    return not differing


def _settled(look: Callable[[], tuple[bool, Found]]) -> Found:
    """What is seen when it is as it should be, or after the server's jobs had their time."""
    good, found = look()
    for _ in range(_TRIES):
        if good:
            break
        time.sleep(_PAUSE)
        good, found = look()
    return found


def _promised(api: Api) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (row["location"], row["sku"]): row["reserved"]
            for store in STORES
            for row in api.pages("/stock", location=store.code, limit=_PAGE)
            if row["reserved"]
        }
    )


def _owed(api: Api) -> Counter[tuple[str, str]]:
    owed: Counter[tuple[str, str]] = Counter()
    for row in _pickups(api):
        over, travels = row["state"] in _ENDED, row["state"] == "awaiting_transfer"
        for line in row["lines"]:
            there = line["picked"] if row["reshelve"] == "open" else 0
            left = there if over else line["ordered"] - line["short"]
            pieces = 0 if travels else max(0, left - line["collected"])
            if pieces:
                owed[row["location"], line["sku"]] += pieces
    for store in STORES:
        for task in api.pages("/recounts", location=store.code, state="open", limit=_PAGE):
            owed[store.code, task["sku"]] += task["blocked"]
        for transfer in api.pages("/transfers", location=store.code, state="requested", limit=_PAGE):
            for line in transfer["lines"] if transfer["from"] == store.code else ():
                owed[store.code, line["sku"]] += line["promised"] or line["quantity"]
    return owed


def _pickups(api: Api) -> list[dict[str, Any]]:
    return [row for store in STORES for row in api.pages("/pickups", location=store.code, limit=_PAGE)]


def work_left(api: Api, board: Board) -> bool:
    """Goods are back on their shelves and counts that were owed are done."""
    back = sum(row["reshelve"] == "open" for row in _pickups(api))
    counts = sum(len(api.pages("/recounts", location=store.code, state="open", limit=_PAGE)) for store in STORES)
    board.tell("CHECK", "", f"売場戻し待ち / to reshelve {back}, 棚卸し待ち / to count {counts}")
    return not back and not counts


def figures(api: Api, since: date, until: date, say: Say) -> None:
    """The stores' own figures, as the report gives them."""
    shown = api.get("/reports/pickups", since=since.isoformat(), until=until.isoformat())
    ours = {store.code for store in STORES}
    head = ("orders", "kept %", "ready min", "p90", "wait s", "p90", "no-show %", "short %", "cancel %", "incidents")
    say(f"{'店舗 / store':<18}" + "".join(f"{name:>10}" for name in head))
    rows = [(f"{row['location']} {row['date']}", row) for row in shown["items"] if row["location"] in ours]
    for title, row in [*rows, ("全店 / all places", shown["totals"])]:
        cells = (
            row["orders"], row["promise_kept_percent"], row["ready_minutes"]["median"], row["ready_minutes"]["p90"],
            row["wait_seconds"]["median"], row["wait_seconds"]["p90"], row["no_show_percent"], row["short_percent"],
            row["cancelled_percent"], row["incidents"],
        )  # fmt: skip
        say(f"  {title:<18}" + "".join(f"{'–' if cell is None else cell:>10}" for cell in cells))
