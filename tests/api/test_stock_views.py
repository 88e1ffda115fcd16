"""The reporting views: fixed names and columns, and figures that agree with each other."""

from __future__ import annotations

from sqlalchemy import text

from app.core.db import db
from app.reports import views
from tests.factories import make_store

COLUMNS = {
    "v_stock_level": ["location", "sku", "on_hand", "reserved", "safety"],
    "v_stock_movement": [
        "id", "location", "sku", "quantity", "kind", "reference_type", "reference_id", "occurred_at", "recorded_at",
    ],
    "v_claim": ["id", "kind", "state", "location", "sku", "quantity", "expires_at"],
    "v_order": ["id", "channel", "external_ref", "state", "total", "paid", "refunded"],
    "v_pickup": ["id", "order_id", "location", "state", "ready_at", "collected_at", "expires_at"],
    "v_outbox": ["id", "topic", "aggregate", "sequence", "state"],
    "v_audit": ["id", "at", "actor", "action", "hash"],
}  # fmt: skip


def test_every_view_has_its_columns(app) -> None:
    assert set(views.CREATE) == set(COLUMNS)
    with app.app_context(), db.engine.connect() as connection:
        for name, columns in COLUMNS.items():
            assert list(connection.execute(text(f"SELECT * FROM {name}")).keys()) == columns


def test_levels_movements_and_claims_agree(api, app) -> None:
    make_store(api, "A", {"X": 5, "Y": 2}, safety_stock=1)
    make_store(api, "B")
    made = api.post("/transfers", {"from": "A", "to": "B", "lines": [{"sku": "X", "quantity": 2}]})
    dead = api.post("/transfers", {"from": "A", "to": "B", "lines": [{"sku": "Y", "quantity": 1}]}).json["id"]
    assert api.post(f"/transfers/{dead}/cancel").status_code == 200
    with app.app_context(), db.engine.connect() as connection:
        levels = connection.execute(text("SELECT * FROM v_stock_level ORDER BY location, sku")).all()
        claims = connection.execute(text("SELECT kind, state, location, sku, quantity FROM v_claim ORDER BY sku")).all()
        moved = connection.execute(text("SELECT sku, sum(quantity) FROM v_stock_movement GROUP BY sku ORDER BY sku"))
        events = connection.execute(text("SELECT topic FROM v_outbox WHERE aggregate = :a"), {
            "a": f"transfer:{made.json['id']}"
        }).scalars()  # fmt: skip
        assert [tuple(row) for row in levels] == [("A", "X", 5, 2, 1), ("A", "Y", 2, 0, 1)]
        assert [tuple(row) for row in claims] == [
            ("transfer", "reserved", "A", "X", 2), ("transfer", "released", "A", "Y", 1),
        ]  # fmt: skip
        assert [tuple(row) for row in moved] == [("X", 5), ("Y", 2)]
        assert list(events) == ["transfer.requested"]


def test_views_can_be_taken_away_and_made_again(app) -> None:
    with app.app_context(), db.engine.begin() as connection:
        views.drop(connection)
        views.create(connection)
        assert connection.execute(text("SELECT count(*) FROM v_claim")).scalar_one() == 0
