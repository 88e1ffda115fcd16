"""Till baskets in the canonical sale form, dated by days before the load.

Three weeks of the grocery source are folded into the one week before the
load; each day's baskets keep their order and are spread over the store's
opening hours. The zakka stores sell what the retail source books without
a customer: its large collective invoices, cut into baskets of a few lines.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from demo.making import codes, goods, places

Sale = dict[str, Any]
Placed = tuple[int, int, Sale]  # day, second of the day, what was sold

FOLDED_DAYS = 7
_TERMINALS = 3
_MOST_PER_LINE = 30
_YEN_PER_DOLLAR = 150
# The grocery source's clock runs ahead of its stores'; their day begins here.
_DAY_BEGINS = timedelta(hours=10)


def grocery_baskets(rows: Iterable[dict[str, str]], skus: dict[str, goods.Sku]) -> list[Placed]:
    """Every basket of the four grocery stores, of the goods that the demo has."""
    store_of = {store.source_store: store for store in places.STORES if store.source_store}
    baskets: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        if row["product_id"] in skus and 0 < int(row["quantity"]) <= _MOST_PER_LINE:
            baskets[row["basket_id"]].append(row)
    stamped = {key: _stamp(lines[0]) - _DAY_BEGINS for key, lines in baskets.items()}
    first = min(stamped.values()).date()
    placed = []
    for key, lines in baskets.items():
        store = store_of[lines[0]["store_id"]]
        day = (stamped[key].date() - first).days % FOLDED_DAYS - FOLDED_DAYS
        seconds = stamped[key].hour * 3600 + stamped[key].minute * 60 + stamped[key].second
        sale = {
            "source_basket": f"cj-{key}",
            "household": lines[0]["household_id"],
            "store": store.code,
            "lines": [_grocery_line(number, row, skus) for number, row in enumerate(lines, 1)],
        }
        placed.append((day, _in_hours(store, seconds / 86_400), sale))
    return placed


def _stamp(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["transaction_timestamp"][:19])


def _in_hours(store: places.Store, share: float) -> int:
    opens, closes = (int(text[:2]) * 3600 + int(text[3:]) * 60 for text in (store.opens, store.closes))
    return opens + int((closes - opens - 60) * share)


def _grocery_line(number: int, row: dict[str, str], skus: dict[str, goods.Sku]) -> dict[str, Any]:
    sku, quantity = skus[row["product_id"]], int(row["quantity"])
    dollars = float(row["retail_disc"]) + float(row["coupon_disc"]) + float(row["coupon_match_disc"])
    line = {
        "line_no": number,
        "barcode": sku.barcode,
        "quantity": quantity,
        "unit_price": sku.list_price,
    }
    discount = min(round(dollars * _YEN_PER_DOLLAR), sku.list_price * quantity)
    return line | {"discount": discount} if discount else line


def zakka_baskets(rows: Iterable[dict[str, str]], skus: dict[str, goods.Sku]) -> list[Placed]:
    """The collective invoices without a customer, cut into baskets of one to four lines."""
    lines = [
        row
        for row in rows
        if not row["CustomerID"]
        and row["InvoiceNo"].isdigit()
        and row["StockCode"].upper() in skus
        and int(row["Quantity"]) > 0
        and float(row["UnitPrice"]) > 0
    ]
    store_of = {store.code: store for store in places.STORES}
    placed, at = [], 0
    while at < len(lines):
        key = f"uci-{lines[at]['InvoiceNo']}-{at}"
        part = lines[at : at + 1 + codes.pick(f"{key}/lines", 4)]
        at += len(part)
        store = store_of[places.ZAKKA_STORES[codes.pick(f"{key}/store", 3) // 2]]
        day = codes.pick(f"{key}/day", FOLDED_DAYS) - FOLDED_DAYS
        sale = {
            "source_basket": key,
            "store": store.code,
            "lines": [_zakka_line(number, row, skus) for number, row in enumerate(part, 1)],
        }
        placed.append((day, _in_hours(store, codes.pick(f"{key}/time", 1000) / 1000), sale))
    return placed


def _zakka_line(number: int, row: dict[str, str], skus: dict[str, goods.Sku]) -> dict[str, Any]:
    sku = skus[row["StockCode"].upper()]
    return {
        "line_no": number,
        "sku": sku.sku,
        "quantity": 1 + (int(row["Quantity"]) > 6),
        "unit_price": sku.list_price,
    }


def receipts(placed: list[Placed]) -> list[Sale]:
    """The baskets as receipts, in the order of the tills' clocks, numbered per till and day."""
    counts: Counter[tuple[str, str, int]] = Counter()
    made: list[Sale] = []
    for day, second, sale in sorted(placed, key=lambda item: (item[0], item[1], item[2]["source_basket"])):
        if total(sale) == 0:
            continue  # all of it on coupons: no till rings that up here
        terminal = f"T{1 + codes.pick(sale['source_basket'] + '/till', _TERMINALS)}"
        counts[sale["store"], terminal, day] += 1
        head = {
            "day": day,
            "time": f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}",
            "kind": "sale",
            "terminal": terminal,
            "receipt_no": f"{counts[sale['store'], terminal, day]:04d}",
        }
        made.append(_paid(head | sale))
    return made


def total(sale: Sale) -> int:
    """What the customer pays: prices include tax."""
    lines = sum(line["unit_price"] * line["quantity"] - line.get("discount", 0) for line in sale["lines"])
    return int(lines) - int(sale.get("discount", 0))


def _paid(sale: Sale) -> Sale:
    yen, key = total(sale), sale["source_basket"]
    method = ("cash", "card", "card", "qr")[codes.pick(f"{key}/tender", 4)]
    if yen > 8_000 and codes.pick(f"{key}/split", 4) == 0:
        return sale | {"tenders": [{"method": "gift_card", "amount": 5_000}, {"method": method, "amount": yen - 5_000}]}
    return sale | {"tenders": [{"method": method, "amount": yen}]}


def with_incidents_of_a_week(sales: list[Sale]) -> list[Sale]:
    """The receipts and what every week brings: returns, voids, corrections, lateness, unknown goods."""
    late: list[Sale] = []
    extra: list[Sale] = []
    kept: list[Sale] = []
    for number, sale in enumerate(sales):
        if number % 160 == 40 and sale["day"] < -1:
            extra.append(_return(sale))
        if number % 700 == 300:
            extra.append(_void(sale))
        if number % 450 == 200:
            extra.append(_corrected(sale))
        if number % 600 == 500:
            sale = _unknown_goods(sale)  # noqa: PLW2901
        (late if number % 400 == 100 else kept).append(sale)
    return kept + extra + late


def _referring(sale: Sale) -> dict[str, Any]:
    return {"original": {name: sale[name] for name in ("store", "terminal", "receipt_no", "day")}}


def _return(sale: Sale) -> Sale:
    """The first line comes back the next day, at what was paid for it."""
    first = sale["lines"][0]
    head = {name: sale[name] for name in ("time", "store", "terminal")}
    returned = head | {
        "day": sale["day"] + 1,
        "kind": "return",
        "receipt_no": f"R{sale['receipt_no']}",
        "source_basket": f"{sale['source_basket']}-return",
        "lines": [first | {"line_no": 1}],
    }
    return returned | {"tenders": [{"method": "cash", "amount": total(returned)}]} | _referring(sale)


def _void(sale: Sale) -> Sale:
    """The whole receipt is taken back at once by the till."""
    changed = {"kind": "void", "receipt_no": f"V{sale['receipt_no']}", "source_basket": f"{sale['source_basket']}-void"}
    return sale | changed | _referring(sale)


def _corrected(sale: Sale) -> Sale:
    """The head office corrects the first line to one piece more."""
    first, *rest = sale["lines"]
    corrected = sale | {"revision": 2, "lines": [first | {"quantity": first["quantity"] + 1}, *rest]}
    return corrected | {"tenders": [{"method": "card", "amount": total(corrected)}]}


def _unknown_goods(sale: Sale) -> Sale:
    """The first line was rung up by a JAN that nobody has entered yet."""
    first, *rest = sale["lines"]
    line = {name: value for name, value in first.items() if name not in {"sku", "barcode"}}
    unknown = codes.jan("49", 9_900_000_000 + codes.pick(sale["source_basket"], 1000))
    return sale | {"lines": [line | {"barcode": unknown, "name": "未登録商品"}, *rest]}
