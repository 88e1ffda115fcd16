"""When a fact breaks a promise: what breaks it, and how the store takes the remedy that is offered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demo import town
from demo.visit import UnexpectedError, Visit

_OVER = frozenset({"cancelled", "collected", "expired"})
_LIVING = "pick ready later arrive qr"
# What can be chosen when a remedy leaves it to the customer, the kindest first.
_KIND = ("other_store", "transfer", "ship", "part", "cancel")


def oversell(visit: Visit, _arg: str) -> None:
    """A customer takes the last piece from the shelf to the till; the till does not ask."""
    sku = visit.goods[0][0]
    visit.receipt([(sku, 1, town.price(sku))])
    visit.notes["cause"] = "till_sale"


def damage(visit: Visit, _arg: str) -> None:
    _write_off(visit, "damage")


def loss(visit: Visit, _arg: str) -> None:
    _write_off(visit, "loss")


def _write_off(visit: Visit, reason: str) -> None:
    lines = [{"sku": visit.goods[0][0], "quantity": -1}]
    visit.ask("POST", "/stock/adjustments", {"location": visit.store.code, "reason": reason, "lines": lines})
    visit.notes["cause"] = reason


def rescue(visit: Visit, _arg: str) -> None:
    """The incident is there at once with its cause; one of its remedies is applied."""
    sku = visit.goods[0][0]
    found = visit.ask("GET", f"/incidents?location={visit.store.code}&state=open&limit=200")["items"]
    incident = next((one for one in found if one["sku"] == sku), None)
    if incident is None or incident["cause_code"] != visit.notes["cause"]:
        message = f"{visit.notes['cause']} of {sku} at {visit.store.code} opened no such incident: {incident}"
        raise UnexpectedError(message)
    visit.day.board.tell("INCIDENT", visit.store.code, f"{sku}  {incident['cause_code']}")
    path = f"/incidents/{incident['id']}"
    if not visit.chance("recount", 4):
        _apply(visit, path, sku, only="recount")
        recount(visit, sku)
    _apply(visit, path, sku)


def _apply(visit: Visit, path: str, sku: str, only: str | None = None) -> None:
    """One remedy: the count that comes first, or any that mends the promise."""
    offered = visit.ask("GET", f"{path}/remedies")["remedies"]
    fitting = [one for one in offered if (one["kind"] == only if only else one["kind"] != "recount")]
    if not fitting:
        message = f"no remedy for {path}: {offered}"
        raise UnexpectedError(message)
    chosen = fitting[visit.chance("remedy", len(fitting))]
    visit.ask("POST", f"{path}/apply", {"remedy": chosen["remedy"]})
    visit.day.board.tell("REMEDY", visit.store.code, f"{sku}  {chosen['kind']}")
    visit.day.board.count("steps", f"remedy:{chosen['kind']}")


def recount(visit: Visit, sku: str) -> None:
    """Somebody counts what the book says; a colleague may have been faster."""
    place = f"location={visit.store.code}"
    owed = visit.ask("GET", f"/recounts?{place}&state=open&limit=200")["items"]
    for task in owed:
        if task["sku"] == sku:
            level = visit.ask("GET", f"/stock?{place}&sku={sku}")["items"][0]
            body = {"counted": level["on_hand"]}
            visit.ask("POST", f"/recounts/{task['id']}/done", body, tolerate="illegal-transition")
            visit.day.board.count("steps", "recount")


def after(visit: Visit, _arg: str) -> str:
    """The promise goes on in whatever way the remedy chose; returns the steps that this pickup still needs."""
    visit.follow()
    shown = visit.look()
    if shown["state"] in _OVER:
        return ""
    if shown["choose_by"] or shown["state"] == "awaiting_customer":
        found = visit.ask("GET", f"/pickups/{visit.id}/options")["options"]
        kinds = {one["option"] for one in found}
        return f"choose:{next(kind for kind in _KIND if kind in kinds)} after"
    return "pick ready later arrive till" if visit.way == "unpaid" else _LIVING


STEPS: dict[str, Callable[[Visit, str], Any]] = {
    step.__name__: step for step in (oversell, damage, loss, rescue, after)
}
