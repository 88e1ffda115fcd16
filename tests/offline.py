"""A day of tills that were offline, and what must be left of it however its sales come in."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from flask import Flask
from sqlalchemy import text

from app.core.db import db
from tests.factories import make_store
from tests.till import DAY, level, line, sale

STORES, SKUS, OPENING = ("S1", "S2"), ("A", "B", "C", "D"), 1_000


class Day:
    """Sales, corrections, returns and voids, a poison one in a hundred; every sale is whole in itself."""

    def __init__(self, chance: random.Random, sales: int) -> None:
        self.chance = chance
        self.bodies: list[Any] = []
        self.stock = Counter({(store, sku): OPENING for store in STORES for sku in SKUS})
        self.money = 0
        self.orders = 0
        self.parked = 0
        for number in range(1, sales + 1):
            self._trade(number)

    def _trade(self, number: int) -> None:
        store = self.chance.choice(STORES)
        if number % 100 == 50:
            self._poison(number, store)
            return
        body, moved, total = self._basket(number, store)
        self.bodies.append(body)
        fate = self.chance.random()
        if fate < 0.1:
            body, moved, total = self._basket(number, store, revision=self.chance.randint(2, 4))
            self.bodies.append(body)
        elif fate < 0.2:
            self.bodies.append(self._after(number, store, "void"))
            return
        elif fate < 0.35:
            back = self._after(number, store, "return")
            back["lines"], back["tenders"] = body["lines"], body["tenders"]
            self.bodies.append(back)
            self._count(store, moved, -1)
            self.orders += 1
        self._count(store, moved, 1)
        self.money += total
        self.orders += 1

    def _basket(self, number: int, store: str, **more: Any) -> tuple[dict[str, Any], Counter[str], int]:
        moved: Counter[str] = Counter()
        lines, total = [], 0
        for _ in range(self.chance.randint(1, 4)):
            sku, pieces, price = self.chance.choice(SKUS), self.chance.randint(1, 3), self.chance.randint(1, 2_000)
            lines.append(line(sku, pieces, price))
            moved[sku] += pieces
            total += pieces * price
        return sale(number, lines, total, store=store, **more), moved, total

    def _after(self, number: int, store: str, kind: str) -> dict[str, Any]:
        original = {"store": store, "terminal": "1", "receipt_no": str(number), "business_date": DAY}
        return sale(100_000 + number, [], 0, store=store, kind=kind, original=original)

    def _poison(self, number: int, store: str) -> None:
        """One that nobody can know again, or one that is kept and not understood."""
        if self.chance.random() < 0.5:
            self.bodies.append({"source": "register", "receipt_no": str(number)})
        else:
            self.bodies.append(sale(number, [line("A", 1, 100) | {"quantity": "one"}], 100, store=store))
            self.parked += 1

    def _count(self, store: str, moved: Counter[str], sign: int) -> None:
        for sku, pieces in moved.items():
            self.stock[store, sku] -= sign * pieces

    def open(self, api: Any) -> None:
        for store in STORES:
            make_store(api, store, stock=dict.fromkeys(SKUS, OPENING))

    def uploads(self, uploaders: int) -> list[list[list[Any]]]:
        """Each sale one to four times (its answer was lost), shuffled, in chunks, from several tabs at once."""
        sent = [body for body in self.bodies for _ in range(self.chance.randint(1, 4))]
        self.chance.shuffle(sent)
        chunks = []
        while sent:
            size = self.chance.randint(1, 60)
            chunks.append(sent[:size])
            del sent[:size]
        return [chunks[index::uploaders] for index in range(uploaders)]

    def expected(self) -> dict[str, Any]:
        return {"stock": dict(self.stock), "money": self.money, "orders": self.orders, "parked": self.parked}

    def found(self, app: Flask, api: Any) -> dict[str, Any]:
        with app.app_context():
            money, orders = db.session.execute(
                text(
                    "SELECT coalesce(sum(CASE kind WHEN 'sale' THEN total ELSE 0 END), 0), count(*) "
                    "FROM sales_order WHERE state = 'completed'"
                )
            ).one()
        return {
            "stock": {(store, sku): level(api, store, sku) for store in STORES for sku in SKUS},
            "money": int(money),
            "orders": orders,
            "parked": len(api.get("/pos/receipts?state=parked&limit=200").json["items"]),
        }
