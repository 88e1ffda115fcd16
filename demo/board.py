"""The live day's clock and its printed lines, shared by all who trade."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

OPENS, CLOSES = 9 * 3600, 22 * 3600
_WIDE_SPACE = "\u3000"
_JAPANESE = {
    "SALE": "売上", "ORDER": "注文", "CLAIM": "引当", "RELEASE": "解放", "REFUSED": "欠品", "CANCEL": "取消",
    "READY": "準備", "HANDOVER": "お渡し", "TWICE": "重複", "SHIP": "出荷", "RACE": "競合", "INCIDENT": "超過",
    "CHECK": "検査", "PARKED": "保留", "SHORT": "不足", "CHOICE": "選択", "REMEDY": "対応",
}  # fmt: skip
# As wide as the widest word, so that the columns stand under each other.
_WIDTH = max(map(len, _JAPANESE.values()))


class Board:
    """Time of the played day, lines as they happen, counts for the end."""

    def __init__(self, *, speed: float, write: Callable[[str], object] = sys.stdout.write) -> None:
        self.counts: Counter[str] = Counter()
        self.tallies: dict[str, Counter[str]] = {}
        self.failures: list[str] = []
        self._speed, self._write = speed, write
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def now(self) -> float:
        """The second of the played day."""
        return OPENS + (time.monotonic() - self._began) * self._speed

    def wait_until(self, second: float) -> None:
        """Sleeps until the played day has come so far."""
        pause = (second - self.now()) / self._speed
        if pause > 0:
            time.sleep(pause)

    def after(self, seconds: float) -> float:
        """The second of the played day that comes after so many real ones."""
        return self.now() + seconds * self._speed

    def count(self, of: str, what: str) -> None:
        """One more, for the tables at the end; no line."""
        with self._lock:
            self.tallies.setdefault(of, Counter())[what] += 1

    def tell(self, what: str, where: str, text: str) -> None:
        """One line, and one more of its kind."""
        second = int(min(self.now(), CLOSES))
        word = _JAPANESE[what].ljust(_WIDTH, _WIDE_SPACE)
        line = f"{second // 3600:02d}:{second // 60 % 60:02d}  {word} {what:<8}  {where:<5} {text}\n"
        with self._lock:
            self.counts[what] += 1
            self._write(line)

    def fail(self, who: str, error: Exception) -> None:
        """Something that should not happen; the day goes on and ends with a failure."""
        with self._lock:
            self.failures.append(f"{who}: {error}")
            self._write(f"  !!   {who}: {error}\n")
