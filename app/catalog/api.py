"""SKUs over HTTP."""

from __future__ import annotations

from typing import Any

from app.core import etags, http, paging
from app.core.errors import PreconditionFailed
from app.core.http import Api

from .errors import BarcodeTaken, UnknownSku
from .models import Sku
from .queries import find, matching, show, show_all
from .schemas import SkuIn, SkuOut, SkuPage, SkuQuery
from .skus import put_sku

bp = Api("catalog", __name__)
_EXAMPLE = {
    "product": "TEE",
    "name": "Tシャツ ネイビー M",
    "name_en": "T-shirt navy M",
    "barcodes": ["4901234567894"],
    "tax_category": "standard",
    "list_price": 1990,
    "options": {"color": "navy", "size": "M"},
}


@bp.operation(
    "PUT", "/skus/<sku>", scope="catalog:write", body=SkuIn, reply=SkuOut,
    problems=[BarcodeTaken, PreconditionFailed], example=_EXAMPLE,
)  # fmt: skip
def put_one_sku(body: dict[str, Any], sku: str) -> dict[str, Any]:
    """Add or change a SKU."""
    code = http.path_code(sku)
    http.about("sku", code)

    def expect(present: Sku | None) -> None:
        etags.require_match(SkuOut, None if present is None else show(present))

    facts = {name: value for name, value in body.items() if name != "barcodes"}
    put_sku(code=code, facts=facts, barcodes=body["barcodes"], expect=expect)
    return show(find(code))


@bp.operation("GET", "/skus/<sku>", scope="any", reply=SkuOut, problems=[UnknownSku])
def get_sku(sku: str) -> dict[str, Any]:
    """One SKU."""
    return show(find(sku))


@bp.operation("GET", "/skus", scope="any", query=SkuQuery, reply=SkuPage)
def list_skus(query: dict[str, Any]) -> dict[str, Any]:
    """SKUs by barcode, words or product, ascending by their last change."""
    asked = {name: query.get(name) for name in ("barcode", "q", "product")}
    found = paging.page(matching(**asked), Sku, query, key="code")
    return found | {"items": show_all(found["items"])}
