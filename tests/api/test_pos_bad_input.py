from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from tests import badinput
from tests.factories import make_store
from tests.till import level, line, rows, sale

JUNK = [
    *badinput.NOT_INTEGERS, *badinput.NOT_TEXTS, *badinput.NOT_INSTANTS, *badinput.ODD_TEXTS, *badinput.NOT_OBJECTS,
    [{}], [None], {"a": {"b": []}}, -1, 0, 2**63, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00",
]  # fmt: skip


@pytest.mark.parametrize(("raw", "kind", "statuses"), badinput.RAW_BODIES)
@pytest.mark.parametrize("path", ["/pos/sales", "/pos/batches"])
def test_what_is_no_body_is_refused(api: Any, path: str, raw: bytes, kind: str, statuses: set[int]) -> None:
    assert badinput.post_raw(api, "POST", path, raw, kind).status_code in statuses
    assert api.get("/pos/receipts").json["items"] == []


def test_a_body_nested_too_deep_is_refused_and_its_sale_can_come_again(app: Any, api: Any) -> None:
    make_store(api, "S1", stock={"A": 5})
    deep: Any = 1
    for _ in range(31):
        deep = [deep]
    good = sale(1, [line("A", 1, 1000)], 1000)
    for path, body in (("/pos/sales", good | {"x": [deep]}), ("/pos/batches", {"sales": [good | {"x": [deep]}]})):
        refused = api.post(path, body)
        assert (refused.status_code, refused.json["reason"]) == (400, "nesting"), refused.text
    assert rows(app, "pos_receipt") == 0
    assert api.post("/pos/sales", good | {"receipt_no": "2", "x": deep}).json["state"] == "parked"
    assert api.post("/pos/sales", good).json["state"] == "posted"
    assert level(api, "S1", "A") == 4


def places(body: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [way, *(place for step, one in inner for place in places(one, (*way, step)))][0 if way else 1 :]


def spoil(body: dict[str, Any], way: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(body)
    at = made
    for step in way[:-1]:
        at = at[step]
    at[way[-1]] = junk
    return dict(made)


def test_junk_in_any_field_is_refused_parked_or_told_and_never_a_fault(app: Any, api: Any) -> None:
    """What is understood all the same is posted: the figures that were not spoilt are facts."""
    make_store(api, "S1", stock={"A": 5})
    chance = random.Random(4)
    whole = sale(
        1, [line("A", 1, 1000, barcode="4901234567894", name="x", weight_g=5, discount=0, amount=1000, tax_rate=10,
                 returned=False, disposition="restock")], 1000,
        source_id="T", revision=1, customer={"card_no": "1", "external_id": "2"}, discount=0, points_used=0,
        coupons=["C"], currency="JPY", taxes=[{"rate": "10", "taxable": 910, "amount": 90, "included": True}],
        original={"store": "S1", "terminal": "1", "receipt_no": "0", "business_date": "2026-11-22"},
    )  # fmt: skip
    bodies = []
    for number, way in enumerate(places(whole)):
        for turn, junk in enumerate(chance.sample(JUNK, 12)):
            bodies.append(spoil(whole | {"source_id": f"T-{number}-{turn}"}, way, junk))
    for start in range(0, len(bodies), 100):
        answer = api.post("/pos/batches", {"sales": bodies[start : start + 100]})
        assert answer.status_code == 200, answer.text
        results = answer.json["results"]
        assert {one["status"] for one in results} <= {200, 201, 409, 422}
        assert "posting-failed" not in {fault["code"] for one in results for fault in one["problems"]}
    assert len(bodies) > 300
    sold = rows(app, "stock_movement WHERE kind = 'sale' AND quantity = -1")
    assert level(api, "S1", "A") <= 5 - sold
