"""Making, finding, rotating and revoking API clients."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import select

from app.core import audit, clock
from app.core.actor import Actor
from app.core.db import ask_one, db, use_case
from app.core.ids import new_id, sha256
from app.core.sql import Sql, json_of

from .errors import ClientExists, UnknownClient, UnknownScope
from .models import ApiClient
from .scopes import SCOPES

_FIND = Sql(
    "SELECT id, name, scopes, channels, locations FROM api_client WHERE key_hash = :key_hash AND revoked_at IS NULL"
)


def _new_key() -> str:
    return "hk_" + secrets.token_urlsafe(32)


@use_case
def create_client(
    *, name: str, scopes: Sequence[str], channels: Sequence[str] = (), locations: Sequence[str] = ()
) -> str:
    """Make a client and return its key, which is shown this once. No channel or location given means all.

    Raises UnknownScope, ClientExists.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise UnknownScope(errors=[], unknown=unknown, known=sorted(SCOPES))
    if _live(name) is not None:
        raise ClientExists(name=name)
    key = _new_key()
    client = ApiClient(
        id=new_id(), name=name, key_hash=sha256(key), scopes=sorted(set(scopes)),
        channels=sorted(set(channels)) or None, locations=sorted(set(locations)) or None, created_at=clock.now(),
    )  # fmt: skip
    db.session.add(client)
    audit.record("staff.create_client", object_type="api_client", object_id=client.id, name=name)
    return key


@use_case
def rotate_client(*, name: str) -> str:
    """Give the client a new key; the old one is dead from the next request, its idempotency keys live on."""
    client = _live(name)
    if client is None:
        raise UnknownClient(name=name)
    key = _new_key()
    client.key_hash, client.rotated_at = sha256(key), clock.now()
    audit.record("staff.rotate_client", object_type="api_client", object_id=client.id, name=name)
    return key


@use_case
def revoke_client(*, name: str) -> None:
    """End the client's access with the next request."""
    client = _live(name)
    if client is None:
        raise UnknownClient(name=name)
    client.revoked_at = clock.now()
    audit.record("staff.revoke_client", object_type="api_client", object_id=client.id, name=name)


def list_clients() -> list[ApiClient]:
    """All clients, the oldest first, revoked ones too."""
    return list(db.session.scalars(select(ApiClient).order_by(ApiClient.created_at)))


def find_actor(key: str) -> Actor | None:
    """The actor a key stands for; asked of the database each time, so revocation holds at once."""
    rows = ask_one(_FIND, {"key_hash": sha256(key)}).rows
    if not rows:
        return None
    id_, name, scopes, channels, locations = (json_of(v) if i > 1 else v for i, v in enumerate(rows[0]))
    return Actor(
        kind="client", id=str(id_), name=str(name), scopes=frozenset(scopes),
        channels=None if channels is None else frozenset(channels),
        locations=None if locations is None else frozenset(locations),
    )  # fmt: skip


def _live(name: str) -> ApiClient | None:
    return db.session.scalars(
        select(ApiClient).where(ApiClient.name == name, ApiClient.revoked_at.is_(None))
    ).one_or_none()
