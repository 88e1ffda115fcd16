"""Who else trades in the live day: tills, the web shop's parcels, hesitating customers, rivals for the last pieces."""

from __future__ import annotations

import threading
from datetime import datetime
from itertools import islice
from typing import Any

from demo import files
from demo.board import CLOSES, OPENS
from demo.client import Answer, Api
from demo.making.codes import pick
from demo.visit import Day

SOURCE = "demo-day"
_ORDERS_A_DAY = 60
_CARTS_A_DAY = 40
_RIVALS = 8
_HOUR = 3600.0
_RACE_SKU, _RACE_STORE = "A-APRON-NVY-M", "TYO2"


def _now() -> str:
    return datetime.now(files.JST).isoformat(timespec="seconds")


def _second(time: str) -> int:
    hours, minutes, seconds = map(int, time.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def _yen(amount: int) -> str:
    return f"¥{amount:,}"


def till(day: Day, store: str) -> None:
    """One store's tills ring up one prepared day, each receipt at its time."""
    api = day.connect()
    for basket in files.baskets():
        if basket["store"] != store or basket["day"] != -2 or basket["kind"] != "sale" or "revision" in basket:
            continue
        day.board.wait_until(_second(basket["time"]))
        sale = files.sale_body(basket, files.today()) | {
            "source": SOURCE,
            "source_id": f"{day.run}-{basket['source_basket']}",
            "sold_at": _now(),
        }
        answer = api.must("POST", "/pos/sales", sale, key=day.key("sale", basket["source_basket"]))
        pieces = sum(line["quantity"] for line in basket["lines"])
        total = sum(tender["amount"] for tender in basket["tenders"])
        what = "PARKED" if answer.body["state"] == "parked" else "SALE"
        day.board.tell(what, store, f"{basket['terminal']} {basket['receipt_no']}  {pieces:>3}点  {_yen(total):>8}")
    api.close()


def web_shop(day: Day) -> None:
    """Orders of a prepared day over the opening hours; some customers think again."""
    api = day.connect()
    parcels = (order for order in files.orders() if order["fulfilment"]["method"] == "ship" and "cancel" not in order)
    chosen = list(islice(parcels, _ORDERS_A_DAY))
    for number, order in enumerate(chosen):
        day.board.wait_until(OPENS + (CLOSES - OPENS - 3 * _HOUR) * number / len(chosen))
        body = files.order_body(order, files.today()) | {
            "external_ref": f"DAY-{day.run}-{order['ref']}",
            "placed_at": _now(),
        }
        answer = api.ask("POST", "/orders", body, key=day.key("order", order["ref"]))
        where = order["fulfilment"].get("location", "EC")
        if answer.status == 409:
            day.board.tell("REFUSED", where, _shortage(answer))
            continue
        if answer.status != 201:
            raise RuntimeError(f"order {order['ref']}: {answer.status} {answer.body}")
        placed = answer.body
        day.board.tell(
            "ORDER", where, f"{placed['number']}  {len(order['lines']):>2}行  {_yen(order['expected_total'])}"
        )
        _go_on(day, api, order, placed)
    api.close()


def _go_on(day: Day, api: Api, order: dict[str, Any], placed: dict[str, Any]) -> None:
    path, where = f"/orders/{placed['id']}", order["fulfilment"].get("location", "EC")
    if pick(day.key("cancel", order["ref"]), 10) == 0:
        api.post(f"{path}/cancel", {"reason": "customer"}, key=day.key("cancel", order["ref"]))
        day.board.tell("CANCEL", where, placed["number"])
    else:
        slip = {"carrier": "yamato", "tracking_no": f"4900{pick(day.key(order['ref']), 10**8):08d}"}
        api.post(f"{path}/ship", slip, key=day.key("ship", order["ref"]))
        day.board.tell("SHIP", where, f"{placed['number']}  {slip['tracking_no']}")


def _shortage(answer: Answer) -> str:
    lines = answer.body.get("lines", [])
    parts = [f"{line['sku']} 希望{line['requested']} 在庫{line['available']}" for line in lines[:3]]
    return f"{answer.problem}: {', '.join(parts)}"


def carts(day: Day) -> None:
    """Customers who put something into their cart; half of them leave it there."""
    api = day.connect()
    stocked = [row for row in files.opening() if row["sku"].startswith(("A-", "Z"))]
    for number in range(_CARTS_A_DAY):
        day.board.wait_until(OPENS + (CLOSES - OPENS - _HOUR) * number / _CARTS_A_DAY)
        row = stocked[pick(day.key("cart", number), len(stocked))]
        pieces = 1 + pick(day.key("pieces", number), 6)
        wish = {
            "location": row["location"],
            "kind": "cart",
            "lines": [{"sku": row["sku"], "quantity": pieces}],
            "expires_in": 900,
        }
        answer = api.ask("POST", "/reservations", wish, key=day.key("cart", number))
        if answer.status == 409:
            day.board.tell("REFUSED", row["location"], _shortage(answer))
        elif answer.status != 201:
            raise RuntimeError(f"reservation: {answer.status} {answer.body}")
        else:
            day.board.tell("CLAIM", row["location"], f"{row['sku']} ×{pieces}")
            if number % 2:
                api.post(f"/reservations/{answer.body['id']}/release", {}, key=day.key("release", number))
                day.board.tell("RELEASE", row["location"], row["sku"])
    api.close()


def rivals(day: Day) -> None:
    """In the afternoon several customers press the button for all that is left of one thing."""
    day.board.wait_until(15 * _HOUR)
    api = day.connect()
    shown = api.get("/availability", sku=_RACE_SKU, location=_RACE_STORE, channel=files.CHANNEL)
    left = sum(place["available"] for item in shown["items"] for place in item["locations"])
    if left == 0:
        day.board.tell("REFUSED", _RACE_STORE, f"{_RACE_SKU} 在庫0")
        return
    wish = {"location": _RACE_STORE, "kind": "cart", "expires_in": 900, "channel": files.CHANNEL}
    wish["lines"] = [{"sku": _RACE_SKU, "quantity": left}]
    together, answers = threading.Barrier(_RIVALS), list[Answer]()

    def press(number: int) -> None:
        own = day.connect()
        together.wait()
        answers.append(own.ask("POST", "/reservations", wish, key=day.key("rival", number)))
        own.close()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(_RIVALS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [answer for answer in answers if answer.status == 201]
    day.board.tell(
        "RACE", _RACE_STORE, f"{_RACE_SKU} ×{left}  {_RIVALS}人中 {len(won)}人 / {len(won)} of {_RIVALS} won"
    )
    for answer in won:
        api.post(f"/reservations/{answer.body['id']}/release", {}, key=day.key("rival-release", answer.body["id"]))
    api.close()
    if len(won) != 1:
        raise RuntimeError(f"{len(won)} of {_RIVALS} got the same {left} pieces: {[a.status for a in answers]}")
