from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from app import catalog
from app.core.db import db
from tests import badinput
from tests.factories import make_sku, sku_body

JAN, JAN_B = "4901234567894", "4569951116179"
UPC = "036000291452"


def rows(app) -> list[tuple[Any, ...]]:
    with app.app_context():
        sql = "SELECT code, name, list_price, version FROM sku ORDER BY code"
        return [tuple(row) for row in db.session.execute(db.text(sql))]


def barcodes(app) -> list[tuple[Any, ...]]:
    with app.app_context():
        return [tuple(row) for row in db.session.execute(db.text("SELECT gtin, sku FROM sku_barcode ORDER BY gtin"))]


def found(api, query: str) -> list[str]:
    answer = api.get(f"/skus?{query}")
    assert answer.status_code == 200, answer.text
    return [item["sku"] for item in answer.json["items"]]


def test_a_sku_is_put_and_read(api, app):
    body = sku_body("A", barcodes=[JAN, "45123450"], options={"size": "M", "color": "navy"}, list_price=1990)
    body["image_url"] = "https://img.example/a.jpg"
    put = api.put("/skus/A", body)
    got = api.get("/skus/A")
    assert (put.status_code, got.status_code) == (200, 200)
    assert got.data == put.data
    answer = dict(got.json)
    assert answer.pop("updated_at").endswith("Z")
    assert answer == {**body, "sku": "A"}
    assert rows(app) == [("A", "商品A", 1990, 1)]
    assert barcodes(app) == [("00000045123450", "A"), ("04901234567894", "A")]


def test_the_same_again_changes_nothing_and_a_change_counts(api, app):
    first = make_sku(api, "A", barcodes=[JAN])
    assert make_sku(api, "A", barcodes=[JAN]) == first
    assert rows(app) == [("A", "商品A", 1000, 1)]
    make_sku(api, "A", barcodes=[JAN_B, JAN], list_price=0)
    assert rows(app) == [("A", "商品A", 0, 2)]
    assert api.get("/skus/A").json["barcodes"] == [JAN_B, JAN]
    make_sku(api, "A", barcodes=[JAN_B])
    assert barcodes(app) == [("04569951116179", "A")]


def test_a_stale_tag_is_refused(api, app):
    make_sku(api, "A")
    tag = api.get("/skus/A").headers["ETag"]
    assert api.put("/skus/A", sku_body("A", list_price=1), headers={"If-Match": tag}).status_code == 200
    assert api.put("/skus/A", sku_body("A", list_price=2), headers={"If-Match": tag}).status_code == 412
    assert api.put("/skus/B", sku_body("B"), headers={"If-Match": tag}).status_code == 412
    assert rows(app) == [("A", "商品A", 1, 2)]


def test_a_barcode_belongs_to_one_sku(api, app):
    make_sku(api, "A", barcodes=[UPC])
    for body in (sku_body("B", barcodes=["0" + UPC]), sku_body("B", barcodes=[JAN, UPC])):
        refused = api.put("/skus/B", body)
        assert refused.status_code == 409
        assert refused.json["type"] == "/problems/barcode-taken"
        assert refused.json["sku"] == "A"
        assert refused.json["barcode"] == UPC
    assert rows(app) == [("A", "商品A", 1000, 1)]
    assert barcodes(app) == [("00036000291452", "A")]
    make_sku(api, "A", barcodes=[])
    make_sku(api, "B", barcodes=["0" + UPC])
    assert barcodes(app) == [("00036000291452", "B")]


def test_one_code_in_two_forms_counts_once(api, app):
    assert make_sku(api, "A", barcodes=[UPC, "0" + UPC, UPC])["barcodes"] == [UPC]


@pytest.mark.parametrize(
    ("barcode", "code"),
    [
        ("4901234567890", "barcode-check-digit"),
        ("123", "barcode-format"),
        ("49012345678９4x", "barcode-format"),
        ("", "length"),
        ("4901234\x00567894", "characters"),
    ],
)
def test_a_barcode_that_was_mistyped(api, app, barcode, code):
    refused = api.put("/skus/A", sku_body("A", barcodes=[JAN_B, barcode]))
    assert refused.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in refused.json["errors"]] == [("/barcodes/1", code)]
    assert rows(app) == []
    first = api.put("/skus/A", sku_body("A", barcodes=[barcode]), headers={"Accept-Language": "ja"})
    assert first.json["errors"][0]["pointer"] == "/barcodes/0"
    if code == "barcode-check-digit":
        assert first.json["errors"][0]["message"] == "バーコードのチェックデジットが違います。"


def test_skus_are_found_by_barcode_product_and_words(api):
    make_sku(api, "TEE-1", name="ＴシャツﾈｲﾋﾞｰM", name_en="T-shirt navy", product="TEE", barcodes=[UPC])
    make_sku(api, "TEE-2", name="てぃーしゃつ 100%コットン", product="TEE", barcodes=[JAN])
    make_sku(api, "CAP_1", name="キャップ", product="CAP")
    assert found(api, f"barcode={UPC}") == found(api, f"barcode=0{UPC}") == ["TEE-1"]
    assert found(api, f"barcode={JAN_B}") == []
    assert found(api, "product=TEE") == ["TEE-1", "TEE-2"]
    assert found(api, f"product=TEE&q={quote('ティー')}") == ["TEE-2"]
    for q in ("tシャツ", "ネイビー", "ねいびー", "ﾈｲﾋﾞｰ", "NAVY", "ｔ-ｓｈｉｒｔ", "tee-1", UPC, "navy ねい"):
        assert found(api, f"q={quote(q)}") == ["TEE-1"], q
    assert found(api, f"q={quote('100%')}") == ["TEE-2"]
    assert found(api, f"q={quote('P_1')}") == ["CAP_1"]
    assert found(api, f"q={quote('きゃっぷ')}") == ["CAP_1"]
    assert found(api, f"q={quote('ズボン')}") == []
    assert found(api, f"q={quote('%')}") == ["TEE-2"]
    wrong = api.get("/skus?barcode=4901234567890")
    badinput.assert_refused(wrong, "/barcode")


def test_the_list_goes_on_where_it_was(api):
    for number in range(5):
        make_sku(api, f"S{number}", barcodes=[JAN] if number == 3 else [])
    first = api.get("/skus?limit=3").json
    assert [item["sku"] for item in first["items"]] == ["S0", "S1", "S2"]
    second = api.get(f"/skus?limit=3&cursor={first['next_cursor']}").json
    assert [(item["sku"], item["barcodes"]) for item in second["items"]] == [("S3", [JAN]), ("S4", [])]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("path", ["/skus?limit=0", "/skus?limit=201", "/skus?limit=a", "/skus?cursor=x", "/skus?w=1"])
def test_a_query_that_cannot_be(api, path):
    assert api.get(path).status_code == 422


def test_scopes(api, app, make_api):
    make_sku(api, "A")
    reader = make_api("stock:read")
    assert reader.get("/skus/A").status_code == 200
    assert reader.put("/skus/A", {}).status_code == 403
    for method, path in (("PUT", "/skus/A"), ("GET", "/skus/A"), ("GET", "/skus")):
        assert api.call(method, path, headers={"Authorization": "Bearer x"}).status_code == 401
    missing = api.get("/skus/B")
    assert (missing.status_code, missing.json["type"]) == (404, "/problems/unknown-sku")
    assert rows(app) == [("A", "商品A", 1000, 1)]


BAD = {
    "/product": badinput.NOT_TEXTS,
    "/name": badinput.NOT_TEXTS,
    "/name_en": [v for v in badinput.NOT_TEXTS if v is not None],
    "/tax_category": ["10%", 10, None, ""],
    "/list_price": badinput.NOT_INTEGERS,
    "/barcodes": [JAN, {}, None, [JAN] * 31, [int(JAN)]],
    "/options": badinput.NOT_OBJECTS,
    "/options/color": [1, None, "", "x" * 101, ["navy"], "a\x00"],
    "/image_url": ["not an address", "javascript:alert(1)", "http://", "https://x/" + "a" * 500, 1, "http://[::1"],
}


def test_no_bad_value_gets_in(api, app):
    for pointer, body in badinput.broken(sku_body("A"), BAD):
        badinput.assert_refused(api.put("/skus/A", body), pointer)
    for name in ("product", "name", "tax_category", "list_price"):
        badinput.assert_refused(api.put("/skus/A", badinput.without(sku_body("A"), name)), f"/{name}")
    badinput.assert_refused(api.put("/skus/A", sku_body("A", options={f"o{n}": "x" for n in range(21)})), "/options")
    assert rows(app) == []


@pytest.mark.parametrize(("body", "content_type", "statuses"), badinput.RAW_BODIES)
def test_what_is_no_json_object_is_refused(api, app, body, content_type, statuses):
    answer = badinput.post_raw(api, "PUT", "/skus/A", body, content_type)
    assert answer.status_code in statuses
    assert answer.content_type == "application/problem+json"
    assert rows(app) == []


@pytest.mark.parametrize("text", badinput.ODD_TEXTS)
def test_odd_texts_are_kept_as_they_are(api, text):
    code = text.replace("/", "")
    make_sku(api, code, name=text, options={text: text})
    answer = api.get(f"/skus/{quote(code, safe='')}").json
    assert (answer["sku"], answer["name"], answer["options"]) == (code, text, {text: text})
    assert found(api, f"q={quote(text)}") == [code]


# --- the front door ---------------------------------------------------------------------------------------------


def test_facts_and_barcodes_in_one_question_each(api, app):
    make_sku(api, "A", barcodes=[UPC], options={"size": "M", "color": "navy"})
    make_sku(api, "B", barcodes=[JAN], tax_category="reduced")
    with app.app_context():
        facts = catalog.get(["B", "A", "C", "A"])
        assert set(facts) == {"A", "B"}
        assert facts["A"] == catalog.SkuFacts(
            "A", "商品A", "Thing A", "standard", 1000, {"color": "navy", "size": "M"}, "A", None
        )
        assert facts["B"].tax_category == "reduced"
        asked = ["0" + UPC, UPC, JAN, JAN_B, "nonsense", "4901234567890"]
        assert catalog.by_barcode(asked) == {"0" + UPC: "A", UPC: "A", JAN: "B"}
        assert catalog.get([]) == {}
        assert catalog.by_barcode([]) == {}
        catalog.require(["A", "B"])
        with pytest.raises(catalog.UnknownSku) as refused:
            catalog.require(["A", "X", "Y"])
        assert refused.value.facts == {"skus": ["X", "Y"]}
