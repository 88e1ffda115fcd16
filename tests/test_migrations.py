"""The migrations lead from nothing to exactly the tables of the models, and back."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from app.core.db import Base, db
from app.core.schema import pending_migrations
from app.reports import views


def test_models_and_migrations_agree(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = [d for d in compare_metadata(context, Base.metadata) if not _is_view(d)]
        assert differences == []
        assert pending_migrations() is False


def _is_view(difference: object) -> bool:
    return isinstance(difference, tuple) and difference[0] == "remove_table" and difference[1].name.startswith("v_")


def test_every_view_answers(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as connection:
        assert set(inspect(connection).get_view_names()) == set(views.CREATE)
        for name in views.CREATE:
            assert connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() == 0


def test_down_to_nothing_and_up_again(app: Flask) -> None:
    with app.app_context():
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        upgrade()
        assert pending_migrations() is False


OLD = {
    "sales_order": {
        "id": "00000000-0000-7000-8000-000000000001", "location_id": "S1", "from_location_id": "S1", "kind": "sale",
        "channel": "ec", "external_ref": "E1", "revision": 1, "number": "N1", "state": "placed",
        "prices": "tax_included", "rounding": "floor", "subtotal": 100, "discounts": 0, "order_discount": 0,
        "points_used": 0, "shipping_fee": 0, "tax": "[]", "total": 100, "method": "ship", "language": "ja",
        "claim_id": "00000000-0000-7000-8000-000000000002", "work_id": "00000000-0000-7000-8000-000000000003",
        "placed_at": "2026-11-22T03:00:00.000000+00:00", "version": 1,
    },
    "order_line": {
        "id": "00000000-0000-7000-8000-000000000004", "location_id": "S1", "position": 1, "line_ref": "1",
        "order_id": "00000000-0000-7000-8000-000000000001", "kind": "goods", "sku": "A", "name": "a", "quantity": 3,
        "unit_price": 100, "discount": 0, "rate": 10, "gross": 100, "line_discount": 0, "cuts": "[]", "net": 100,
        "base_before": 0, "tax": 9, "cancelled": 1, "fulfilled": 1, "returned": 0,
    },
    "ship_task": {
        "id": "00000000-0000-7000-8000-000000000003", "location_id": "S1", "state": "open", "version": 1,
        "order_id": "00000000-0000-7000-8000-000000000001", "claim_id": "00000000-0000-7000-8000-000000000002",
    },
}  # fmt: skip
_DATED = {"sales_order", "ship_task"}


def test_an_order_of_before_has_its_one_way_and_its_parcel_knows_its_pieces(app: Flask) -> None:
    at = "2026-11-22T03:00:00.000000+00:00"
    with app.app_context():
        downgrade(revision="0005")
        with db.engine.begin() as connection:
            for table, row in OLD.items():
                facts = row | ({"created_at": at, "updated_at": at} if table in _DATED else {})
                names = ", ".join(facts)
                values = ", ".join(f":{name}" for name in facts)
                connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), facts)
        upgrade()
        with db.engine.connect() as connection:
            ways = connection.execute(text("SELECT order_id, position, method, source_id, work_id FROM fulfilment"))
            assert [tuple(map(str, way)) for way in ways] == [
                (OLD["sales_order"]["id"], "1", "ship", "S1", OLD["sales_order"]["work_id"])
            ]
            lines = connection.execute(text("SELECT line_ref, sku, quantity, sent, given_up FROM ship_task_line"))
            assert [tuple(line) for line in lines] == [("1", "A", 3, 1, 1)]
