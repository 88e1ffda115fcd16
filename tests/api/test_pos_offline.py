from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from app import stock
from tests import offline


@pytest.mark.parametrize("seed", [11, 12])
def test_complaint_3_offline_sales_arrive_once_however_they_come(app: Any, api: Any, seed: int) -> None:
    day = offline.Day(random.Random(seed), sales=120)
    day.open(api)
    statuses: list[int] = []

    def tab(chunks: list[list[Any]]) -> None:
        for chunk in chunks:
            answer = api.post("/pos/batches", {"sales": chunk})
            statuses.append(answer.status_code)
            statuses.extend(one["status"] for one in answer.json["results"])

    tabs = [threading.Thread(target=tab, args=(chunks,)) for chunks in day.uploads(uploaders=2)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    assert set(statuses) <= {200, 201, 422}
    assert day.found(app, api) == day.expected()
    with app.app_context():
        assert [result for result in stock.check.check().results if not result.holds] == []
