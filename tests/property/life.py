"""What every part of a random shop's life stands on: a shop with three places, a clock, and the pieces really there.

The model knows one thing, the pieces that lie at each place; everything else the shop must know by itself.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition
from sqlalchemy import text
from werkzeug.test import TestResponse

from app import staff
from app.core import clock
from app.core.db import db
from bopis import passes
from bopis.models import Pickup
from tests.conftest import ALL_SCOPES, Api
from tests.factories import make_sku, make_store

STORES = ("S1", "S2")
PLACES = (*STORES, "W1")
SKUS = ("A", "B", "C")
OPENING = 8
START = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)  # ten in the morning in Tokyo
# S1 counts what it takes on, S2 does not; the warehouse hands nothing over.
PICKUP = {"enabled": True, "lead_minutes": 60, "hold_days": 7}
COUNTED = PICKUP | {"slot_minutes": 60, "slot_capacity": 2, "orders_per_hour": 2}

any_place = st.sampled_from(PLACES)
any_store = st.sampled_from(STORES)
any_sku = st.sampled_from(SKUS)
some = st.integers(1, 4)
pick = st.integers(0, 10_000)
basket = st.lists(st.tuples(any_sku, st.integers(1, 3)), min_size=1, max_size=3)

IS_GIVEN = "EXISTS (SELECT 1 FROM pickup_line l WHERE l.pickup_id = pickup.id AND l.collected > 0)"
GOES_BACK = "EXISTS (SELECT 1 FROM reshelve_task t WHERE t.pickup_id = pickup.id AND t.state = 'open')"
LIVE = "state NOT IN ('collected', 'cancelled', 'expired')"
Shop = Callable[[], Iterator[Flask]]
Row = Mapping[str, Any]


def while_there(what: str) -> Callable[[Any], Any]:
    """Only while the last look at the books found such a thing: no step is spent on what cannot happen."""
    return precondition(lambda self: what in self.there)


class Hands(Api):
    """A caller who knows whether anything was done since the books were looked at."""

    acted = True

    def post(self, path: str, json: Any = None, *, key: str | None = "", **kwargs: Any) -> TestResponse:
        self.acted = True
        return super().post(path, json, key=key, **kwargs)


class Life(RuleBasedStateMachine):
    """A shop of its own, and hands to act in it."""

    open_shop: Shop

    def __init__(self) -> None:
        super().__init__()
        self.opened = type(self).open_shop()
        self.app = next(self.opened)
        self.pieces: dict[tuple[str, str], int] = defaultdict(int)
        self.receipts: list[dict[str, Any]] = []
        self.carts: list[str] = []
        self.numbers = itertools.count(1)
        self.now = START
        self.there: set[str] = set()

    def open_the_doors(self) -> None:
        clock.freeze(self.now)
        with self.app.app_context():
            key = staff.create_client(name="life", scopes=ALL_SCOPES)
        self.api = Hands(self.app, key)
        for sku in SKUS:
            make_sku(self.api, sku, tax_category="reduced" if sku == "B" else "standard")
        for place, settings in (("S1", COUNTED), ("S2", PICKUP), ("W1", None)):
            kind = "warehouse" if place.startswith("W") else "store"
            make_store(self.api, place, dict.fromkeys(SKUS, OPENING), kind=kind, pickup=settings)
            for sku in SKUS:
                self.pieces[place, sku] = OPENING

    # --- the model

    def moved(self, place: str, parts: Mapping[str, int], sign: int) -> None:
        """Pieces came, or went."""
        for sku, quantity in parts.items():
            self.pieces[place, sku] += sign * quantity

    def free(self, place: str) -> dict[str, int]:
        """What availability shows at a place."""
        query = "&".join(f"sku={sku}" for sku in SKUS)
        found = self.api.get(f"/availability?{query}&location={place}&channel=ec").json["items"]
        return {item["sku"]: item["total_available"] for item in found}

    # --- hands

    def tried(self, path: str, body: Any = None, *refused: int) -> TestResponse:
        """A call that is done, or refused for a reason that a shop may have."""
        answer = self.api.post(path, body)
        assert answer.status_code in {200, 201, 409, *refused}, (path, answer.status_code, answer.text)
        return answer

    def rows(self, query: str, **params: Any) -> list[Row]:
        """What a statement finds; ids as text."""
        with self.app.app_context():
            found = [dict(row) for row in db.session.execute(text(query), params).mappings()]
            db.session.remove()
        return [{name: str(v) if hasattr(v, "hex") and hasattr(v, "version") else v for name, v in row.items()}
                for row in found]  # fmt: skip

    def one_of(self, at: int, query: str, **params: Any) -> Row | None:
        """One of the rows that a statement finds, None where there is none."""
        found = self.rows(query, **params)
        return found[at % len(found)] if found else None

    def some_pickup(self, at: int, which: str = LIVE) -> Row | None:
        """A pickup: its id, where it is, and whose."""
        columns = "id, location_id, order_id, state, code, claim_id, ready_at"
        return self.one_of(at, f"SELECT {columns} FROM pickup WHERE {which} ORDER BY id")

    def lines(self, pickup_id: str) -> list[dict[str, Any]]:
        """Its lines, as the store sees them."""
        return list(self.api.get(f"/pickups/{pickup_id}").json["lines"])

    def token(self, pickup_id: str) -> str:
        """What its QR code holds now."""
        with self.app.app_context():
            shown = passes.of(db.session.get_one(Pickup, pickup_id)).token
            db.session.remove()
        return shown

    def given(self, pickup_id: str) -> dict[str, int]:
        """Pieces by SKU that are with the customer."""
        found: dict[str, int] = defaultdict(int)
        for line in self.lines(pickup_id):
            found[line["sku"]] += line["collected"]
        return found

    def follow(self, pickup: Row, before: Mapping[str, int]) -> None:
        """What was given since `before` is gone; what was taken back lies there again."""
        for sku, pieces in self.given(pickup["id"]).items():
            self.pieces[pickup["location_id"], sku] -= pieces - before.get(sku, 0)

    def bring(self, pickup_id: str, state: str) -> None:
        """As far as `state` (picking or ready), if it lets itself be brought; all that is there is picked."""
        for action in ("accept", "start"):
            self.tried(f"/pickups/{pickup_id}/{action}")
        if state == "ready":
            for line in self.lines(pickup_id):
                rest = line["ordered"] - line["picked"] - line["short"]
                if rest > 0:
                    self.tried(f"/pickups/{pickup_id}/pick", {"lines": [{"sku": line["sku"], "quantity": rest}]})
            self.tried(f"/pickups/{pickup_id}/ready", {"shelf": "A-1"})
