"""Finding people, or making them known: the first of id, card, shop account, mail and phone that is known decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.core import clock, vault
from app.core.db import db, use_case
from app.core.ids import is_id, new_id

from .contacts import normal_phone
from .errors import UnknownCustomer
from .models import Customer, CustomerIdentity

Identity = tuple[str, str]
_TRIES = 3


def identities(facts: Mapping[str, Any]) -> list[Identity]:
    """(kind, keyed hash) of everything a person can be found by, in the order in which it decides."""
    email = facts.get("email")
    values = {
        "card": facts.get("card_no"),
        "external": facts.get("external_id"),
        "email": email.strip().lower() if email else None,
        "phone": normal_phone(facts.get("phone")),
    }
    return [(kind, vault.blind(f"customer-{kind}", value)) for kind, value in values.items() if value]


@use_case
def find_or_create(facts: Mapping[str, Any] | None) -> str | None:
    """The customer these facts name, made known if new; None where nothing identifies anyone.

    Raises UnknownCustomer for an `id` that does not exist. What else the facts tell is linked to the person found,
    unless it is another's already.
    """
    if not facts:
        return None
    wanted = identities(facts)
    customer_id = facts.get("id")
    if customer_id is not None and (not is_id(customer_id) or db.session.get(Customer, customer_id) is None):
        raise UnknownCustomer
    if customer_id is None and not wanted:
        return None
    for _ in range(_TRIES):
        known = _known(wanted)
        found = customer_id or next((known[identity] for identity in wanted if identity in known), None)
        try:
            return _link(found, [identity for identity in wanted if identity not in known])
        except IntegrityError:  # a rival made the same person known first
            continue
    return _link(customer_id, [])


def lock(customer_id: str) -> None:
    """Take the person's lock for this transaction: what is counted by person is counted by one at a time.

    It comes after the levels' locks; documents that refer to the person are not held up by it.
    """
    db.session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update(key_share=True))


def _known(wanted: list[Identity]) -> dict[Identity, str]:
    rows = db.session.scalars(select(CustomerIdentity).where(CustomerIdentity.hash.in_([h for _, h in wanted])))
    return {(row.kind, row.hash): row.customer_id for row in rows}


@use_case
def _link(customer_id: str | None, missing: list[Identity]) -> str:
    now = clock.now()
    if customer_id is None:
        customer_id = new_id()
        db.session.add(Customer(id=customer_id, version=1, created_at=now, updated_at=now))
        db.session.flush()
    for kind, hashed in sorted(missing):  # one order for all, so that two rivals never wait for each other
        db.session.add(CustomerIdentity(id=new_id(), customer_id=customer_id, kind=kind, hash=hashed, created_at=now))
        db.session.flush()
    return customer_id
