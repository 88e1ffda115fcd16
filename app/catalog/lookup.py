"""Finding SKUs. They are never deleted, so a SKU once seen is known for good."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.db import ask_one
from app.core.sql import Rowset, Sql, json_param

from .errors import UnknownSku

_ROWS = Rowset("wanted", "skus", {"sku": "text"})
_KNOWN = Sql("SELECT code FROM sku WHERE code IN (SELECT wanted.sku FROM {wanted})", _ROWS)
_seen: set[str] = set()


def require(skus: Sequence[str]) -> None:
    """Raise UnknownSku, naming every SKU that does not exist."""
    unseen = [sku for sku in skus if sku not in _seen]
    if not unseen:
        return
    rows = ask_one(_KNOWN, {"skus": json_param([{"sku": sku} for sku in unseen])}).rows
    known = {row[0] for row in rows}
    missing = [sku for sku in unseen if sku not in known]
    if missing:
        raise UnknownSku(skus=missing)
    _seen.update(known)


def forget() -> None:
    """Forget what was seen: another database is behind this process now."""
    _seen.clear()
