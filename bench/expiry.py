"""A hundred thousand promises pass their deadline at once: how long the sweep takes, and what buyers feel meanwhile.

The claims are past due in one moment; the running product finds and ends them by itself while wrk reserves. Part of
`make bench`; alone: ``python -m bench.run --only expiry``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg

from app.core.ids import new_id
from bench import shop
from bench.load import Load, Measured
from tests.running import Web, until

CLAIMS = 100_000
WITHIN = 60.0  # seconds; promised
P99_WITHIN = 1000.0  # milliseconds; promised
QUIET_SECONDS = 10

# A tenth of the claims is on one hot level, the others are all over the shop.
_LATE = "CREATE TEMPORARY TABLE late (id uuid PRIMARY KEY, line_id uuid, event_id uuid, place text, sku text)"
_COPY = "COPY late (id, line_id, event_id, place, sku) FROM STDIN"
_PLANT = (
    """INSERT INTO claim (id, location_id, kind, channel, state, expires_at, version, created_at, updated_at)
    SELECT id, place, 'cart', 'ec', 'reserved', now() + interval '1 day', 1, now(), now() FROM late""",
    """INSERT INTO claim_line (id, location_id, claim_id, sku, quantity, open_quantity, posted_quantity, expires_at)
    SELECT line_id, place, id, sku, 1, 1, 0, now() + interval '1 day' FROM late""",
    """INSERT INTO outbox_event (id, location_id, topic, aggregate_type, aggregate_id, sequence, payload, occurred_at,
    state, due_at, attempts) SELECT event_id, place, 'reservation.created', 'claim', CAST(id AS text), 1,
    '{}', now(), 'done', now(), 0 FROM late""",
    """UPDATE stock_level s SET reserved = s.reserved + l.pieces FROM
    (SELECT place, sku, count(*) AS pieces FROM late GROUP BY place, sku) l
    WHERE s.location_id = l.place AND s.sku = l.sku""",
)
_PASS = (
    "UPDATE claim SET expires_at = now() WHERE id IN (SELECT id FROM late)",
    "UPDATE claim_line SET expires_at = now() WHERE claim_id IN (SELECT id FROM late)",
)
_LEFT = (
    "SELECT EXISTS (SELECT 1 FROM claim WHERE state = 'reserved' AND expires_at IS NOT NULL AND expires_at <= now())"
)


@dataclass(frozen=True)
class Swept:
    """How the sweep went."""

    claims: int
    seconds: float
    quiet: Measured
    meanwhile: Measured

    @property
    def kept(self) -> bool:
        """Whether it was as quick and as gentle as promised."""
        return self.seconds <= WITHIN and self.meanwhile.p99 <= P99_WITHIN

    def __str__(self) -> str:
        return (
            f"{self.claims:,} past-due claims were ended {self.seconds:.1f} s after their deadline, while reservations "
            f"went on at {self.meanwhile.rate:.0f}/s with a p99 of {self.meanwhile.p99:.0f} ms "
            f"(before: {self.quiet.rate:.0f}/s, {self.quiet.p99:.0f} ms)."
        )


def plant(database: psycopg.Connection) -> None:
    """Claims as reserving would have left them, in the temporary table `late`."""
    database.execute(
        "CREATE TEMPORARY TABLE late (id uuid PRIMARY KEY, line_id uuid, event_id uuid, place text, sku text)"
    )
    with database.cursor().copy(_COPY) as copy:
        for n in range(CLAIMS):
            place, sku = (1, 1) if n % 10 == 0 else (n % shop.STORES + 1, n // shop.STORES % shop.SKUS + 1)
            copy.write_row((new_id(), new_id(), new_id(), f"L{place}", f"S{sku}"))
    database.execute("ANALYZE late")
    for statement in _PLANT:
        database.execute(statement)


def measure(web: Web, url: str, key: str) -> Swept:
    """Plant the claims, let their deadline pass, and watch."""
    with psycopg.connect(url.replace("+psycopg", "")) as database:
        plant(database)
        database.commit()
        database.autocommit = True
        for table in ("claim", "claim_line", "outbox_event", "stock_level"):
            database.execute(f"VACUUM ANALYZE {table}")
        quiet = Load("spread", web, key, QUIET_SECONDS).start().wait()
        with database.transaction():
            for statement in _PASS:
                database.execute(statement)
        began = time.monotonic()
        load = Load("spread", web, key, int(WITHIN * 3)).start()

        def swept() -> bool:
            row = database.execute(_LEFT).fetchone()
            return row is not None and not row[0]

        until("all past-due claims are ended", swept, seconds=WITHIN * 2.5)
        seconds = time.monotonic() - began
        return Swept(CLAIMS, seconds, quiet, load.end())
