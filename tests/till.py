"""Tills' sales for tests, and looks into what they left behind."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import text

from app.core.db import db

DAY = "2026-11-22"


def line(sku: str | None, quantity: int, price: int, **more: Any) -> dict[str, Any]:
    code = {"sku": sku} if sku else {}
    return {"line_no": 1, **code, "quantity": quantity, "unit_price": price} | more


def sale(number: int, lines: list[dict[str, Any]], paid: int, **more: Any) -> dict[str, Any]:
    """Receipt `number` of till 1 in store S1, paid in cash."""
    return {
        "source": "register", "store": "S1", "terminal": "1", "receipt_no": str(number), "kind": "sale",
        "business_date": DAY, "sold_at": f"{DAY}T15:10:00+09:00",
        "lines": [one | {"line_no": index} for index, one in enumerate(lines, start=1)],
        "tenders": [{"method": "cash", "amount": paid}] if paid else [],
    } | more  # fmt: skip


def level(api: Any, location: str, sku: str) -> int:
    answer = api.get(f"/stock?sku={sku}&location={location}").json["items"]
    return int(answer[0]["on_hand"]) if answer else 0


def movements(app: Flask) -> list[tuple[Any, ...]]:
    """The ledger without its openings, in the order of writing."""
    with app.app_context():
        found = db.session.execute(
            text(
                "SELECT location_id, sku, quantity, kind, reference_id FROM stock_movement "
                "WHERE kind <> 'opening' ORDER BY id"
            )
        )
        return [tuple(row) for row in found]


def rows(app: Flask, table: str) -> int:
    with app.app_context():
        return int(db.session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
