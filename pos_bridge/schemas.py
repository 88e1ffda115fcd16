"""What a till sends and hears."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from app.core import settings
from app.core.fields import (
    Choice,
    Code,
    Day,
    Flag,
    Identifier,
    In,
    Instant,
    Integer,
    Items,
    Mapping,
    Out,
    PageQuery,
    Part,
    Quantity,
    QueryFlag,
    SignedYen,
    Text,
    Yen,
)
from app.core.problems import faults_of

from .offers import DOCUMENT, Key, KeyUnreadable, Offer, Problem

MAX_RECEIPT_LINES = 1_000
MAX_PROBLEMS = 50
_CODE, _DAY = Code(), Day()


class TillCustomerIn(In):
    card_no = Code(allow_none=True)
    external_id = Code(allow_none=True)


class TillOriginalIn(In):
    store = Code(required=True)
    terminal = Code(required=True)
    receipt_no = Code(required=True)
    business_date = Day(required=True)


class TillTenderIn(In):
    method = Code(high=40, required=True)
    amount = SignedYen(required=True)


class TillTaxIn(In):
    rate = Text(high=10, allow_none=True)
    taxable = SignedYen(allow_none=True)
    amount = SignedYen(required=True)
    included = Flag(required=True)


class TillLineIn(In):
    line_no = Integer(0, 99_999_999, required=True)
    sku = Code(allow_none=True)
    barcode = Code(allow_none=True)
    name = Text(allow_none=True)
    quantity = Quantity(required=True)
    weight_g = Integer(0, settings.MAX_GRAMS, allow_none=True)
    unit_price = Yen(required=True)
    discount = Yen(load_default=0)
    amount = Yen(allow_none=True)
    tax_rate = Integer(0, 100, allow_none=True)
    returned = Flag(load_default=False)
    disposition = Choice("restock", "outlet", "repair", "discard", "to_warehouse", "damaged", allow_none=True)


class TillSaleIn(In):
    source = Code(required=True)
    source_id = Code(allow_none=True)
    revision = Integer(1, settings.MAX_REVISION, load_default=1)
    store = Code(required=True)
    terminal = Code(required=True)
    receipt_no = Code(required=True)
    kind = Choice("sale", "return", "void", required=True)
    business_date = Day(required=True)
    sold_at = Instant(required=True)
    currency = Text(low=3, high=3, load_default="JPY")
    customer = Part(TillCustomerIn, allow_none=True)
    pickup_code = Code(allow_none=True)
    order = Code(allow_none=True)
    lines = Items(Part(TillLineIn), high=MAX_RECEIPT_LINES, load_default=list)
    discount = Yen(load_default=0)
    coupons = Items(Code(), high=20, load_default=list)
    points_used = Integer(0, settings.MAX_POINTS, load_default=0)
    points_hold = Identifier(allow_none=True)
    tenders = Items(Part(TillTenderIn), high=50, load_default=list)
    taxes = Items(Part(TillTaxIn), high=20, load_default=list)
    disposition = Choice("restock", "outlet", "repair", "discard", "to_warehouse", "damaged", allow_none=True)
    original = Part(TillOriginalIn, allow_none=True)


_SALE = TillSaleIn()


class TillOfferIn(TillSaleIn):
    """A sale that happened: only its natural key is insisted on, for the rest is kept and mended."""

    def load(self, data: Any, **_kwargs: Any) -> Any:
        """Read in two steps."""
        try:
            return read_offer(data)
        except KeyUnreadable as fault:
            raise ValidationError(_nested(fault.problems)) from None


class TillMendIn(In):
    sale = Part(TillOfferIn, required=True)


class TillBatchIn(In):
    sales = Items(Mapping(), low=1, high=settings.MAX_BATCH, required=True)

    def load(self, data: Any, **_kwargs: Any) -> Any:
        """Judge the list as a whole; each sale is judged by itself, and none fails its neighbours."""
        if not isinstance(data, dict):
            raise ValidationError({"_schema": ["not-object"]})
        unknown = {name: ["unknown-field"] for name in data if name != "sales"}
        sales = data.get("sales")
        if "sales" not in data:
            unknown["sales"] = ["required"]
        elif not isinstance(sales, list):
            unknown["sales"] = ["not-list"]
        elif not 1 <= len(sales) <= settings.MAX_BATCH:
            unknown["sales"] = ["length"]
        if unknown:
            raise ValidationError(unknown)
        return sales


class TillProblemOut(Out):
    pointer = Text(low=0)
    code = Text()


class TillTaxOut(Out):
    rate = Integer(0, 100)
    taxable = SignedYen()
    tax = SignedYen()


class TillTotalsOut(Out):
    subtotal = SignedYen()
    discounts = SignedYen()
    points_used = SignedYen()
    tax = Items(Part(TillTaxOut))
    total = SignedYen()


class TillResultOut(Out):
    id = Identifier()
    state = Text()
    problems = Items(Part(TillProblemOut))
    totals = Part(TillTotalsOut)
    duplicate = Flag()
    stale = Flag()


class TillItemOut(TillResultOut):
    status = Integer(200, 422)
    type = Text()


class TillBatchOut(Out):
    results = Items(Part(TillItemOut))


class ReceiptOut(Out):
    id = Identifier()
    state = Text()
    source = Text()
    source_id = Text(allow_none=True)
    revision = Integer(1, settings.MAX_REVISION)
    kind = Text(allow_none=True)
    store = Text(allow_none=True)
    terminal = Text(allow_none=True)
    business_date = Text(allow_none=True)
    receipt_no = Text(allow_none=True)
    location = Text(allow_none=True)
    problems = Items(Part(TillProblemOut))
    totals = Part(TillTotalsOut, allow_none=True)
    order = Identifier(allow_none=True)
    replaces = Identifier(allow_none=True)
    original = Identifier(allow_none=True)
    voided_by = Identifier(allow_none=True)
    occurred_at = Instant(allow_none=True)
    recorded_at = Instant()
    updated_at = Instant()


class ReceiptDetailOut(ReceiptOut):
    sale = Mapping()


class ReceiptsOut(Out):
    items = Items(Part(ReceiptOut))
    next_cursor = Text(allow_none=True)


class ReceiptQuery(PageQuery):
    state = Choice("posted", "parked", "superseded")
    location = Code()
    source = Code()


class UnresolvedQuery(PageQuery):
    location = Code()
    source = Code()


class UnresolvedOut(Out):
    id = Identifier()
    source = Text()
    code = Text()
    name = Text(low=0)
    lines = Integer(0, settings.MAX_LEVEL)
    quantity = Integer(-settings.MAX_LEVEL, settings.MAX_LEVEL)
    locations = Items(Text())
    first_at = Instant()


class UnresolvedListOut(Out):
    items = Items(Part(UnresolvedOut))
    next_cursor = Text(allow_none=True)


class FileQuery(In):
    source = Code()
    dry_run = QueryFlag(load_default=False)


class ResolveIn(In):
    sku = Code(required=True)


class ResolvedOut(Out):
    id = Identifier()
    source = Text()
    code = Text()
    sku = Text()
    lines = Integer(0, settings.MAX_LEVEL)
    quantity = Integer(-settings.MAX_LEVEL, settings.MAX_LEVEL)


def read_offer(raw: Any) -> Offer:
    """Read a sale in two steps: raises KeyUnreadable, or gives an offer with whatever problems the rest has."""
    if not isinstance(raw, dict):
        raise KeyUnreadable([{"pointer": "", "code": "not-object"}])
    key = _key(raw)
    try:
        sale = _SALE.load(raw)
    except ValidationError as error:
        return Offer(key, raw, _revision(raw), None, _tidy(list(faults_of(error.messages))))
    return Offer(key, raw, sale["revision"], sale)


def _key(raw: dict[str, Any]) -> Key:
    problems: list[Problem] = []
    found = {name: _part(raw, name, problems) for name in ("source", "source_id", *DOCUMENT)}
    insisted = {"source", "source_id"} if raw.get("source_id") is not None else {"source", *DOCUMENT}
    faults = [problem for problem in problems if problem["pointer"][1:] in insisted]
    if faults:
        raise KeyUnreadable(faults)
    return Key(source=str(found.pop("source")), **found)


def _part(raw: dict[str, Any], name: str, problems: list[Problem]) -> str | None:
    value = raw.get(name)
    if value is None:
        if name != "source_id":
            problems.append({"pointer": f"/{name}", "code": "required"})
        return None
    try:
        return str(_DAY.deserialize(value)) if name == "business_date" else str(_CODE.deserialize(value))
    except ValidationError as error:
        problems.append({"pointer": f"/{name}", "code": str(error.messages[0])})
        return None


def _revision(raw: dict[str, Any]) -> int:
    value = raw.get("revision", 1)
    return value if type(value) is int and 1 <= value <= settings.MAX_REVISION else 1


def _tidy(problems: list[dict[str, Any]]) -> list[Problem]:
    """A stranger's field names end up in pointers: no control characters, and not without end."""
    return [
        {"pointer": "".join(c for c in p["pointer"] if c.isprintable())[: settings.MAX_TEXT], "code": str(p["code"])}
        for p in problems[:MAX_PROBLEMS]
    ]


def _nested(problems: list[Problem]) -> dict[str, list[str]]:
    return {problem["pointer"][1:] or "_schema": [problem["code"]] for problem in problems}
