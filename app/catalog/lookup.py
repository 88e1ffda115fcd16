"""Finding SKUs. They are never deleted, so a SKU once seen is known for good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.db import ask_one
from app.core.sql import Rowset, Sql, json_of, json_param

from .barcodes import BarcodeInvalid, normalise
from .errors import UnknownSku

_ROWS = Rowset("wanted", "skus", {"sku": "text"})
_KNOWN = Sql("SELECT code FROM sku WHERE code IN (SELECT wanted.sku FROM {wanted})", _ROWS)
_FACTS = Sql(
    "SELECT code, name, name_en, tax_category, list_price, options, product, image_url FROM sku "
    "WHERE code IN (SELECT wanted.sku FROM {wanted})",
    _ROWS,
)
_GTINS = Rowset("wanted", "gtins", {"gtin": "text"})
_BY_BARCODE = Sql("SELECT gtin, sku FROM sku_barcode WHERE gtin IN (SELECT wanted.gtin FROM {wanted})", _GTINS)
_seen: set[str] = set()


@dataclass(frozen=True, slots=True)
class SkuFacts:
    """What a document needs to know of a SKU."""

    code: str
    name: str
    name_en: str | None
    tax_category: str
    list_price: int
    options: dict[str, str]
    product: str
    image_url: str | None


def require(skus: Sequence[str]) -> None:
    """Raise UnknownSku, naming every SKU that does not exist."""
    unseen = [sku for sku in skus if sku not in _seen]
    if not unseen:
        return
    rows = ask_one(_KNOWN, {"skus": json_param([{"sku": sku} for sku in unseen])}).rows
    known = {row[0] for row in rows}
    missing = [sku for sku in unseen if sku not in known]
    if missing:
        raise UnknownSku(skus=missing)
    _seen.update(known)


def get(skus: Iterable[str]) -> dict[str, SkuFacts]:
    """The facts of each SKU; unknown ones are absent (`require` refuses them)."""
    wanted = [{"sku": sku} for sku in dict.fromkeys(skus)]
    if not wanted:
        return {}
    rows = ask_one(_FACTS, {"skus": json_param(wanted)}).rows
    return {
        code: SkuFacts(code, name, name_en, tax, price, dict(sorted(json_of(options).items())), product, image)
        for code, name, name_en, tax, price, options, product, image in rows
    }


def by_barcode(codes: Iterable[str]) -> dict[str, str]:
    """The SKU of each barcode as it was given; unknown and unreadable ones are absent."""
    gtins: dict[str, str] = {}
    for code in codes:
        try:
            gtins[code] = normalise(code)
        except BarcodeInvalid:
            continue
    if not gtins:
        return {}
    rows = ask_one(_BY_BARCODE, {"gtins": json_param([{"gtin": gtin} for gtin in sorted(set(gtins.values()))])}).rows
    skus: dict[str, str] = {row[0]: row[1] for row in rows}
    return {code: skus[gtin] for code, gtin in gtins.items() if gtin in skus}


def forget() -> None:
    """Forget what was seen: another database is behind this process now."""
    _seen.clear()
