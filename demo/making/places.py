"""The demo's stores and warehouse, at real places of the postal code list."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Month and day; the loader turns them into the next such dates.
_CLOSED = ("12-31", "01-01")


@dataclass(frozen=True, slots=True)
class Store:
    """What a store of the demo is made from."""

    code: str
    name: str
    name_en: str
    postal_code: str
    street: str
    latitude: float
    longitude: float
    opens: str
    closes: str
    source_store: str | None


STORES = (
    Store("TYO1", "丸の内本店", "Marunouchi", "1000005", "1-9", 35.681, 139.766, "09:00", "22:00", "367"),
    Store("KYO1", "京都三条店", "Kyoto Sanjo", "6048032", "10-1", 35.008, 135.769, "09:00", "21:00", "406"),
    Store("SPK1", "札幌北一条店", "Sapporo", "0600001", "4-1", 43.063, 141.351, "09:00", "22:00", "356"),
    Store("OSK1", "大崎古川店", "Osaki Furukawa", "9896162", "1-2", 38.571, 140.967, "09:00", "21:00", "292"),
    Store("TYO2", "有楽町店", "Yurakucho", "1000006", "2-7", 35.675, 139.763, "10:00", "21:00", None),
    Store("CTS1", "千歳店", "Chitose", "0660062", "3-1", 42.828, 141.652, "10:00", "20:00", None),
)
WAREHOUSE = "WH1"
ZAKKA_STORES = ("TYO2", "CTS1")
PICKUP_STORES = ("TYO2", "TYO1", "CTS1", "KYO1")
# Where customers choose a time to come.
_SLOTS = {code: {"slot_minutes": 30, "slot_capacity": 10} for code in ("TYO1", "TYO2")}


def postal(path: Path) -> dict[str, dict[str, Any]]:
    """The postal code rows by code."""
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return {row["postal_code"]: row for row in rows}


def _hyphened(code: str) -> str:
    return f"{code[:3]}-{code[3:]}"


def _store(store: Store, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": store.code,
        "name": store.name,
        "name_en": store.name_en,
        "kind": "store",
        "timezone": "Asia/Tokyo",
        "postal_code": _hyphened(store.postal_code),
        "address": f"{row['prefecture']}{row['city']}{row['neighborhood']}{store.street}",
        "latitude": store.latitude,
        "longitude": store.longitude,
        "hours": {day: [[store.opens, store.closes]] for day in _WEEK},
        "closures": list(_CLOSED),
        "pickup": {"enabled": True, "lead_minutes": 60, "hold_days": 7, "orders_per_hour": 30}
        | _SLOTS.get(store.code, {}),
        "safety_stock": 0,
    }


def locations(rows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The bodies of the demo's PUT /locations calls, with their codes."""
    made = [_store(store, rows[store.postal_code]) for store in STORES]
    yatomi = rows["4980000"]
    made.append(
        {
            "code": WAREHOUSE,
            "name": "弥富EC倉庫",
            "name_en": "Yatomi EC Warehouse",
            "kind": "warehouse",
            "timezone": "Asia/Tokyo",
            "postal_code": _hyphened("4980000"),
            "address": f"{yatomi['prefecture']}{yatomi['city']}",
            "latitude": 35.115,
            "longitude": 136.725,
            "hours": {day: [] if day == "sun" else [["08:00", "20:00"]] for day in _WEEK},
            "closures": list(_CLOSED),
            "pickup": {"enabled": False, "lead_minutes": 60, "hold_days": 7},
            "safety_stock": 0,
        }
    )
    return made


def homes(rows: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Neighbourhoods where the demo's invented customers live."""
    return [
        {
            "postal_code": _hyphened(row["postal_code"]),
            "prefecture": row["prefecture"],
            "city": row["city"],
            "line1": f"{row['neighborhood']}1-1",
        }
        for row in rows
        if row["neighborhood"] and row["city"] in {"京都市中京区", "千歳市", "大崎市"}
    ]
