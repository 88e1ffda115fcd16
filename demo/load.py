"""Loads the demo chain through the public API, once: a second load finds everything there and changes nothing.

The days of the data are counted back from the first load. Its date is read from the id of the first order, so that
a load that was broken off and goes on the next day still speaks of the same days.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from demo import fates, files, stockroom
from demo.client import Api, DemoError, segment

Progress = Callable[[str], None]
SCOPES = (
    "catalog:write", "stock:write", "orders:write", "reservations:write", "pickups:write", "pos:write",
    "customers:write",
)  # fmt: skip
_BATCH = 100
_SAMPLE_SKU = "A-TEE-NVY-M"


@dataclass(slots=True)
class Summary:
    """What the load did, and where to look at it."""

    anchor: str
    already_loaded: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    ready_pickup_page: str = ""
    order_id: str = ""
    sku: str = _SAMPLE_SKU
    seconds: float = 0.0

    def lines(self, base_url: str, api_key: str) -> list[str]:
        """The addresses for the one who watches, and lines to copy."""
        parts = urlsplit(base_url)
        here = parts.hostname in {"127.0.0.1", "localhost"} and not parts.path.strip("/")
        server = f"PORT={parts.port or 80}" if here else f"DEMO_BASE_URL={base_url}"
        sku = f"{base_url}/api/v1/skus/{self.sku}"
        return [
            f"お客さまの受取ページ / a customer's pickup page: {self.ready_pickup_page}",
            f"注文 / an order: {base_url}/api/v1/orders/{self.order_id}",
            f"商品 / a SKU: {sku}",
            f"API: {base_url}/api/docs",
            f"API key (demo): {api_key}",
            f'curl -H "Authorization: Bearer {api_key}" {sku}',
            f"make demo-day {server} DEMO_API_KEY={api_key}",
        ]


def load(base_url: str, api_key: str, *, progress: Progress) -> Summary:
    """Everything, in the order in which a real chain would begin."""
    began = time.monotonic()
    api = Api(base_url, api_key)
    try:
        first, last = files.orders()[0], files.orders()[-1]
        known = fates.find(api, first["ref"])
        summary = Summary(anchor=(files.loaded_on(known["id"]) if known else files.today()).isoformat())
        if known and fates.find(api, last["ref"]):
            summary.already_loaded = True
            progress("デモは読み込み済み / the demo is loaded already")
        else:
            _load(api, summary, progress, known=known)
        _samples(api, summary)
    finally:
        api.close()
    summary.seconds = round(time.monotonic() - began, 1)
    return summary


def _load(api: Api, summary: Summary, progress: Progress, *, known: dict[str, Any] | None) -> None:
    orders, counts = files.orders(), summary.counts
    _masters(api, summary, progress)
    if known is None:
        # Midnight may lie between the first request and the first order: its own id decides.
        known = fates.place(api, files.order_body(orders[0], date.fromisoformat(summary.anchor)))
        summary.anchor = files.loaded_on(known["id"]).isoformat()
    anchor = date.fromisoformat(summary.anchor)
    counts[fates.settle(api, orders[0], known)] += 1
    for order in orders[1:-1]:
        counts[fates.settle(api, order, fates.place(api, files.order_body(order, anchor)))] += 1
    counts["orders"] = len(orders)
    progress(f"EC注文 / EC orders        {len(orders):>6}")
    for number, batch in enumerate(batches(files.baskets(), _BATCH)):
        counts.update(_sell(api, [files.sale_body(basket, anchor) for basket in batch], number))
    progress(f"レジ売上 / till receipts   {len(files.baskets()):>6}  (保留 / parked {counts['parked']})")
    for step in (stockroom.claims, stockroom.transfers, stockroom.adjustments):
        counts.update(step(api))
    progress(f"引当・移動 / claims, transfers {counts['reservations'] + counts['transfers']:>2}")
    # The last order is placed last: it tells the next load that this one came to its end.
    counts[fates.settle(api, orders[-1], fates.place(api, files.order_body(orders[-1], anchor)))] += 1
    counts["incidents"] = len(api.get("/incidents", state="open", limit=200)["items"])
    progress(f"在庫不足（要対応） / oversell incidents {counts['incidents']:>2}")


def _masters(api: Api, summary: Summary, progress: Progress) -> None:
    anchor = date.fromisoformat(summary.anchor)
    for place in files.locations():
        api.put(f"/locations/{segment(place['code'])}", files.location_body(place, anchor))
    summary.counts["locations"] = len(files.locations())
    progress(f"店舗・倉庫 / locations     {len(files.locations()):>6}")
    api.upload("skus", files.content("skus.csv"), key=files.key("skus"))
    summary.counts["skus"] = len(files.skus())
    progress(f"商品 / SKUs               {len(files.skus()):>6}")
    last = files.opening()[-1]
    if not api.get("/stock/movements", sku=last["sku"], location=last["location"])["items"]:
        api.upload("stock", files.content("opening.csv"), key=files.key("opening"))
    summary.counts["opening"] = len(files.opening())
    progress(f"期首在庫 / opening stock   {len(files.opening()):>6}")


def batches(items: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """The items in order, ``size`` at a time."""
    for at in range(0, len(items), size):
        yield items[at : at + size]


def _sell(api: Api, sales: list[dict[str, Any]], number: int) -> Counter[str]:
    answer = api.post("/pos/batches", {"sales": sales}, key=files.key("sales", number))
    counts: Counter[str] = Counter()
    for sale, result in zip(sales, answer.body["results"], strict=True):
        if result.get("duplicate"):
            counts["duplicate"] += 1
        elif result.get("state") in {"posted", "parked"}:
            counts[result["state"]] += 1
        else:
            raise DemoError(f"receipt {sale['store']}/{sale['terminal']}/{sale['receipt_no']}: {result}")
    return counts


def _samples(api: Api, summary: Summary) -> None:
    """A pickup that waits for its customer, to be looked at and handed over."""
    ready = [order for order in files.orders() if order.get("pickup") == "ready"]
    for order in ready:
        found = fates.find(api, order["ref"])
        if found and found["pickup"]["state"] == "ready":
            summary.ready_pickup_page, summary.order_id = found["pickup"]["page_url"], found["id"]
            return


def main(base_url: str, api_key: str, *, shown: str | None = None) -> Summary:
    """Loads and tells how it goes on standard output; `shown` is the server's lasting address."""
    summary = load(base_url, api_key, progress=_say)
    for line in summary.lines((shown or base_url).rstrip("/"), api_key):
        _say(line)
    return summary


def _say(line: str) -> None:
    sys.stdout.write(f"  {line}\n")
    sys.stdout.flush()


def _command() -> None:
    parser = argparse.ArgumentParser(description="Loads the demo chain into a running server.")
    parser.add_argument("--base-url", default="http://127.0.0.1:8000")
    parser.add_argument("--api-key", default=os.environ.get("DEMO_API_KEY", ""), help="or DEMO_API_KEY")
    args = parser.parse_args()
    main(args.base_url, args.api_key)


if __name__ == "__main__":
    _command()
