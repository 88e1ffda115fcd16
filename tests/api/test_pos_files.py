from __future__ import annotations

from typing import Any

import pytest

from app.core import jobs
from app.imports import runs
from tests.factories import make_sku, make_store
from tests.till import level, movements, rows

HEADER = (
    "store,terminal,receipt_no,business_date,sold_at,line_no,sku,name,quantity,unit_price,tender_method,tender_amount"
)


@pytest.fixture
def shop(api: Any) -> Any:
    make_sku(api, "B", barcodes=["4901234567894"])
    make_store(api, "S1", stock={"A": 50})
    return api


def receipt(number: object, *lines: str, store: str = "S1") -> list[str]:
    return [f"{store},1,{number},2026-11-22,2026/11/22 15:10,{one}" for one in lines]


def send(app: Any, api: Any, text: str, query: str = "", encoding: str = "utf-8") -> dict[str, Any]:
    answer = api.post(f"/pos/files/generic{query}", data=text.encode(encoding), content_type="text/csv")
    assert (answer.status_code, answer.json["state"]) == (202, "queued"), answer.text
    with app.app_context():
        jobs.drain()
    report = api.get(f"/pos/files/generic/{answer.json['id']}")
    assert report.status_code == 200
    return dict(report.json)


FILE = "\n".join(
    [
        HEADER,
        *receipt(1, "1,A,シャツ,2,1100,現金,2200", "2,B,帽子,1,500,カード,500"),
        *receipt(2, "1,A,シャツ,x,1100,現金,1100"),
        *receipt(3, "1,A,シャツ,-1,1100,現金,-1100"),
        *receipt(4, "1,A,シャツ,1,1100,現金,1100", store="S9"),
        *receipt(5, "1,A,シャツ,2,1000,現金,1500", "2,B,帽子,-1,500,,"),
    ]
)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_a_csv_is_taken_in_receipt_by_receipt(app: Any, shop: Any, encoding: str) -> None:
    report = send(app, shop, FILE, encoding=encoding)
    assert (report["state"], report["rows_total"], report["rows_done"], report["rows_failed"]) == ("done", 5, 4, 1)
    assert [(e["row"], e["column"], e["code"]) for e in report["errors"]] == [(4, "quantity", "not-an-integer")]
    assert (level(shop, "S1", "A"), level(shop, "S1", "B")) == (47, 0)
    (parked,) = shop.get("/pos/receipts?state=parked").json["items"]
    assert (parked["store"], parked["source"]) == ("S9", "generic")
    refused = shop.get(f"/pos/files/generic/{report['id']}/errors").data.decode()
    assert "S1,1,2,2026-11-22" in refused


def test_the_same_file_again_changes_nothing(app: Any, shop: Any) -> None:
    first = send(app, shop, FILE)
    before = movements(app)
    again = send(app, shop, FILE)
    assert (first["rows_changed"], again["rows_changed"], again["rows_done"]) == (4, 0, 4)
    assert movements(app) == before
    mended = send(app, shop, FILE.replace(",x,", ",1,").replace("2,1100,現金,2200", "3,1100,現金,3300"))
    assert [(e["row"], e["code"]) for e in mended["errors"]] == [(2, "receipt-conflict")]
    assert (mended["rows_changed"], level(shop, "S1", "A")) == (1, 46)


def test_a_dry_run_changes_nothing(app: Any, shop: Any) -> None:
    report = send(app, shop, FILE, "?dry_run=1")
    assert (report["rows_done"], report["rows_failed"], report["rows_changed"]) == (4, 1, 4)
    assert (rows(app, "pos_receipt"), level(shop, "S1", "A")) == (0, 50)


def test_a_source_of_its_own(app: Any, shop: Any) -> None:
    send(app, shop, FILE)
    send(app, shop, FILE, "?source=other")
    assert level(shop, "S1", "A") == 44


def test_a_file_goes_on_where_it_was_killed(app: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.core.settings.IMPORT_BATCH", 2)
    text = "\n".join([HEADER, *(receipt(n, "1,A,シャツ,1,1100,現金,1100")[0] for n in range(7))])
    answer = shop.post("/pos/files/generic", data=text.encode(), content_type="text/csv")
    take, taken = runs._take, []

    def die(*arguments: Any) -> bool:
        taken.append(arguments)
        if len(taken) == 3:
            raise SystemExit
        return take(*arguments)

    monkeypatch.setattr(runs, "_take", die)
    with app.app_context(), pytest.raises(SystemExit):
        runs.go_on(answer.json["id"])
    assert level(shop, "S1", "A") == 46
    monkeypatch.setattr(runs, "_take", take)
    with app.app_context():
        jobs.drain()
    report = shop.get(f"/pos/files/generic/{answer.json['id']}").json
    assert (report["state"], report["rows_done"], level(shop, "S1", "A")) == ("done", 7, 43)


@pytest.mark.parametrize(
    ("file", "status", "code"),
    [
        (("generic", "text/csv", b"store,terminal\n"), 422, "column-missing"),
        (("poslog", "application/xml", b"<html/>"), 422, "not-poslog"),
        (("poslog", "application/xml", b""), 422, "empty"),
        (("poslog", "application/xml", b'<!DOCTYPE a [<!ENTITY b "c">]><POSLog>&b;</POSLog>'), 422, "forbidden-xml"),
        (("generic", "image/png", b"x"), 415, None),
        (("nothing", "text/csv", b"x"), 404, None),
    ],
)
def test_what_is_no_such_file_is_refused_at_once(
    app: Any, shop: Any, file: tuple[str, str, bytes], status: int, code: str | None
) -> None:
    adapter, kind, data = file
    answer = shop.post(f"/pos/files/{adapter}", data=data, content_type=kind)
    assert answer.status_code == status, answer.text
    if code:
        assert [(fault["pointer"], fault["code"]) for fault in answer.json["errors"]] == [("/file", code)]
    assert rows(app, "import_run") == 0


def test_a_strangers_file_is_not_shown_and_moves_no_goods_out_of_bounds(app: Any, shop: Any, make_api: Any) -> None:
    stranger = make_api("pos:write", locations=("S2",))
    report = send(app, stranger, FILE)
    assert (report["rows_done"], level(shop, "S1", "A")) == (0, 50)
    assert {error["code"] for error in report["errors"]} == {"not-an-integer", "unknown-location"}
    run = send(app, shop, FILE)["id"]
    assert stranger.get(f"/pos/files/generic/{run}").json["type"] == "/problems/unknown-import"
    assert shop.get(f"/pos/files/poslog/{run}").status_code == 404
