"""The customer's page: what it says in each state, in both languages, and what it never gives away."""

from __future__ import annotations

import re
from typing import Any

import pytest
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from app.core import texts
from bopis import asking
from bopis.states import PickupState
from tests.api.pickups_kit import act, bring, order, pick_all, shop, token_of
from tests.factories import make_store

AT = "2026-11-22T15:10+09:00"


@pytest.fixture
def shown(api, clock):
    """The pickup of an order for two A and one B."""
    clock(AT)
    shop(api)
    make_store(api, "S1", name="渋谷店", name_en="Shibuya")
    return order(api)["pickup"]


def see(app: Any, shown: dict[str, Any], query: str = "", **headers: str) -> Any:
    path = shown["page_url"].removeprefix("http://127.0.0.1:8000")
    return app.test_client().get(path + query, headers={"Accept-Language": "ja", **headers})


def text_of(page: Any) -> str:
    """The words of a page without its markup."""
    plain = re.sub(r"<svg.*?</svg>", "", page.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain)).strip()


def test_before_it_is_ready(app, shown):
    page = see(app, shown)
    words = text_of(page)
    assert page.status_code == 200
    assert (
        "ご注文を受け付けました 11月22日（日）16:10ごろにご用意できる予定です。準備が整うまで、ご来店をお待ちください。"
        in words
    )
    assert "画面を明るくして" not in words
    assert words.index("本日の営業時間") < words.index("商品A")
    assert "受取期限" not in words
    assert "〒150-0002 東京都渋谷区渋谷1-1-1 本日の営業時間 10:00–21:00" in words
    assert re.findall(r'<li class="(\w+)"', page.text) == ["now", "next", "next", "next"]


def test_a_late_store_names_no_past_time(app, clock, shown):
    clock("2026-11-22T16:10+09:00")
    words = text_of(see(app, shown))
    assert "ご用意が遅れております。準備が整うまでお待ちください。" in words
    assert "16:10" not in words
    assert "Preparing takes longer than planned. Please wait until it is ready." in text_of(see(app, shown, "?lang=en"))


def test_ready_with_deadline_code_pin_and_qr(api, app, shown):
    bring(api, shown, "ready")
    page = see(app, shown)
    words = text_of(page)
    assert "お受け取りいただけます お店でこの画面をご提示ください。 受取期限 11月29日（日）21:00" in words
    assert "画面を明るくして、店舗スタッフにお見せください。" in words
    assert f"受取コード {shown['code']} 暗証番号 {shown['pin']}" in words
    assert "商品A navy / M 2点 商品B 1点" in words
    assert page.text.count("<svg") == 1
    assert "https://www.google.com/maps/search/?api=1&amp;query=35.658,139.701" in page.text
    assert 'href="tel:03-1234-5678"' in page.text
    assert re.findall(r'<li class="(\w+)"', page.text) == ["done", "done", "now", "next"]


def test_english_by_header_and_by_choice(api, app, shown):
    bring(api, shown, "ready")
    for page in (see(app, shown, **{"Accept-Language": "en-GB,en;q=0.8"}), see(app, shown, "?lang=en")):
        words = text_of(page)
        assert '<html lang="en">' in page.text
        assert "Ready for pickup Show this page in the store. Pick up by Sun, Nov 29, 21:00" in words
        assert f"Pickup code {shown['code']} PIN {shown['pin']}" in words
        assert "Thing A navy / M × 2 Thing B × 1" in words
        assert "Shibuya" in words
    assert '<html lang="ja">' in see(app, shown, "?lang=xx").text


def test_after_collection_it_is_a_record_without_qr(api, app, shown):
    bring(api, shown, "collected")
    page = see(app, shown)
    words = text_of(page)
    assert "お受け取りが完了しました" in words
    assert "お受け取り日時 11月22日（日）15:10" in words
    assert "<svg" not in page.text
    assert shown["pin"] not in page.text
    assert app.test_client().get(f"/p/{token_of(shown)}/qr.svg").status_code == 404


def test_a_part_given_and_a_piece_missing_are_told(api, app, shown):
    bring(api, shown, "picking")
    act(api, shown["id"], "short", {"sku": "B", "quantity": 1, "reason": "not_found"})
    pick_all(api, shown["id"])
    act(api, shown["id"], "ready")
    act(api, shown["id"], "hand-over", {"token": token_of(shown), "lines": [{"sku": "A", "quantity": 1}]})
    words = text_of(see(app, shown))
    assert "商品A navy / M 1点お受け取り済み 2点" in words
    assert "商品B 1点はご用意できませんでした 0点" in words


@pytest.mark.parametrize("state", ["cancelled", "expired"])
def test_an_early_end_shows_no_pass(api, app, clock, shown, state):
    bring(api, shown, "ready" if state == "expired" else state)
    clock("2026-11-29T21:00+09:00")
    page = see(app, shown)
    expected = {
        "cancelled": "ご注文はキャンセルされました ご請求は発生しません。",
        "expired": "受取期限を過ぎました ご注文はキャンセルとなります。ご請求は発生しません。",
    }
    assert expected[state] in text_of(page)
    assert "<svg" not in page.text
    assert shown["pin"] not in page.text


def test_money_that_was_taken_is_promised_back(api, app, shown):
    paid = order(api, "EC-2", [("1", "A", 1, 1100)], pay="captured")["pickup"]
    bring(api, paid, "cancelled")
    expected = "ご注文はキャンセルされました お支払い済みの代金は、ご利用のお支払い方法へ返金いたします。"
    assert expected in text_of(see(app, paid))


def test_a_hold_shows_its_own_deadline_and_what_is_to_be_paid(api, app, shown):
    held = api.post("/reservations", {"location": "S1", "kind": "hold", "lines": [{"sku": "A", "quantity": 2}]}).json
    words = text_of(see(app, held["pickup"]))
    assert "受取期限 11月25日（水）21:00" in words
    assert "店頭でのお支払い 2,000円（税込）" in words


def test_a_closed_day_says_so(api, app, shown):
    make_store(api, "S1", closures=["2026-11-22"])
    assert "本日の営業時間 休業日" in text_of(see(app, shown))


def test_a_wrong_token_is_the_same_as_none(api, app, shown):
    client = app.test_client()
    headers = {"Accept-Language": "ja"}
    none = client.get("/p/", headers=headers)
    fresh = act(api, shown["id"], "reissue")
    for path in ("0" * 26, token_of(shown), token_of(shown)[:-1], "x", "%E5%B1%B1", "%00"):
        page = client.get(f"/p/{path}", headers=headers)
        assert (page.status_code, page.data) == (404, none.data)
    assert text_of(none).endswith("リンクが正しいか、最新のご案内かどうかをご確認ください。")
    assert see(app, fresh).status_code == 200


def test_nobody_keeps_indexes_or_frames_it(app, shown):
    client = app.test_client()
    pages = [see(app, shown), client.get("/p/x"), client.get(f"/p/{token_of(shown)}/qr.svg")]
    for page in pages:
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")
    assert "<script" not in pages[0].text
    assert "style=" not in pages[0].text
    assert re.findall(r'(?:src|href)="(https?://[^"/]+)', pages[0].text) == ["https://www.google.com"]


def test_its_style_is_ours_and_small(app, shown):
    (address,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', see(app, shown).text)
    style = app.test_client().get(address)
    assert (style.status_code, style.mimetype) == (200, "text/css")
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert len(style.data) < 8 * 1024
    assert "url(" not in style.text


def test_the_qr_code_holds_h1_and_the_token(app, shown):
    token = token_of(shown)
    picture = app.test_client().get(f"/p/{token}/qr.svg")
    assert (picture.status_code, picture.mimetype) == (200, "image/svg+xml")
    inline = re.search(r"<svg.*?</svg>", see(app, shown).text, flags=re.DOTALL)
    assert inline is not None
    assert dark_of(picture.text) == dark_of(inline[0]) == expected_dark(f"H1{token}")


def dark_of(svg: str) -> set[tuple[int, int]]:
    """The dark cells that the picture draws."""
    cells = set()
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg):
        cells |= {(int(x) + step, int(y)) for step in range(int(length))}
    return cells


def expected_dark(text: str) -> set[tuple[int, int]]:
    """The dark cells as the library makes them."""
    code = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    return {(x, y) for y, row in enumerate(code.get_matrix()) for x, dark in enumerate(row) if dark}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_state_and_question_has_its_words(app, language):
    with app.test_request_context(headers={"Accept-Language": language}):
        for state in (*PickupState, "moved"):
            assert texts.word(f"pickup-headline-{state}") != f"pickup-headline-{state}"
        for reason in asking.REASONS:
            assert texts.word(f"pickup-question-{reason}") != f"pickup-question-{reason}"


def test_a_question_is_put_and_a_moved_pickup_says_where_to_look(api, app, clock):
    clock("2026-11-22T12:00+09:00")
    shop(api)
    make_store(api, "S2", {"A": 5, "B": 5})
    made = order(api)
    shown = made["pickup"]
    bring(api, shown, "picking")
    act(api, shown["id"], "short", {"sku": "A", "quantity": 2, "reason": "damaged"})
    act(api, shown["id"], "short", {"sku": "B", "quantity": 1, "reason": "damaged"})
    page = app.test_client().get(f"/p/{token_of(shown)}").text
    assert "受取方法のご確認をお願いします" in page
    assert "一部の商品をご用意できませんでした" in page
    act(api, shown["id"], "choose", {"option": "other_store", "location": "S2"})
    page = app.test_client().get(f"/p/{token_of(shown)}").text
    assert "受取方法が変わりました" in page
    assert "<svg" not in page
