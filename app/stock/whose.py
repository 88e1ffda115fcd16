"""Which channel a claim's events belong to, for readers who are bounded to channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from app.core.db import db
from app.core.outbox import channel_of

from .models import Claim


@channel_of("claim")
def of_claims(ids: Sequence[str]) -> Mapping[str, str]:
    """The channel that each claim was made for."""
    found = db.session.execute(select(Claim.id, Claim.channel).where(Claim.id.in_(ids)))
    return {str(id_): str(channel) for id_, channel in found}
