"""Replays a day of trade live: tills, web orders, carts, pickups and rivals at once, and then checks the books.

    python -m demo.day --api-key KEY [--base-url URL] [--speed 600 | --minutes 2] [--reconcile]

DEMO_API_KEY, DEMO_BASE_URL, DEMO_SPEED and DEMO_MINUTES stand in for the arguments.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime

from demo import files, traders
from demo.board import CLOSES, OPENS, Board
from demo.client import Api, DemoError

_DAY_MINUTES = (CLOSES - OPENS) / 60
_PAGE = 200
_RECONCILE = (sys.executable, "-m", "flask", "--app", "wsgi", "reconcile", "--json")

Check = Callable[[], tuple[bool, str]]


def play(base_url: str, api_key: str, *, speed: float = 600.0, check: Check | None = None) -> bool:
    """One day; True when nothing failed and nothing was sold twice."""
    board = Board(speed=speed)
    run = datetime.now(files.JST).strftime("%y%m%d%H%M%S")
    day = traders.Day(connect=lambda: Api(base_url, api_key), board=board, run=run)
    api = day.connect()
    before = {incident["id"] for incident in api.pages("/incidents", state="open", limit=_PAGE)}
    stores = [place["code"] for place in files.locations() if place["kind"] == "store"]
    trading = [_thread(day, f"till {store}", lambda store=store: traders.till(day, store)) for store in stores]  # type: ignore[misc]
    trading += [
        _thread(day, "web shop", lambda: traders.web_shop(day)),
        _thread(day, "carts", lambda: traders.carts(day)),
        _thread(day, "rivals", lambda: traders.rivals(day)),
    ]
    clerks = _thread(day, "clerks", lambda: traders.clerks(day))
    for thread in trading:
        thread.join()
    day.closed.set()
    clerks.join()
    sound = _check_stock(api, board, before)
    api.close()
    if check is not None:
        good, text = check()
        board.tell("CHECK", "", text)
        sound = sound and good
    _say(_totals(board))
    return sound and not board.failures


def _thread(day: traders.Day, name: str, work: Callable[[], None]) -> threading.Thread:
    def guarded() -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  one trader's fault must not end the others' day unseen
            day.board.fail(name, error)

    thread = threading.Thread(target=guarded, name=name)
    thread.start()
    return thread


def _check_stock(api: Api, board: Board, before: set[str]) -> bool:
    """Every shelf that promises more than it holds must be known as an incident."""
    incidents = api.pages("/incidents", state="open", limit=_PAGE)
    for incident in incidents:
        if incident["id"] not in before:
            board.tell("INCIDENT", str(incident["location"]), str(incident.get("sku", "")))
    known = {(incident["location"], incident.get("sku")) for incident in incidents}
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


def _totals(board: Board) -> str:
    parts = [f"{what.lower()} {count}" for what, count in board.counts.most_common() if what != "CHECK"]
    end = f"{len(board.failures)} failures" if board.failures else "no failure"
    return f"合計 / totals: {', '.join(parts)}; {end}"


def reconcile() -> tuple[bool, str]:
    """The server's own proof that levels equal movements and reserved equals open claims."""
    done = subprocess.run(_RECONCILE, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    return done.returncode == 0, f"reconcile: {(done.stdout or done.stderr).strip()}"


def main(argv: list[str] | None = None) -> int:
    """The command line; 0 when the day was sound."""
    env = os.environ
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", default=env.get("DEMO_BASE_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--api-key", default=env.get("DEMO_API_KEY", ""))
    parser.add_argument("--speed", type=float, default=float(env.get("DEMO_SPEED") or 600), help="600: an hour in 6 s")
    parser.add_argument("--minutes", type=float, default=float(env.get("DEMO_MINUTES") or 0), help="instead of --speed")
    parser.add_argument("--reconcile", action="store_true", help="prove the books with the server's own command")
    args = parser.parse_args(argv)
    speed = _DAY_MINUTES / args.minutes if args.minutes > 0 else args.speed
    try:
        sound = play(args.base_url, args.api_key, speed=speed, check=reconcile if args.reconcile else None)
    except DemoError as error:
        sys.stderr.write(f"demo-day: {error}\n")
        return 1
    return 0 if sound else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
