"""The stock side of the demo's week: claims, transfers, a write-off, and two wishes that are refused."""

from __future__ import annotations

from typing import Any

from demo import fates, files
from demo.client import Api, DemoError

# Goods that the replay does not sell, so that these stories come out the same every time.
_TEE, _PARKA, _KNIT = "A-TEE-NVY-M", "A-PARKA-GRY-L", "A-KNIT-MUS-S"
_STORE = "TYO2"
_FAR_TOO_MANY = 900
_CART_SECONDS = 1_800


def claims(api: Api) -> dict[str, int]:
    """Carts, holds at the counter, and claims that the stock does not cover."""
    _reserve(api, "cart-1", {"kind": "cart", "lines": [_line(_TEE, 1)], "expires_in": _CART_SECONDS})
    left = _reserve(api, "cart-2", {"kind": "cart", "lines": [_line(_PARKA, 1)], "expires_in": _CART_SECONDS})
    api.must(
        "POST", f"/reservations/{left['id']}/release", {}, key=files.key("release", "cart-2"), accept=(200, 201, 409)
    )
    for number, sku in enumerate((_KNIT, _TEE), 1):
        person = {"name": "店頭 予約", "name_kana": "テントウ ヨヤク", "phone": f"020-0000-000{number}"}
        _reserve(
            api, f"hold-{number}", {"kind": "hold", "channel": "store", "lines": [_line(sku, 1)], "customer": person}
        )
    for number, sku in enumerate((_TEE, _PARKA), 1):
        wish = {"location": _STORE, "kind": "cart", "lines": [_line(sku, _FAR_TOO_MANY)], "expires_in": _CART_SECONDS}
        answer = api.ask("POST", "/reservations", wish, key=files.key("refused", number))
        if answer.problem != "insufficient-stock":
            raise DemoError(f"a claim on {_FAR_TOO_MANY} pieces was not refused: {answer.status} {answer.body}")
    return {"reservations": 4, "refused": 2}


def _line(sku: str, quantity: int) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity}


def _reserve(api: Api, name: str, wish: dict[str, Any]) -> dict[str, Any]:
    body = {"location": _STORE, "external_ref": f"demo-{name}"} | wish
    return api.post("/reservations", body, key=files.key("reserve", name)).body


def transfers(api: Api) -> dict[str, int]:
    """One transfer that arrived, one a piece short, one on the road, one to be packed, and one for an order."""
    for number, (target, sku) in enumerate((("TYO2", _PARKA), ("CTS1", _TEE), ("KYO1", _KNIT), ("TYO1", _TEE)), 1):
        body = {"from": "WH1", "to": target, "lines": [_line(sku, 2)]}
        transfer = api.post("/transfers", body, key=files.key("transfer", number)).body
        path = f"/transfers/{transfer['id']}"
        if number <= 3:
            api.must("POST", f"{path}/ship", {}, key=files.key("transfer-ship", number), accept=(200, 201, 409))
        if number <= 2:
            counted = {"lines": [_line(sku, 1)]} if number == 2 else {}
            api.must(
                "POST", f"{path}/receive", counted, key=files.key("transfer-receive", number), accept=(200, 201, 409)
            )
    _sent_to_store(api)
    return {"transfers": 5}


def _sent_to_store(api: Api) -> None:
    """An order whose goods still have to leave the warehouse for the customer's store."""
    row = next(row for row in files.skus() if row["sku"] == _KNIT)
    price = int(row["list_price"])
    body = {
        "channel": files.CHANNEL,
        "external_ref": "demo-sent-1",
        "customer": {"name": "見本 桃子", "name_kana": "ミホン モモコ", "phone": "020-0000-0003"},
        "fulfilment": {"method": "pickup", "location": _STORE, "ship_from": "WH1"},
        "lines": [_line(_KNIT, 1) | {"line_ref": "1", "unit_price": price}],
        "payments": [{"method": "card", "amount": price, "state": "authorized"}],
        "expected_total": price,
    }
    fates.place(api, body)


def adjustments(api: Api) -> dict[str, int]:
    """What every stockroom writes off and finds again, and one piece kept back from the web shop in Kyoto."""
    notes = (
        ("TYO1", "damage", "荷崩れで破損", -1),
        ("KYO1", "found", "棚の奥から発見", 1),
        ("SPK1", "receipt", "追加納品", 12),
    )
    for number, (location, reason, note, quantity) in enumerate(notes, 1):
        sku = next(row["sku"] for row in files.opening() if row["location"] == location and int(row["quantity"]) >= 6)
        body = {"location": location, "reason": reason, "note": note, "lines": [_line(sku, quantity)]}
        api.post("/stock/adjustments", body, key=files.key("adjustment", number))
    api.put("/stock/policies", {"channel": files.CHANNEL, "location": "KYO1", "buffer": 1})
    return {"adjustments": len(notes)}
