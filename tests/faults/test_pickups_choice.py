"""A choice is whole or it was not made: the server dies between the claim at the new place and the commit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.conftest import Ground, open_shop, reconcile
from tests.faults.killing import connect, killed_at
from tests.running import Web

ORDER = {
    "channel": "ec", "fulfilment": {"method": "pickup", "location": "ginza"},
    "lines": [{"line_ref": "1", "sku": "S1", "quantity": 2, "unit_price": 1000}],
    "payments": [{"method": "card", "amount": 2000, "state": "authorized"}],
}  # fmt: skip
CHOICES: dict[str, dict[str, Any]] = {
    "other_store": {"option": "other_store", "location": "umeda"},
    "transfer": {"option": "transfer"},
    "ship": {"option": "ship", "address": {"postal_code": "150-0002", "city": "渋谷区"}},
}
# Each is written after the claim at the new place; the audit's entry comes last of all.
HELD = [("other_store", "pickup"), ("transfer", "transfer"), ("ship", "audit_entry")]


@pytest.fixture
def web(ground: Ground) -> Iterator[Web]:
    """One server process with two stores of ten pieces each."""
    started = Web(ground.url, workers=1).start()
    open_shop(started, ground.key, stock=10)
    place = started.call("GET", "/api/v1/locations/ginza", key=ground.key)[1]
    umeda = {name: value for name, value in place.items() if name not in {"code", "updated_at"}} | {"name": "梅田店"}
    assert done(started.call("PUT", "/api/v1/locations/umeda", umeda, key=ground.key))
    opening = {"location": "umeda", "reason": "opening", "lines": [{"sku": "S1", "quantity": 10}]}
    assert done(started.call("POST", "/api/v1/stock/adjustments", opening, key=ground.key))
    yield started
    started.stop()


def done(answer: tuple[int, Any]) -> Any:
    assert answer[0] in {200, 201}, answer
    return answer[1]


def lacking(web: Web, ground: Ground, ref: str) -> str:
    """A pickup of which one piece was damaged; its customer is asked."""
    made = done(web.call("POST", "/api/v1/orders", ORDER | {"external_ref": ref}, key=ground.key, idempotency=ref))
    pickup_id = str(made["pickup"]["id"])
    damaged = {"sku": "S1", "quantity": 1, "reason": "damaged"}
    for action, body in (("accept", None), ("start", None), ("short", damaged)):
        path = f"/api/v1/pickups/{pickup_id}/{action}"
        done(web.call("POST", path, body, key=ground.key, idempotency=f"{ref}-{action}"))
    return pickup_id


def kept(ground: Ground) -> tuple[int, int, int, int]:
    """(pieces promised at the second store, claims there, ways of orders, pieces that somebody is asked about)."""
    with connect(ground) as connection:
        found = connection.execute(
            "SELECT (SELECT reserved FROM stock_level WHERE location_id = 'umeda' AND sku = 'S1'), "
            "(SELECT count(*) FROM claim WHERE location_id = 'umeda'), (SELECT count(*) FROM fulfilment), "
            "(SELECT sum(undecided) FROM pickup_line)"
        ).fetchone()
    assert found is not None
    return tuple(map(int, found))  # type: ignore[return-value]


def test_a_worker_killed_between_a_choices_claim_and_its_commit_leaves_the_question(ground: Ground, web: Web) -> None:
    for number, (option, held) in enumerate(HELD):
        pickup_id = lacking(web, ground, f"E{number}")
        before = kept(ground)
        whole = (before[0] + 1, before[1] + 1, before[2] + 1, before[3] - 1)
        path, key = f"/api/v1/pickups/{pickup_id}/choose", f"choice-{number}"

        def choose(path: str = path, key: str = key, body: Any = CHOICES[option]) -> tuple[int, Any]:
            return web.call("POST", path, body, key=ground.key, idempotency=key, timeout=30)

        killed_at(ground, web, held, choose)
        # The audit's entry goes together with COMMIT, which the database may carry out though nobody hears of it.
        assert kept(ground) in ({before, whole} if held == "audit_entry" else {before})
        web.start()
        first = done(choose())
        assert done(choose()) == first
        assert kept(ground) == whole
    reconcile(ground.url)
