"""Tables of people. They are keyed by customer, not by location: a person shops everywhere."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.core.types import Id


class Customer(Base):
    """A person, without anything personal."""

    __tablename__ = "customer"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class CustomerIdentity(Base):
    """Something a person is found by: a keyed hash of a card number, shop account, mail address or phone."""

    __tablename__ = "customer_identity"
    __table_args__ = (UniqueConstraint("kind", "hash", name="ux_customer_identity"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[str] = mapped_column(Id, ForeignKey("customer.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[dt.datetime]


class CustomerContact(Base):
    """What one document knows of a person (name, mail, phone, address), encrypted as a whole."""

    __tablename__ = "customer_contact"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(Id, ForeignKey("customer.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
