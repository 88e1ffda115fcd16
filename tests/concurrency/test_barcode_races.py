from __future__ import annotations

import threading
from typing import Any

import psycopg
from flask import Flask

from tests.factories import make_sku, sku_body
from tests.running import until

JAN = "4901234567894"


def waits(connection: psycopg.Connection) -> bool:
    """Whether somebody waits for a lock in this database."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    row = connection.execute(sql).fetchone()
    return row is not None and row[0] > 0


def test_two_skus_want_one_barcode_at_once(api: Any, app: Flask, database_url: str) -> None:
    """The rival has written its barcode and not committed; ours waits for it and then hears whose it is."""
    make_sku(api, "RIVAL")
    address = database_url.replace("+psycopg", "")
    answers: list[Any] = []
    with psycopg.connect(address) as rival, psycopg.connect(address, autocommit=True) as watcher:
        rival.execute("INSERT INTO sku_barcode (gtin, code, place, sku) VALUES (%s, %s, 0, 'RIVAL')", ("0" + JAN, JAN))
        ours = threading.Thread(target=lambda: answers.append(api.put("/skus/OURS", sku_body("OURS", barcodes=[JAN]))))
        ours.start()
        until("our PUT waits for the rival", lambda: waits(watcher))
        rival.commit()
        ours.join(timeout=30)
    assert answers[0].status_code == 409, answers[0].text
    assert answers[0].json["type"] == "/problems/barcode-taken"
    assert (answers[0].json["barcode"], answers[0].json["sku"]) == (JAN, "RIVAL")
    assert api.get("/skus/OURS").status_code == 404


def test_the_rival_gives_up_and_ours_gets_it(api: Any, app: Flask, database_url: str) -> None:
    make_sku(api, "RIVAL")
    address = database_url.replace("+psycopg", "")
    answers: list[Any] = []
    with psycopg.connect(address) as rival, psycopg.connect(address, autocommit=True) as watcher:
        rival.execute("INSERT INTO sku_barcode (gtin, code, place, sku) VALUES (%s, %s, 0, 'RIVAL')", ("0" + JAN, JAN))
        ours = threading.Thread(target=lambda: answers.append(api.put("/skus/OURS", sku_body("OURS", barcodes=[JAN]))))
        ours.start()
        until("our PUT waits for the rival", lambda: waits(watcher))
        rival.rollback()
        ours.join(timeout=30)
    assert answers[0].status_code == 200, answers[0].text
    assert [item["sku"] for item in api.get(f"/skus?barcode={JAN}").json["items"]] == ["OURS"]


def test_the_same_new_sku_twice_at_once(api: Any, app: Flask, database_url: str) -> None:
    """The rival has made the SKU and not committed; ours comes after it as a change."""
    columns = "code, product, name, search, tax_category, list_price, options, version, created_at, updated_at"
    values = "'S', 'P', 'Rival', 's', 'standard', 1, '{}', 1, now(), now()"
    address = database_url.replace("+psycopg", "")
    answers: list[Any] = []
    with psycopg.connect(address) as rival, psycopg.connect(address, autocommit=True) as watcher:
        rival.execute(f"INSERT INTO sku ({columns}) VALUES ({values})")
        ours = threading.Thread(target=lambda: answers.append(api.put("/skus/S", sku_body("S", barcodes=[JAN]))))
        ours.start()
        until("our PUT waits for the rival", lambda: waits(watcher))
        rival.commit()
        ours.join(timeout=30)
    assert answers[0].status_code == 200, answers[0].text
    assert (answers[0].json["name"], answers[0].json["barcodes"]) == ("商品S", [JAN])
    with psycopg.connect(address) as reader:
        assert reader.execute("SELECT version FROM sku").fetchall() == [(2,)]
