"""The prepared data as request bodies: dates put in place, keys and references made from the data alone."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
JST = timezone(timedelta(hours=9), "JST")
SOURCE = "demo-till"
CHANNEL = "ec"


def _lines(name: str) -> list[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@cache
def locations() -> list[dict[str, Any]]:
    """Bodies of PUT /locations, each with its ``code``."""
    found: list[dict[str, Any]] = json.loads((DATA / "locations.json").read_text(encoding="utf-8"))
    return found


@cache
def skus() -> list[dict[str, str]]:
    """The rows of the SKU import."""
    with (DATA / "skus.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def opening() -> list[dict[str, str]]:
    """The rows of the stock import."""
    with (DATA / "opening.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def baskets() -> list[dict[str, Any]]:
    """Receipts with a day before the load instead of a date."""
    return _lines("baskets.jsonl")


@cache
def orders() -> list[dict[str, Any]]:
    """EC orders with a day before the load instead of a date, and their fates."""
    return _lines("orders.jsonl")


def content(name: str) -> bytes:
    """A CSV file as it is sent."""
    return (DATA / name).read_bytes()


def day(anchor: date, offset: int) -> str:
    """The date of a day before the load."""
    return (anchor + timedelta(days=offset)).isoformat()


def instant(anchor: date, offset: int, time: str) -> str:
    """A time of such a day, with its offset."""
    return f"{day(anchor, offset)}T{time}+09:00"


def today() -> date:
    """The date in Japan."""
    return datetime.now(JST).date()


def loaded_on(order_id: str) -> date:
    """The date on which an order was entered: ids are UUIDv7 and begin with their time."""
    milliseconds = int(order_id.replace("-", "")[:12], 16)
    return datetime.fromtimestamp(milliseconds / 1000, JST).date()


def location_body(place: dict[str, Any], anchor: date) -> dict[str, Any]:
    """A PUT body; yearly closures become the next such dates."""
    body = {name: value for name, value in place.items() if name != "code"}
    dates = []
    for month_day in place["closures"]:
        this_year = date.fromisoformat(f"{anchor.year}-{month_day}")
        dates.append(this_year if this_year >= anchor else this_year.replace(year=anchor.year + 1))
    return body | {"closures": [each.isoformat() for each in sorted(dates)]}


def sale_body(basket: dict[str, Any], anchor: date) -> dict[str, Any]:
    """A sale in the canonical form."""
    kept = ("store", "terminal", "receipt_no", "kind", "lines", "tenders", "revision")
    body = {name: basket[name] for name in kept if name in basket}
    body |= {
        "source": SOURCE,
        "business_date": day(anchor, basket["day"]),
        "sold_at": instant(anchor, basket["day"], basket["time"]),
    }
    if "original" in basket:
        original = basket["original"]
        named = {name: original[name] for name in ("store", "terminal", "receipt_no")}
        body["original"] = named | {"business_date": day(anchor, original["day"])}
    return body


def order_body(order: dict[str, Any], anchor: date) -> dict[str, Any]:
    """An order as the web shop sends it."""
    kept = ("customer", "fulfilment", "lines", "shipping_fee", "payments", "expected_total")
    return {name: order[name] for name in kept} | {
        "channel": CHANNEL,
        "external_ref": order["ref"],
        "placed_at": instant(anchor, order["day"], order["time"]),
        "prices": "tax_included",
    }


def key(*parts: str | int) -> str:
    """An Idempotency-Key that is the same in every load."""
    return "-".join(["demo", *map(str, parts)])
