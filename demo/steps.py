"""What people do in a visit of the live day, one function per word of a story."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from demo import rescue, town
from demo.town import STORES
from demo.visit import UnexpectedError, Visit
from demo.ways import ADDRESS

_OTHER_DEVICE = 2
_STORE_DAYS = 3
_SLOW_SECONDS = 65.0


def _nonce(visit: Visit) -> str:
    return f"n{visit.calls}"


def _give(visit: Visit, proof: dict[str, Any], **expected: Any) -> None:
    visit.do("hand-over", {"nonce": _nonce(visit)} | proof, **expected)


def _pin(visit: Visit, *, right: bool = True) -> dict[str, str]:
    pin = str(visit.pickup["pin"])
    wrong = f"{(int(pin) + 1) % 10 ** len(pin):0{len(pin)}d}"
    return {"code": visit.pickup["code"], "pin": pin if right else wrong}


# --- at the counter ---------------------------------------------------------------------------------------------------


def ready(visit: Visit, _arg: str) -> None:
    visit.do("ready", {"shelf": f"{'XYZ'[visit.calls % 3]}-{visit.chance('shelf', 20) + 1:02d}"})
    visit.day.board.tell("READY", visit.store.code, f"{visit.pickup['code']}  {visit.way}")


def arrive(visit: Visit, _arg: str) -> None:
    visit.do("arrived", {"note": f"駐車場 {visit.chance('bay', 9) + 1}番"})


def qr(visit: Visit, _arg: str) -> None:
    _give(visit, {"token": visit.token})
    visit.day.board.tell("HANDOVER", visit.store.code, f"{visit.pickup['code']}  QR")


def pin(visit: Visit, _arg: str) -> None:
    _give(visit, _pin(visit))
    visit.day.board.tell("HANDOVER", visit.store.code, f"{visit.pickup['code']}  PIN")


def wrong_pin(visit: Visit, _arg: str) -> None:
    _give(visit, _pin(visit, right=False), refused="wrong-pin")


def lock(visit: Visit, _arg: str) -> None:
    for _ in range(5):
        wrong_pin(visit, "")
    _give(visit, _pin(visit), refused="pin-locked")


def unlock(visit: Visit, _arg: str) -> None:
    visit.do("unlock")


def part(visit: Visit, _arg: str) -> None:
    """One piece now, the rest later."""
    _give(visit, {"token": visit.token, "lines": [{"sku": visit.goods[0][0], "quantity": 1}]})


def twice(visit: Visit, _arg: str) -> None:
    _give(visit, {"token": visit.token}, refused="already-collected", device=_OTHER_DEVICE)
    visit.day.board.tell("TWICE", visit.store.code, f"{visit.pickup['code']}  2度目は断る")


def undo(visit: Visit, _arg: str) -> None:
    visit.do("undo")


def till(visit: Visit, _arg: str) -> None:
    """The receipt pays and hands over."""
    lines = visit.pickup["lines"] if "lines" in visit.pickup else visit.look()["lines"]
    sold = [
        (line["sku"], line["ordered"] - line["short"] - line["collected"], town.price(line["sku"])) for line in lines
    ]
    visit.receipt([one for one in sold if one[1]], pickup_code=visit.pickup["code"])
    visit.day.board.tell("SALE", visit.store.code, f"{visit.pickup['code']}  レジで精算")


def pay(visit: Visit, _arg: str) -> None:
    """At the counter before the goods are given, as the shop reports it."""
    order = visit.order or {}
    for payment in order["payments"]:
        if payment["state"] == "due":
            result = {"state": "captured", "amount": payment["amount"], "external_ref": f"till-{visit.name}"}
            visit.ask("POST", f"/orders/{order['id']}/payments/{payment['id']}/result", result)


# --- whoever comes ----------------------------------------------------------------------------------------------------


def lend(visit: Visit, _arg: str) -> None:
    visit.do("proxy", {"lend_minutes": 120})
    visit.proxy = visit.pickup.pop("proxy")


def name(visit: Visit, _arg: str) -> None:
    visit.do("proxy", {"name": "見本 太郎"})
    visit.proxy = visit.pickup.pop("proxy")


def take_back(visit: Visit, _arg: str) -> None:
    visit.do("proxy", {"remove": visit.proxy["id"]})


def lent(visit: Visit, _arg: str) -> None:
    _give(visit, {"token": visit.proxy["token"]})


def lent_refused(visit: Visit, _arg: str) -> None:
    _give(visit, {"token": visit.proxy["token"]}, refused="proxy-ended")


def proxy(visit: Visit, _arg: str) -> None:
    who = {"receiver": "proxy", "proxy": visit.proxy["id"], "identity_checked": True}
    _give(visit, {"token": visit.token} | who)


def reissue(visit: Visit, _arg: str) -> None:
    visit.notes["token"] = visit.token
    visit.do("reissue")


def old_qr(visit: Visit, _arg: str) -> None:
    _give(visit, {"token": visit.notes["token"]}, refused="unknown-pickup")


# --- the customer thinks again ----------------------------------------------------------------------------------------


def extend(visit: Visit, _arg: str) -> None:
    visit.do("extend", {})


def extend_again(visit: Visit, _arg: str) -> None:
    visit.do("extend", {}, refused="extension-limit")


def extend_by_store(visit: Visit, _arg: str) -> None:
    until = datetime.fromisoformat(visit.pickup["expires_at"]) + timedelta(days=_STORE_DAYS)
    visit.do("extend", {"until": until.isoformat()})


def ask_cancel(visit: Visit, _arg: str) -> None:
    visit.do("request-cancel", {"reason": "間違えて注文した"})


def decline(visit: Visit, _arg: str) -> None:
    visit.do("decline-cancel", {"reason": "ご用意済み"})


def cancel(visit: Visit, _arg: str) -> None:
    visit.do("cancel", {"reason": "お客さまのご希望"})


def order_cancel(visit: Visit, _arg: str) -> None:
    visit.ask("POST", f"/orders/{(visit.order or {})['id']}/cancel", {"reason": "customer"})


def reshelve(visit: Visit, _arg: str) -> None:
    visit.do("reshelve")


def release(visit: Visit, _arg: str) -> None:
    visit.ask("POST", f"/reservations/{visit.reservation}/release")


# --- holds and those who wait -----------------------------------------------------------------------------------------


def prolong(visit: Visit, _arg: str) -> None:
    visit.ask("POST", f"/reservations/{visit.reservation}/extend", {"expires_in": 3_600})


def lapse(visit: Visit, _arg: str) -> None:
    visit.wait_unless(visit.look()["state"] == "expired")


def join(visit: Visit, _arg: str) -> None:
    """Somebody else wants the same, and the shelf is empty."""
    body = {"location": visit.store.code, "sku": visit.goods[0][0], "customer": visit.customer("waiting")}
    visit.notes["wait"] = visit.ask("POST", "/waiting-list", body)["id"]


def leave(visit: Visit, _arg: str) -> None:
    visit.ask("POST", f"/waiting-list/{visit.notes['wait']}/leave")


def offered(visit: Visit, _arg: str) -> None:
    query = f"/waiting-list?location={visit.store.code}&sku={visit.goods[0][0]}&state=offered"
    mine = next((one for one in visit.ask("GET", query)["items"] if one["id"] == visit.notes["wait"]), None)
    visit.wait_unless(mine)
    if mine is not None:
        visit.child({"id": mine["pickup"]}, "pick ready later arrive till")


# --- goods that are sent, missing or late, and closed doors -----------------------------------------------------------


def ship(visit: Visit, _arg: str) -> None:
    visit.ask("POST", f"/transfers/{visit.look()['transfer']}/ship", {})


def receive(visit: Visit, arg: str) -> None:
    """All that was sent, or so many pieces; the pickup hears of it from a job."""
    if "received" not in visit.notes:
        body = {"lines": [{"sku": visit.goods[0][0], "quantity": int(arg)}]} if arg else {}
        visit.ask("POST", f"/transfers/{visit.look()['transfer']}/receive", body)
        visit.notes["received"] = "yes"
    visit.wait_unless(visit.look()["state"] != "awaiting_transfer")


def not_sent(visit: Visit, _arg: str) -> None:
    if "called_off" not in visit.notes:
        visit.ask("POST", f"/transfers/{visit.look()['transfer']}/cancel", {})
        visit.notes["called_off"] = "yes"
    visit.wait_unless(visit.look()["state"] != "awaiting_transfer")


def miss(visit: Visit, arg: str) -> None:
    """On the next walk a piece of the first line will not be had."""
    visit.missing = (visit.goods[0][0], arg)


def mistake(visit: Visit, _arg: str) -> None:
    """On the next walk a wrong thing is scanned first."""
    visit.notes["mistake"] = "yes"


def substitute(visit: Visit, _arg: str) -> None:
    instead = next(sku for sku in reversed(town.COMMON) if sku not in dict(visit.goods))
    visit.do("substitute", {"sku": visit.goods[0][0], "substitute": instead})


def close(visit: Visit, _arg: str) -> None:
    """The store will be closed on the day on which the customer wanted to come."""
    with visit.store.door:
        visit.store.closed.add(visit.notes["day"])
        visit.ask("PUT", f"/locations/{visit.store.code}", town.settings(visit.store))


def slow(visit: Visit, _arg: str) -> None:
    """The staff has other things to do until the promise is broken."""
    visit.wait_unless(time.monotonic() - visit.began > _SLOW_SECONDS)


def told(visit: Visit, _arg: str) -> None:
    """The customer is asked about a time to come that now falls on closed doors."""
    visit.wait_unless(visit.look()["choice_reason"] == "closed")


def choose(visit: Visit, arg: str) -> None:
    """The customer takes one of what is offered; it must be among it."""
    found = visit.ask("GET", f"/pickups/{visit.id}/options")["options"]
    ours = {store.code for store in STORES}
    fitting = [one for one in found if one["option"] == arg and one.get("location", visit.store.code) in ours]
    if not fitting:
        message = f"{arg} is not offered for pickup {visit.id}: {found}"
        raise UnexpectedError(message)
    body = {"option": arg} | {name: fitting[0][name] for name in ("location", "sku") if name in fitting[0]}
    visit.do("choose", body | ({"address": ADDRESS} if arg == "ship" else {}))
    visit.day.board.tell("CHOICE", visit.store.code, f"{visit.pickup['code']}  {arg}")
    if arg in {"other_store", "transfer", "ship"}:
        visit.follow()


STEPS: dict[str, Callable[[Visit, str], Any]] = {
    step.__name__: step
    for step in (
        ready, arrive, qr, pin, wrong_pin, lock, unlock, part, twice, undo, till, pay, lend, name, take_back, lent,
        lent_refused, proxy, reissue, old_qr, extend, extend_again, extend_by_store, ask_cancel, decline, cancel,
        order_cancel, reshelve, release, prolong, lapse, join, leave, offered, ship, receive, not_sent, miss, mistake,
        substitute, close, slow, told, choose,
    )
}  # fmt: skip
STEPS |= rescue.STEPS
