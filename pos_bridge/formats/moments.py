"""When a sale happened: tills mostly write their own wall clock, so the store's zone must say what was meant."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo

from app.core.csvfile import CellInvalid, instant
from pos_bridge.formats.result import EntryInvalid

_OFFSET = re.compile(r"\d(?:Z|[+-]\d{2}:?\d{2})$", re.IGNORECASE)
_CLOCK = re.compile(r":\d{2}")


def sold_at(written: str, zone: tzinfo | None, column: str) -> tuple[str, bool]:
    """Give the moment in UTC and True; without any zone the text as it stands and False, to be mended later."""
    try:
        moment = instant(written, zone or UTC)
    except CellInvalid:
        raise EntryInvalid("sold-at-invalid", column) from None
    if zone is None and not (_CLOCK.search(written) and _OFFSET.search(written)):
        return written, False
    return moment.isoformat().replace("+00:00", "Z"), True
