"""What is shown at the counter: the customer's own token, one that was lent, or a code with its PIN.

Tokens cannot be guessed, a PIN could be: five wrong ones lock it. A wrong PIN counts although the call is refused, so
tries of one pickup take turns: the turn is taken outside the savepoint that a refusal undoes, and lasts until the count
is committed. Rivals may knock all at once, five of them are compared.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from app.core import clock, settings
from app.core.db import ask_one, later
from app.core.sql import Sql

from . import passes
from .errors import PinLocked, ProxyEnded, UnknownPickup, UnknownProxy, WrongPin
from .models import Pickup
from .scans import Scan

_TURN = Sql("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", sqlite="SELECT 1")
_COUNT_TRY = Sql("UPDATE pickup SET pin_tries = pin_tries + 1 WHERE id = :id RETURNING pin_tries")


@dataclass(frozen=True, slots=True)
class Proof:
    """What is shown: a token, or a code (the pickup's, or the order's number) with the PIN."""

    token: str | None = None
    code: str | None = None
    pin: str | None = None


def take_turn(pickup_id: str) -> None:
    """Wait until no other PIN of this pickup is being tried; until COMMIT it is ours. Called as a call's guard."""
    later(_TURN, {"name": f"pin/{pickup_id}"})


def count_try(pickup_id: str) -> int:
    """Count a wrong PIN; returns how many tries are left."""
    tries = int(ask_one(_COUNT_TRY, {"id": pickup_id}).rows[0][0])
    return max(0, settings.MAX_PIN_TRIES - tries)


def read(row: Pickup, proof: Proof, scan: Scan) -> Scan:
    """The scan with who it says is standing there: whoever shows a lent pass, or the proxy that was named."""
    if proof.token is not None and not passes.is_token_of(row, proof.token):
        lent = passes.lent_of(row, proof.token)
        return replace(scan, proof="lent", receiver="proxy", proxy_id=lent.id) if lent is not None else scan
    return replace(scan, receiver="proxy") if scan.proxy_id is not None else scan


def check(row: Pickup, proof: Proof, scan: Scan) -> None:
    """Refuse what is no proof of this pickup. Raises UnknownPickup, PinLocked, WrongPin."""
    if proof.token is None:
        _check_pin(row, proof)
    elif scan.proof != "lent" and not passes.is_token_of(row, proof.token):
        raise UnknownPickup


def check_proxy(row: Pickup, scan: Scan, at: dt.datetime) -> None:
    """Refuse a proxy who did not count at that moment. Raises UnknownProxy, ProxyEnded.

    A call that waited for its turn has an older now than the one that took the pass back: what ended has ended.
    """
    if scan.proxy_id is None:
        return
    proxy = passes.proxy_of(row, scan.proxy_id)
    if proxy is None:
        raise UnknownProxy
    taken_back = proxy.ended_at is not None and at >= clock.now()
    if taken_back or not passes.is_good(proxy, at):
        raise ProxyEnded


def _check_pin(row: Pickup, proof: Proof) -> None:
    if proof.code is None or not passes.is_name_of(row, proof.code):
        raise UnknownPickup
    if row.pin_locked:
        raise PinLocked
    if not passes.is_pin_of(row, proof.pin or ""):
        raise WrongPin
