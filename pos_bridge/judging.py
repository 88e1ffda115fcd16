"""What becomes of each offer: a repeat, a stale or contradicting one, a receipt to keep and what it sets in motion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app import orders
from app.core import actor, vault

from .known import Known, Receipt
from .offers import Offer, Problem, Result
from .reading import Moved, Unpostable, problem, read
from .states import ReceiptState

NOWHERE = "-"


@dataclass(slots=True)
class Outcome:
    """A receipt to write, and what goes with it. `undone` are receipts whose posting it takes back."""

    id: str
    offer: Offer
    location_id: str
    state: ReceiptState
    problems: list[Problem]
    fingerprint: str
    totals: Mapping[str, Any] | None = None
    moved: Sequence[Moved] = ()
    sold: orders.PostedSale | None = None
    back: orders.PostedSale | None = None
    undone: list[Receipt] = field(default_factory=list)
    superseded: list[Receipt] = field(default_factory=list)
    voided: list[Receipt] = field(default_factory=list)
    linked: list[Receipt] = field(default_factory=list)
    replaced: Receipt | None = None
    order_id: str | None = None
    back_order_id: str | None = None
    settles_id: str | None = None
    original_id: str | None = None
    voided_by_id: str | None = None

    @property
    def result(self) -> Result:
        """As the till hears it."""
        return Result(201, self.id, str(self.state), self.problems, self.totals)


def fingerprint(offer: Offer) -> str:
    """A keyed hash of what was sent: it may hold a member's card number."""
    return vault.blind("receipt", offer.content.decode())


def repeat(offer: Offer, known: Known) -> Result | None:
    """The answer to an offer that is out of bounds or was made before; None for one that is new."""
    sees = actor.current().sees_location
    if offer.key.store is not None and not sees(offer.key.store):
        return Result(404, code="unknown-location")
    before = known.receipt(offer.key.natural)
    if before is None or offer.revision > before.revision:
        if before is not None and not _visible(before):
            return Result(409, code="receipt-conflict")
        return None
    if not _visible(before):
        return Result(409, code="receipt-conflict")
    answer = Result(200, before.id, before.state, before.problems, before.totals)
    if offer.revision < before.revision:
        answer.stale = True
    elif fingerprint(offer) in {before.fingerprint, before.mended}:
        answer.duplicate = True
    else:
        return Result(409, before.id, before.state, code="receipt-conflict")
    return answer


def _visible(receipt: Receipt) -> bool:
    return receipt.location_id == NOWHERE or actor.current().sees_location(receipt.location_id)


def judge(offer: Offer, known: Known, receipt_id: str, now: dt.datetime) -> Outcome:
    """Decide about an offer that is new, or about a parked one that is tried again."""
    place = known.places.get(offer.key.store or "")
    outcome = Outcome(
        id=receipt_id, offer=offer, location_id=place.code if place else NOWHERE, state=ReceiptState.POSTED,
        problems=[], fingerprint=fingerprint(offer),
    )  # fmt: skip
    before = known.receipt(offer.key.natural)
    outcome.replaced = before if before is not None and before.id != receipt_id else None
    try:
        if offer.sale is None:
            raise Unpostable(*offer.problems)
        if place is None:
            raise Unpostable(problem("/store", "unknown-location"))
        if offer.kind == "void":
            _void(outcome, known)
        else:
            _trade(outcome, known, now)
    except Unpostable as fault:
        outcome.state = ReceiptState.PARKED
        outcome.problems = fault.problems
        outcome.superseded = [before] if outcome.replaced and before and before.state == "parked" else []
        return outcome
    before_it = [one for one in known.posted(offer.key.natural) if one.id != receipt_id]
    outcome.superseded = before_it + [one for one in [outcome.replaced] if one and one.state == "parked"]
    outcome.undone += [one for one in before_it if one not in outcome.undone and one.settles_id is None]
    return outcome


def _trade(outcome: Outcome, known: Known, now: dt.datetime) -> None:
    offer = outcome.offer
    reading = read(offer, known, now)
    outcome.problems, outcome.totals = reading.warnings, reading.totals
    about = [one for one in known.about(offer.key.document) if one.natural_key != offer.key.natural]
    outcome.linked = [one for one in about if one.kind == "return" and one.original_id is None]
    papers = known.papers(offer.original)
    if offer.original and not papers:
        outcome.problems.append(problem("/original", "original-missing"))
    original = papers[0] if papers else None
    outcome.original_id = original.id if original else None
    settled = next((one.settles_id for one in known.posted(offer.key.natural) if one.settles_id), None)
    if settled:
        # A correction of a receipt that paid a pickup: the goods went once and for all.
        outcome.settles_id = settled
        outcome.problems.append(problem("", "settled-before"))
        return
    void = next((one for one in about if one.kind == "void"), None)
    if void is not None:
        outcome.voided_by_id = void.id
        outcome.problems.append(problem("", "voided"))
        return
    back = reading.back
    if back is not None and original is not None:
        back = replace(back, original_id=original.order_id)
    outcome.moved, outcome.sold, outcome.back = reading.moved, reading.sold, back


def _void(outcome: Outcome, known: Known) -> None:
    """Take back the paper that is named, or wait for it. A void in the place of its own sale needs to name none."""
    offer, before = outcome.offer, outcome.replaced
    if offer.original is None and before is None:
        raise Unpostable(problem("/original", "required"))
    if before is not None and before.kind == "void" and before.state == "posted" and before.original != offer.original:
        raise Unpostable(problem("/original", "original-changed"))
    if offer.sale and offer.original and not actor.current().sees_location(offer.sale["original"]["store"]):
        raise Unpostable(problem("/original/store", "unknown-location"))
    papers = [one for one in known.papers(offer.original) if one.natural_key != offer.key.natural]
    if any(one.settles_id for one in (*papers, *known.posted(offer.key.natural))):
        # What was handed over is taken back at the counter, where the pickup is.
        raise Unpostable(problem("/original", "settles-order"))
    if offer.original and offer.original != offer.key.document and not papers:
        outcome.problems.append(problem("/original", "original-missing"))
    if any(one.voided_by_id and (before is None or one.voided_by_id != before.id) for one in papers):
        outcome.problems.append(problem("/original", "already-voided"))
    open_papers = [one for one in papers if one.voided_by_id is None]
    outcome.voided = open_papers
    outcome.undone = [one for one in open_papers if one.state == "posted"]
    outcome.original_id = papers[0].id if papers else None
