"""Orders and holds to be collected, moved along through the API; shared by the tests of pickups."""

from __future__ import annotations

from typing import Any

from tests.factories import make_sku, make_store


def order(api: Any, ref: str = "EC-1", lines: Any = None, *, pay: str = "authorized", **over: Any) -> dict[str, Any]:
    """An EC order for pickup at S1: two pieces of A and one of B, unless told otherwise."""
    lines = lines or [("1", "A", 2, 1100), ("2", "B", 1, 540)]
    total = sum(quantity * price for _, _, quantity, price in lines)
    body = {
        "channel": "ec",
        "external_ref": ref,
        "customer": {"external_id": "u-1", "name": "山田花子", "phone": "090-1234-5678", "email": "h@example.com"},
        "fulfilment": {"method": "pickup", "location": "S1"},
        "lines": [
            {"line_ref": line_ref, "sku": sku, "quantity": quantity, "unit_price": price}
            for line_ref, sku, quantity, price in lines
        ],
        "payments": [
            {"method": "pay_in_store" if pay == "due" else "card", "amount": total, "state": pay},
        ],
    } | over
    answer = api.post("/orders", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def shop(api: Any, **stock: int) -> None:
    """The store S1 with stock, and the SKUs A (standard rate) and B (reduced)."""
    make_sku(api, "A", barcodes=["4901234567894"], options={"color": "navy", "size": "M"})
    make_sku(api, "B", tax_category="reduced")
    make_store(api, "S1", stock or {"A": 10, "B": 10})


def act(api: Any, pickup_id: str, action: str, body: Any = None, **kwargs: Any) -> dict[str, Any]:
    """One step that must succeed."""
    answer = api.post(f"/pickups/{pickup_id}/{action}", body, **kwargs)
    assert answer.status_code == 200, (action, answer.text)
    return dict(answer.json)


def token_of(shown: dict[str, Any]) -> str:
    """The token in the page's address."""
    return str(shown["page_url"]).rsplit("/", 1)[1]


def pick_all(api: Any, pickup_id: str) -> None:
    """Take every open piece from the shelf."""
    lines = api.get(f"/pickups/{pickup_id}").json["lines"]
    wanted = [{"sku": x["sku"], "quantity": x["ordered"] - x["picked"] - x["short"]} for x in lines]
    act(api, pickup_id, "pick", {"lines": [w for w in wanted if w["quantity"]]})


def bring(api: Any, shown: dict[str, Any], state: str) -> dict[str, Any]:
    """Move a pickup on to `state` on the shortest way; returns it as the store sees it."""
    pickup_id = shown["id"]
    found = dict(api.get(f"/pickups/{pickup_id}").json)
    while found["state"] != state:
        if state == "cancelled":
            found = act(api, pickup_id, "cancel", {"reason": "test"})
        elif found["state"] == "ready":
            found = act(api, pickup_id, "hand-over", {"token": token_of(shown)})
        elif found["state"] == "picking":
            pick_all(api, pickup_id)
            found = act(api, pickup_id, "ready", {"shelf": "A-3"})
        else:
            found = act(api, pickup_id, {"requested": "accept", "accepted": "start"}[found["state"]])
    return found


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The refusal, which is this one."""
    assert answer.status_code == status, answer.text
    assert answer.json["type"] == f"/problems/{code}", answer.text
    return dict(answer.json)
