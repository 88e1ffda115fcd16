"""The customer's pass: a code to read aloud, a token in the QR code, a PIN for when there is no QR.

Token and PIN are derived with a key, never stored: page, mail and reissue recompute them. The token is found by its
hash. A reissue is the next generation; what was issued before is dead from then on.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from sqlalchemy import exists, select

from app.core import ids, links, vault
from app.core.db import db

from .models import Pickup

QR_PREFIX = "H1"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


@dataclass(frozen=True, slots=True)
class Pass:
    """What the customer shows."""

    code: str
    token: str
    pin: str

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


def token_for(pickup_id: str, generation: int) -> str:
    """The token of one generation: 130 bits of an HMAC."""
    return ids.crockford(ids.derive(vault.key("pickup"), "pickup", pickup_id, generation))


def pin_for(pickup_id: str, generation: int) -> str:
    """The PIN of one generation."""
    return ids.digits(ids.derive(vault.key("pickup"), "pin", pickup_id, generation))


def of(row: Pickup) -> Pass:
    """The pass of a pickup as it is valid now."""
    return Pass(row.code, token_for(row.id, row.generation), pin_for(row.id, row.generation))


def renew(row: Pickup) -> None:
    """Issue the next generation: a new token, a new PIN, and the wrong tries forgotten."""
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


def by_token(text: str) -> Pickup | None:
    """The pickup of a token, whoever asks; callers check bounds."""
    token = read_token(text)
    if token is None:
        return None
    found: Pickup | None = db.session.scalars(
        select(Pickup).where(Pickup.token_hash == ids.sha256(token))
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
