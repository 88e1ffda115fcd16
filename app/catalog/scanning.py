"""What a till's codes mean: SKUs and barcodes looked up together, in the caller's own trip."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.sql import Call, Rowset, Sql, json_param

from .barcodes import BarcodeInvalid, normalise

_CODES = Rowset("wanted", "codes", {"code": "text", "gtin": "text"})
_SCAN = Sql(
    "SELECT s.code, s.name, s.tax_category, wanted.gtin FROM {wanted} "
    "LEFT JOIN sku_barcode b ON b.gtin = wanted.gtin JOIN sku s ON s.code = coalesce(b.sku, wanted.code)",
    _CODES,
)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a till needs to know of a SKU."""

    sku: str
    name: str
    tax_category: str


@dataclass(frozen=True, slots=True)
class Scans:
    """What the codes turned out to be."""

    skus: Mapping[str, Scanned]
    barcodes: Mapping[str, Scanned]

    def sku(self, code: str | None) -> Scanned | None:
        """The SKU of this code."""
        return self.skus.get(code) if code else None

    def barcode(self, code: str | None) -> Scanned | None:
        """The SKU with this barcode, in whichever of its forms it was read."""
        gtin = _gtin(code) if code else None
        return self.barcodes.get(gtin) if gtin else None


def scan_call(skus: Collection[str], barcodes: Collection[str]) -> Call:
    """The statement that looks the codes up. What is no barcode at all is simply not found."""
    gtins = {_gtin(code) for code in barcodes} - {None}
    rows = [{"code": code, "gtin": None} for code in sorted(skus)]
    rows += [{"code": None, "gtin": gtin} for gtin in sorted(str(gtin) for gtin in gtins)]
    return _SCAN, {"codes": json_param(rows)}


def scans_of(rows: Iterable[tuple[Any, ...]]) -> Scans:
    """Its rows."""
    skus: dict[str, Scanned] = {}
    barcodes: dict[str, Scanned] = {}
    for sku, name, category, gtin in rows:
        found = Scanned(sku, name, category)
        if gtin is None:
            skus[sku] = found
        else:
            barcodes[gtin] = found
    return Scans(skus, barcodes)


def _gtin(code: str) -> str | None:
    try:
        return normalise(code)
    except BarcodeInvalid:
        return None
