"""Opening stock: what the replay needs and a little more, with a few honest gaps."""

from __future__ import annotations

from collections import Counter
from typing import Any

from demo.making import codes, goods, places

Place = tuple[str, str]  # location, sku
_SHORT_PER_STORE = 3
# The guides reserve, order and sell this one again and again.
_IN_THE_GUIDES = {("TYO2", "A-TEE-NVY-M"): 40}


def opening(*, sales: list[dict[str, Any]], orders: list[dict[str, Any]], skus: list[goods.Sku]) -> dict[Place, int]:
    """Pieces per location and SKU before the first basket."""
    by_barcode = {sku.barcode: sku.sku for sku in skus}
    sold: Counter[Place] = Counter()
    for sale in sales:
        if sale["kind"] == "sale":
            for line in sale["lines"]:
                code = line.get("sku") or by_barcode.get(line["barcode"], "")
                sold[sale["store"], code] += line["quantity"]
    claimed: Counter[Place] = Counter()
    for order in orders:
        place = order["fulfilment"].get("location", places.WAREHOUSE)
        for line in order["lines"]:
            claimed[place, line["sku"]] += line["quantity"]
    stock: dict[Place, int] = {}
    for location in [store.code for store in places.STORES] + [places.WAREHOUSE]:
        for sku in skus:
            place = (location, sku.sku)
            if place in sold or place in claimed or _stocked(location, sku.sku):
                spare = 3 + codes.pick(f"{location}/{sku.sku}", 8)
                stock[place] = sold[place] + claimed[place] + spare
    shown = {place: pieces for place, pieces in _IN_THE_GUIDES.items() if place in stock}
    return stock | _gaps(sold, claimed) | shown


def _stocked(location: str, sku: str) -> bool:
    share = codes.pick(f"{location}:{sku}", 100)
    if location == places.WAREHOUSE:
        return not sku.startswith("G")
    if location in places.ZAKKA_STORES:
        return sku.startswith("A") or (share < 60 and not sku.startswith("G"))
    return share < (60 if sku.startswith("G") else 12)


def _gaps(sold: Counter[Place], claimed: Counter[Place]) -> dict[Place, int]:
    """Goods that a store sells to the last piece and one further: the till's word is a fact,
    and the incident that follows is what the demo wants to show.
    """
    gaps: dict[Place, int] = {}
    for store in places.STORES:
        often = [place for place, count in sold.items() if place[0] == store.code and count > 1]
        often = sorted(place for place in often if place not in claimed and place[1])
        often.sort(key=lambda place: codes.pick("/".join(place), 1 << 32))
        gaps |= {place: sold[place] - 1 for place in often[:_SHORT_PER_STORE]}
    return gaps
