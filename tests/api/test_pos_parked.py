from __future__ import annotations

from typing import Any

import pytest

from tests.factories import make_sku, make_store
from tests.till import DAY, level, line, movements, rows, sale


@pytest.fixture
def shop(api: Any) -> Any:
    make_sku(api, "B")
    make_store(api, "S1", stock={"A": 5})
    return api


GOOD = sale(1, [line("A", 1, 1000)], 1000)


def changed(**more: Any) -> dict[str, Any]:
    return GOOD | more


def with_line(**more: Any) -> dict[str, Any]:
    return GOOD | {"lines": [GOOD["lines"][0] | more]}


NO_KEY = [
    ([], "", "not-object"),
    ("sale", "", "not-object"),
    ({}, "/source", "required"),
    ({name: value for name, value in GOOD.items() if name != "terminal"}, "/terminal", "required"),
    (changed(source=7), "/source", "not-text"),
    (changed(source=""), "/source", "length"),
    (changed(store="A/B"), "/store", "not-code"),
    (changed(receipt_no="1\x00"), "/receipt_no", "characters"),
    (changed(receipt_no="x" * 65), "/receipt_no", "length"),
    (changed(business_date="2026-02-30"), "/business_date", "not-date"),
    (changed(business_date=20261122), "/business_date", "not-date"),
    (changed(source_id=["T"]), "/source_id", "not-text"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), NO_KEY)
def test_without_a_readable_key_it_is_refused(app: Any, shop: Any, body: Any, pointer: str, code: str) -> None:
    answer = shop.post("/pos/sales", body)
    assert answer.status_code == 422, answer.text
    assert (pointer, code) in [(fault["pointer"], fault["code"]) for fault in answer.json["errors"]]
    (result,) = shop.post("/pos/batches", {"sales": [body]}).json["results"]
    assert result["status"] == 422
    assert {"pointer": pointer, "code": code} in result["problems"]
    assert rows(app, "pos_receipt") == 0
    assert level(shop, "S1", "A") == 5


PARKED = [
    (changed(store="S9"), "/store", "unknown-location"),
    (changed(kind="gift"), "/kind", "not-allowed"),
    (changed(sold_at=f"{DAY}T15:10:00"), "/sold_at", "not-instant"),
    (changed(sold_at="2016-11-16T25:44:22.837Z"), "/sold_at", "not-instant"),
    (changed(lines=[]), "/lines", "length"),
    (changed(lines={}), "/lines", "not-list"),
    (changed(lines=[None]), "/lines/0", "null"),
    (changed(typo=1), "/typo", "unknown-field"),
    (changed(**{"bad\x00name": 1}), "/badname", "unknown-field"),
    (changed(revision=0), "/revision", "out-of-range"),
    (changed(revision=2**70), "/revision", "not-integer"),
    (changed(discount=1001), "/discount", "discount-exceeds-amount"),
    (changed(points_used=1001), "/points_used", "points-exceeds-amount"),
    (changed(kind="void", lines=[]), "/original", "required"),
    (with_line(quantity=1.5), "/lines/0/quantity", "not-integer"),
    (with_line(quantity="1"), "/lines/0/quantity", "not-integer"),
    (with_line(quantity=-1), "/lines/0/quantity", "out-of-range"),
    (with_line(quantity=0), "/lines/0/quantity", "out-of-range"),
    (with_line(quantity=10**9), "/lines/0/quantity", "out-of-range"),
    (with_line(quantity=999_999, unit_price=999_999_999), "/lines", "out-of-range"),
    (with_line(unit_price=True), "/lines/0/unit_price", "not-integer"),
    (with_line(discount=1001), "/lines/0/discount", "discount-exceeds-amount"),
    (with_line(amount=999), "/lines/0/amount", "amount-differs"),
    (with_line(tax_rate=101), "/lines/0/tax_rate", "out-of-range"),
    (with_line(name="\ud7ff\x07"), "/lines/0/name", "characters"),
    (changed(tenders=[{"method": "cash", "amount": 10**12}]), "/tenders/0/amount", "out-of-range"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), PARKED)
def test_what_cannot_be_understood_is_parked(app: Any, shop: Any, body: Any, pointer: str, code: str) -> None:
    answer = shop.post("/pos/sales", body)
    assert (answer.status_code, answer.json["state"]) == (201, "parked"), answer.text
    assert {"pointer": pointer, "code": code} in answer.json["problems"]
    again = shop.post("/pos/sales", body)
    assert (again.status_code, again.json["id"], again.json["duplicate"]) == (200, answer.json["id"], True)
    assert (level(shop, "S1", "A"), movements(app), rows(app, "sales_order")) == (5, [], 0)
    listed = shop.get("/pos/receipts?state=parked").json["items"]
    assert [one["id"] for one in listed] == [answer.json["id"]]
    mended = shop.put(f"/pos/receipts/{answer.json['id']}", {"sale": GOOD})
    assert (mended.status_code, mended.json["state"], mended.json["problems"]) == (200, "posted", []), mended.text
    assert level(shop, "S1", "A") == 4
    after = shop.post("/pos/sales", body)
    assert (after.status_code, after.json["duplicate"]) == (200, True)
    assert level(shop, "S1", "A") == 4


def test_odd_letters_are_no_trouble(shop: Any) -> None:
    body = GOOD | {"receipt_no": "№1😀", "lines": [GOOD["lines"][0] | {"name": "ｽﾆｰｶｰ 🥿"}]}
    assert shop.post("/pos/sales", body).json["state"] == "posted"


def test_a_parked_one_is_replayed_once_its_store_is_known(app: Any, shop: Any) -> None:
    receipt = shop.post("/pos/sales", changed(store="S9")).json["id"]
    still = shop.post(f"/pos/receipts/{receipt}/replay")
    assert (still.status_code, still.json["state"]) == (200, "parked")
    make_store(shop, "S9")
    done = shop.post(f"/pos/receipts/{receipt}/replay")
    assert (done.status_code, done.json["state"], done.json["id"]) == (200, "posted", receipt)
    assert movements(app) == [("S9", "A", -1, "sale", receipt)]
    again = shop.post(f"/pos/receipts/{receipt}/replay")
    assert (again.status_code, again.json["type"]) == (409, "/problems/illegal-transition")
    assert again.json["state"] == "posted"
    assert shop.put(f"/pos/receipts/{receipt}", {"sale": GOOD}).status_code == 409
    assert shop.get(f"/pos/receipts/{receipt}").json["location"] == "S9"
    assert len(movements(app)) == 1


def test_a_mended_number_that_is_known_already_is_not_posted_twice(app: Any, shop: Any) -> None:
    shop.post("/pos/sales", GOOD)
    wrong = shop.post("/pos/sales", changed(store="S9")).json["id"]
    answer = shop.put(f"/pos/receipts/{wrong}", {"sale": GOOD})
    assert (answer.status_code, answer.json["duplicate"]) == (200, True)
    assert (len(movements(app)), shop.get(f"/pos/receipts/{wrong}").json["state"]) == (1, "superseded")


def test_a_correction_that_cannot_be_read_leaves_the_old_one_posted_until_it_is_mended(app: Any, shop: Any) -> None:
    shop.post("/pos/sales", GOOD)
    parked = shop.post("/pos/sales", changed(revision=2, kind="gift")).json
    assert (parked["state"], level(shop, "S1", "A")) == ("parked", 4)
    fixed = shop.put(f"/pos/receipts/{parked['id']}", {"sale": changed(revision=2, lines=[line("A", 3, 1000)])})
    assert (fixed.json["state"], level(shop, "S1", "A")) == ("posted", 2)
    third = shop.post("/pos/sales", changed(revision=3, lines=[line("A", 2, 1000)]))
    assert (third.status_code, level(shop, "S1", "A")) == (201, 3)
    assert sum(row[2] for row in movements(app)) == -2


def test_a_stale_tag_is_refused(shop: Any) -> None:
    receipt = shop.post("/pos/sales", changed(kind="gift")).json["id"]
    tag = shop.get(f"/pos/receipts/{receipt}").headers["ETag"]
    assert shop.put(f"/pos/receipts/{receipt}", {"sale": GOOD}, headers={"If-Match": '"old"'}).status_code == 412
    assert shop.put(f"/pos/receipts/{receipt}", {"sale": GOOD}, headers={"If-Match": tag}).status_code == 200


@pytest.mark.parametrize("receipt", ["nonsense", "01a2041d-5ae2-7732-bb26-5595443784d9", "a" * 36])
def test_there_is_no_such_receipt(shop: Any, receipt: str) -> None:
    for answer in (
        shop.get(f"/pos/receipts/{receipt}"), shop.put(f"/pos/receipts/{receipt}", {"sale": GOOD}),
        shop.post(f"/pos/receipts/{receipt}/replay"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json["type"]) == (404, "/problems/unknown-receipt")
    assert shop.post(f"/pos/unresolved/{receipt}/resolve", {"sku": "A"}).json["type"] == "/problems/unknown-unresolved"


def test_lists_are_paged_and_filtered(shop: Any, make_api: Any) -> None:
    for number in range(5):
        shop.post("/pos/sales", sale(number, [line("A", 1, 1000)], 1000))
    shop.post("/pos/sales", changed(receipt_no="9", store="S9"))
    page = shop.get("/pos/receipts?limit=4").json
    rest = shop.get(f"/pos/receipts?limit=4&cursor={page['next_cursor']}").json
    assert (len(page["items"]), len(rest["items"]), rest["next_cursor"]) == (4, 2, None)
    assert len(shop.get("/pos/receipts?location=S9").json["items"]) == 1
    assert len(make_api("pos:write", locations=("S1", "S9")).get("/pos/receipts").json["items"]) == 5
    assert shop.get("/pos/receipts?cursor=nonsense").status_code == 422


def test_a_poison_sale_fails_alone(app: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import orders

    record = orders.record_sale

    def explode(posted: Any) -> Any:
        if posted.external_ref.endswith("/2"):
            raise RuntimeError
        return record(posted)

    monkeypatch.setattr(orders, "record_sale", explode)
    batch = [sale(number, [line("A", 1, 1000)], 1000) for number in (1, 2, 3)]
    results = shop.post("/pos/batches", {"sales": batch}).json["results"]
    assert [(one["status"], one["state"]) for one in results] == [(201, "posted"), (201, "parked"), (201, "posted")]
    assert results[1]["problems"] == [{"pointer": "", "code": "posting-failed"}]
    assert level(shop, "S1", "A") == 3
    monkeypatch.setattr(orders, "record_sale", record)
    assert shop.post(f"/pos/receipts/{results[1]['id']}/replay").json["state"] == "posted"
    assert level(shop, "S1", "A") == 2


def test_a_batch_is_answered_sale_by_sale_in_order(app: Any, shop: Any) -> None:
    one = sale(1, [line("A", 1, 1000)], 1000)
    original = {"store": "S1", "terminal": "1", "receipt_no": "1", "business_date": DAY}
    void = sale(2, [], 0, kind="void", original=original)
    batch = [one, one, one | {"revision": 2, "lines": [line("A", 2, 1000)]}, one, {"source": "x"}, 5, void,
             one | {"lines": []}, changed(receipt_no="7", kind="gift"), one | {"revision": 2}]  # fmt: skip
    results = shop.post("/pos/batches", {"sales": batch}).json["results"]
    assert [(r["status"], r.get("state")) for r in results] == [
        (201, "posted"), (200, "posted"), (201, "posted"), (200, "posted"), (422, None), (422, None), (201, "posted"),
        (200, "posted"), (201, "parked"), (409, "posted"),
    ]  # fmt: skip
    assert [r.get("duplicate", False) for r in results][:2] == [False, True]
    assert [r.get("stale", False) for r in results][3] is True
    assert level(shop, "S1", "A") == 5


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/sales", "required"),
        ({"sales": []}, "/sales", "length"),
        ({"sales": [1] * 501}, "/sales", "length"),
        ({"sales": {}}, "/sales", "not-list"),
        ({"sales": [1], "x": 1}, "/x", "unknown-field"),
        ([], "", "not-object"),
    ],
)
def test_a_batch_that_is_none_is_refused(shop: Any, body: Any, pointer: str, code: str) -> None:
    answer = shop.post("/pos/batches", body)
    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json["errors"]] == [(pointer, code)]


def test_a_batch_of_five_hundred(app: Any, shop: Any) -> None:
    batch = [sale(number, [line("A", 1, 1000), line("B", 2, 500)], 2000) for number in range(500)]
    results = shop.post("/pos/batches", {"sales": batch}).json["results"]
    assert {(one["status"], one["state"]) for one in results} == {(201, "posted")}
    assert (level(shop, "S1", "A"), level(shop, "S1", "B")) == (-495, -1000)
    assert len({one["id"] for one in results}) == 500 == rows(app, "sales_order")
    again = shop.post("/pos/batches", {"sales": batch[::-1]}).json["results"]
    assert {(one["status"], one["duplicate"]) for one in again} == {(200, True)}
    assert [one["id"] for one in again] == [one["id"] for one in results][::-1]
    assert level(shop, "S1", "A") == -495
