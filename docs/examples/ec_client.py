"""A web shop's side of one pickup, with the standard library alone: reserve, order, follow.

    HITOTSU_URL=http://127.0.0.1:8000 HITOTSU_KEY=hk_… python docs/examples/ec_client.py A-TEE-NVY-M TYO2

`docs/ec-integration.md` explains each call. Copy what you need.
"""

# ruff: noqa: INP001 -- an example to copy, not a package
from __future__ import annotations

import http.client
import json
import os
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

TRIES = 6
PASSING = {429, 503}
IN_FLIGHT = "/problems/request-in-flight"
OVER = {"collected", "cancelled", "expired"}


class Refused(Exception):
    """An answer that trying again will not change. `code` is the problem's code, `facts` the whole problem."""

    def __init__(self, status: int, facts: dict[str, Any]) -> None:
        self.status = status
        self.code = str(facts.get("type", "")).rsplit("/", 1)[-1]
        self.facts = facts
        super().__init__(f"{status} {self.code}: {facts.get('detail')}")


@dataclass(frozen=True)
class Line:
    """What the customer put into the cart."""

    sku: str
    quantity: int
    unit_price: int


class Shop:
    """The calls that a web shop needs. A retry sends the same key, so it never reserves or orders twice."""

    def __init__(self, base_url: str, key: str, *, pause: float = 1.0) -> None:
        parts = urlsplit(base_url)
        line = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._line = line(parts.netloc, timeout=15)
        self._prefix = parts.path.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Language": "en", "Content-Type": "application/json"}
        self._pause = pause

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> dict[str, Any]:
        """One call, tried again while the trouble may pass; the request stays the same to the letter."""
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        payload = None if body is None else json.dumps(body).encode()
        for attempt in range(1, TRIES + 1):
            try:
                self._line.request(method, self._prefix + path, payload, headers)
                answer = self._line.getresponse()
                status, facts = answer.status, json.loads(answer.read())
            except (OSError, http.client.HTTPException):  # nobody knows whether it was done: the key does
                self._line.close()
                if attempt == TRIES:
                    raise
                time.sleep(self._pause)
                continue
            if status < 400:
                return dict(facts)
            passing = status in PASSING or facts.get("type") == IN_FLIGHT
            if not passing or attempt == TRIES:
                raise Refused(status, facts)
            time.sleep(float(answer.headers.get("Retry-After") or self._pause))
        raise AssertionError("the last try returns or raises")

    def availability(self, sku: str, near: str | None = None) -> list[dict[str, Any]]:
        """Where the SKU can be promised; nearest first with `near` ("35.68,139.76")."""
        query = {"sku": sku, "channel": "ec"} | ({"near": near} if near else {})
        found = self.call("GET", "/availability?" + urlencode(query))
        return list(found["items"][0]["locations"])

    def reserve(self, cart: str, location: str, lines: list[Line]) -> dict[str, Any]:
        """Keep the cart's goods for 15 minutes. Refused("insufficient-stock") carries `lines` and `alternatives`."""
        wanted = [{"sku": line.sku, "quantity": line.quantity} for line in lines]
        body = {"location": location, "kind": "cart", "channel": "ec", "expires_in": 900, "lines": wanted}
        return self.call("POST", "/reservations", body, key=f"{cart}/{location}")

    def order(self, reference: str, location: str, reservation: str, lines: list[Line]) -> dict[str, Any]:
        """Order what was reserved; the card was authorised before. The answer holds the customer's pickup page."""
        total = sum(line.quantity * line.unit_price for line in lines)
        body = {
            "channel": "ec",
            "external_ref": reference,
            "reservation": reservation,
            "customer": {"external_id": "u-7731", "name": "山田花子", "phone": "090-1234-5678"},
            "fulfilment": {"method": "pickup", "location": location},
            "lines": [
                {"line_ref": str(number), "sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price}
                for number, line in enumerate(lines, start=1)
            ],
            "payments": [{"method": "card", "amount": total, "state": "authorized", "external_ref": "auth_5521"}],
            "expected_total": total,
        }
        return self.call("POST", "/orders", body, key=f"order/{reference}")

    def look(self, order_id: str) -> dict[str, Any]:
        """The order as it stands, its pickup and payments included."""
        return self.call("GET", f"/orders/{order_id}")

    def capture(self, order: dict[str, Any]) -> None:
        """Take the money that goods were given for, at your payment provider, and tell what became of it."""
        for payment in order["payments"]:
            wanted = payment["capture_requested"] - payment["captured"]
            if payment["state"] == "authorized" and wanted > 0:
                charge = f"charge-of-{payment['external_ref']}"  # here you call the provider
                result = {"state": "captured", "amount": wanted, "external_ref": charge}
                path = f"/orders/{order['id']}/payments/{payment['id']}/result"
                self.call("POST", path, result, key=f"captured/{payment['id']}/{payment['capture_requested']}")


def checkout(shop: Shop, reference: str, location: str, lines: list[Line]) -> dict[str, Any]:
    """Reserve where the customer wants it, or where it can be had; then order."""
    try:
        reserved = shop.reserve(reference, location, lines)
    except Refused as refusal:
        if refusal.code != "insufficient-stock":
            raise
        others = [one for one in refusal.facts["alternatives"] if one["available_for_all_lines"]]
        if not others:
            raise
        location = others[0]["location"]  # a real shop asks the customer
        reserved = shop.reserve(reference, location, lines)
    return shop.order(reference, location, reserved["id"], lines)


def main(base_url: str, key: str, sku: str, location: str, *, looks: int = 60) -> None:
    """One order, followed until its pickup is over or `looks` have been spent."""
    shop = Shop(base_url, key)
    price = shop.call("GET", f"/skus/{sku}")["list_price"]
    order = checkout(shop, f"EX-{time.time_ns()}", location, [Line(sku, 1, price)])
    sys.stdout.write(f"order {order['number']}: {order['pickup']['page_url']}\n")
    told = ""
    for _ in range(looks):
        order = shop.look(order["id"])
        if order["pickup"]["state"] != told:
            told = order["pickup"]["state"]
            sys.stdout.write(f"pickup {told}\n")
        shop.capture(order)
        if told in OVER:
            return
        time.sleep(5)


if __name__ == "__main__":
    main(os.environ["HITOTSU_URL"], os.environ["HITOTSU_KEY"], *sys.argv[1:3])
