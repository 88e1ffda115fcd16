"""The customer's pass: a code to read aloud, a token in the QR code, a PIN for when there is no QR.

Token and PIN are derived with a key, never stored: page, mail and reissue recompute them. The token is found by its
hash. A reissue is the next generation; what was issued before is dead from then on, also every pass that was lent.
A lent pass has a token of its own and no PIN; proxies by name show the customer's own pass, or their name.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, exists, or_, select, update

from app.core import clock, ids, links, vault
from app.core.db import db

from .models import Pickup, PickupPass

QR_PREFIX = "H1"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


class Kind(StrEnum):
    """Somebody known by name, or whoever shows the pass that was lent to them."""

    NAMED = "named"
    LENT = "lent"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A token as it is shown."""

    token: str

    @property
    def qr_text(self) -> str:
        """What the QR code holds, and nothing else."""
        return QR_PREFIX + self.token

    @property
    def page_url(self) -> str:
        """The customer's page."""
        return links.public(f"/p/{self.token}")

    @property
    def qr_url(self) -> str:
        """The QR code as a picture."""
        return f"{self.page_url}/qr.svg"


@dataclass(frozen=True, slots=True)
class Pass(Ticket):
    """What the customer shows."""

    code: str
    pin: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a token opens: a pickup, with its own pass or with one that was lent."""

    pickup: Pickup
    lent: PickupPass | None = None


def token_for(pickup_id: str, generation: int) -> str:
    """The token of one generation: 130 bits of an HMAC."""
    return ids.crockford(ids.derive(vault.key("pickup"), "pickup", pickup_id, generation))


def pin_for(pickup_id: str, generation: int) -> str:
    """The PIN of one generation."""
    return ids.digits(ids.derive(vault.key("pickup"), "pin", pickup_id, generation))


def of(row: Pickup) -> Pass:
    """The pass of a pickup as it is valid now."""
    return Pass(token_for(row.id, row.generation), row.code, pin_for(row.id, row.generation))


def lent_token(pass_id: str) -> str:
    """The token of a pass that was lent."""
    return ids.crockford(ids.derive(vault.key("pickup"), "lend", pass_id))


def renew(row: Pickup) -> None:
    """Issue the next generation: a new token, a new PIN, the wrong tries forgotten, and every lent pass ended.

    Proxies by name stay: they never had a token that somebody could have copied.
    """
    db.session.execute(
        update(PickupPass)
        .where(PickupPass.pickup_id == row.id, PickupPass.kind == Kind.LENT.value, PickupPass.ended_at.is_(None))
        .values(ended_at=clock.now())
    )
    row.generation += 1
    row.kid = vault.KID
    row.token_hash = ids.sha256(token_for(row.id, row.generation))
    row.pin_tries = 0


def read_token(text: str) -> str | None:
    """The token in what was scanned or typed; None where it cannot be one."""
    found = text.strip().upper().replace("-", "").replace(" ", "")
    if len(found) == len(QR_PREFIX) + ids.TOKEN_LENGTH:
        found = found.removeprefix(QR_PREFIX)
    found = found.translate(_READ_AS)
    return found if len(found) == ids.TOKEN_LENGTH and set(found) <= set(ids.CROCKFORD) else None


def find(text: str) -> Found | None:
    """What a token opens, whoever asks; callers check bounds, and whether a lent pass is still good."""
    token = read_token(text)
    if token is None:
        return None
    mark = ids.sha256(token)
    row: Pickup | None = db.session.scalars(select(Pickup).where(Pickup.token_hash == mark)).one_or_none()
    if row is not None:
        return Found(row)
    lent: PickupPass | None = db.session.scalars(select(PickupPass).where(PickupPass.token_hash == mark)).one_or_none()
    return Found(db.session.get_one(Pickup, lent.pickup_id), lent) if lent is not None else None


def is_good(found: PickupPass, at: dt.datetime) -> bool:
    """Whether a proxy counted at that moment: neither taken back nor past its time."""
    return not any(end is not None and end <= at for end in (found.ended_at, found.expires_at))


def living(pickup_ids: Sequence[str]) -> Mapping[str, list[PickupPass]]:
    """The proxies that count now, by pickup, the oldest first."""
    found: dict[str, list[PickupPass]] = defaultdict(list)
    for one in db.session.scalars(_living().where(PickupPass.pickup_id.in_(pickup_ids)).order_by(PickupPass.id)):
        found[one.pickup_id].append(one)
    return found


def _living() -> Select[PickupPass]:
    in_time = or_(PickupPass.expires_at.is_(None), PickupPass.expires_at > clock.now())
    return select(PickupPass).where(PickupPass.ended_at.is_(None), in_time)


def proxy_of(row: Pickup, pass_id: str) -> PickupPass | None:
    """One of the pickup's proxies, also one that ended."""
    if not ids.is_id(pass_id):
        return None
    found: PickupPass | None = db.session.scalars(
        select(PickupPass).where(PickupPass.pickup_id == row.id, PickupPass.id == pass_id)
    ).one_or_none()
    return found


def lent_of(row: Pickup, text: str) -> PickupPass | None:
    """The lent pass of this pickup with that token, also one that ended."""
    token = read_token(text)
    if token is None:
        return None
    found: PickupPass | None = db.session.scalars(
        select(PickupPass).where(PickupPass.pickup_id == row.id, PickupPass.token_hash == ids.sha256(token))
    ).one_or_none()
    return found


def is_token_of(row: Pickup, text: str) -> bool:
    """Whether the text is this pickup's valid token."""
    token = read_token(text)
    return token is not None and hmac.compare_digest(ids.sha256(token), row.token_hash)


def is_pin_of(row: Pickup, pin: str) -> bool:
    """Whether the PIN is this pickup's valid one."""
    return hmac.compare_digest(pin.encode(), pin_for(row.id, row.generation).encode())


def is_name_of(row: Pickup, code: str) -> bool:
    """Whether people call this pickup so: its code or its order's number."""
    wanted = code.strip().upper()
    return wanted in {row.code, (row.order_number or "").upper()} - {""}


def free_code() -> str:
    """A code no pickup has."""
    while True:
        code = ids.short_code(8)
        if not db.session.scalar(select(exists().where(Pickup.code == code))):
            return code
