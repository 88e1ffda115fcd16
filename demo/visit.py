"""One pickup of the live day with the people around it: what they know, and how they talk to the API."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from demo import files, town
from demo.board import Board
from demo.client import Api
from demo.fates import token_of
from demo.making.codes import pick
from demo.town import STORES, Store

# Where a visit stands still until something else has happened.
PICK, ARRIVE, LATER, OVER = "pick", "arrive", "later", "over"
BARRIERS = frozenset({PICK, ARRIVE, LATER})
_CUSTOMERS = 600
# Times three seconds: on a busy machine the server's jobs come after its customers.
_PATIENCE = 120


class NotYetError(Exception):
    """The server's own jobs have to do something first; the step is tried again."""


class UnexpectedError(Exception):
    """The server answered something that the story does not know."""


@dataclass(slots=True)
class Day:
    """What all who trade share. ``run`` makes this day's references its own."""

    connect: Callable[[], Api]
    board: Board
    run: str

    def key(self, *parts: str | int) -> str:
        """An Idempotency-Key of this run."""
        return "-".join(["day", self.run, *map(str, parts)])


@dataclass(slots=True)
class Visit:
    """A pickup with its story. ``family`` are all pickups of its order, this one among them."""

    day: Day
    name: str
    store: Store
    way: str
    steps: deque[str]
    goods: list[tuple[str, int]]
    spawn: Callable[[Visit], None]
    family: set[str] = field(default_factory=set)
    pickup: dict[str, Any] = field(default_factory=dict)
    order: dict[str, Any] | None = None
    reservation: str = ""
    proxy: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, str] | None = None
    calls: int = 0
    tries: int = 0
    began: float = 0.0
    api: Api = None  # type: ignore[assignment]  # lent by the clerk who has the visit in hand

    @property
    def id(self) -> str:
        """The pickup's id."""
        return str(self.pickup["id"])

    @property
    def token(self) -> str:
        """What the customer's QR code holds."""
        return token_of(self.pickup)

    def chance(self, what: str, below: int) -> int:
        """A number that is the same whenever this visit is played."""
        return pick(f"{self.name}-{what}", below)

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        refused: str | None = None,
        tolerate: str | None = None,
        device: int = 1,
    ) -> dict[str, Any]:
        """The answer's body; any answer but the one that the story knows ends the story."""
        self.calls += 1
        key = self.day.key(self.name, self.calls) if method == "POST" else None
        sent = {} if body is None and method == "POST" else body
        answer = self.api.ask(method, path, sent, key=key, device=f"{self.store.code}-T{device}")
        if answer.status >= 300 and answer.problem in {refused, tolerate} - {None}:
            self.day.board.count("refusals", answer.problem)
        elif answer.status >= 300 or refused is not None:
            message = f"{method} {path} {sent}: {answer.status} {answer.body}, expected {refused or 'success'}"
            raise UnexpectedError(message)
        return answer.body

    def do(self, action: str, body: dict[str, Any] | None = None, **expected: Any) -> None:
        """One call on the pickup; its answer is what is known of it from now on."""
        answer = self.ask("POST", f"/pickups/{self.id}/{action}", body, **expected)
        if "type" not in answer:
            self.pickup |= answer

    def look(self) -> dict[str, Any]:
        """The pickup as it stands now."""
        self.pickup |= self.ask("GET", f"/pickups/{self.id}")
        return self.pickup

    def wait_unless(self, good: object) -> None:
        """Come back in a moment, but not for ever."""
        if good:
            self.tries = 0
            return
        self.tries += 1
        if self.tries > _PATIENCE:
            message = f"nothing happened to pickup {self.id} in time: {self.pickup}"
            raise UnexpectedError(message)
        raise NotYetError

    def customer(self, part: str = "") -> dict[str, str]:
        """One of the town's regular customers, invented."""
        number = self.chance(f"customer{part}", _CUSTOMERS)
        return {
            "external_id": f"DAY{number:05d}", "name": "見本 花子", "name_kana": "ミホン ハナコ",
            "email": f"day{number:05d}@example.jp", "phone": f"020-0001-{number:04d}",
        }  # fmt: skip

    def child(self, pickup: dict[str, Any], steps: str) -> None:
        """Another pickup of the same order goes its own way, at its own store."""
        self.family.add(pickup["id"])
        shown = pickup | self.ask("GET", f"/pickups/{pickup['id']}")
        home = next((store for store in STORES if store.code == shown["location"]), None)
        if home is None:
            message = f"pickup {shown['id']} is at {shown['location']}"
            raise UnexpectedError(message)
        goods = [(line["sku"], line["ordered"]) for line in shown["lines"]]
        name = f"{self.name}.{len(self.family)}"
        self.spawn(
            Visit(self.day, name, home, self.way, deque(steps.split()), goods, self.spawn, self.family, shown,
                  self.order)
        )  # fmt: skip

    def follow(self, steps: str = "pick ready later arrive qr") -> None:
        """What the order sends another way goes that way: parcels leave, new pickups are worked on."""
        if self.order is None:
            return
        shown = self.ask("GET", f"/orders/{self.order['id']}")
        for way in shown["fulfilments"]:
            new = way.get("pickup")
            if new and new["id"] not in self.family and new["state"] not in {"cancelled", "collected", "expired"}:
                self.child(new, f"ship receive {steps}" if new["state"] == "awaiting_transfer" else steps)
        if any((way.get("shipping") or {}).get("state") == "requested" for way in shown["fulfilments"]):
            self.send_parcel()

    def send_parcel(self) -> None:
        """Everything of the order that travels to the customer's door leaves."""
        slip = {"carrier": "yamato", "tracking_no": f"4{self.chance('slip', 10**11):011d}"}
        self.order = self.ask("POST", f"/orders/{self.order['id'] if self.order else ''}/ship", slip)
        self.day.board.count("steps", "parcel")

    def receipt(self, sku_prices: list[tuple[str, int, int]], **more: Any) -> None:
        """A till's sale of (sku, pieces, price)."""
        now = datetime.now(files.JST)
        self.calls += 1
        number = f"{self.name}-{self.calls}"
        sale = {
            "source": "demo-day", "source_id": f"{self.day.run}-{number}", "store": self.store.code, "terminal": "T1",
            "receipt_no": f"{self.day.run}{number}", "kind": "sale", "business_date": now.date().isoformat(),
            "sold_at": now.isoformat(timespec="seconds"),
            "lines": [
                {"line_no": at, "barcode": town.barcode(sku), "quantity": pieces, "unit_price": price}
                for at, (sku, pieces, price) in enumerate(sku_prices, 1)
            ],
            "tenders": [{"method": "cash", "amount": sum(pieces * price for _, pieces, price in sku_prices)}],
        }  # fmt: skip
        answer = self.ask("POST", "/pos/sales", sale | more)
        if answer["state"] != "posted" or answer.get("problems"):
            message = f"receipt {number}: {answer}"
            raise UnexpectedError(message)


def placed_at(minutes: int) -> str:
    """The shop tells of its orders a little late; how long customers waited counts from their click."""
    return (datetime.now(files.JST) - timedelta(minutes=minutes)).isoformat(timespec="seconds")
