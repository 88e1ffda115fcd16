"""What is known already about the offers of a request: read under their locks, in one trip.

Receipts are locked by what they may meet in (their natural key, their paper's number, the paper they void or return),
all of a request at once and in one order. So a repeat waits for the first one and finds it, a void and its sale
cannot miss each other, and two batches with the same receipts in another order do not tie a knot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import catalog, stores
from app.core.db import ask
from app.core.sql import Call, Rowset, Sql, json_of, json_param

from .offers import Offer

_LOCK = Sql(
    "SELECT count(pg_advisory_xact_lock(k.key)) FROM {k}", Rowset("k", "keys", {"key": "bigint"}), sqlite="SELECT 1"
)
_COLUMNS = (
    "id, location_id, natural_key, document, original, kind, revision, state, current, problems, totals, fingerprint, "
    "mended, order_id, back_order_id, settles_id, original_id, voided_by_id"
)
_IDS = ("id", "order_id", "back_order_id", "settles_id", "original_id", "voided_by_id")
_NAMES = Rowset("n", "names", {"name": "text"})
_BY = "SELECT {columns} FROM pos_receipt WHERE (current OR state = 'posted') AND {column} IN (SELECT n.name FROM {{n}})"
_FIND = Sql(
    " UNION ALL ".join(
        _BY.format(columns=_COLUMNS, column=column) for column in ("natural_key", "document", "original")
    ),
    _NAMES,
)
_ALIASES = Sql(
    "SELECT a.source, a.code, a.sku, s.name, s.tax_category FROM pos_alias a JOIN {c} ON c.source = a.source "
    "AND c.code = a.code JOIN sku s ON s.code = a.sku",
    Rowset("c", "codes", {"source": "text", "code": "text"}),
)


@dataclass(slots=True)
class Receipt:
    """A current receipt as it stands."""

    id: str
    location_id: str
    natural_key: str
    document: str | None
    original: str | None
    kind: str | None
    revision: int
    state: str
    current: bool
    problems: list[dict[str, str]]
    totals: Mapping[str, Any] | None
    fingerprint: str
    mended: str | None
    order_id: str | None
    back_order_id: str | None
    settles_id: str | None
    original_id: str | None
    voided_by_id: str | None

    @property
    def orders(self) -> list[str]:
        """The orders made of it."""
        return [one for one in (self.order_id, self.back_order_id) if one]


@dataclass(frozen=True, slots=True)
class Known:
    """The receipts that the offers meet, the places, and what the codes mean."""

    receipts: Sequence[Receipt]
    places: Mapping[str, stores.Place]
    scans: catalog.Scans
    aliases: Mapping[tuple[str, str], catalog.Scanned]

    def receipt(self, natural_key: str) -> Receipt | None:
        """The receipt of this key that counts."""
        return next((one for one in self.receipts if one.natural_key == natural_key and one.current), None)

    def posted(self, natural_key: str) -> list[Receipt]:
        """What is posted under this key: a later revision may be parked and waits to take its place."""
        return [one for one in self.receipts if one.natural_key == natural_key and one.state == "posted"]

    def papers(self, document: str | None) -> list[Receipt]:
        """The receipts with this number on the paper."""
        return [one for one in self.receipts if document and one.document == document and one.kind != "void"]

    def about(self, document: str | None) -> list[Receipt]:
        """Posted voids and returns that came before the paper they name."""
        return [one for one in self.receipts if document and one.original == document and one.state == "posted"]

    def goods(self, source: str, line: Mapping[str, Any]) -> catalog.Scanned | None:
        """What a line sold: by SKU, else by barcode, else by what its code was found to be before."""
        sku, barcode = line.get("sku"), line.get("barcode")
        return (
            self.scans.sku(sku)
            or self.scans.barcode(barcode)
            or self.aliases.get((source, sku or ""))
            or self.aliases.get((source, barcode or ""))
        )


def lock(names: Iterable[str]) -> None:
    """Take these names for the rest of the transaction, in one order for all."""
    ask(_lock_call(names))


def _lock_call(names: Iterable[str]) -> Call:
    keys = sorted({int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True) for name in names})
    return _LOCK, {"keys": json_param([{"key": key} for key in keys])}


def look_up(offers: Sequence[Offer], locking: Iterable[str] = ()) -> Known:
    """Read everything that deciding about these offers needs, after taking the names to be locked."""
    names = sorted(set().union(*(offer.names for offer in offers)))
    lines = [(offer.key.source, line) for offer in offers if offer.sale for line in offer.sale["lines"]]
    skus = {line["sku"] for _, line in lines if line.get("sku")}
    barcodes = {line["barcode"] for _, line in lines if line.get("barcode")}
    codes = sorted({(source, line[form]) for source, line in lines for form in ("sku", "barcode") if line.get(form)})
    _, stamp, found, scans, aliases = ask(
        _lock_call(locking),
        stores.stamp_call(),
        (_FIND, {"names": json_param([{"name": name} for name in names])}),
        catalog.scan_call(skus, barcodes),
        (_ALIASES, {"codes": json_param([{"source": source, "code": code} for source, code in codes])}),
    )
    return Known(
        receipts=list({row[0]: _receipt(row) for row in found.rows}.values()),
        places=stores.directory(stamp),
        scans=catalog.scans_of(scans.rows),
        aliases={(row[0], row[1]): catalog.Scanned(*row[2:]) for row in aliases.rows},
    )


def _receipt(row: tuple[Any, ...]) -> Receipt:
    facts = dict(zip(_COLUMNS.split(", "), row, strict=True))
    for name in ("problems", "totals"):
        facts[name] = json_of(facts[name])
    for name in _IDS:
        facts[name] = None if facts[name] is None else str(facts[name])
    facts["current"] = bool(facts["current"])
    return Receipt(**facts)
