"""People: one id each, found by card, shop account, mail or phone; what one can reach them by is kept encrypted.

Front door: `find_or_create`, `lock`; `keep_contact`, `contact`, `phone_tail`, `normal_phone`; `Contact`,
`UnknownCustomer`.
Ledgers and orders carry ids only. There are no calls of its own yet: orders and tills bring people along.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.core import texts

from .contacts import Contact, contact, keep_contact, normal_phone, phone_tail
from .errors import UnknownCustomer
from .people import find_or_create, lock

__all__ = [
    "Contact",
    "UnknownCustomer",
    "contact",
    "find_or_create",
    "keep_contact",
    "lock",
    "normal_phone",
    "phone_tail",
    "register",
]


def register(app: Flask) -> None:
    """Load words and tables."""
    from . import models  # noqa: F401  tables

    texts.load(Path(__file__).parent)
