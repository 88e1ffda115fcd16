"""How the live day's pickups come about: an order of one kind or another, or goods that are put aside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from demo import files, town
from demo.town import STORES, WAREHOUSE
from demo.visit import UnexpectedError, Visit, placed_at

_ADDRESS = {"postal_code": "604-8856", "prefecture": "京都府", "city": "京都市中京区", "line1": "壬生1-1"}
# A brief hold is left to lapse, a short one is prolonged in time.
_HOLD_SECONDS = {"brief_hold": 12, "short_hold": 300}
_FIRST_DAY, _DAYS = 3, 26
_USUAL_MINUTES = range(3, 62)


def place(visit: Visit) -> None:
    """Everything begins with goods that are there, and somebody who wants them."""
    for at, (sku, pieces) in enumerate(visit.goods):
        if sku in town.SCARCE and visit.store.is_scarce:
            key = visit.day.key(visit.name, "bring", at)
            town.bring_in(visit.api, visit.store.code, sku, pieces, key)
    if visit.way.endswith("hold"):
        _hold(visit)
    else:
        _order(visit)


def _hold(visit: Visit) -> None:
    body: dict[str, Any] = {
        "location": visit.store.code, "kind": "hold", "customer": visit.customer(),
        "lines": [{"sku": sku, "quantity": pieces} for sku, pieces in visit.goods],
    }  # fmt: skip
    if visit.way in _HOLD_SECONDS:
        body["expires_in"] = _HOLD_SECONDS[visit.way]
    made = visit.ask("POST", "/reservations", body)
    visit.reservation, visit.pickup = made["id"], made["pickup"]
    visit.family.add(visit.id)


def _order(visit: Visit) -> None:
    lines: list[dict[str, Any]] = [
        {"line_ref": str(at), "sku": sku, "quantity": pieces, "unit_price": town.price(sku)}
        for at, (sku, pieces) in enumerate(visit.goods, 1)
    ]
    total = sum(line["quantity"] * line["unit_price"] for line in lines)
    paid = {"method": "card", "amount": total, "state": "authorized"}
    due = {"method": "pay_in_store", "amount": total, "state": "due"}
    minutes = _USUAL_MINUTES[visit.chance("minutes", len(_USUAL_MINUTES))]
    body = {
        "channel": files.CHANNEL, "external_ref": f"DAY-{visit.day.run}-{visit.name}", "placed_at": placed_at(minutes),
        "prices": "tax_included", "customer": visit.customer(), "lines": lines, "expected_total": total,
        "payments": [due if visit.way == "unpaid" else paid],
    }  # fmt: skip
    made = _WAYS.get(visit.way, _at_store)(visit, body)
    visit.order, visit.pickup = made, dict(made["pickup"])
    visit.family.add(visit.id)
    if visit.way == "several":
        visit.follow()


def _at_store(visit: Visit, body: dict[str, Any], tolerate: str | None = None, **more: str) -> dict[str, Any]:
    way = {"method": "pickup", "location": visit.store.code} | more
    return visit.ask("POST", "/orders", body | {"fulfilment": way}, tolerate=tolerate)


def _sent(visit: Visit, body: dict[str, Any]) -> dict[str, Any]:
    return _at_store(visit, body, ship_from=WAREHOUSE)


def _sent_by_store(visit: Visit, body: dict[str, Any]) -> dict[str, Any]:
    return _at_store(visit, body, ship_from=_neighbour(visit))


def _neighbour(visit: Visit) -> str:
    return STORES[visit.store.number % len(STORES)].code


def _in_slot(visit: Visit, body: dict[str, Any]) -> dict[str, Any]:
    shown = visit.ask("GET", f"/locations/{visit.store.code}/slots")["items"]
    return _come_at(visit, body, shown[1 + visit.chance("slot", 3)]["starts_at"])


def _on_a_day(visit: Visit, body: dict[str, Any]) -> dict[str, Any]:
    """At noon of a day to come, for each customer of the store another one."""
    days = _FIRST_DAY + next(visit.store.turns["day"]) % _DAYS
    return _come_at(visit, body, f"{files.today() + timedelta(days=days)}T12:00:00+09:00")


def _come_at(visit: Visit, body: dict[str, Any], wish: str) -> dict[str, Any]:
    """The page may show an old list: a slot that filled up meanwhile is refused, with others to choose from."""
    answer = _at_store(visit, body, pickup_at=wish, tolerate="slot-full")
    if "alternatives" in answer:
        if not answer["alternatives"]:
            message = f"a full slot without alternatives: {answer}"
            raise UnexpectedError(message)
        wish = answer["alternatives"][-1]["starts_at"]
        answer = _at_store(visit, body, pickup_at=wish)
    visit.notes["day"] = datetime.fromisoformat(wish).astimezone(files.JST).date().isoformat()
    return answer


def _several(visit: Visit, body: dict[str, Any]) -> dict[str, Any]:
    """Two stores and a parcel."""
    ways: list[dict[str, Any]] = [
        {"method": "pickup", "location": visit.store.code},
        {"method": "pickup", "location": _neighbour(visit)},
        {"method": "ship", "address": _ADDRESS},
    ]
    fulfilments = [way | {"lines": [{"line_ref": str(at), "quantity": 1}]} for at, way in enumerate(ways, 1)]
    return visit.ask("POST", "/orders", body | {"fulfilments": fulfilments})


ADDRESS = _ADDRESS
_WAYS: dict[str, Callable[[Visit, dict[str, Any]], dict[str, Any]]] = {
    "sent": _sent, "sent_by_store": _sent_by_store, "slot": _in_slot, "day": _on_a_day, "several": _several,
}  # fmt: skip
