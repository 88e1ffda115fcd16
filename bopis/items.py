"""What a clerk scans or types: a SKU or a barcode, and how many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app import catalog

from .errors import WrongItem


@dataclass(frozen=True, slots=True)
class Item:
    """Pieces of one thing; either `sku` or `barcode` is given."""

    quantity: int
    sku: str | None = None
    barcode: str | None = None


def by_sku(scanned: Sequence[Item], known: Collection[str]) -> dict[str, int]:
    """Pieces by SKU. Raises WrongItem for what is not among `known`, also for an unknown barcode."""
    skus = catalog.by_barcode([item.barcode for item in scanned if item.barcode is not None])
    pieces: dict[str, int] = defaultdict(int)
    for item in scanned:
        sku = item.sku if item.barcode is None else skus.get(item.barcode)
        if sku is None or sku not in known:
            raise WrongItem(sku=sku, barcode=item.barcode)
        pieces[sku] += item.quantity
    return dict(pieces)
