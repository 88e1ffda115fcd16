"""The example of docs/ec-integration.md, run as an EC engineer runs it: over the network, with a key of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from docs.examples import ec_client
from tests.api.pickups_kit import bring, token_of
from tests.factories import make_sku, make_store


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def chain(api: Any) -> None:
    make_sku(api, "TEE", list_price=2980)
    make_store(api, "S1", {"TEE": 2})
    make_store(api, "S2", {"TEE": 5}, latitude=35.69, longitude=139.70)


@pytest.fixture
def shop(address: str, chain: None, make_api: Callable[..., Any]) -> Iterator[Any]:
    key = make_api("reservations:write", "orders:write", channels=("ec",)).key
    made = ec_client.Shop(address, key, pause=0)
    yield made
    made._line.close()


def test_one_order_is_followed_until_its_money_is_taken(api: Any, shop: Any) -> None:
    assert [spot["location"] for spot in shop.availability("TEE", near="35.658,139.701")] == ["S1", "S2"]
    order = ec_client.checkout(shop, "WEB-1", "S1", [ec_client.Line("TEE", 2, 2980)])
    assert (order["state"], order["totals"]["total"]) == ("placed", 5960)
    assert order["pickup"]["state"] == "requested"
    assert api.get("/stock?sku=TEE&location=S1").json["items"][0]["reserved"] == 2

    token = token_of(order["pickup"])
    bring(api, order["pickup"], "ready")
    assert shop.look(order["id"])["pickup"]["state"] == "ready"
    assert api.post(f"/pickups/{order['pickup']['id']}/hand-over", {"token": token}).status_code == 200

    seen = shop.look(order["id"])
    assert (seen["state"], seen["payments"][0]["capture_requested"]) == ("completed", 5960)
    shop.capture(seen)
    (payment,) = shop.look(order["id"])["payments"]
    assert (payment["state"], payment["captured"]) == ("captured", 5960)


def test_where_the_wanted_store_has_too_few_another_one_is_taken(api: Any, shop: Any) -> None:
    order = ec_client.checkout(shop, "WEB-2", "S1", [ec_client.Line("TEE", 3, 2980)])
    assert order["location"] == "S2"
    figures = {x["location"]: x["reserved"] for x in api.get("/stock?sku=TEE").json["items"]}
    assert figures == {"S1": 0, "S2": 3}


def test_where_nobody_has_enough_the_refusal_says_what_is_short(api: Any, shop: Any) -> None:
    with pytest.raises(ec_client.Refused) as refusal:
        ec_client.checkout(shop, "WEB-3", "S1", [ec_client.Line("TEE", 6, 2980)])
    assert refusal.value.code == "insufficient-stock"
    assert refusal.value.facts["lines"] == [{"sku": "TEE", "requested": 6, "available": 2}]
    assert {x["reserved"] for x in api.get("/stock?sku=TEE").json["items"]} == {0}


def test_a_lost_answer_is_asked_for_again_and_counts_once(api: Any, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = shop._line.getresponse
    answers = []

    def lose_the_first() -> Any:
        answer = read()
        answers.append(answer.status)
        if len(answers) == 1:
            answer.read()
            raise ConnectionResetError
        return answer

    monkeypatch.setattr(shop._line, "getresponse", lose_the_first)
    reserved = shop.reserve("cart-1", "S1", [ec_client.Line("TEE", 1, 2980)])
    assert answers == [201, 201]
    assert reserved["state"] == "reserved"
    assert api.get("/stock?sku=TEE&location=S1").json["items"][0]["reserved"] == 1


def test_the_whole_of_it_runs_as_a_command(
    api: Any, address: str, chain: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def the_store_works(_seconds: float) -> None:
        (pickup,) = api.get("/pickups").json["items"]
        if pickup["state"] == "requested":
            api.post(f"/pickups/{pickup['id']}/cancel", {"reason": "closed early"})

    monkeypatch.setattr(ec_client.time, "sleep", the_store_works)
    ec_client.main(address, api.key, "TEE", "S1", looks=3)
    number, *told = capsys.readouterr().out.splitlines()
    assert number.startswith("order ")
    assert told == ["pickup requested", "pickup cancelled"]
