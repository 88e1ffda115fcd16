"""Adding and changing SKUs. A barcode belongs to one of them; of two that want it at once, one gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.core import clock
from app.core.db import ask, ask_one, db, later, use_case
from app.core.errors import RequestInFlight
from app.core.sql import Rowset, Sql, json_param

from .barcodes import normalise
from .errors import BarcodeTaken
from .models import SEARCH_LENGTH, Sku, SkuBarcode
from .words import fold

_TRIES = 3
_ROWS = Rowset("row", "rows", {"gtin": "text", "code": "text", "place": "int"})
_ADD = Sql(
    "INSERT INTO sku (code, product, name, name_en, search, tax_category, list_price, options, image_url, version, "
    "created_at, updated_at) VALUES (:code, :product, :name, :name_en, :search, :tax_category, :list_price, "
    ":options, :image_url, 1, :now, :now) ON CONFLICT (code) DO NOTHING"
)
_DROP_BARCODES = Sql("DELETE FROM sku_barcode WHERE sku = :sku")
_ADD_BARCODES = Sql(
    "INSERT INTO sku_barcode (gtin, code, place, sku) SELECT row.gtin, row.code, row.place, :sku FROM {row} "
    "WHERE true ORDER BY row.gtin ON CONFLICT (gtin) DO NOTHING",
    _ROWS,
)
_HOLDERS = Sql(
    "SELECT held.code, held.sku FROM sku_barcode AS held JOIN {row} ON row.gtin = held.gtin "
    "WHERE held.sku <> :sku ORDER BY row.place",
    _ROWS,
)


@use_case
def put_sku(
    *,
    code: str,
    facts: Mapping[str, Any],
    barcodes: Sequence[str],
    expect: Callable[[Sku | None], None] = lambda _present: None,
) -> tuple[Sku, bool]:
    """Add or change a SKU; says whether anything changed.

    `facts` holds product, name, name_en, tax_category, list_price, options and image_url; `expect` is shown the present
    row under lock and may refuse. Raises BarcodeTaken.
    """
    row = _locked(code)
    expect(row)
    codes = _distinct(barcodes)
    search = _search(code, facts, codes)
    if row is None and _add(code, facts, search):
        _give_barcodes(code, codes)
        made = db.session.get_one(Sku, code)
        return made, True
    row = row or db.session.get_one(Sku, code, with_for_update=True, populate_existing=True)
    same_barcodes = list(codes.values()) == barcodes_of([code])[code]
    if same_barcodes and all(getattr(row, name) == value for name, value in facts.items()):
        return row, False
    for name, value in facts.items():
        setattr(row, name, value)
    row.search = search
    row.version += 1
    row.updated_at = clock.now()
    db.session.flush()
    if not same_barcodes:
        later(_DROP_BARCODES, {"sku": code})
        _give_barcodes(code, codes)
    return row, True


def barcodes_of(skus: Iterable[str]) -> dict[str, list[str]]:
    """Each SKU's barcodes as they were given, in their order."""
    found: dict[str, list[str]] = {sku: [] for sku in skus}
    query = select(SkuBarcode.sku, SkuBarcode.code).where(SkuBarcode.sku.in_(found)).order_by(SkuBarcode.place)
    for sku, code in db.session.execute(query):
        found[sku].append(code)
    return found


def _locked(code: str) -> Sku | None:
    return db.session.get(Sku, code, with_for_update=True, populate_existing=True)


def _distinct(barcodes: Sequence[str]) -> dict[str, str]:
    """The barcodes by their 14 digits; a code given twice, or as UPC and EAN, counts once."""
    codes: dict[str, str] = {}
    for code in barcodes:
        codes.setdefault(normalise(code), code)
    return codes


def _search(code: str, facts: Mapping[str, Any], codes: Mapping[str, str]) -> str:
    words = (code, facts["name"], facts["name_en"] or "", facts["product"], *codes.values())
    return " ".join(fold(word) for word in words)[:SEARCH_LENGTH]


def _add(code: str, facts: Mapping[str, Any], search: str) -> bool:
    """Whether the SKU is new; a rival may have been first."""
    values = dict(facts) | {"options": json_param(facts["options"])}
    return ask_one(_ADD, values | {"code": code, "search": search, "now": clock.text(clock.now())}).count == 1


def _give_barcodes(sku: str, codes: Mapping[str, str]) -> None:
    """Insert all of them, or say whose the first one taken is."""
    if not codes:
        return
    rows = json_param(
        [{"gtin": gtin, "code": code, "place": place} for place, (gtin, code) in enumerate(codes.items())]
    )
    missing = len(codes)
    for _ in range(_TRIES):
        added, holders = ask((_ADD_BARCODES, {"rows": rows, "sku": sku}), (_HOLDERS, {"rows": rows, "sku": sku}))
        if holders.rows:
            barcode, holder = holders.rows[0]
            raise BarcodeTaken(barcode=barcode, sku=holder)
        missing -= added.count
        if not missing:
            return
    # Others kept taking and giving back the same barcode under our eyes.
    raise RequestInFlight(retry_after=1)
