from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from app import imports
from app.core import jobs, settings, uploads
from app.core.csvfile import Column
from app.core.db import db
from app.imports import kinds, runs
from tests import badinput
from tests.factories import make_sku, make_store

HEADER = "sku,product,name,barcodes,tax_category,list_price,option.color"
JAN, JAN_B = "4901234567894", "4569951116179"


def sheet(*lines: str, header: str = HEADER) -> bytes:
    return "\r\n".join((header, *lines, "")).encode()


def send(api: Any, kind: str, data: bytes, query: str = "", **kwargs: Any) -> Any:
    kwargs.setdefault("content_type", "text/csv")
    return api.post(f"/imports/{kind}{query}", data=data, **kwargs)


def finish(app) -> None:
    with app.app_context():
        jobs.drain()


def imported(api, app, kind: str, data: bytes, query: str = "", **kwargs: Any) -> dict[str, Any]:
    answer = send(api, kind, data, query, **kwargs)
    assert answer.status_code == 202, answer.text
    assert answer.json["state"] == "queued"
    assert sorted(answer.json) == ["id", "state"]
    finish(app)
    return dict(api.get(f"/imports/{answer.json['id']}").json)


def counts(report: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(report[name] for name in ("state", "rows_total", "rows_done", "rows_failed", "rows_changed"))


def count(app, table: str) -> int:
    with app.app_context():
        return int(db.session.execute(db.text(f"SELECT count(*) FROM {table}")).scalar_one())


def bad_rows(api, report: dict[str, Any], language: str = "en") -> list[list[str]]:
    answer = api.get(f"/imports/{report['id']}/errors", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_good_rows_go_in_and_bad_ones_come_back(api, app):
    make_sku(api, "OLD", barcodes=[JAN])
    report = imported(api, app, "skus", sheet(
        f"A,P,ティー,{JAN_B},standard,1990,navy",
        "B,P,ズボン,4901234567890,standard,500,",
        f"C,P,帽子,{JAN},standard,500,",
        "D,P,靴,,standard,many,",
        "E,P,靴下,,luxury,500," + "x" * 101,
        "F,P,靴,,standard,500",
        '007,P,手袋,,reduced,"1,500",',
    ))  # fmt: skip
    assert counts(report) == ("done", 7, 2, 5, 2)
    faults = [(error["row"], error["column"], error["code"]) for error in report["errors"]]
    assert faults == [
        (3, "barcodes", "barcode-check-digit"),
        (4, "barcodes", "barcode-taken"),
        (5, "list_price", "not-an-integer"),
        (6, "tax_category", "not-allowed"),
        (6, "option.color", "length"),
        (7, None, "too-few-cells"),
    ]
    assert report["errors"][1]["message"] == f"The SKU OLD has the barcode {JAN}."
    assert (report["dry_run"], report["columns_ignored"]) == (False, [])
    assert api.get("/skus/A").json["options"] == {"color": "navy"}
    assert api.get("/skus/007").json["list_price"] == 1500
    assert api.get("/skus/B").status_code == 404
    back = bad_rows(api, report)
    assert back[0] == ["reason", *HEADER.split(",")]
    assert back[1] == ["barcodes: The barcode's check digit is wrong.", "B", "P", "ズボン", "4901234567890",
                       "standard", "500", ""]  # fmt: skip
    assert [row[1] for row in back[1:]] == ["B", "C", "D", "E", "F"]
    assert bad_rows(api, report, "ja")[0][0] == "理由"
    assert bad_rows(api, report, "ja")[3][0] == "list_price: 整数で入力してください。"


def test_mended_rows_are_sent_back_as_they_came(api, app):
    report = imported(api, app, "skus", sheet("B,P,ズボン,4901234567890,standard,500,"))
    text = api.get(f"/imports/{report['id']}/errors").data.decode("utf-8-sig").replace("4901234567890", JAN)
    again = imported(api, app, "skus", text.encode())
    assert counts(again) == ("done", 1, 1, 0, 1)
    assert again["columns_ignored"] == ["reason"]


def test_the_same_file_twice_changes_nothing(api, app):
    data = sheet(f"A,P,ティー,{JAN},standard,1990,navy", "B,P,ズボン,,reduced,500,")
    assert counts(imported(api, app, "skus", data)) == ("done", 2, 2, 0, 2)
    before = api.get("/skus").data
    assert counts(imported(api, app, "skus", data)) == ("done", 2, 2, 0, 0)
    assert api.get("/skus").data == before


def test_a_dry_run_looks_and_leaves(api, app):
    data = sheet(f"A,P,ティー,{JAN},standard,1990,navy", f"B,P,ズボン,{JAN},reduced,500,")
    report = imported(api, app, "skus", data, "?dry_run=1")
    assert counts(report) == ("done", 2, 1, 1, 1)
    assert (report["dry_run"], report["errors"][0]["code"]) == (True, "barcode-taken")
    assert api.get("/skus").json["items"] == []
    assert count(app, "sku_barcode") == 0
    badinput.assert_refused(send(api, "skus", data, "?dry_run=perhaps"), "/dry_run")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_japanese_headers_in_every_usual_encoding(api, app, encoding):
    text = (
        "商品コード,商品グループ,商品名,JANコード,税区分,販売価格,カラー,サイズ,オプション.素材,備考\r\n"
        f'０１,P,ﾃｨｰ①髙,{JAN},軽減8%,"￥1,080",紺,Ｍ,綿,社外秘\r\n'
    )
    report = imported(api, app, "skus", text.encode(encoding))
    assert counts(report) == ("done", 1, 1, 0, 1)
    assert report["columns_ignored"] == ["備考"]
    answer = api.get("/skus?barcode=" + JAN).json["items"][0]
    assert (answer["sku"], answer["name"], answer["tax_category"]) == ("０１", "ﾃｨｰ①髙", "reduced")
    assert answer["list_price"] == 1080
    assert answer["options"] == {"color": "紺", "size": "Ｍ", "素材": "綿"}


def test_a_column_that_is_absent_leaves_its_field(api, app):
    make_sku(api, "A", barcodes=[JAN], list_price=100, options={"color": "navy", "size": "M"})
    report = imported(api, app, "skus", sheet("A,300,,red", "NEW,300,,", header="sku,list_price,name_en,option.color"))
    assert counts(report) == ("done", 2, 1, 1, 1)
    answer = api.get("/skus/A").json
    assert (answer["list_price"], answer["barcodes"], answer["name_en"]) == (300, [JAN], None)
    assert answer["options"] == {"color": "red", "size": "M"}
    assert [error["column"] for error in report["errors"]] == ["product", "name", "tax_category"]


def test_places_come_by_file_too(api, app):
    make_store(api, "S2", phone="03-0000-0000")
    text = (
        "店舗コード,店舗名,種別,タイムゾーン,緯度,経度,月,火,水曜日,祝,休業日,店舗受取,準備時間(分),取置日数,安全在庫\r\n"
        "S1,渋谷店,店舗,Asia/Tokyo,35.658,139.701,10:00～21:00,10:00-14:00 15:00-26:00,休,,"
        "2026/12/31 2027/1/1,はい,90,3,2\r\n"
        "S2,新宿店,店舗,Asia/Tokyo,北,139.7,10時,,,,,いいえ,60,7,0\r\n"
    )
    report = imported(api, app, "locations", text.encode())
    assert counts(report) == ("done", 2, 1, 1, 1)
    assert [(e["row"], e["column"], e["code"]) for e in report["errors"]] == [(3, "latitude", "not-number")]
    answer = api.get("/locations/S1").json
    assert answer["hours"] == {"mon": [["10:00", "21:00"]], "tue": [["10:00", "14:00"], ["15:00", "26:00"]], "wed": []}
    assert answer["closures"] == ["2026-12-31", "2027-01-01"]
    assert answer["pickup"] == {
        "enabled": True, "lead_minutes": 90, "hold_days": 3, "orders_per_hour": None, "cut_off": None,
        "accept_minutes": 60, "reserve_days": 3, "transfer_hold_days": 14, "transfer_days": 2, "slot_minutes": None,
        "slot_capacity": None,
    }  # fmt: skip
    assert (answer["kind"], answer["safety_stock"]) == ("store", 2)
    assert api.get("/locations/S2").json["phone"] == "03-0000-0000"
    wrong = imported(api, app, "locations", "code,月\r\nS2,10時\r\n".encode())
    assert [(e["column"], e["code"]) for e in wrong["errors"]] == [("hours.mon", "not-a-pair")]
    assert counts(imported(api, app, "locations", text.encode()))[4] == 0


def test_a_bound_key_imports_its_own_places_alone(api, app, make_api):
    make_store(api, "S2")
    bound, rival = make_api(locations=("S1",)), make_api(locations=("S1",))
    report = imported(bound, app, "locations", "code,name,kind,timezone\nS1,甲,store,Asia/Tokyo\nS2,乙,,\n".encode())
    assert counts(report) == ("done", 2, 1, 1, 1)
    assert [(e["row"], e["column"], e["code"]) for e in report["errors"]] == [(3, "kind", "required"),
                                                                             (3, "timezone", "required")]  # fmt: skip
    foreign = imported(bound, app, "locations", "code,name,kind,timezone\nS2,乙,store,Asia/Tokyo\n".encode())
    assert [(e["column"], e["code"]) for e in foreign["errors"]] == [("code", "unknown-location")]
    assert api.get("/locations/S2").json["name"] == "S2店"
    assert rival.get(f"/imports/{report['id']}").status_code == 404
    assert api.get(f"/imports/{report['id']}").status_code == 200


def test_a_file_as_a_form_field(api, app):
    data = {"file": (io.BytesIO(sheet("A,P,ティー,,standard,1990,")), "skus.csv")}
    answer = api.post("/imports/skus", data=data, content_type="multipart/form-data")
    assert answer.status_code == 202
    finish(app)
    assert api.get("/skus/A").status_code == 200
    badinput.assert_refused(api.post("/imports/skus", data={"f": "x"}, content_type="multipart/form-data"), "/file")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "header-missing"),
        (b"\r\n\r\n", "header-missing"),
        (b"name,list_price\r\nA,1\r\n", "column-missing"),
        (b"sku,SKU\r\nA,A\r\n", "column-repeated"),
        (sheet("A,P,x,,standard,1,").decode().encode("utf-16"), "encoding-unsupported"),
        (("a," * 300).encode(), "too-many-columns"),
    ],
)
def test_a_file_that_is_none(api, app, data, code):
    refused = send(api, "skus", data)
    badinput.assert_refused(refused, "/file")
    assert refused.json["type"] == "/problems/file-unreadable"
    assert refused.json["errors"][0]["code"] == code
    assert refused.json["errors"][0]["message"] not in {code, ""}
    assert count(app, "import_run") == count(app, "import_chunk") == 0


def test_strange_cells_are_reported_row_by_row(api, app):
    lines = [b"A,P,a\x00b,,standard,1,", b"B,P,\x81 ,,standard,1,", b'C,P,"open,,standard,1,', b"D,P,ok,,standard,1,"]
    report = imported(api, app, "skus", HEADER.encode() + b"\r\n" + b"\r\n".join(lines) + b"\r\n")
    assert counts(report)[:4] == ("done", 4, 1, 3)
    assert [(e["row"], e["column"], e["code"]) for e in report["errors"]] == [
        (2, "name", "nul-character"), (3, "name", "unreadable-character"), (4, None, "quote-unclosed"),
    ]  # fmt: skip
    assert len(bad_rows(api, report)) == 4


def test_formulas_come_back_harmless(api, app):
    report = imported(api, app, "skus", sheet('=1+1,P,"=HYPERLINK(""x"")",,luxury,1,'))
    assert bad_rows(api, report)[1][1:4] == ["'=1+1", "P", '\'=HYPERLINK("x")']


def test_who_may_import(api, app, make_api):
    data = sheet("A,P,x,,standard,1,")
    reader = make_api("stock:write")
    assert send(reader, "skus", data).status_code == 403
    report = imported(api, app, "skus", data)
    for path in (f"/imports/{report['id']}", f"/imports/{report['id']}/errors"):
        assert reader.get(path).status_code == 403
        assert api.get(path, headers={"Authorization": "Bearer x"}).status_code == 401
    for path in ("/imports/nothing", "/imports/00000000-0000-7000-8000-000000000000", "/imports/x/errors"):
        missing = api.get(path)
        assert (missing.status_code, missing.json["type"]) == (404, "/problems/unknown-import")
    unknown = send(api, "shoes", data)
    assert (unknown.status_code, unknown.json["type"]) == (404, "/problems/unknown-import-kind")
    assert {"locations", "skus"} <= set(unknown.json["kinds"])


def test_what_is_no_csv(api, app):
    assert send(api, "skus", b"{}", content_type="application/json").status_code == 415
    assert send(api, "skus", b"a=1", content_type="application/x-www-form-urlencoded").status_code == 415
    assert count(app, "import_run") == 0


def test_too_large_a_file(api, app, monkeypatch):
    monkeypatch.setattr(settings, "MAX_FILE_BYTES", 1_000)
    refused = send(api, "skus", sheet("A,P,x,,standard,1," + "x" * 1_000))
    assert refused.status_code == 413
    form = {"file": (io.BytesIO(b"x" * 1_001), "x.csv")}
    assert api.post("/imports/skus", data=form, content_type="multipart/form-data").status_code == 413
    assert count(app, "import_run") == count(app, "import_chunk") == 0


def test_one_key_one_import(api, app):
    data = sheet("A,P,x,,standard,1,")
    first = send(api, "skus", data, key="once")
    again = send(api, "skus", data, key="once")
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    form = {"file": (io.BytesIO(data), "x.csv")}
    as_form = api.post("/imports/skus", data=form, content_type="multipart/form-data", key="once")
    assert as_form.data == first.data
    for other, query in ((sheet("B,P,x,,standard,1,"), ""), (data, "?dry_run=1")):
        refused = send(api, "skus", other, query, key="once")
        assert (refused.status_code, refused.json["type"]) == (422, "/problems/idempotency-key-reused")
    assert count(app, "import_run") == 1


# --- long files, and what happens to them ------------------------------------------------------------------------


def many(rows: int) -> bytes:
    return sheet(*(f"N{n:05d},P{n % 7},商品{n},,standard,{n},navy" for n in range(rows)))


def test_a_long_file_shows_its_progress_and_goes_on(api, app, monkeypatch):
    """Each slice ends after one batch; the counts between them are what has been committed."""
    monkeypatch.setattr(settings, "IMPORT_BATCH", 100)
    run = send(api, "skus", many(250)).json["id"]
    seen = []
    with app.app_context():
        for _ in range(4):
            runs.go_on(run, seconds=0)
            report = api.get(f"/imports/{run}").json
            seen.append((report["state"], report["rows_total"], report["rows_done"]))
    assert seen == [("running", 250, 100), ("running", 250, 200), ("running", 250, 250), ("done", 250, 250)]
    finish(app)
    assert counts(api.get(f"/imports/{run}").json) == ("done", 250, 250, 0, 250)
    assert count(app, "sku") == 250
    assert count(app, "import_chunk") == 0


class Killed(BaseException):
    """The process is gone: nothing of ours is run any more."""


def test_a_killed_import_goes_on_where_it_was(api, app, monkeypatch):
    monkeypatch.setattr(settings, "IMPORT_BATCH", 100)
    calls: list[str] = []
    known = kinds.kind_named("skus")

    def apply(cells, prepared):
        calls.append(cells["sku"])
        if len(calls) == 150:
            raise Killed
        return known.apply(cells, prepared)

    imports.offer("twice", [Column(name) for name in HEADER.split(",")], apply, prepare=known.prepare)
    run = send(api, "twice", many(250)).json["id"]
    with app.app_context(), pytest.raises(Killed):
        runs.go_on(run)
    assert counts(api.get(f"/imports/{run}").json) == ("running", 250, 100, 0, 100)
    assert count(app, "sku") == 100
    finish(app)
    assert counts(api.get(f"/imports/{run}").json) == ("done", 250, 250, 0, 250)
    assert calls == [f"N{n:05d}" for n in [*range(150), *range(100, 250)]]


def test_two_workers_on_one_import_put_each_row_in_once(api, app, monkeypatch):
    """While the first worker is between two batches, a second one does all of it."""
    monkeypatch.setattr(settings, "IMPORT_BATCH", 100)
    run = send(api, "skus", many(250)).json["id"]
    known, began = kinds.kind_named("skus"), []

    def prepare(rows):
        began.append(len(rows))
        return known.prepare(rows)

    imports.offer("counted", [Column(name) for name in HEADER.split(",")], known.apply, prepare=prepare)
    monkeypatch.setattr(runs, "kind_named", lambda _name: kinds.kind_named("counted"))
    take = runs._take

    def rival_first(*args):
        monkeypatch.setattr(runs, "_take", take)
        runs.go_on(run)
        return take(*args)

    monkeypatch.setattr(runs, "_take", rival_first)
    with app.app_context():
        runs.go_on(run)
    assert began == [100, 100, 50]
    assert counts(api.get(f"/imports/{run}").json) == ("done", 250, 250, 0, 250)


def test_a_fault_of_ours_refuses_its_row_alone(api, app):
    def apply(cells, _prepared):
        return bool(1 // int(cells["n"]))

    imports.offer("ours", [Column("n", required=True)], apply)
    report = imported(api, app, "ours", b"n\n1\n0\n5\n")
    assert counts(report) == ("done", 3, 2, 1, 1)
    assert [(e["row"], e["column"], e["code"]) for e in report["errors"]] == [(3, None, "internal")]


def test_a_reader_of_its_own_and_a_file_that_breaks_off(api, app):
    class Lines:
        header = ("line",)
        ignored = ()

        def __init__(self, file, facts):
            self.file, self.facts = file, facts

        def __iter__(self):
            for number, line in enumerate(self.file, 1):
                if line.startswith(b"!"):
                    raise imports.FileUnreadable("row-too-long")
                yield imports.Record(number, (self.facts["source"], line.strip()), (line.decode().strip(),))

    taken = []
    imports.read_with("lines", Lines, lambda data, _prepared: taken.append(data) is None, scope="pos:write")
    assert send(api, "lines", b"a\n").status_code == 404

    def begin(data: bytes) -> str:
        with app.test_request_context(data=data, content_type="text/csv", method="POST"):
            upload = uploads.receive(uploads.CSV)
            run = imports.start(kind="lines", upload=upload, facts={"source": "till"})
            upload.close()
            return str(run.id)

    whole, broken = begin(b"a\nb\n"), begin(b"c\n!\nd\n")
    finish(app)
    assert taken == [("till", b"a"), ("till", b"b"), ("till", b"c")]
    assert counts(api.get(f"/imports/{whole}").json) == ("done", 2, 2, 0, 2)
    report = api.get(f"/imports/{broken}").json
    assert (report["state"], report["rows_done"]) == ("failed", 1)
    assert [(e["row"], e["code"]) for e in report["errors"]] == [(None, "row-too-long")]


def test_thousands_of_rows_and_hundreds_of_faults(api, app):
    """Faults beyond the two hundred shown are in the file that comes back."""
    lines = [f"N{n:05d},P,商品{n},,standard,{'x' if n % 10 == 0 else n}," for n in range(3_000)]
    report = imported(api, app, "skus", sheet(*lines))
    assert counts(report) == ("done", 3_000, 2_700, 300, 2_700)
    assert len(report["errors"]) == 200
    assert [error["row"] for error in report["errors"][:3]] == [2, 12, 22]
    back = bad_rows(api, report)
    assert [row[1] for row in back[1:]] == [f"N{n:05d}" for n in range(0, 3_000, 10)]


def test_refused_rows_are_kept_encrypted_and_not_for_ever(api, app, clock):
    clock("2026-11-22T10:00+09:00")
    report = imported(api, app, "skus", sheet("A,P,SECRETNAME,,luxury,1,"))
    with app.app_context():
        raw = bytes(db.session.execute(db.text("SELECT raw FROM import_bad_row")).scalar_one())
        assert b"SECRETNAME" not in raw
        clock("2026-12-22T09:59+09:00")
        jobs.run_timed()
        assert count(app, "import_bad_row") == 1
        clock("2026-12-22T11:00+09:00")
        jobs.run_timed()
        assert count(app, "import_bad_row") == 0
    assert counts(api.get(f"/imports/{report['id']}").json) == ("done", 1, 0, 1, 0)
