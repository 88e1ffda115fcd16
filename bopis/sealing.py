"""What is personal about a pickup besides its contact: a proxy's name, an arriving customer's note. Kept encrypted."""

from __future__ import annotations

from app.core import vault

from .models import Pickup, PickupPass

_NAME, _NOTE = "proxy", "arrival"


def name(text: str) -> bytes:
    """A proxy's name, sealed."""
    return vault.seal(_NAME, text.encode())


def name_of(one: PickupPass) -> str | None:
    """The proxy's name, of one that has a name."""
    return vault.unseal(_NAME, one.name_sealed).decode() if one.name_sealed is not None else None


def note(text: str) -> bytes:
    """An arriving customer's words, sealed."""
    return vault.seal(_NOTE, text.encode())


def note_of(row: Pickup) -> str | None:
    """What the arriving customer said."""
    return vault.unseal(_NOTE, row.arrival_sealed).decode() if row.arrival_sealed is not None else None
