"""No-shows: who did not come for goods that were ready. A number for the store to see; nothing follows from it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, func, or_, select

from app.core import clock
from app.core.db import db

from .models import Pickup
from .states import PickupState


def count_of(customer_ids: Collection[str | None]) -> dict[str, int]:
    """How many ready pickups each customer let expire; those who never did are absent."""
    known = sorted({customer_id for customer_id in customer_ids if customer_id is not None})
    if not known:
        return {}
    swept = and_(Pickup.state == PickupState.EXPIRED.value, Pickup.ready_at.is_not(None))
    past_due = and_(Pickup.state == PickupState.READY.value, Pickup.expires_at <= clock.now())
    query = (
        select(Pickup.customer_id, func.count())
        .where(Pickup.customer_id.in_(known), or_(swept, past_due))
        .group_by(Pickup.customer_id)
    )
    return {str(customer_id): int(count) for customer_id, count in db.session.execute(query)}
