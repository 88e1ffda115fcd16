"""What tests of webhooks share: a shop whose events are known, and a courier that works until nothing is due."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

from flask import Flask

from app.webhooks import Courier, Post
from app.webhooks.addresses import Rules
from tests.factories import make_store


def let_private(app: Flask) -> None:
    """Receivers of tests are on this machine."""
    app.config["ALLOW_PRIVATE_WEBHOOKS"] = True


def endpoint(api: Any, url: str, *events: str) -> dict[str, Any]:
    """Name an address."""
    answer = api.post("/webhook-endpoints", {"url": url, "events": list(events or ("*",))})
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def reserve(api: Any, sku: str = "A", quantity: int = 1, location: str = "S1") -> str:
    """One event of a story of its own; returns the reservation's id."""
    lines = [{"sku": sku, "quantity": quantity}]
    answer = api.post("/reservations", {"location": location, "kind": "cart", "lines": lines})
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def story(api: Any, extensions: int = 1) -> str:
    """A reservation that is extended and released: events 1, …, 2 + extensions of one aggregate; returns its id."""
    made = reserve(api)
    for _ in range(extensions):
        assert api.post(f"/reservations/{made}/extend", {"expires_in": 600}).status_code == 200
    assert api.post(f"/reservations/{made}/release").status_code == 200
    return made


def shop(api: Any, stock: int = 50) -> None:
    """Store S1 with A and B."""
    make_store(api, "S1", {"A": stock, "B": stock})


def deliver(app: Flask, turns: int = 200) -> None:
    """Deal, send and write until nothing is due any more."""
    bell = threading.Event()
    with app.app_context(), closing(Post(Rules(allow_private=True))) as post:
        carrier = Courier(post.send, bell.set)
        for _ in range(turns):
            bell.clear()
            more = carrier.turn()
            if not more and carrier.is_idle():
                return
            if not more:
                assert bell.wait(20), "no letter came back"
    raise AssertionError("it never ends")


def deliveries(api: Any, **query: str) -> list[dict[str, Any]]:
    """All deliveries in the order in which they were made."""
    asked = "&".join(f"{name}={value}" for name, value in {"limit": "200", **query}.items())
    answer = api.get(f"/webhook-deliveries?{asked}")
    assert answer.status_code == 200, answer.text
    return sorted(answer.json["items"], key=lambda item: str(item["id"]))
