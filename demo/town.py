"""The live day's twenty stores, open round the clock so that the day can be played at any hour, and their goods.

Goods come in three groups: what everybody buys, what single customers have set their heart on, and what is so scarce
that every odd store has exactly as many pieces as are ordered there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from demo import files
from demo.client import Api, DemoError, segment

WAREHOUSE = "WH1"
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = (
    ("渋谷店", "Shibuya", 35.659, 139.700), ("新宿店", "Shinjuku", 35.690, 139.700),
    ("池袋店", "Ikebukuro", 35.730, 139.711), ("上野店", "Ueno", 35.714, 139.777),
    ("横浜店", "Yokohama", 35.466, 139.622), ("川崎店", "Kawasaki", 35.531, 139.697),
    ("大宮店", "Omiya", 35.906, 139.624), ("千葉店", "Chiba", 35.613, 140.113),
    ("仙台店", "Sendai", 38.260, 140.882), ("新潟店", "Niigata", 37.912, 139.061),
    ("金沢店", "Kanazawa", 36.578, 136.648), ("静岡店", "Shizuoka", 34.972, 138.389),
    ("名古屋店", "Nagoya", 35.171, 136.882), ("梅田店", "Umeda", 34.702, 135.496),
    ("なんば店", "Namba", 34.663, 135.502), ("神戸店", "Kobe", 34.695, 135.195),
    ("岡山店", "Okayama", 34.666, 133.918), ("広島店", "Hiroshima", 34.398, 132.475),
    ("博多店", "Hakata", 33.590, 130.421), ("熊本店", "Kumamoto", 32.790, 130.689),
)  # fmt: skip
_APPAREL = sorted(row["sku"] for row in files.skus() if row["sku"].startswith("A-"))
SCARCE = tuple(sku for sku in _APPAREL if sku.startswith("A-APRON"))
WISHED = tuple(sku for sku in _APPAREL if sku.startswith("A-KNIT"))
COMMON = tuple(sku for sku in _APPAREL if sku not in {*SCARCE, *WISHED})
_LINES = {row["sku"]: row for row in files.skus()}
_GROUPS = {"c": COMMON, "w": WISHED, "s": SCARCE}
_SAME, _MOST_LINES = 4, 3
_ENOUGH = {"store": 120, "warehouse": 1_500}
_SCARCE_PIECES = 60


@dataclass(slots=True)
class Store:
    """One of the twenty, with what its staff remembers."""

    code: str
    number: int
    slots: bool
    closed: set[str] = field(default_factory=set)
    door: threading.Lock = field(default_factory=threading.Lock)
    turns: dict[str, Iterator[int]] = field(default_factory=lambda: {turn: count() for turn in (*_GROUPS, "day")})

    @property
    def is_scarce(self) -> bool:
        """Whether scarce goods come in here piece by piece."""
        return self.number % 2 == 1

    def next_goods(self, letters: str) -> list[tuple[str, int]]:
        """What the next customer wants, a line per letter. Neighbours in the queue want the same common goods."""
        bought = next(self.turns["c"]) // _SAME * _MOST_LINES
        found = []
        for at, letter in enumerate(letters):
            group = _GROUPS[letter.lower()]
            turn = bought + at if group is COMMON else next(self.turns[letter.lower()])
            found.append((group[turn % len(group)], 1 + letter.isupper()))
        return found


STORES = tuple(Store(f"D{number:02d}", number, slots=number % 4 == 0) for number in range(1, len(_NAMES) + 1))


def price(sku: str) -> int:
    """The list price."""
    return int(_LINES[sku]["list_price"])


def barcode(sku: str) -> str:
    """The JAN on the label."""
    return _LINES[sku]["barcodes"]


def open_stores(api: Api, run: str) -> None:
    """Stores with settings, shelves and goods; a second day finds them and fills up what was sold."""
    for store in STORES:
        api.put(f"/locations/{store.code}", settings(store))
        shelves = [{"sku": sku, "shelf": f"{'ABCD'[at % 4]}-{at // 4 + 1:02d}"} for at, sku in enumerate(_APPAREL)]
        api.put("/stock/shelves", {"location": store.code, "lines": shelves})
        usual = dict.fromkeys((*COMMON, *WISHED), _ENOUGH["store"])
        _fill(api, store.code, usual | dict.fromkeys(SCARCE, 0 if store.is_scarce else _SCARCE_PIECES), run)
    _fill(api, WAREHOUSE, dict.fromkeys(_APPAREL, _ENOUGH["warehouse"]), run)


def settings(store: Store) -> dict[str, Any]:
    """A store as it is now. Its promise is short: an hour of the played day is a few seconds."""
    name, name_en, latitude, longitude = _NAMES[store.number - 1]
    pickup: dict[str, Any] = {"enabled": True, "lead_minutes": 1, "hold_days": 7, "transfer_days": 0}
    if store.slots:
        pickup |= {"slot_minutes": 60, "slot_capacity": 3}
    return {
        "name": name, "name_en": name_en, "kind": "store", "timezone": "Asia/Tokyo", "latitude": latitude,
        "longitude": longitude, "hours": {day: [["00:00", "24:00"]] for day in _WEEK}, "pickup": pickup,
        "closures": sorted(store.closed),
    }  # fmt: skip


def _fill(api: Api, location: str, wanted: dict[str, int], run: str) -> None:
    known = {row["sku"]: row["available"] for row in api.pages("/stock", location=location, limit=200)}
    lines = [
        {"sku": sku, "quantity": pieces - known.get(sku, 0)}
        for sku, pieces in wanted.items()
        if (pieces > known.get(sku, 0) if pieces else known.get(sku, 0))
    ]
    if lines:
        body = {"location": location, "reason": "correction", "note": "demo-day", "lines": lines}
        api.post("/stock/adjustments", body, key=f"day-{run}-fill-{location}")


def bring_in(api: Api, location: str, sku: str, pieces: int, key: str) -> None:
    """Scarce goods: just so many pieces are for sale at the store from now on."""
    shown = api.get("/stock", location=location, sku=sku)["items"]
    more = pieces - (shown[0]["available"] if shown else 0)
    if more:
        lines = [{"sku": sku, "quantity": more}]
        api.post("/stock/adjustments", {"location": location, "reason": "correction", "lines": lines}, key=key)


def require_loaded(api: Api) -> None:
    """The day trades with the demo chain's goods."""
    sku = f"/skus/{segment(COMMON[0])}"
    if api.ask("GET", sku).status != 200:
        message = "the demo chain is not loaded: `make run` loads it"
        raise DemoError(message)
