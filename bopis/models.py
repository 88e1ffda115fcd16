"""Pickups: the store's work items, what was scanned for them, who may come instead, goods that go back, who waits."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import settings
from app.core.db import Base
from app.core.types import Id

from .states import OVER, PickupState

_DUE = text("state = 'ready'")
_HELD = text("state IN ('requested', 'accepted') AND hold_until IS NOT NULL")
_UNANSWERED = text("state = 'requested' AND accept_by IS NOT NULL")
_ASKED = text("choose_by IS NOT NULL")
_UNTOLD = text("choice_reason IS NULL AND state IN ('requested', 'accepted', 'picking', 'awaiting_transfer')")
_OPEN_WAIT = text("state = 'waiting'")
_UNHEARD = text("answered_at IS NULL")


class Pickup(Base):
    """One order or hold to be handed over at one store.

    `expires_at` is null until ready. `hold_until` is the deadline of an unpaid hold's claim until picking starts.
    `accept_by` is when the store's answer is late, `escalated` how often that was told. `choose_by` and
    `choice_reason` stand while the customer is asked. `slot_at` and `picking_hour` are places taken at the store.
    The token and the PIN are derived from id and generation; only the token's hash is kept, to find it by.
    """

    __tablename__ = "pickup"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_pickup_location"),
        Index("ix_pickup_list", "location_id", "state", "updated_at", "id"),
        Index("ix_pickup_updated", "updated_at", "id"),
        Index("ix_pickup_placed", "location_id", "placed_at"),
        Index("ix_pickup_due", "expires_at", sqlite_where=_DUE, postgresql_where=_DUE),
        Index("ix_pickup_held", "hold_until", sqlite_where=_HELD, postgresql_where=_HELD),
        Index("ix_pickup_order", "order_id"),
        Index("ix_pickup_number", "order_number"),
        Index("ix_pickup_phone", "phone_mark"),
        Index("ix_pickup_customer", "customer_id", "state"),
        Index("ix_pickup_transfer", "transfer_id"),
        Index("ix_pickup_wave", "wave_id"),
        Index("ix_pickup_unanswered", "accept_by", sqlite_where=_UNANSWERED, postgresql_where=_UNANSWERED),
        Index("ix_pickup_late", "ready_by", sqlite_where=_UNTOLD, postgresql_where=_UNTOLD),
        Index("ix_pickup_asked", "choose_by", sqlite_where=_ASKED, postgresql_where=_ASKED),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"))
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(40))
    order_id: Mapped[str | None] = mapped_column(Id)
    order_number: Mapped[str | None] = mapped_column(String(40))
    external_ref: Mapped[str | None] = mapped_column(String(64))
    claim_id: Mapped[str] = mapped_column(Id, index=True)
    code: Mapped[str] = mapped_column(String(8), unique=True)
    kid: Mapped[int]
    generation: Mapped[int]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    pin_tries: Mapped[int]
    contact_id: Mapped[str | None] = mapped_column(Id)
    customer_id: Mapped[str | None] = mapped_column(Id)
    transfer_id: Mapped[str | None] = mapped_column(Id)
    wave_id: Mapped[str | None] = mapped_column(Id)
    phone_mark: Mapped[str | None] = mapped_column(String(64))
    amount_due: Mapped[int]
    language: Mapped[str] = mapped_column(String(2))
    shelf: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(200))
    placed_at: Mapped[dt.datetime]
    pickup_at: Mapped[dt.datetime | None]
    ready_by: Mapped[dt.datetime | None]
    collect_by_estimate: Mapped[dt.datetime | None]
    hold_until: Mapped[dt.datetime | None]
    ready_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]
    collected_at: Mapped[dt.datetime | None]
    slot_at: Mapped[dt.datetime | None]
    picking_hour: Mapped[dt.datetime | None]
    accept_by: Mapped[dt.datetime | None]
    escalated: Mapped[int]
    choose_by: Mapped[dt.datetime | None]
    choice_reason: Mapped[str | None] = mapped_column(String(20))
    arrived_at: Mapped[dt.datetime | None]
    arrival_sealed: Mapped[bytes | None]
    cancel_asked_at: Mapped[dt.datetime | None]
    extensions: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    @property
    def owner(self) -> tuple[str, str]:
        """Who decides about the claim."""
        return ("order", self.order_id) if self.order_id is not None else ("pickup", self.id)

    @property
    def pin_locked(self) -> bool:
        """Whether too many wrong PINs were tried."""
        return self.pin_tries >= settings.MAX_PIN_TRIES

    @property
    def is_over(self) -> bool:
        """Whether it has come to one of its ends."""
        return self.state in OVER

    def state_at(self, now: dt.datetime) -> PickupState:
        """The state as it counts: past its deadline it is expired though nobody swept it."""
        state = PickupState(self.state)
        ready_over = state == PickupState.READY and self.expires_at is not None and self.expires_at <= now
        waiting = state in {PickupState.REQUESTED, PickupState.ACCEPTED}
        held_over = waiting and self.hold_until is not None and self.hold_until <= now
        return PickupState.EXPIRED if ready_over or held_over else state


class PickupLine(Base):
    """Pieces of one line: ordered = open + picked + short; collected is the part of picked that was handed over.

    `undecided` is the part of short that waits for the customer's choice; `missed` counts what pickers ever reported as
    short, whatever was chosen afterwards. `order_ref` is the order's line, which a
    substitute has in common with what it stands for. `substitute` is a SKU that the store offers for the missing ones.
    """

    __tablename__ = "pickup_line"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_pickup_line_location"),
        UniqueConstraint("pickup_id", "line_ref", name="ux_pickup_line_ref"),
        ForeignKeyConstraint(["location_id", "pickup_id"], ["pickup.location_id", "pickup.id"]),
        CheckConstraint(
            "picked + short <= ordered AND collected <= picked AND undecided <= short", name="ck_pickup_line_counts"
        ),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    pickup_id: Mapped[str] = mapped_column(Id)
    line_ref: Mapped[str] = mapped_column(String(80))
    order_ref: Mapped[str] = mapped_column(String(64))
    sku: Mapped[str] = mapped_column(String(64))
    substitute: Mapped[str | None] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    ordered: Mapped[int]
    picked: Mapped[int]
    short: Mapped[int]
    undecided: Mapped[int]
    missed: Mapped[int] = mapped_column(default=0, server_default="0")
    collected: Mapped[int]

    @property
    def open(self) -> int:
        """Pieces neither picked nor reported short."""
        return self.ordered - self.picked - self.short

    @property
    def owed(self) -> int:
        """Pieces the customer still waits for."""
        return self.open + self.waiting + self.undecided

    @property
    def waiting(self) -> int:
        """Pieces picked and not handed over."""
        return self.picked - self.collected


class PickupPass(Base):
    """Somebody else who may collect: a proxy by name, or whoever shows a pass that was lent for a while."""

    __tablename__ = "pickup_pass"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_pickup_pass_location"),
        ForeignKeyConstraint(["location_id", "pickup_id"], ["pickup.location_id", "pickup.id"]),
        Index("ix_pickup_pass_pickup", "pickup_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    pickup_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(8))
    name_sealed: Mapped[bytes | None]
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    expires_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime]


class PickupScan(Base):
    """Somebody tried to hand over or to take back: who, when, where, with what, and how it ended."""

    __tablename__ = "pickup_scan"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_pickup_scan_location"),
        Index("ix_pickup_scan_pickup", "pickup_id", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    pickup_id: Mapped[str | None] = mapped_column(Id)
    action: Mapped[str] = mapped_column(String(12))
    proof: Mapped[str | None] = mapped_column(String(8))
    outcome: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[str] = mapped_column(String(64))
    actor_name: Mapped[str] = mapped_column(String(64))
    device: Mapped[str | None] = mapped_column(String(64))
    nonce: Mapped[str | None] = mapped_column(String(64))
    receiver: Mapped[str | None] = mapped_column(String(10))
    proxy_id: Mapped[str | None] = mapped_column(Id)
    identity_checked: Mapped[bool | None]
    parts: Mapped[dict[str, Any]]
    undone: Mapped[bool]
    occurred_at: Mapped[dt.datetime | None]
    recorded_at: Mapped[dt.datetime]


class ReshelveTask(Base):
    """Goods that were picked and will not be collected. Their claim stays until they are scanned back."""

    __tablename__ = "reshelve_task"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_reshelve_task_location"),
        ForeignKeyConstraint(["location_id", "pickup_id"], ["pickup.location_id", "pickup.id"]),
        Index("ix_reshelve_task_pickup", "pickup_id", "state"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64))
    pickup_id: Mapped[str] = mapped_column(Id)
    claim_id: Mapped[str] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class RescueQuestion(Base):
    """A customer was asked because of an incident at `location_id`, which stays open until `answered_at`."""

    __tablename__ = "rescue_question"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_rescue_question_location"),
        Index("ix_rescue_question_incident", "incident_id"),
        Index("ix_rescue_question_open", "pickup_id", sqlite_where=_UNHEARD, postgresql_where=_UNHEARD),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"))
    incident_id: Mapped[str] = mapped_column(Id)
    pickup_id: Mapped[str] = mapped_column(Id)
    sku: Mapped[str] = mapped_column(String(64))
    quantity: Mapped[int]
    asked_at: Mapped[dt.datetime]
    answered_at: Mapped[dt.datetime | None]


class PickingWave(Base):
    """Several pickups picked in one walk, sorted by shelf."""

    __tablename__ = "picking_wave"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_picking_wave_location"),
        Index("ix_picking_wave_list", "location_id", "state", "updated_at", "id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"))
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class WaitingCustomer(Base):
    """Somebody who wants a SKU at a store when it is free again; an offer is a hold opened for them."""

    __tablename__ = "waiting_customer"
    __table_args__ = (
        UniqueConstraint("location_id", "id", name="ux_waiting_customer_location"),
        Index(
            "ix_waiting_customer_open", "location_id", "sku", "id", sqlite_where=_OPEN_WAIT, postgresql_where=_OPEN_WAIT
        ),
        Index("ix_waiting_customer_updated", "updated_at", "id"),
        Index("ix_waiting_customer_person", "customer_id", "state"),
        Index("ix_waiting_customer_pickup", "pickup_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    location_id: Mapped[str] = mapped_column(String(64), ForeignKey("location.code"))
    sku: Mapped[str] = mapped_column(String(64), ForeignKey("sku.code"))
    quantity: Mapped[int]
    channel: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[str | None] = mapped_column(Id)
    contact_id: Mapped[str | None] = mapped_column(Id)
    language: Mapped[str] = mapped_column(String(2))
    state: Mapped[str] = mapped_column(String(12))
    pickup_id: Mapped[str | None] = mapped_column(Id)
    version: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
