"""Promise 5: a crash loses no acknowledged work. Web worker, database backends and the whole PostgreSQL die by -9."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field

import psycopg

from tests.faults.conftest import Ground, open_shop, reconcile
from tests.running import Web, until


@dataclass
class Load:
    """Clients that reserve one piece after another, and remember what they were told."""

    web: Web
    key: str
    name: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    unknown: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)

    def run(self, client: int) -> None:
        """Until told to stop; every outcome goes into one of the three boxes."""
        for number in itertools.count():
            if self.over.is_set():
                return
            key = f"{self.name}-{client}-{number}"
            body = {"location": "ginza", "kind": "cart", "lines": [{"sku": f"S{number % 3}", "quantity": 1}]}
            while not self.send(key, body):
                if self.over.wait(0.1):  # a client in trouble asks again, and not as fast as it can
                    self.unknown.append((key, body))
                    return

    def send(self, key: str, body: dict[str, object]) -> bool:
        """One try; returns whether the outcome is known now."""
        try:
            status, answer = self.web.call("POST", "/api/v1/reservations", body, key=self.key, idempotency=key)
        except OSError:
            return False
        if status == 201:
            self.acknowledged[key] = answer["id"]
        elif status == 409 and answer["type"].endswith("insufficient-stock"):
            self.refused.add(key)
        elif status in {503, 409}:
            return False
        else:
            self.failures.append(f"{status} {answer}")
        return True


def test_nothing_acknowledged_is_lost_when_everything_is_killed(ground: Ground) -> None:
    web = Web(ground.url, workers=2).start()
    try:
        open_shop(web, ground.key, stock=100_000)
        load = Load(web, ground.key, "crash")
        clients = [threading.Thread(target=load.run, args=(n,)) for n in range(6)]
        for client in clients:
            client.start()

        def progress(by: int) -> None:
            aim = len(load.acknowledged) + by
            until("clients go on", lambda: len(load.acknowledged) >= aim or bool(load.failures))

        progress(60)
        with psycopg.connect(ground.postgres.url().replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hitotsu'")
        progress(60)
        ground.postgres.kill9()
        ground.postgres.start()
        progress(60)
        web.kill9()
        web.start()
        progress(60)
        load.over.set()
        for client in clients:
            client.join()
        assert load.failures == []
        for key, body in load.unknown:
            until(f"{key} is answered", lambda key=key, body=body: load.send(key, body))
    finally:
        web.stop()
    assert load.refused == set()
    with psycopg.connect(ground.url.replace("+psycopg", "")) as connection:
        claims = {str(row[0]) for row in connection.execute("SELECT id FROM claim")}
        reserved = connection.execute("SELECT sum(reserved) FROM stock_level").fetchone()
    assert claims == set(load.acknowledged.values())
    assert reserved == (len(claims),)
    reconcile(ground.url)
