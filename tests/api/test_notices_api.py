"""The calls about notices: the list, one with its attempts, sending again, and the shop's own templates."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.notifications.samples import SAMPLES
from tests.api.notices_kit import NOON, PICKUP, Shop
from tests.api.orders_kit import rows
from tests.api.pickups_kit import problem

NOBODY = "019a0000-0000-7000-8000-000000000000"
WORDS = {"subject": "{{ store.name }}より", "text": "{{ name }} 様\n\nご用意できました。", "short": "{{ page_url }}"}
READY = "/notice-templates/pickup.ready/ja"


@pytest.fixture
def shop(app: Flask, clock: Any) -> Shop:
    clock(NOON)
    made = Shop(app)
    made.offer("pickup.ready", "pickup.extended")
    return made


def one(api: Any) -> str:
    (item,) = api.get("/notices").json["items"]
    return str(item["id"])


def test_a_notice_and_its_attempts(api: Any, shop: Shop) -> None:
    shop.request("pickup.ready", 4)
    shop.post()
    answer = api.get(f"/notices/{one(api)}")
    assert answer.status_code == 200
    assert answer.json | {"id": "-"} == {
        "id": "-", "kind": "pickup.ready", "subject": {"type": "pickup", "id": PICKUP}, "sequence": 4,
        "location": "S1", "state": "sent", "channel": "log", "error": None, "language": "ja", "template_version": 0,
        "planned_at": None, "due_at": None, "sent_at": "2026-11-22T03:00:00.000Z",
        "created_at": "2026-11-22T03:00:00.000Z", "updated_at": "2026-11-22T03:00:00.000Z", "actions": ["resend"],
        "attempts": [
            {"channel": "log", "state": "sent", "code": None, "provider_id": None, "at": "2026-11-22T03:00:00.000Z",
             "delivered_at": None},
        ],
    }  # fmt: skip


def test_the_list_is_of_a_subject_a_state_or_a_store(api: Any, shop: Shop) -> None:
    shop.request("pickup.ready", 4)
    shop.post()
    shop.request("pickup.extended", 5)
    shop.request("pickup.ready", 1, subject="another")

    def listed(query: str) -> list[tuple[str, int]]:
        answer = api.get(f"/notices?{query}")
        assert answer.status_code == 200, answer.text
        return sorted((item["subject"]["id"], item["sequence"]) for item in answer.json["items"])

    assert listed("") == [(PICKUP, 4), (PICKUP, 5), ("another", 1)]
    assert listed(f"subject={PICKUP}") == [(PICKUP, 4), (PICKUP, 5)]
    assert listed("state=queued") == [(PICKUP, 5), ("another", 1)]
    assert listed("location=S1&state=sent") == [(PICKUP, 4)]
    assert listed("location=S2") == []
    waiting = api.get("/notices?state=queued").json["items"][0]
    assert (waiting["due_at"], waiting["actions"]) == ("2026-11-22T03:00:00.000Z", [])
    first = api.get("/notices?limit=2").json
    rest = api.get(f"/notices?limit=2&cursor={first['next_cursor']}").json
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (2, 1, None)


@pytest.mark.parametrize("query", ["state=lost", "limit=0", "limit=201", "cursor=x", "subject=", "nobody=1"])
def test_a_list_that_cannot_be_asked_for(api: Any, query: str) -> None:
    answer = api.get(f"/notices?{query}")
    problem(answer, 422, "invalid")
    assert answer.json["errors"][0]["pointer"] == "/" + query.split("=", maxsplit=1)[0]


def test_another_stores_notices_look_absent(api: Any, make_api: Any, shop: Shop) -> None:
    shop.request("pickup.ready", 4)
    shop.post()
    theirs, ours = make_api(locations=("S2",)), make_api(locations=("S1",))
    assert theirs.get("/notices").json["items"] == []
    problem(theirs.get(f"/notices/{one(api)}"), 404, "unknown-notice")
    problem(theirs.post(f"/notices/{one(api)}/resend"), 404, "unknown-notice")
    assert shop.notices() == [("pickup.ready", 4, "sent", "log", None)]
    assert ours.get(f"/notices/{one(api)}").status_code == 200
    assert ours.post(f"/notices/{one(api)}/resend").json["state"] == "queued"


@pytest.mark.parametrize("notice_id", [NOBODY, "nothing", "%00", "NOTHING", "0" * 36])
def test_a_notice_that_does_not_exist(api: Any, notice_id: str) -> None:
    problem(api.get(f"/notices/{notice_id}"), 400 if notice_id == "%00" else 404,
            "bad-request" if notice_id == "%00" else "unknown-notice")  # fmt: skip
    if notice_id != "%00":
        problem(api.post(f"/notices/{notice_id}/resend"), 404, "unknown-notice")


CALLS = [
    ("GET", "/notices", None, "pickups:read"),
    ("GET", f"/notices/{NOBODY}", None, "pickups:read"),
    ("POST", f"/notices/{NOBODY}/resend", None, "pickups:write"),
    ("GET", "/notice-templates", None, "pickups:read"),
    ("GET", READY, None, "pickups:read"),
    ("PUT", READY, WORDS, "admin"),
    ("POST", "/notice-templates/preview", {"kind": "pickup.ready", "language": "ja"}, "admin"),
]


@pytest.mark.parametrize("call", CALLS)
def test_who_may(app: Flask, make_api: Any, call: tuple[str, str, Any, str]) -> None:
    method, path, body, scope = call
    nobody = app.test_client().open("/api/v1" + path, method=method, json=body)
    assert nobody.status_code == 401
    refused = make_api("stock:write", "orders:write").call(method, path, body)
    problem(refused, 403, "forbidden")
    assert refused.json["scope"] == scope
    assert make_api(scope).call(method, path, body).status_code in {200, 404}
    if scope == "pickups:read":
        assert make_api("pickups:write").call(method, path, body).status_code in {200, 404}


def test_a_failed_notice_is_sent_again_and_the_repeat_changes_nothing(api: Any, shop: Shop) -> None:
    shop.facts = {"store": {}}
    shop.request("pickup.ready", 4)
    shop.post()
    shop.facts = {}
    (failed,) = api.get("/notices?state=failed").json["items"]
    assert (failed["error"], failed["template_version"], failed["actions"]) == ("template-broken", 0, ["resend"])
    first = api.post(f"/notices/{failed['id']}/resend", key="again")
    assert (first.status_code, first.json["state"], first.json["error"]) == (200, "queued", None)
    shop.post()
    again = api.post(f"/notices/{failed['id']}/resend", key="again")
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert shop.notices() == [("pickup.ready", 4, "sent", "log", None)]
    waiting = api.post(f"/notices/{failed['id']}/resend").json
    assert waiting["state"] == "queued"
    answer = api.post(f"/notices/{failed['id']}/resend")
    problem(answer, 409, "illegal-transition")
    assert answer.json["state"] == "queued"
    assert rows(shop.app, "SELECT round FROM notice") == [(3,)]
    columns = "outcome, location_id, object_type"
    acts = f"SELECT {columns} FROM audit_entry WHERE action = 'notices_api.resend_notice' ORDER BY id"
    assert rows(shop.app, acts) == [
        ("done", "S1", "notice"), ("done", "S1", "notice"), ("illegal-transition", "-", None),
    ]  # fmt: skip


def test_the_products_own_words_are_in_force_at_first(api: Any) -> None:
    items = api.get("/notice-templates").json["items"]
    assert [(item["kind"], item["language"]) for item in items] == [
        (k, la) for k in sorted(SAMPLES) for la in ("ja", "en")
    ]
    assert {item["version"] for item in items} == {0}
    (ready,) = [item for item in items if (item["kind"], item["language"]) == ("pickup.ready", "ja")]
    assert api.get(READY).json == ready
    assert ready["subject"] == "【{{ store.name }}】ご注文商品の受取準備が完了しました(注文番号 {{ order_number }})"


def test_a_shops_own_words_are_a_new_version_and_the_notice_names_it(api: Any, shop: Shop) -> None:
    first = api.put(READY, WORDS)
    assert (first.status_code, first.json) == (200, {"kind": "pickup.ready", "language": "ja", "version": 1, **WORDS})
    assert api.put(READY, WORDS).json["version"] == 1
    shop.request("pickup.ready", 4)
    shop.post()
    assert api.put(READY, WORDS | {"short": "x"}).json["version"] == 2
    shop.request("pickup.ready", 5)
    shop.post()
    assert rows(shop.app, "SELECT sequence, template_version FROM notice ORDER BY sequence") == [(4, 1), (5, 2)]
    assert api.get(READY).json["short"] == "x"
    items = api.get("/notice-templates").json["items"]
    assert [(i["kind"], i["language"], i["version"]) for i in items if i["version"]] == [("pickup.ready", "ja", 2)]
    assert rows(shop.app, "SELECT version, location_id, subject FROM notice_template ORDER BY version") == [
        (1, "-", WORDS["subject"]), (2, "-", WORDS["subject"]),
    ]  # fmt: skip
    shipped = api.get("/notice-templates/pickup.ready/en").json
    put = {part: shipped[part] for part in WORDS}
    assert api.put("/notice-templates/pickup.ready/en", put).json["version"] == 0


def test_two_who_write_at_once_do_not_undo_each_other(api: Any) -> None:
    tag = api.get(READY).headers["ETag"]
    assert api.put(READY, WORDS, headers={"If-Match": tag}).status_code == 200
    problem(api.put(READY, WORDS | {"short": "x"}, headers={"If-Match": tag}), 412, "precondition-failed")
    assert api.get(READY).json["version"] == 1


@pytest.mark.parametrize("part", ["subject", "text", "short"])
@pytest.mark.parametrize(
    ("source", "code"),
    [("{{ name", "template-syntax"), ("{{ namae }}", "template-fact"), ("{% include 'x' %}", "template-word"),
     ("{{ name|yen }}", "template-broken"), ("{% if not name %}x{% endif %}", "template-empty"), ("", "length"),
     ("x" * 8001, "length"), (None, "null"), (5, "not-text"), ("a\x00b", "characters")],
)  # fmt: skip
def test_words_that_are_not_taken(api: Any, shop: Shop, part: str, source: Any, code: str) -> None:
    for answer in (
        api.put(READY, WORDS | {part: source}),
        api.post("/notice-templates/preview", {"kind": "pickup.ready", "language": "ja", part: source}),
    ):
        problem(answer, 422, "invalid")
        assert [(fault["pointer"], fault["code"]) for fault in answer.json["errors"]] == [(f"/{part}", code)]
        assert answer.json["errors"][0]["message"] not in {"", code}
    assert rows(shop.app, "SELECT count(*) FROM notice_template") == [(0,)]


def test_a_subject_is_one_line(api: Any) -> None:
    answer = api.put(READY, WORDS | {"subject": "a\nBcc: b"})
    problem(answer, 422, "invalid")
    assert answer.json["errors"][0]["pointer"] == "/subject"


@pytest.mark.parametrize("path", ["pickup.gone/ja", "pickup.ready/fr", "x/y"])
def test_a_kind_or_language_that_there_is_not(api: Any, path: str) -> None:
    problem(api.get(f"/notice-templates/{path}"), 404, "unknown-notice-kind")
    problem(api.put(f"/notice-templates/{path}", WORDS), 404, "unknown-notice-kind")


def test_a_preview_shows_made_up_facts_and_changes_nothing(api: Any, shop: Shop) -> None:
    asked = {"kind": "pickup.ready", "language": "ja", "short": "{{ store.name }} {{ pin }}"}
    answer = api.post("/notice-templates/preview", asked, key=None)
    assert answer.status_code == 200
    assert answer.json["short"] == "渋谷店 123456"
    assert answer.json["subject"] == "【渋谷店】ご注文商品の受取準備が完了しました(注文番号 H7K2M9QX)"
    assert answer.json["text"].startswith("山田花子 様\n")
    problem(api.post("/notice-templates/preview", asked | {"kind": "nothing"}), 404, "unknown-notice-kind")
    problem(api.post("/notice-templates/preview", asked | {"language": "fr"}), 422, "invalid")
    assert rows(shop.app, "SELECT count(*) FROM notice_template") == [(0,)]
