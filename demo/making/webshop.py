"""EC orders from the retail source, with cancellations and what becomes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from demo.making import codes, goods, places

Order = dict[str, Any]
MOST_LINES = 20
SHIPPING_FEE = 550
FREE_SHIPPING_FROM = 5_500
_ORDERS = 250
_DAYS = {"12/1/10": -3, "12/2/10": -2, "12/3/10": -1}
# What the store has done with a pickup by the time the demo is shown.
_PICKUP_FATES = (
    "collected", "ready", "collected", "accepted", "requested", "collected", "ready", "picking",
    "collected", "cancelled", "short", "ready", "requested", "collected",
)  # fmt: skip
_FAMILY = (
    ("見本", "ミホン"), ("例題", "レイダイ"), ("架空", "カクウ"), ("仮名", "カメイ"), ("試作", "シサク"),
    ("練習", "レンシュウ"), ("想像", "ソウゾウ"), ("空想", "クウソウ"), ("標本", "ヒョウホン"), ("模型", "モケイ"),
)  # fmt: skip
_GIVEN = (
    ("太郎", "タロウ"), ("花子", "ハナコ"), ("次郎", "ジロウ"), ("桃子", "モモコ"), ("三郎", "サブロウ"),
    ("梅子", "ウメコ"), ("四郎", "シロウ"), ("桜子", "サクラコ"), ("五郎", "ゴロウ"), ("菊子", "キクコ"),
)  # fmt: skip


def orders(rows: Iterable[dict[str, str]], skus: dict[str, goods.Sku], homes: list[dict[str, str]]) -> list[Order]:
    """Orders with the cancellations of the source, oldest first."""
    invoices: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if row["CustomerID"] and row["StockCode"].upper() in skus and float(row["UnitPrice"]) > 0:
            invoices[row["InvoiceNo"]].append(row)
    made = [_order(number, lines, skus, homes) for number, lines in invoices.items() if number.isdigit()]
    cancels = [lines for number, lines in invoices.items() if number.startswith("C")]
    for lines in cancels:
        _cancel(made, lines, skus, homes)
    made.sort(key=lambda order: ("cancel" not in order, codes.pick(order["ref"], 1 << 32)))
    kept = sorted(made[:_ORDERS], key=lambda order: (order["day"], order["time"], order["ref"]))
    return _given_fates(kept)


def customer(number: str) -> dict[str, str]:
    """An invented person for a customer number; 020 numbers ring at machines only."""
    family, given = _FAMILY[int(number) % 10], _GIVEN[int(number) // 10 % 10]
    return {
        "external_id": f"EC{number}",
        "name": f"{family[0]} {given[0]}",
        "name_kana": f"{family[1]} {given[1]}",
        "email": f"c{number}@example.jp",
        "phone": f"020-0000-{number[-4:]}",
    }


def _order(number: str, rows: list[dict[str, str]], skus: dict[str, goods.Sku], homes: list[dict[str, str]]) -> Order:
    date, time = rows[0]["InvoiceDate"].split()
    ref, person = f"UCI-{number}", customer(rows[0]["CustomerID"])
    order = {
        "ref": ref,
        "day": _DAYS[date],
        "time": f"{int(time.split(':')[0]):02d}:{time.split(':')[1]}:00",
        "customer": person,
        "lines": _lines(rows, skus),
    }
    if codes.pick(f"{ref}/method", 100) < 34:
        store = places.PICKUP_STORES[codes.pick(f"{ref}/store", len(places.PICKUP_STORES))]
        return _paid(order | {"fulfilment": {"method": "pickup", "location": store}, "shipping_fee": 0})
    home = homes[codes.pick(person["external_id"], len(homes))]
    address = home | {"name": person["name"], "phone": person["phone"]}
    fee = 0 if _goods_total(order) >= FREE_SHIPPING_FROM else SHIPPING_FEE
    return _paid(order | {"fulfilment": {"method": "ship", "address": address}, "shipping_fee": fee})


def _lines(rows: list[dict[str, str]], skus: dict[str, goods.Sku]) -> list[dict[str, Any]]:
    """Repeated goods as one line, a wholesaler's quantities as a household's."""
    asked: dict[str, int] = defaultdict(int)
    for row in rows:
        asked[row["StockCode"].upper()] += abs(int(row["Quantity"]))
    return [
        {
            "line_ref": str(place),
            "sku": skus[code].sku,
            "quantity": 1 + (quantity > 6) + (quantity > 24),
            "unit_price": skus[code].list_price,
        }
        for place, (code, quantity) in enumerate(list(asked.items())[:MOST_LINES], 1)
    ]


def _goods_total(order: Order) -> int:
    return int(sum(line["unit_price"] * line["quantity"] for line in order["lines"]))


def _paid(order: Order) -> Order:
    total, kind = _goods_total(order) + order["shipping_fee"], codes.pick(f"{order['ref']}/payment", 10)
    if order["fulfilment"]["method"] == "pickup":
        method, state = ("pay_in_store", "due") if kind < 3 else ("card", "authorized")
    elif kind < 7:
        method, state = "card", "authorized"
    else:
        method, state = ("cod", "due") if kind == 7 else (("konbini", "captured") if kind == 8 else ("qr", "captured"))
    payments = [{"method": method, "amount": total, "state": state}]
    return order | {"payments": payments, "expected_total": total}


def _cancel(
    made: list[Order], rows: list[dict[str, str]], skus: dict[str, goods.Sku], homes: list[dict[str, str]]
) -> None:
    """The cancellation goes to the same customer's order of the same goods; where that sale
    lies before the source's first day, it is rebuilt from the cancellation's own lines.
    """
    number = rows[0]["InvoiceNo"]
    person = customer(rows[0]["CustomerID"])["external_id"]
    asked = {line["sku"]: line["quantity"] for line in _lines(rows, skus)}
    for order in made:
        held = {line["sku"]: line for line in order["lines"]}
        if order["customer"]["external_id"] != person or "cancel" in order or not asked.keys() <= held.keys():
            continue
        lines = [
            {"line_ref": held[sku]["line_ref"], "quantity": min(quantity, held[sku]["quantity"])}
            for sku, quantity in asked.items()
        ]
        whole = {line["line_ref"]: line["quantity"] for line in order["lines"]}
        if {line["line_ref"]: line["quantity"] for line in lines} == whole:
            lines = []
        order["cancel"] = {"lines": lines, "reason": "customer"}
        return
    order = _order(number, rows, skus, homes)
    made.append(order | {"day": _DAYS["12/1/10"], "cancel": {"lines": [], "reason": "customer"}})


def _given_fates(made: list[Order]) -> list[Order]:
    """What becomes of each order: shipped, or the pickup's state when the demo opens."""
    pickups, done = 0, []
    for order in made:
        fate: dict[str, str] = {}
        if "cancel" not in order:
            if order["fulfilment"]["method"] == "pickup":
                fate = {"pickup": _PICKUP_FATES[pickups % len(_PICKUP_FATES)]}
                pickups += 1
            elif order["day"] < -1 or codes.pick(f"{order['ref']}/shipped", 2):
                fate = {"tracking_no": f"4000{codes.pick(order['ref'], 10**8):08d}"}
        done.append(order | fate)
    return done
