"""Taking in what the tills did. A sale that happened is never refused: what cannot be understood is parked.

A request's sales are worked on together, as few statements over many rows; those that may meet each other (a repeat, a
correction, a void in the same request) one after the other. If the database refuses one for a reason that nobody
foresaw, it is parked alone and its neighbours are posted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import structlog

from app.core import actor, clock, settings, states
from app.core.db import db, is_unavailable, use_case
from app.core.ids import is_id, new_id
from app.core.sql import json_of
from app.stores import UnknownLocation

from .errors import ReceiptConflict, UnknownReceipt
from .judging import NOWHERE, Outcome, judge, repeat
from .known import lock, look_up
from .models import PosReceipt
from .offers import Offer, Result
from .reading import problem
from .states import RECEIPT, ReceiptState
from .writing import unseal, write

Reader = Callable[[object], Offer]
log = structlog.get_logger("pos_bridge.receipts")


@use_case
def receive(offers: Sequence[Offer]) -> list[Result]:
    """Take in sales in their order; each gets the answer that a call of its own would have had."""
    lock(name for offer in offers for name in offer.names)
    return [result for chunk in _chunks(offers) for result in _take(chunk)]


@use_case
def receive_one(offer: Offer) -> Result:
    """Take in one sale. Raises ReceiptConflict, UnknownLocation."""
    (result,) = receive([offer])
    return _insist(result, offer)


def _insist(result: Result, offer: Offer) -> Result:
    if result.status == 404:
        raise UnknownLocation(location=offer.key.store)
    if result.status == 409:
        raise ReceiptConflict(id=result.id, state=result.state, revision=offer.revision)
    return result


def _chunks(offers: Sequence[Offer]) -> Iterator[list[Offer]]:
    chunk: list[Offer] = []
    names: set[str] = set()
    for offer in offers:
        alone = _settles(offer)
        if chunk and (alone or len(chunk) == settings.MAX_BATCH or names & offer.names):
            yield chunk
            chunk, names = [], set()
        chunk.append(offer)
        names |= offer.names
        if alone:
            yield chunk
            chunk, names = [], set()
    if chunk:
        yield chunk


def _settles(offer: Offer) -> bool:
    """A sale that pays a pickup takes its order's locks first, before any level."""
    return bool(offer.sale and (offer.sale.get("order") or offer.sale.get("pickup_code")))


def _take(chunk: list[Offer]) -> list[Result]:
    try:
        return _post(chunk)
    except Exception as error:
        if is_unavailable(error):
            raise
        if len(chunk) > 1:
            return [result for offer in chunk for result in _take([offer])]
        log.exception("receipt_not_posted", error=type(error).__name__)
        return [_park(chunk[0])]


@use_case
def _post(chunk: Sequence[Offer]) -> list[Result]:
    known = look_up(chunk)
    now = clock.now()
    results: list[Result | Outcome] = [
        repeat(offer, known) or judge(offer, known, new_id(), now) for offer in chunk
    ]  # fmt: skip
    outcomes = [one for one in results if isinstance(one, Outcome)]
    if outcomes:
        write(outcomes)
    return [one.result if isinstance(one, Outcome) else one for one in results]


@use_case
def _park(offer: Offer) -> Result:
    known = look_up([offer])
    if (answer := repeat(offer, known)) is not None:
        return answer
    outcome = judge(Offer(offer.key, offer.raw, offer.revision, None), known, new_id(), clock.now())
    outcome.problems = [problem("", "posting-failed")]
    write([outcome])
    return outcome.result


@use_case
def mend(receipt_id: str, offer: Offer, *, expect: Callable[[PosReceipt], None] = lambda _present: None) -> Result:
    """Put a readable sale in the place of a parked one and post it. Raises UnknownReceipt, IllegalTransition,
    ReceiptConflict, UnknownLocation.
    """
    row = _parked(receipt_id, offer.names, expect)
    if offer.key.natural == row.natural_key:
        return _again(row, offer)
    # Even its number was wrong. The paper stays known by the wrong one as well: the till may send it again.
    result = _insist(_take([offer])[0], offer)
    states.move(row, "supersede", RECEIPT)
    return result


@use_case
def replay(receipt_id: str, read: Reader) -> Result:
    """Try a parked receipt again as it is: meanwhile its store or its goods may have become known."""
    row = _find(receipt_id)
    offer = read(json_of(unseal(row.sealed)))
    return _again(_parked(receipt_id, offer.names), offer)


def _again(row: PosReceipt, offer: Offer) -> Result:
    if offer.key.store is not None:
        actor.within(location=offer.key.store, missing=UnknownLocation)
    outcome = judge(offer, look_up([offer]), row.id, clock.now())
    write([outcome], mended=row)
    result = outcome.result
    result.status = 200
    return result


def _find(receipt_id: str) -> PosReceipt:
    row = db.session.get(PosReceipt, receipt_id, populate_existing=True) if is_id(receipt_id) else None
    if row is None or not sees(row.location_id):
        raise UnknownReceipt
    return row


def sees(location_id: str) -> bool:
    """Whether the actor may see a receipt of this place; those without a place only who sees all."""
    bounds = actor.current().locations
    return bounds is None or (location_id != NOWHERE and location_id in bounds)


def _parked(
    receipt_id: str, names: set[str], expect: Callable[[PosReceipt], None] = lambda _present: None
) -> PosReceipt:
    """A parked receipt under lock, with all that a mended one may meet."""
    row = _find(receipt_id)
    lock(names | {name for name in (row.natural_key, row.document) if name})
    db.session.refresh(row)
    expect(row)
    if row.state != ReceiptState.PARKED or not row.current:
        raise states.IllegalTransition(state=row.state, allowed=[], action="post")
    return row
