"""Replays a day live: two thousand pickups at twenty stores, tills, parcels, carts and rivals; then checks the books.

    python -m demo.day --api-key KEY [--base-url URL] [--pickups 2000] [--speed 300 | --minutes 3] [--reconcile]

DEMO_API_KEY, DEMO_BASE_URL, DAY_PICKUPS, DEMO_SPEED and DEMO_MINUTES stand in for the arguments.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import cycle

from demo import closing, files, plans, town, traders
from demo.board import CLOSES, OPENS, Board
from demo.client import Api, DemoError
from demo.counter import Desk
from demo.visit import Day, Visit

_DAY_MINUTES = (CLOSES - OPENS) / 60
_PAGE = 200
_CLERKS = 8
_LOOK_BACK = timedelta(hours=3)
_RECONCILE = (sys.executable, "-m", "flask", "--app", "wsgi", "reconcile", "--json")

Check = Callable[[], tuple[bool, str]]


def play(base_url: str, api_key: str, *, pickups: int, speed: float, check: Check | None = None) -> bool:
    """One day; True when every answer was expected, the books are right and no incident is without a cause."""
    began, now = time.monotonic(), datetime.now(files.JST)
    run = now.strftime("%y%m%d%H%M%S")
    api = Api(base_url, api_key)
    town.require_loaded(api)
    town.open_stores(api, run)
    day = Day(connect=lambda: Api(base_url, api_key), board=Board(speed=speed), run=run)
    desk = Desk(day)
    desk.fill(visits(day, desk, pickups))
    _trade(day, desk)
    sound = all(
        [
            _check_stock(api, day.board),
            closing.incidents(api, day.board),
            closing.claims(api, day.board),
            closing.work_left(api, day.board),
        ]
    )
    if check is not None:
        good, text = check()
        day.board.tell("CHECK", "", text)
        sound = sound and good
    closing.fates(api, desk.visits, _say)
    closing.tallies(day.board, _say)
    closing.figures(api, (now - _LOOK_BACK).date(), files.today(), _say)
    api.close()
    _say(_totals(day.board, time.monotonic() - began))
    return sound and not day.board.failures


def visits(day: Day, desk: Desk, pickups: int) -> Iterator[Visit]:
    """The day's stories, each at a store that it can happen at."""
    stores = {
        "slot": cycle([store for store in town.STORES if store.slots]),
        "scarce": cycle([store for store in town.STORES if store.is_scarce]),
        "": cycle(town.STORES),
    }
    for number, plan in enumerate(plans.draw(pickups), 1):
        store = next(stores["slot" if plan.way in {"slot", "day"} else "scarce" if plan.is_scarce else ""])
        goods = store.next_goods(plan.goods)
        yield Visit(day, f"{number:04d}", store, plan.way, deque(plan.steps.split()), goods, desk.add)


def _trade(day: Day, desk: Desk) -> None:
    stores = [place["code"] for place in files.locations() if place["kind"] == "store"]
    trading = [_thread(day, f"clerk {number}", desk.work) for number in range(_CLERKS)]
    trading += [_thread(day, f"till {store}", lambda store=store: traders.till(day, store)) for store in stores]  # type: ignore[misc]
    trading += [
        _thread(day, "web shop", lambda: traders.web_shop(day)),
        _thread(day, "carts", lambda: traders.carts(day)),
        _thread(day, "rivals", lambda: traders.rivals(day)),
    ]
    for thread in trading:
        thread.join()


def _thread(day: Day, name: str, work: Callable[[], None]) -> threading.Thread:
    def guarded() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  one trader's fault must not end the others' day unseen
            day.board.fail(name, error)

    thread = threading.Thread(target=guarded, name=name)
    thread.start()
    return thread


def _check_stock(api: Api, board: Board) -> bool:
    """Every shelf that promises more than it holds must be known as an incident."""
    known = {(one["location"], one["sku"]) for one in api.pages("/incidents", state="open", limit=_PAGE)}
    rows = api.pages("/stock", limit=_PAGE)
    over = [row for row in rows if row["on_hand"] < 0 or row["reserved"] > row["on_hand"]]
    unknown = [row for row in over if (row["location"], row["sku"]) not in known]
    board.tell(
        "CHECK",
        "",
        f"在庫 {len(rows)} 行, 引当が在庫を超える {len(over)} 行, うち未検知 {len(unknown)} / "
        f"{len(rows)} levels, {len(over)} promised beyond stock, {len(unknown)} of them unnoticed",
    )
    for row in unknown:
        board.tell("CHECK", str(row["location"]), f"{row['sku']} on_hand={row['on_hand']} reserved={row['reserved']}")
    return not unknown


def _totals(board: Board, seconds: float) -> str:
    parts = [f"{what.lower()} {count}" for what, count in board.counts.most_common() if what != "CHECK"]
    return (
        f"合計 / totals in {seconds:.0f} s: {', '.join(parts)}; 想定外の応答 / unexpected answers {len(board.failures)}"
    )


def reconcile() -> tuple[bool, str]:
    """The server's own proof, on the database that DATABASE_URL names for it, too."""
    done = subprocess.run(_RECONCILE, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return False, f"reconcile: {(done.stderr or done.stdout).strip()[-600:]}"
    broken = [one for one in report["invariants"] if not one["holds"]]
    said = f"reconcile: {len(report['invariants'])} invariants, {len(broken)} broken"
    return done.returncode == 0, "\n".join([said, *(json.dumps(one, ensure_ascii=False) for one in broken)])


def main(argv: list[str] | None = None) -> int:
    """The command line; 0 when the day was sound."""
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", default=env.get("DEMO_BASE_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--api-key", default=env.get("DEMO_API_KEY", ""))
    parser.add_argument("--pickups", type=int, default=int(env.get("DAY_PICKUPS") or 2_000))
    parser.add_argument("--speed", type=float, default=float(env.get("DEMO_SPEED") or 300), help="300: an hour in 12 s")
    parser.add_argument("--minutes", type=float, default=float(env.get("DEMO_MINUTES") or 0), help="instead of --speed")
    parser.add_argument("--reconcile", action="store_true", help="prove the books with the server's own command")
    args = parser.parse_args(argv)
    speed = _DAY_MINUTES / args.minutes if args.minutes > 0 else args.speed
    try:
        check = reconcile if args.reconcile else None
        sound = play(args.base_url, args.api_key, pickups=args.pickups, speed=speed, check=check)
    except DemoError as error:
        sys.stderr.write(f"demo-day: {error}\n")
        return 1
    return 0 if sound else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
