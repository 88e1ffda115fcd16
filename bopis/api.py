"""HTTP for pickups: the store's work. Thin: parse, one call, answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from app.core import settings
from app.core.errors import AppError, BadRequest
from app.core.http import Api, about
from app.core.states import IllegalTransition

from . import ending, errors, giving, handover, items, pickups, proofs, queries, schemas, work
from .models import Pickup
from .scans import Scan

bp = Api("pickups", __name__)
_READ, _WRITE = "pickups:read", "pickups:write"
View = Callable[..., Any]


def act(action: str, *problems: type[AppError], **facts: Any) -> Callable[[View], View]:
    """A changing call on one pickup."""
    return bp.operation(
        "POST",
        f"/pickups/<pickup_id>/{action}",
        scope=_WRITE,
        key="required",
        problems=[errors.UnknownPickup, IllegalTransition, *problems],
        **{"reply": schemas.StorePickupOut, **facts},
    )


def done(row: Pickup) -> dict[str, Any]:
    """The answer to a change, and the object of its audit row."""
    about("pickup", row.id, row.location_id)
    return queries.show(row)


def _device() -> str | None:
    """Which tablet asks: `X-Device-Id`, at most 64 visible ASCII characters."""
    device = request.headers.get("X-Device-Id")
    if device is not None and not (
        1 <= len(device) <= settings.MAX_DEVICE and all("!" <= sign <= "~" for sign in device)
    ):
        raise BadRequest(reason="device-id-form")
    return device


def _items(lines: list[dict[str, Any]]) -> list[items.Item]:
    return [items.Item(**line) for line in lines]


@bp.operation("GET", "/pickups", scope=_READ, query=schemas.PickupQuery, reply=schemas.PickupPageOut)
def list_pickups(query: dict[str, Any]) -> dict[str, Any]:
    """Pickups by place, state, order number, code or the last four digits of the phone."""
    return queries.page(query)


@bp.operation("GET", "/pickups/<pickup_id>", scope=_READ, reply=schemas.StorePickupOut, problems=[errors.UnknownPickup])
def get_pickup(pickup_id: str) -> dict[str, Any]:
    """One pickup."""
    return queries.show(pickups.get(pickup_id))


@bp.operation(
    "POST",
    "/pickups/find",
    scope=_READ,
    safe=True,
    body=schemas.FindIn,
    reply=schemas.StorePickupOut,
    problems=[errors.UnknownPickup, errors.ProxyEnded],
    example={"token": "H16Z3K9QX2M4V8T7R5N1B0CDEFGH"},
)
def find_pickup(body: dict[str, Any]) -> dict[str, Any]:
    """The pickup of a scanned QR code; changes nothing."""
    return queries.show(queries.by_token(body["token"]))


@act("accept")
def accept_pickup(pickup_id: str) -> dict[str, Any]:
    """The store takes the work on."""
    return done(work.accept(pickup_id=pickup_id))


@act("start")
def start_pickup(pickup_id: str) -> dict[str, Any]:
    """Picking begins."""
    return done(work.start(pickup_id=pickup_id))


@act(
    "pick",
    errors.WrongItem,
    errors.PickedTooMany,
    body=schemas.PickIn,
    example={"lines": [{"barcode": "4901234567894", "quantity": 1}]},
)
def pick_lines(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """Pieces were taken from the shelf, by SKU or barcode; all of them count or none."""
    return done(work.pick(pickup_id=pickup_id, scanned=_items(body["lines"])))


@act(
    "short",
    errors.WrongItem,
    errors.PickedTooMany,
    body=schemas.ShortIn,
    example={"sku": "TEE-NAVY-M", "quantity": 1, "reason": "not_found"},
)
def short_line(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """Pieces cannot be had: the book follows by the reason, and the customer is asked."""
    return done(work.short(pickup_id=pickup_id, **body))


@act("ready", errors.LinesOpen, errors.NothingPicked, body=schemas.ReadyIn, example={"shelf": "A-3"})
def ready_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """The goods wait for the customer; the deadline is set."""
    return done(work.ready(pickup_id=pickup_id, shelf=body["shelf"]))


def _one_pin_at_a_time(body: dict[str, Any], pickup_id: str) -> None:
    if "pin" in body:
        proofs.take_turn(pickup_id)


@act(
    "hand-over",
    errors.WrongPin,
    errors.PinLocked,
    errors.UnknownProxy,
    errors.ProxyEnded,
    errors.AlreadyCollected,
    errors.PickupExpired,
    errors.WrongItem,
    errors.MoreThanPicked,
    body=schemas.HandOverIn,
    example={"token": "H16Z3K9QX2M4V8T7R5N1B0CDEFGH", "nonce": "5f0c"},
    guard=_one_pin_at_a_time,
)
def hand_over_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """Give the goods to whoever shows a QR code, or the code and PIN; told late with its moment and nonce, a fact."""
    scan = Scan(
        action="hand-over", proof="token" if "token" in body else "pin", device=_device(), nonce=body.get("nonce"),
        receiver=body["receiver"], proxy_id=body.get("proxy"), identity_checked=body["identity_checked"],
        occurred_at=body.get("occurred_at"),
    )  # fmt: skip
    proof = proofs.Proof(token=body.get("token"), code=body.get("code"), pin=body.get("pin"))
    given = [giving.Given(**line) for line in body["lines"]] if "lines" in body else None
    return done(handover.hand_over(pickup_id=pickup_id, proof=proof, scan=scan, given=given))


@act("undo", errors.NothingToUndo, errors.UndoClosed)
def undo_pickup(pickup_id: str) -> dict[str, Any]:
    """Take the last hand-over back: the same clerk within a minute, a manager the same business day."""
    return done(handover.undo(pickup_id=pickup_id, scan=Scan(action="undo", device=_device())))


@act("cancel", body=schemas.CancelIn, example={"reason": "customer asked"})
def cancel_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """End it: unpicked pieces are free at once, picked ones when they are back on the shelf."""
    return done(ending.cancel(pickup_id=pickup_id, reason=body["reason"]))


@act(
    "reshelve",
    errors.NothingToReshelve,
    errors.WrongItem,
    errors.MoreThanPicked,
    body=schemas.ReshelveIn,
    example={"lines": [{"sku": "TEE-NAVY-M", "quantity": 1}]},
)
def reshelve_pickup(body: dict[str, Any], pickup_id: str) -> dict[str, Any]:
    """Picked goods nobody collects are back on the shelf, and free."""
    scanned = _items(body["lines"]) if "lines" in body else None
    return done(ending.reshelve(pickup_id=pickup_id, scanned=scanned))


@act("reissue", reply=schemas.StorePickupWithPassOut)
def reissue_pickup(pickup_id: str) -> dict[str, Any]:
    """A new QR code and PIN; the old ones are dead at once."""
    row = work.reissue(pickup_id=pickup_id)
    about("pickup", row.id, row.location_id)
    return queries.show_with_pass(row)


@act("unlock")
def unlock_pickup(pickup_id: str) -> dict[str, Any]:
    """Let the PIN be tried again after too many wrong ones."""
    return done(work.unlock(pickup_id=pickup_id))
