"""One POSLog transaction as a canonical sale: its key, kind, money and customer.

The control total of the till is a check, not a judge: where goods, taxes and rewards do not lead to it, the sale is
given with a warning, because it has happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final
from xml.etree.ElementTree import Element

from app.core import settings
from pos_bridge.formats.moments import sold_at
from pos_bridge.formats.poslog.lines import Line, read_lines
from pos_bridge.formats.poslog.tree import (
    attribute,
    child,
    children,
    day,
    exponent_of,
    flag,
    minor,
    name_of,
    number,
    text,
)
from pos_bridge.formats.result import EntryInvalid, Parsed, Warned

NOTHING_SOLD: Final = "nothing-sold"
CURRENCY: Final = "JPY"

_UNFINISHED: Final = frozenset({"cancelled", "canceled", "voided", "suspended", "failed"})
_VOID_LINKS: Final = frozenset({"postvoid", "void", "voided"})
_NO_ORIGIN: Final = frozenset({"resume", "resumed", "suspend", "suspended", "exchange"})
_METHODS: Final = {
    "cash": "cash", "creditdebit": "card", "credit": "card", "debit": "card", "check": "check", "cheque": "check",
    "giftcertificate": "gift_certificate", "giftcard": "gift_card", "storedvalue": "gift_card", "voucher": "voucher",
    "coupon": "coupon", "manufacturercoupon": "coupon", "customeraccount": "account", "loyalty": "points",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Money:
    """What the receipt says about money besides the goods, in minor units and with the file's own signs."""

    grand: int | None
    taxes: list[dict[str, Any]]
    tax: int
    rewards: int
    tenders: list[dict[str, Any]]

    @property
    def tendered(self) -> int:
        return sum(tender["amount"] for tender in self.tenders)


def not_a_sale(transaction: Element) -> str | None:
    """Say why a transaction is no receipt of a finished trade, None when it is one."""
    receipt = child(transaction, "RetailTransaction")
    if receipt is None:
        kinds = (name_of(element) for element in transaction if name_of(element).endswith("Transaction"))
        return next(kinds, "empty")
    if flag(transaction, "TrainingModeFlag"):
        return "training"
    status = attribute(receipt, "TransactionStatus").lower()
    if flag(transaction, "CancelFlag") or status in _UNFINISHED:
        return status if status in _UNFINISHED else "cancelled"
    return None


def natural_key(transaction: Element, source: str) -> dict[str, str]:
    """Give what makes the receipt the same one when it comes again."""
    key = {"source": source, **_receipt_key(transaction)}
    if missing := next((field for field, value in key.items() if not value), None):
        raise EntryInvalid("key-missing", missing)
    if too_long := next((field for field, value in key.items() if len(value) > settings.MAX_CODE), None):
        raise EntryInvalid("key-too-long", too_long)
    return key


def read_receipt(transaction: Element, key: dict[str, str], zone: tzinfo | None, position: int) -> Parsed:
    """Read the receipt; raises `EntryInvalid` for what cannot be a sale at all."""
    receipt = child(transaction, "RetailTransaction")
    if receipt is None:
        raise EntryInvalid("empty")
    currency = text(transaction, "CurrencyCode") or CURRENCY
    exponent = exponent_of(currency)
    lines, cancelled, unmatched = read_lines(receipt, exponent)
    money = _money(receipt, exponent)
    link, reason = _link(receipt)
    kind = _kind(lines, reason)
    if not lines and kind != "void":
        raise EntryInvalid("no-lines" if money.tendered or money.grand else NOTHING_SOLD)
    warnings: list[Warned] = []
    sale: dict[str, Any] = {**key, "kind": kind, "currency": currency}
    sale["sold_at"] = _sold_at(transaction, receipt, zone, warnings)
    if customer := _customer(receipt):
        sale["customer"] = customer
    sale["lines"] = [line.canonical(as_return=kind != "sale") for line in lines]
    _add_money(sale, lines, money, warnings)
    if link is not None and kind != "sale":
        sale["original"] = _receipt_key(link)
    warnings += _line_warnings(lines, unmatched, kind)
    return Parsed(position, sale, tuple(warnings), tuple(cancelled))


def _receipt_key(element: Element) -> dict[str, str]:
    date = text(element, "BusinessDayDate")
    return {
        "store": text(element, "RetailStoreID") or text(element, "BusinessUnit", "UnitID"),
        "terminal": text(element, "WorkstationID"),
        "business_date": day(date).isoformat() if date else "",
        "receipt_no": text(element, "SequenceNumber"),
    }


def _kind(lines: list[Line], reason: str) -> str:
    if reason in _VOID_LINKS:
        return "void"
    return "return" if lines and all(line.direction < 0 for line in lines) else "sale"


def _link(receipt: Element) -> tuple[Element | None, str]:
    """Find the receipt that this one is about; a resumed or exchanged one is about none."""
    places = [receipt, *(found for item in children(receipt, "LineItem") for found in children(item, "Return"))]
    for place in places:
        for link in children(place, "TransactionLink"):
            reason = attribute(link, "ReasonCode").lower()
            if reason not in _NO_ORIGIN:
                return link, reason
    return None, ""


def _sold_at(transaction: Element, receipt: Element, zone: tzinfo | None, warnings: list[Warned]) -> str:
    written = text(transaction, "EndDateTime") or text(receipt, "ReceiptDateTime") or text(transaction, "BeginDateTime")
    moment, certain = sold_at(written, zone, "EndDateTime")
    if not certain:
        warnings.append(Warned("/sold_at", "zone-unknown"))
    return moment


def _customer(receipt: Element) -> dict[str, str]:
    for item in children(receipt, "LineItem"):
        card = text(item, "LoyaltyMembership", "LoyaltyID") or text(item, "LoyaltyMembership", "MembershipID")
        if card.strip("0") and len(card) <= settings.MAX_CODE and not flag(item, "VoidFlag"):
            return {"card_no": card}
    person = text(receipt, "Customer", "CustomerID")
    return {"external_id": person} if 0 < len(person) <= settings.MAX_CODE else {}


def _money(receipt: Element, exponent: int) -> _Money:
    totals = {attribute(e, "TotalType"): text(e) for e in children(receipt, "Total")}
    grand = totals.get("TransactionGrandAmount")
    items = list(children(receipt, "LineItem"))
    taxes = [_tax(tax, exponent) for item in items for tax in children(item, "Tax")]
    if not taxes:
        goods = [g for item in items for name in ("Sale", "Return") for g in children(item, name)]
        taxes = [_tax(tax, exponent) for element in goods for tax in children(element, "Tax")]
    return _Money(
        grand=minor(grand, exponent) if grand else None,
        taxes=[tax for tax in taxes if tax["amount"]],
        tax=sum(tax["amount"] for tax in taxes),
        rewards=_rewards(items, exponent),
        tenders=_tenders(items, exponent, minor(grand, exponent) if grand else None),
    )


def _tax(tax: Element, exponent: int) -> dict[str, Any]:
    found: dict[str, Any] = {"amount": minor(text(tax, "Amount") or "0", exponent)}
    if taxable := text(tax, "TaxableAmount"):
        found["taxable"] = minor(taxable, exponent)
    if percent := text(tax, "Percent"):
        found["rate"] = format(number(percent, "tax-invalid").normalize(), "f")
    return found


def _rewards(items: list[Element], exponent: int) -> int:
    """Add up the rewards in money, of the summarised set or else of the detailed one: they tell the same twice."""
    sets: dict[str, list[int]] = {"summarizedActivity": [], "detailedData": [], "": []}
    for item in items:
        for reward in children(item, "LoyaltyReward"):
            if text(reward, "RewardCategory") != "Monetary":
                continue
            amount = minor(text(reward, "ExtendedRewardAmount") or "0", exponent)
            marks = [mark for mark in ("summarizedActivity", "detailedData") if flag(reward, mark)]
            for mark in marks or [""]:
                sets[mark].append(amount)
    return sum(sets["summarizedActivity"] or sets["detailedData"] or sets[""])


def _tenders(items: list[Element], exponent: int, grand: int | None) -> list[dict[str, Any]]:
    found: list[tuple[str, int, int]] = []
    for item in items:
        for tender in children(item, "Tender"):
            kind = attribute(tender, "TenderType").rpartition(":")[2]
            method = _METHODS.get(kind.lower(), kind.lower()[: settings.MAX_CODE] or "other")
            amount = minor(text(tender, "Amount") or "0", exponent)
            if attribute(tender, "TypeCode").lower() == "refund":
                amount = -abs(amount)
            if flag(item, "VoidFlag") and (method, -amount, 0) in [(m, a, 0) for m, a, _ in found]:
                found.remove(next(t for t in found if t[:2] == (method, -amount)))
                continue
            found.append((method, amount, abs(minor(text(tender, "TenderChange", "Amount") or "0", exponent))))
    change = sum(given for _, _, given in found)
    # Some tills write what was handed over and the change beside it, others what remained in the drawer.
    gross = grand is not None and sum(a for _, a, _ in found) not in {grand, -grand}
    net = gross and grand is not None and sum(a for _, a, _ in found) - change == grand
    return [{"method": m, "amount": a - given if net else a} for m, a, given in found]


def _add_money(sale: dict[str, Any], lines: list[Line], money: _Money, warnings: list[Warned]) -> None:
    goods = sum(line.direction * line.amount for line in lines)
    back = sale["kind"] != "sale"
    tax = -abs(money.tax) if goods < 0 else money.tax
    expected = money.grand if money.grand is not None else money.tendered
    figures = {expected, -expected} if back else {expected}
    included = bool(money.tax) and goods + tax + money.rewards not in figures and goods + money.rewards in figures
    total = goods + money.rewards + (0 if included else tax)
    if lines and total not in figures:
        warnings.append(Warned("", "total-differs"))
    if lines and abs(money.tendered) != abs(expected):
        warnings.append(Warned("/tenders", "tenders-differ"))
    discount = money.rewards if back and goods < 0 else -money.rewards
    if discount > 0:
        sale["discount"] = discount
    elif discount < 0:
        warnings.append(Warned("/discount", "reward-adds"))
    if money.taxes:
        sale["taxes"] = [
            {"rate": tax.get("rate"), "taxable": _size(tax.get("taxable"), back=back),
             "amount": _size(tax["amount"], back=back), "included": included}
            for tax in money.taxes
        ]  # fmt: skip
    sale["tenders"] = [{"method": t["method"], "amount": _size(t["amount"], back=back)} for t in money.tenders]


def _size(amount: int | None, *, back: bool) -> int | None:
    return abs(amount) if back and amount is not None else amount


def _line_warnings(lines: list[Line], unmatched: list[Line], kind: str) -> list[Warned]:
    warnings: list[Warned] = []
    for index, line in enumerate(lines):
        if not line.unit_known:
            warnings.append(Warned(f"/lines/{index}/weight_g", "weight-unit-unknown"))
        if not line.code:
            warnings.append(Warned(f"/lines/{index}", "code-missing"))
        if line in unmatched:
            warnings.append(Warned(f"/lines/{index}", "void-unmatched"))
        elif kind == "sale" and line.direction < 0:
            warnings.append(Warned(f"/lines/{index}/quantity", "goods-came-back"))
    return warnings
