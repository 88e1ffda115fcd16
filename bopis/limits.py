"""How much one customer may keep at a time: hoarded holds are sales that others lose.

Both limits are counted under the customer's lock, so parallel requests cannot pass together. A hold without a known
customer is nobody's and is not counted.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select

from app import customers
from app.core import clock, settings
from app.core.db import db

from .errors import TooManyHolds
from .models import Pickup, WaitingCustomer
from .states import OVER, WaitState


def may_hold(customer_id: str) -> None:
    """Refuse one hold more than `MAX_OPEN_HOLDS`; the answer says when the first of them ends. Raises TooManyHolds."""
    customers.lock(customer_id)
    now = clock.now()
    ends = func.coalesce(Pickup.expires_at, Pickup.hold_until, type_=Pickup.hold_until.type)
    kept, first = db.session.execute(
        select(func.count(), func.min(ends, type_=Pickup.hold_until.type)).where(
            Pickup.customer_id == customer_id,
            Pickup.kind == "hold",
            Pickup.state.not_in([state.value for state in OVER]),
            or_(Pickup.expires_at.is_(None), Pickup.expires_at > now),
            or_(Pickup.hold_until.is_(None), Pickup.hold_until > now),
        )
    ).one()
    if kept >= settings.MAX_OPEN_HOLDS:
        facts: dict[str, Any] = {"limit": settings.MAX_OPEN_HOLDS}
        if first is not None:
            facts["retry_after"] = max(1, int((first - now).total_seconds()))
        raise TooManyHolds(**facts)


def may_wait(customer_id: str) -> None:
    """Refuse one wait more than `MAX_WAITS`. Raises TooManyHolds."""
    customers.lock(customer_id)
    waits = db.session.scalar(
        select(func.count()).where(
            WaitingCustomer.customer_id == customer_id, WaitingCustomer.state == WaitState.WAITING.value
        )
    )
    if (waits or 0) >= settings.MAX_WAITS:
        raise TooManyHolds(limit=settings.MAX_WAITS)
