"""The same request again gives the same answer again, and its effect once.

The key is locked first, the reply is stored in the transaction of the effect: whoever comes second waits for the
first one's answer, and after a crash there is either both or neither. Replies are stored encrypted and kept 7 days.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass

import psycopg
from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock, settings, vault
from app.core.db import Base, ask, ask_one, later, remember_now, use_case
from app.core.errors import BadRequest, IdempotencyKeyReused, RequestInFlight
from app.core.sql import Sql


class IdempotencyReply(Base):
    """The first answer to a key of one API client."""

    __tablename__ = "idempotency_reply"
    __table_args__ = (Index("ix_idempotency_created", "created_at"),)
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    reply: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime]


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer as bytes: what was sent the first time."""

    status: int
    body: bytes
    replayed: bool = False

    @property
    def content_type(self) -> str:
        """Refusals are problems, the rest is JSON."""
        return "application/problem+json" if self.status >= 400 else "application/json"


_LOCK = Sql(
    "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0)), clock_timestamp()",
    sqlite="SELECT NULL, NULL",
)
_FIND = Sql("SELECT fingerprint, status, reply FROM idempotency_reply WHERE client_id = :client_id AND key = :key")
_KEEP = Sql(
    "INSERT INTO idempotency_reply (client_id, key, fingerprint, status, reply, created_at) "
    "VALUES (:client_id, :key, :fingerprint, :status, :reply, :at)"
)
_FORGET = Sql("DELETE FROM idempotency_reply WHERE created_at < :before")


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What must be the same for a request to count as the same."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).hexdigest()


def check_key(key: str) -> str:
    """A usable key, or 400: 1 to 200 visible ASCII characters."""
    if not 1 <= len(key) <= settings.MAX_IDEMPOTENCY_KEY or not all("!" <= c <= "~" for c in key):
        raise BadRequest(reason="idempotency-key-form")
    return key


def find(client_id: str, key: str, print_: str) -> Stored | None:
    """Wait for a rival with the same key (2 s at most), then return its answer if there is one."""
    try:
        lock, found = ask(
            (_LOCK, {"name": f"{client_id}/{key}"}),
            (_FIND, {"client_id": client_id, "key": key}),
        )
    except psycopg.errors.LockNotAvailable as error:
        raise RequestInFlight(retry_after=settings.RETRY_AFTER_SECONDS) from error
    at = clock.parse(lock.rows[0][1])
    if at is not None:
        remember_now(at)
    if not found.rows:
        return None
    seen, status, reply = found.rows[0]
    if seen != print_:
        raise IdempotencyKeyReused(errors=[])
    return Stored(status=status, body=vault.unseal("reply", reply), replayed=True)


def keep(client_id: str, key: str, print_: str, answer: Stored) -> None:
    """Store the answer with this transaction."""
    later(
        _KEEP,
        {
            "client_id": client_id,
            "key": key,
            "fingerprint": print_,
            "status": answer.status,
            "reply": vault.seal("reply", answer.body),
            "at": clock.text(clock.now()),
        },
    )


@use_case
def forget_old() -> int:
    """Delete replies past their 7 days; returns how many."""
    before = clock.now() - dt.timedelta(days=settings.IDEMPOTENCY_DAYS)
    return ask_one(_FORGET, {"before": clock.text(before)}).count
