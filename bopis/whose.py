"""Which channel a pickup's events belong to, for readers who are bounded to channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app.core.db import db
from app.core.outbox import channel_of

from .models import Pickup


@channel_of("pickup")
def of_pickups(ids: Sequence[str]) -> Mapping[str, str]:
    """The channel of each pickup's order or hold."""
    found = db.session.execute(select(Pickup.id, Pickup.channel).where(Pickup.id.in_(ids)))
    return {str(id_): str(channel) for id_, channel in found}
