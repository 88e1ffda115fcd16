"""Writes what was decided: receipts, their goods, their orders, and what they take back. All of a batch at once."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app import customers, orders, stock
from app.core import clock, states, vault
from app.core.db import ask, ask_one, db, later, use_case
from app.core.errors import AppError
from app.core.ids import new_id
from app.core.sql import Rowset, Sql, json_param

from .errors import OrderNotOpen
from .judging import Outcome
from .known import Receipt
from .models import PosReceipt
from .reading import Moved, problem
from .states import RECEIPT, ReceiptState

REFERENCE = orders.RECEIPT
_RECEIPTS = Rowset(
    "r",
    "rows",
    {
        "id": "uuid", "location_id": "text", "source": "text", "source_id": "text", "store": "text", "terminal": "text",
        "business_date": "text", "receipt_no": "text", "natural_key": "text", "document": "text", "original": "text",
        "revision": "int", "kind": "text", "state": "text", "problems": "jsonb", "totals": "jsonb",
        "fingerprint": "text", "sealed": "text", "order_id": "uuid", "back_order_id": "uuid", "settles_id": "uuid",
        "replaces_id": "uuid", "original_id": "uuid", "voided_by_id": "uuid", "occurred_at": "timestamptz",
        "recorded_at": "timestamptz",
    },
)  # fmt: skip
_COLUMNS = ", ".join(_RECEIPTS.columns)
_VALUES = ", ".join(f"r.{column}" for column in _RECEIPTS.columns)
_INSERT = Sql(
    f"INSERT INTO pos_receipt ({_COLUMNS}, current, version, updated_at) "  # noqa: S608  our own columns
    f"SELECT {_VALUES}, TRUE, 1, r.recorded_at FROM {{r}}",
    _RECEIPTS,
)
_UNRESOLVED = Rowset(
    "u",
    "rows",
    {
        "id": "uuid", "location_id": "text", "receipt_id": "uuid", "line_no": "int", "source": "text", "code": "text",
        "name": "text", "quantity": "int", "occurred_at": "timestamptz", "updated_at": "timestamptz",
    },
)  # fmt: skip
_INSERT_UNRESOLVED = Sql(
    f"INSERT INTO pos_unresolved ({', '.join(_UNRESOLVED.columns)}, state, version) "  # noqa: S608
    f"SELECT {', '.join(f'u.{column}' for column in _UNRESOLVED.columns)}, 'waiting', 1 FROM {{u}}",
    _UNRESOLVED,
)
_IDS = Rowset("one", "rows", {"id": "uuid"})
_DROP = Sql(
    "UPDATE pos_unresolved SET state = 'dropped', version = version + 1, updated_at = :now WHERE state = 'waiting' "
    "AND receipt_id IN (SELECT one.id FROM {one})",
    _IDS,
)
_VOIDED = Sql(
    "UPDATE pos_receipt SET voided_by_id = :by, version = version + 1, updated_at = :now "
    "WHERE id IN (SELECT one.id FROM {one})",
    _IDS,
)
_LINKED = Sql(
    "UPDATE pos_receipt SET original_id = :to, version = version + 1, updated_at = :now "
    "WHERE id IN (SELECT one.id FROM {one})",
    _IDS,
)
_SETTLED = Sql("SELECT 1 FROM pos_receipt WHERE settles_id = :order AND location_id = :location LIMIT 1")


Document = tuple[list[stock.Goods], stock.Cause]


def write(
    outcomes: Sequence[Outcome], *, waiting: Sequence[Document] = (), mended: PosReceipt | None = None
) -> list[Document]:
    """Write the outcomes but for their goods, which are returned: the caller lets a whole request's goods move at once,
    so that levels are taken in one order. `waiting` are the goods of its earlier sales.

    `mended` is the row of the only outcome, when it is tried again.
    """
    now = clock.text(clock.now())
    documents = _take_back(outcomes, waiting)
    for outcome in outcomes:
        _supersede(outcome)
        if outcome.state is ReceiptState.POSTED:
            _settle(outcome)
            _record_orders(outcome)
    # Rows that are replaced have to stop being current before their successors come.
    db.session.flush()
    if mended is None:
        later(_INSERT, {"rows": json_param([_row(outcome, now) for outcome in outcomes])})
    else:
        _mend(mended, outcomes[0])
    unresolved = [row for outcome in outcomes for row in _unresolved(outcome, now)]
    if unresolved:
        later(_INSERT_UNRESOLVED, {"rows": json_param(unresolved)})
    for outcome in outcomes:
        _mark(_VOIDED, outcome.voided, {"by": outcome.id, "now": now})
        _mark(_LINKED, outcome.linked, {"to": outcome.id, "now": now})
    return documents + [document for outcome in outcomes for document in _goods(outcome)]


def arrive(documents: Sequence[Document] = ()) -> None:
    """Let goods move, or at least let what waits reach the database, inside the caller's savepoint: what the database
    refuses then concerns its sales alone.
    """
    if documents:
        stock.record_all(documents)
    else:
        ask()


def seal(raw: Mapping[str, Any]) -> str:
    """A sale as it is kept."""
    return base64.b64encode(vault.seal("receipt", json_param(raw).encode())).decode()


def unseal(sealed: str) -> bytes:
    """The sale as JSON."""
    return vault.unseal("receipt", base64.b64decode(sealed))


def _take_back(outcomes: Sequence[Outcome], waiting: Sequence[Document]) -> list[Document]:
    """Undo what later receipts replace or void: exactly what the ledger has of them, and their orders."""
    undone = sorted(((one, outcome) for outcome in outcomes for one in outcome.undone), key=lambda pair: pair[0].id)
    if not undone:
        return []
    ids = [one.id for one, _ in undone]
    later(_DROP, {"rows": json_param([{"id": one} for one in ids]), "now": clock.text(clock.now())})
    moved = stock.net_of(REFERENCE, ids)
    for goods, cause in waiting:
        moved.get(cause.id, []).extend(goods)
    documents = []
    for one, outcome in undone:
        kind = "void" if outcome.offer.kind == "void" else "correction"
        if one.voided_by_id is None:
            for order_id in one.orders:
                orders.reverse_sale(order_id, reason=kind)
        back = [stock.Goods(goods.location_id, goods.sku, -goods.quantity) for goods in moved[one.id]]
        documents.append((back, stock.Cause(kind, REFERENCE, one.id, outcome.offer.sold_at)))
    return [(goods, cause) for goods, cause in documents if goods]


def _supersede(outcome: Outcome) -> None:
    rows = {one.id: one for one in (*outcome.superseded, *([outcome.replaced] if outcome.replaced else []))}
    for one in rows.values():
        row = db.session.get_one(PosReceipt, one.id, populate_existing=True)
        if one in outcome.superseded:
            states.move(row, "supersede", RECEIPT)
        row.current = False


def _settle(outcome: Outcome) -> None:
    """A sale that pays a pickup: the goods leave by its claim, and the receipt is no second order."""
    sale = outcome.offer.sale
    if sale is None or sale["kind"] != "sale" or outcome.sold is None:
        return
    pointer = next((name for name in ("pickup_code", "order") if sale.get(name)), None)
    if pointer is None:
        return
    try:
        held = _settle_hold(sale[pointer], outcome) if pointer == "pickup_code" else None
        given = _settle_order(sale[pointer], outcome) if held is None else dict(held.given)
    except AppError as refusal:
        # It was paid at the till all the same: an ordinary sale, and somebody looks at the pickup.
        outcome.problems.append(problem(f"/{pointer}", refusal.code))
        return
    if held is not None:
        # A hold has no order: the receipt is its sale, and only the goods have left already.
        outcome.moved = _beyond(outcome.moved, given)
        if held.problem:
            outcome.problems.append(problem(f"/{pointer}", held.problem))
        return
    outcome.sold = None
    outcome.moved = _beyond(outcome.moved, given)
    if any(one.quantity < 0 for one in outcome.moved):
        outcome.problems.append(problem("/lines", "beyond-order"))


def _settle_hold(code: str, outcome: Outcome) -> orders.Held | None:
    cause = stock.Cause("sale", REFERENCE, outcome.id, outcome.offer.sold_at)
    return orders.settle_hold(code, _sold(outcome), cause)


def _sold(outcome: Outcome) -> dict[str, int]:
    sold: dict[str, int] = {}
    for one in outcome.moved:
        if one.sku and one.quantity < 0:
            sold[one.sku] = sold.get(one.sku, 0) - one.quantity
    return sold


@use_case
def _settle_order(code: str, outcome: Outcome) -> dict[str, int]:
    """Hand over what the receipt sold of what the order still has open; returns its pieces by SKU."""
    sale = outcome.offer.sale
    if sale is None:
        raise orders.UnknownOrder
    order = orders.at_counter(code, location=sale["store"])
    if not order.lines:
        raise OrderNotOpen(state=order.state)
    sold = _sold(outcome)
    given = {sku: min(pieces, sold.get(sku, 0)) for sku, pieces in order.left.items()}
    # What a clerk gave before the till's receipt came is on it too: the money of that order, not another sale.
    rest = {sku: pieces - given.get(sku, 0) for sku, pieces in sold.items()}
    before = (
        {}
        if _is_paid(order.order_id, outcome.location_id)
        else {k: min(q, order.done.get(k, 0)) for k, q in rest.items()}
    )
    if any(given.values()):
        tenders = [(tender["method"], tender["amount"]) for tender in sale["tenders"]]
        orders.settle_at_till(order, given, tenders_taken=tenders, at=sale["sold_at"], reference=outcome.id)
        if given != order.left:
            outcome.problems.append(problem("/lines", "short-of-order"))
    elif not any(before.values()):
        raise OrderNotOpen(state=order.state)
    if any(before.values()):
        outcome.problems.append(problem("", "collected-before"))
    outcome.settles_id = order.order_id
    return {sku: given.get(sku, 0) + before.get(sku, 0) for sku in {*given, *before}}


def _is_paid(order_id: str, location: str) -> bool:
    """Whether a receipt of this store has paid for what the order gives there."""
    return bool(ask_one(_SETTLED, {"order": order_id, "location": location}).rows)


def _beyond(moved: Sequence[Moved], given: dict[str, int]) -> list[Moved]:
    """What the receipt moved besides the order's own goods."""
    left: list[Moved] = []
    for one in moved:
        by_order = min(-one.quantity, given.get(one.sku or "", 0)) if one.quantity < 0 else 0
        if by_order:
            given[one.sku or ""] -= by_order
        if one.quantity + by_order:
            left.append(replace(one, quantity=one.quantity + by_order))
    return left


def _record_orders(outcome: Outcome) -> None:
    sale = outcome.offer.sale
    if sale is None or not (outcome.sold or outcome.back):
        return
    person = {name: value for name, value in (sale.get("customer") or {}).items() if value}
    customer_id = customers.find_or_create(person) if person else None
    if outcome.sold is not None:
        outcome.order_id = orders.record_sale(replace(outcome.sold, customer_id=customer_id)).id
    if outcome.back is not None:
        outcome.back_order_id = orders.record_sale(replace(outcome.back, customer_id=customer_id)).id


def _goods(outcome: Outcome) -> list[Document]:
    goods = [stock.Goods(outcome.location_id, one.sku, one.quantity) for one in outcome.moved if one.sku]
    cause = stock.Cause(outcome.offer.kind or "sale", REFERENCE, outcome.id, outcome.offer.sold_at)
    return [(goods, cause)] if goods else []


def _unresolved(outcome: Outcome, now: str) -> list[dict[str, Any]]:
    sold_at = outcome.offer.sold_at
    return [
        {
            "id": new_id(), "location_id": outcome.location_id, "receipt_id": outcome.id, "line_no": one.line_no,
            "source": outcome.offer.key.source, "code": one.code, "name": one.name, "quantity": one.quantity,
            "occurred_at": clock.text(sold_at) if sold_at else now, "updated_at": now,
        }
        for one in outcome.moved
        if one.sku is None
    ]  # fmt: skip


def _mark(sql: Sql, receipts: Sequence[Receipt], params: Mapping[str, Any]) -> None:
    if receipts:
        later(sql, {**params, "rows": json_param([{"id": one.id} for one in receipts])})


def _facts(outcome: Outcome) -> dict[str, Any]:
    offer = outcome.offer
    return {
        "location_id": outcome.location_id, "source": offer.key.source, "source_id": offer.key.source_id,
        "store": offer.key.store, "terminal": offer.key.terminal, "business_date": offer.key.business_date,
        "receipt_no": offer.key.receipt_no, "document": offer.key.document, "original": offer.original,
        "revision": offer.revision, "kind": offer.kind, "problems": outcome.problems, "totals": outcome.totals,
        "sealed": seal(offer.raw), "order_id": outcome.order_id, "back_order_id": outcome.back_order_id,
        "settles_id": outcome.settles_id, "original_id": outcome.original_id, "voided_by_id": outcome.voided_by_id,
    }  # fmt: skip


def _row(outcome: Outcome, now: str) -> dict[str, Any]:
    sold_at = outcome.offer.sold_at
    return _facts(outcome) | {
        "id": outcome.id, "natural_key": outcome.offer.key.natural, "state": str(outcome.state),
        "fingerprint": outcome.fingerprint, "replaces_id": outcome.replaced.id if outcome.replaced else None,
        "occurred_at": clock.text(sold_at) if sold_at else None, "recorded_at": now,
    }  # fmt: skip


def _mend(row: PosReceipt, outcome: Outcome) -> None:
    """Write a parked receipt again. A place it did not have is no place that changes."""
    for name, value in _facts(outcome).items():
        setattr(row, name, value)
    row.mended, row.occurred_at = outcome.fingerprint, outcome.offer.sold_at
    if outcome.state is ReceiptState.POSTED:
        db.session.flush()
        states.move(row, "post", RECEIPT)
    else:
        row.version += 1
        row.updated_at = clock.now()
    db.session.flush()
