"""Taking in what the tills did. A sale that happened is never refused: what cannot be understood is parked.

A request's sales are worked on together, as few statements over many rows; those that may meet each other (a repeat, a
correction, a void in the same request) one after the other. If the database refuses one for a reason that nobody
foresaw, it is parked alone and its neighbours are posted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

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
from .writing import Document, arrive, unseal, write

Reader = Callable[[object], Offer]
log = structlog.get_logger("pos_bridge.receipts")


@use_case
def receive(offers: Sequence[Offer]) -> list[Result]:
    """Take in sales in their order; each gets the answer that a call of its own would have had."""
    work = _Work({name for offer in offers for name in offer.names})
    chunks = list(_chunks(offers))
    for number, chunk in enumerate(chunks, start=1):
        _take(chunk, work, last=number == len(chunks))
    return work.results


@use_case
def receive_one(offer: Offer) -> Result:
    """Take in one sale. Raises ReceiptConflict, UnknownLocation."""
    (result,) = receive([offer])
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


@dataclass(slots=True)
class _Work:
    """A request so far: names that its first trip locks, its answers, and goods that move with its last sale."""

    unlocked: set[str]
    results: list[Result] = field(default_factory=list)
    waiting: list[Document] = field(default_factory=list)


def _take(chunk: list[Offer], work: _Work, *, last: bool) -> None:
    try:
        results, documents = _post(chunk, work, last=last)
    except Exception as error:
        if is_unavailable(error):
            raise
        # Locks that were taken inside the savepoint went with it.
        lock(work.unlocked)
        if len(chunk) > 1:
            for number, offer in enumerate(chunk, start=1):
                _take([offer], work, last=last and number == len(chunk))
            return
        log.exception("receipt_not_posted", error=type(error).__name__)
        results, documents = [_park(chunk[0])], []
        if last:
            arrive(work.waiting)
    work.unlocked = set()
    work.results += results
    work.waiting += documents


@use_case
def _post(chunk: Sequence[Offer], work: _Work, *, last: bool) -> tuple[list[Result], list[Document]]:
    known = look_up(chunk, work.unlocked)
    now = clock.now()
    found: list[Result | Outcome] = [repeat(offer, known) or judge(offer, known, new_id(), now) for offer in chunk]
    outcomes = [one for one in found if isinstance(one, Outcome)]
    documents = write(outcomes, waiting=work.waiting) if outcomes else []
    if last:
        arrive([*work.waiting, *documents])
    elif outcomes:
        arrive()
    return [one.result if isinstance(one, Outcome) else one for one in found], documents


@use_case
def _park(offer: Offer) -> Result:
    known = look_up([offer])
    if (answer := repeat(offer, known)) is not None:
        return answer
    outcome = judge(Offer(offer.key, offer.raw, offer.revision, None), known, new_id(), clock.now())
    outcome.problems = [problem("", "posting-failed")]
    write([outcome])
    arrive()
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
    result = receive_one(offer)
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
    arrive(write([outcome], mended=row))
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
