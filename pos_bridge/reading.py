"""What a till's sale comes to: its goods, its money, and what is odd about it. Pure, given what is known.

A fault that leaves open what was sold or for how much parks the receipt; what is merely odd is told with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from app import orders
from app.catalog import Scanned
from app.core import settings

from .known import Known
from .offers import Offer, Problem

CLOCK_AHEAD = dt.timedelta(hours=24)
_RESTOCKED = {None, "restock"}


class Unpostable(ValueError):
    """The receipt cannot be posted; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("unpostable")
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Moved:
    """Pieces on a line, signed as the ledger takes them; `sku` is None when the code is unknown."""

    line_no: int
    sku: str | None
    code: str
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A sale understood: what moved, the documents it makes, what it adds up to."""

    moved: Sequence[Moved]
    sold: orders.PostedSale | None
    back: orders.PostedSale | None
    totals: Mapping[str, Any]
    warnings: list[Problem] = field(default_factory=list)


def problem(pointer: str, code: str) -> Problem:
    """One thing that is wrong or odd."""
    return {"pointer": pointer, "code": code}


def read(offer: Offer, known: Known, now: dt.datetime) -> Reading:
    """Work out a sale or a return. Raises Unpostable."""
    sale = offer.sale
    if sale is None:
        raise Unpostable(*offer.problems)
    if not sale["lines"]:
        raise Unpostable(problem("/lines", "length"))
    warnings = list(offer.problems)
    moved: list[Moved] = []
    sold: list[orders.SoldLine] = []
    back: list[orders.SoldLine] = []
    refs = _refs(sale["lines"])
    if len({line["line_no"] for line in sale["lines"]}) < len(refs):
        warnings.append(problem("/lines", "line-no-repeated"))
    for index, line in enumerate(sale["lines"]):
        goods = known.goods(offer.key.source, line)
        comes_back = sale["kind"] == "return" or line["returned"]
        priced = _price(index, line, goods, refs[index], sale)
        (back if comes_back else sold).append(priced)
        moved += _moved(index, line, goods, warnings, comes_back=comes_back, sale=sale)
    out, came = _document(offer, "sale", sold), _document(offer, "return", back)
    totals = _totals(out, came, sign=-1 if sale["kind"] == "sale" else 1)
    _compare(sale, totals, now, warnings)
    told = list({tuple(one.items()): one for one in warnings}.values())
    return Reading(moved, out, came, totals, told)


def _refs(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """A name for each line: its number, made unique where the till repeats it."""
    seen: dict[int, int] = {}
    refs = []
    for line in lines:
        seen[line["line_no"]] = count = seen.get(line["line_no"], 0) + 1
        refs.append(str(line["line_no"]) if count == 1 else f"{line['line_no']}-{count}")
    return refs


def _price(
    index: int, line: Mapping[str, Any], goods: Scanned | None, ref: str, sale: Mapping[str, Any]
) -> orders.SoldLine:
    quantity, unit_price, discount = line["quantity"], line["unit_price"], line["discount"]
    amount = line.get("amount")
    if amount is not None and amount != quantity * unit_price - discount:
        if line.get("weight_g") is None:
            raise Unpostable(problem(f"/lines/{index}/amount", "amount-differs"))
        # A price per kilogram does not lead to the amount of weighed pieces; the amount is what was paid.
        unit_price = -(-(amount + discount) // quantity)
        discount = quantity * unit_price - amount
    if discount > quantity * unit_price:
        raise Unpostable(problem(f"/lines/{index}/discount", "discount-exceeds-amount"))
    category = cast("orders.TaxCategory", goods.tax_category if goods else "standard")
    rate = line.get("tax_rate")
    if rate is None:
        rate = orders.tax_rate(category, sale["business_date"])
    name = line.get("name") or (goods.name if goods else "") or line.get("sku") or line.get("barcode") or ""
    return orders.SoldLine(
        line_ref=ref, sku=goods.sku if goods else None, name=name, quantity=quantity, unit_price=unit_price, rate=rate,
        discount=discount,
    )  # fmt: skip


def _moved(
    index: int,
    line: Mapping[str, Any],
    goods: Scanned | None,
    warnings: list[Problem],
    *,
    comes_back: bool,
    sale: Mapping[str, Any],
) -> Iterable[Moved]:
    code = line.get("sku") or line.get("barcode") or ""
    if not code:
        # Rung up on a department key: money without goods that anybody counts.
        warnings.append(problem(f"/lines/{index}", "code-missing"))
        return
    if goods is None:
        form = "sku" if line.get("sku") else "barcode"
        warnings.append(problem(f"/lines/{index}/{form}", f"unknown-{form}"))
    disposition = line.get("disposition") or sale.get("disposition")
    if comes_back and disposition not in _RESTOCKED:
        return
    quantity = line["quantity"] if comes_back else -line["quantity"]
    name = line.get("name") or (goods.name if goods else "")
    yield Moved(line["line_no"], goods.sku if goods else None, code, name, quantity)


def _document(offer: Offer, kind: str, lines: Sequence[orders.SoldLine]) -> orders.PostedSale | None:
    sale = offer.sale
    if sale is None or not lines:
        return None
    whole = kind == sale["kind"]
    return orders.PostedSale(
        location_id=sale["store"],
        # Goods that came back on a sale's paper make a document of their own.
        external_ref=offer.key.natural + ("" if whole else "/back"),
        sold_at=sale["sold_at"],
        lines=lines,
        tenders=_tenders(sale["tenders"]) if whole else (),
        kind=kind,
        revision=offer.revision,
        discount=sale["discount"] if whole else 0,
        points_used=sale["points_used"] if whole else 0,
        prices=_basis(sale["taxes"]),
    )


def _basis(taxes: Sequence[Mapping[str, Any]]) -> Literal["tax_included", "tax_excluded"]:
    """Some tills say that their tax came on top."""
    return "tax_excluded" if taxes and not any(tax["included"] for tax in taxes) else "tax_included"


def _tenders(tenders: Sequence[Mapping[str, Any]]) -> list[orders.Tender]:
    """What was paid with: a till's change and its corrections are set against the payment of the same kind."""
    paid: dict[str, int] = {}
    for tender in tenders:
        paid[tender["method"]] = paid.get(tender["method"], 0) + tender["amount"]
    return [orders.Tender(method, amount) for method, amount in paid.items() if 0 < amount <= settings.MAX_YEN]


def _totals(out: orders.PostedSale | None, came: orders.PostedSale | None, *, sign: int) -> dict[str, Any]:
    totals: dict[str, Any] = {"subtotal": 0, "discounts": 0, "points_used": 0, "total": 0}
    tax: dict[int, dict[str, int]] = {}
    for document, factor in ((out, 1), (came, sign)):
        if document is None:
            continue
        priced = _priced(document)
        for name in totals:
            totals[name] += factor * getattr(priced, name)
        for one in priced.tax:
            kept = tax.setdefault(one.rate, {"rate": one.rate, "taxable": 0, "tax": 0})
            kept["taxable"] += factor * one.taxable
            kept["tax"] += factor * one.tax
    return totals | {"tax": [tax[rate] for rate in sorted(tax, reverse=True)]}


def _priced(document: orders.PostedSale) -> orders.Priced:
    if sum(line.quantity * line.unit_price for line in document.lines) > settings.MAX_YEN:
        raise Unpostable(problem("/lines", "out-of-range"))
    try:
        priced = orders.price_sale(document)
    except orders.PricingError as error:
        pointer = "/points_used" if error.code.startswith("points") else "/discount"
        raise Unpostable(problem(pointer, error.code)) from error
    if priced.total > settings.MAX_YEN:
        raise Unpostable(problem("/lines", "out-of-range"))
    return priced


def _compare(sale: Mapping[str, Any], totals: Mapping[str, Any], now: dt.datetime, warnings: list[Problem]) -> None:
    if sum(tender["amount"] for tender in sale["tenders"]) != totals["total"]:
        warnings.append(problem("/tenders", "tenders-differ"))
    given = sum(tax["amount"] for tax in sale["taxes"])
    if sale["taxes"] and given != sum(tax["tax"] for tax in totals["tax"]):
        warnings.append(problem("/taxes", "tax-differs"))
    if sale["currency"] != "JPY":
        # The sale happened and its goods left; its figures are kept as they stand, and somebody has to look at them.
        warnings.append(problem("/currency", "currency-not-yen"))
    if sale["sold_at"] > now + CLOCK_AHEAD:
        warnings.append(problem("/sold_at", "clock-ahead"))
    if sale["coupons"]:
        warnings.append(problem("/coupons", "coupons-unknown"))
