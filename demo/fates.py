"""What becomes of the demo's orders: cancelled, shipped, or led through the store."""

from __future__ import annotations

from typing import Any

from demo import files
from demo.client import Answer, Api, DemoError

# A load that was broken off finds its moves made already.
_MADE_ALREADY = {"already-collected", "illegal-transition"}
_CARRIER = "yamato"


def find(api: Api, ref: str) -> dict[str, Any] | None:
    """The order of a reference, whole, or None."""
    items = api.get("/orders", channel=files.CHANNEL, external_ref=ref)["items"]
    return api.get(f"/orders/{items[0]['id']}") if items else None


def place(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    """Places an order once; an order that is there already is read instead."""
    answer = api.ask("POST", "/orders", body, key=files.key("order", body["external_ref"]))
    if answer.status == 201:
        return answer.body
    if answer.problem == "duplicate-order":
        return api.get(f"/orders/{answer.body['id']}")
    raise DemoError(f"order {body['external_ref']}: {answer.status} {answer.body}")


def settle(api: Api, order: dict[str, Any], placed: dict[str, Any]) -> str:
    """Gives an order its fate and says which."""
    ref, path = order["ref"], f"/orders/{placed['id']}"
    if "cancel" in order:
        wish = {name: value for name, value in order["cancel"].items() if value}
        _move(api, f"{path}/cancel", wish, key=files.key("cancel", ref))
        return "cancelled_lines" if "lines" in wish else "cancelled"
    if "tracking_no" in order:
        slip = {"carrier": _CARRIER, "tracking_no": order["tracking_no"]}
        _move(api, f"{path}/ship", slip, key=files.key("ship", ref))
        return "shipped"
    if "pickup" in order:
        Clerk(api, order, placed).bring_to(order["pickup"])
        return f"pickup_{order['pickup']}"
    return "open"


def _move(api: Api, path: str, body: dict[str, Any], *, key: str) -> Answer:
    answer = api.ask("POST", path, body, key=key)
    if answer.status >= 300 and answer.problem not in _MADE_ALREADY:
        raise DemoError(f"POST {path}: {answer.status} {answer.body}")
    return answer


def token_of(pickup: dict[str, Any]) -> str:
    """The customer's token, the last segment of the page's address."""
    return str(pickup["page_url"]).rstrip("/").rsplit("/", 1)[-1]


class Clerk:
    """The store's clerk with one pickup in hand."""

    def __init__(self, api: Api, order: dict[str, Any], placed: dict[str, Any]) -> None:
        self._api, self._ref, self._placed = api, order["ref"], placed
        self._lines = _merged(order["lines"])

    def bring_to(self, state: str) -> None:
        """Leads the pickup from requested to a state."""
        steps = {
            "requested": (),
            "accepted": (self.accept,),
            "picking": (self.accept, self.start, self.pick_first),
            "short": (self.accept, self.start, self.short),
            "ready": (self.accept, self.start, self.pick, self.ready),
            "collected": (self.accept, self.start, self.pick, self.ready, self.take_payment, self.hand_over),
            "cancelled": (self.cancel,),
        }
        for step in steps[state]:
            step()

    def accept(self) -> None:
        self._do("accept", {})

    def start(self) -> None:
        self._do("start", {})

    def pick(self) -> None:
        self._do("pick", {"lines": self._lines})

    def pick_first(self) -> None:
        self._do("pick", {"lines": [self._lines[0] | {"quantity": 1}]})

    def short(self) -> None:
        *found, missing = self._lines
        if found:
            self._do("pick", {"lines": found})
        # A piece that is not found would keep its SKU from sale here until somebody has counted; this one is broken.
        self._do("short", missing | {"reason": "damaged"})

    def ready(self) -> None:
        shelf = f"{'ABC'[len(self._lines) % 3]}-{len(self._ref) + len(self._lines):02d}"
        self._do("ready", {"shelf": shelf})

    def take_payment(self) -> None:
        """Who pays in the store pays before the goods are handed over."""
        for payment in self._placed["payments"]:
            if payment["method"] == "pay_in_store" and payment["state"] == "due":
                path = f"/orders/{self._placed['id']}/payments/{payment['id']}/result"
                result = {"state": "captured", "amount": payment["amount"], "external_ref": f"till-{self._ref}"}
                _move(self._api, path, result, key=files.key("pay", self._ref))

    def hand_over(self) -> None:
        """Half of the customers show the QR code, half say their code and PIN."""
        pickup = self._placed["pickup"]
        if int(self._ref[-1]) % 2:
            proof = {"token": token_of(pickup)}
        else:
            proof = {"code": pickup["code"], "pin": pickup["pin"]}
        self._do("hand-over", proof | {"receiver": "customer"})

    def cancel(self) -> None:
        self._do("cancel", {"reason": "customer"})

    def _do(self, action: str, body: dict[str, Any]) -> None:
        path = f"/pickups/{self._placed['pickup']['id']}/{action}"
        _move(self._api, path, body, key=files.key(action, self._ref))


def _merged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pieces per SKU in the order of the list."""
    pieces: dict[str, int] = {}
    for line in lines:
        pieces[line["sku"]] = pieces.get(line["sku"], 0) + line["quantity"]
    return [{"sku": sku, "quantity": quantity} for sku, quantity in pieces.items()]
