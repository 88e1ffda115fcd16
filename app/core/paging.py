"""Lists: ascending by (updated_at, id), opaque stable cursors, at most 200 at a time."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from sqlalchemy import Select, and_, or_

from app.core.clock import parse, text
from app.core.db import db
from app.core.errors import invalid
from app.core.ids import is_id


def encode(*keys: object) -> str:
    """A cursor of the last row's keys."""
    return base64.urlsafe_b64encode(orjson.dumps(keys)).decode().rstrip("=")


def decode(cursor: str, length: int = 2) -> list[Any]:
    """The keys of a cursor of ours, or 422."""
    try:
        keys = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error) as error:
        raise invalid("/cursor", "cursor") from error
    if not isinstance(keys, list) or len(keys) != length or not all(_is_key(key) for key in keys):
        raise invalid("/cursor", "cursor")
    return keys


def _is_key(key: object) -> bool:
    """Text a database takes (no NUL), or a whole number; cursors are shown to callers, so they may be made up."""
    return isinstance(key, int) or (isinstance(key, str) and "\x00" not in key)


def ident(key: object) -> str:
    """A cursor's id, or 422."""
    if not is_id(str(key)):
        raise invalid("/cursor", "cursor")
    return str(key)


def moment(key: object) -> dt.datetime:
    """A cursor's time, or 422."""
    try:
        at = parse(key)
    except (ValueError, OverflowError) as error:
        raise invalid("/cursor", "cursor") from error
    if at is None:
        raise invalid("/cursor", "cursor")
    return at


def page(
    query: Select[Any],
    model: Any,
    args: dict[str, Any],
    *,
    show: Callable[[Any], Any] = lambda row: row,
    key: str = "id",
) -> dict[str, Any]:
    """One page of `query` over `model`, which has `updated_at` and the unique column `key`."""
    column = getattr(model, key)
    if args.get("updated_since") is not None:
        query = query.where(model.updated_at >= args["updated_since"])
    if args.get("cursor"):
        stamp, last = decode(args["cursor"])
        at = moment(stamp)
        after = ident(last) if key == "id" else str(last)
        query = query.where(or_(model.updated_at > at, and_(model.updated_at == at, column > after)))
    limit = args["limit"]
    rows: Sequence[Any] = db.session.scalars(query.order_by(model.updated_at, column).limit(limit + 1)).all()
    more = len(rows) > limit
    rows = rows[:limit]
    cursor = encode(text(rows[-1].updated_at), str(getattr(rows[-1], key))) if more else None
    return {"items": [show(row) for row in rows], "next_cursor": cursor}
