"""Contact data: kept encrypted, one row per document, read only where a person must be reached or recognised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import phonenumbers

from app.core import clock, vault
from app.core.db import db, use_case
from app.core.ids import new_id

from .models import CustomerContact

REGION = "JP"
_PURPOSE = "contact"
_TAIL = 4


@dataclass(frozen=True, slots=True)
class Contact:
    """Who gets the goods and how to reach them. `phone` is E.164 where it can be read as a number."""

    name: str | None = None
    name_kana: str | None = None
    email: str | None = None
    phone: str | None = None
    address: dict[str, Any] | str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return not any(asdict(self).values())


def normal_phone(text: str | None) -> str | None:
    """A phone number as E.164, Japanese unless it says otherwise; None where it cannot be one."""
    if not text:
        return None
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def phone_tail(phone: str | None) -> str | None:
    """A keyed hash of the last four digits, for finding a pickup at the counter; None with fewer digits."""
    digits = "".join(c for c in phone or "" if c.isdecimal())
    return vault.blind("phone-tail", digits[-_TAIL:]) if len(digits) >= _TAIL else None


def contact_of(facts: Mapping[str, Any]) -> Contact:
    """The contact data among the facts of a request."""
    phone = facts.get("phone")
    return Contact(
        name=facts.get("name"),
        name_kana=facts.get("name_kana"),
        email=facts.get("email"),
        phone=normal_phone(phone) or phone,
        address=facts.get("address"),
    )


@use_case
def keep_contact(facts: Mapping[str, Any], *, customer_id: str | None, contact_id: str | None = None) -> str | None:
    """Keep name, name_kana, email, phone and address (over `contact_id`, if given); None where there is nothing."""
    known = contact_of(facts)
    if known.is_empty:
        return contact_id
    now = clock.now()
    sealed = vault.seal(_PURPOSE, orjson.dumps(asdict(known)))
    row = db.session.get(CustomerContact, contact_id) if contact_id else None
    if row is None:
        row = CustomerContact(id=new_id(), customer_id=customer_id, sealed=sealed, created_at=now, updated_at=now)
        db.session.add(row)
    else:
        row.sealed, row.updated_at = sealed, now
    db.session.flush()
    return row.id


def contact(contact_id: str | None) -> Contact:
    """What is known under this id; empty where nothing is."""
    row = db.session.get(CustomerContact, contact_id) if contact_id else None
    return Contact(**orjson.loads(vault.unseal(_PURPOSE, row.sealed))) if row is not None else Contact()
