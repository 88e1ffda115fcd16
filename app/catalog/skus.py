"""Adding and changing SKUs. A barcode belongs to one of them; of two that want it at once, one gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app.core import clock
from app.core.db import ask, ask_one, db, later, use_case
from app.core.errors import RequestInFlight
from app.core.sql import Answer, Call, Rowset, Sql, json_param

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
) -> bool:
    """Add or change a SKU; says whether anything changed.

    `facts` holds product, name, name_en, tax_category, list_price, options and image_url; `expect` is shown the present
    row under lock and may refuse. Raises BarcodeTaken.
    """
    row = _locked(code)
    expect(row)
    if row is None:
        return add_sku(code=code, facts=facts, barcodes=barcodes)
    codes = _distinct(barcodes)
    same_barcodes = list(codes.values()) == barcodes_of([code])[code]
    if same_barcodes and all(getattr(row, name) == value for name, value in facts.items()):
        return False
    for name, value in facts.items():
        setattr(row, name, value)
    row.search = _search(code, facts, codes)
    row.version += 1
    row.updated_at = clock.now()
    db.session.flush()
    if not same_barcodes:
        later(_DROP_BARCODES, {"sku": code})
        _give_barcodes(code, codes)
    return True


@use_case
def add_sku(*, code: str, facts: Mapping[str, Any], barcodes: Sequence[str]) -> bool:
    """Add a SKU that is not there yet, in one trip; change it where a rival was first. Raises BarcodeTaken."""
    codes = _distinct(barcodes)
    values = dict(facts) | {"code": code, "search": _search(code, facts, codes), "now": clock.text(clock.now())}
    added = (_ADD, values | {"options": json_param(facts["options"])})
    answer = _give_barcodes(code, codes, added) if codes else ask_one(*added)
    return answer.count == 1 or put_sku(code=code, facts=facts, barcodes=barcodes)


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


def _give_barcodes(sku: str, codes: Mapping[str, str], *first: Call) -> Answer:
    """Insert all of them after `first`, or say whose the first one taken is; answers for `first`."""
    rows = json_param(
        [{"gtin": gtin, "code": code, "place": place} for place, (gtin, code) in enumerate(codes.items())]
    )
    give, look = (_ADD_BARCODES, {"rows": rows, "sku": sku}), (_HOLDERS, {"rows": rows, "sku": sku})
    *before, added, holders = ask(*first, give, look)
    missing = len(codes) - added.count
    if before and before[0].count == 0:
        return before[0]
    for _ in range(_TRIES):
        if holders.rows:
            barcode, holder = holders.rows[0]
            raise BarcodeTaken(barcode=barcode, sku=holder)
        if not missing:
            return before[0] if before else added
        added, holders = ask(give, look)
        missing -= added.count
    # Others kept taking and giving back the same barcode under our eyes.
    raise RequestInFlight(retry_after=1)
