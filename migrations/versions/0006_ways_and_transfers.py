"""Orders in several ways, slots, goods sent for somebody, recounts, shelves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core import types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "place_slot",
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=12), nullable=False),
        sa.Column("starts_at", types.UtcDateTime(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0", name="ck_place_slot_taken"),
        sa.PrimaryKeyConstraint("location_id", "purpose", "starts_at"),
    )
    op.create_table(
        "fulfilment",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("claim_id", types.Id(), nullable=False),
        sa.Column("work_id", types.Id(), nullable=True),
        sa.Column("pickup_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_fulfilment_location"),
        sa.UniqueConstraint("order_id", "position", name="ux_fulfilment_position"),
    )
    op.create_index("ix_fulfilment_work", "fulfilment", ["work_id"], unique=False)
    op.create_table(
        "recount_task",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("claim_id", types.Id(), nullable=True),
        sa.Column("cause_type", sa.String(length=40), nullable=False),
        sa.Column("cause_id", sa.String(length=120), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("difference", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", types.UtcDateTime(), nullable=False),
        sa.Column("done_at", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.code"]),
        sa.ForeignKeyConstraint(["sku"], ["sku.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_recount_task_location"),
    )
    op.create_index("ix_recount_task_updated", "recount_task", ["updated_at", "id"], unique=False)
    op.create_index(
        "ux_recount_task_open",
        "recount_task",
        ["location_id", "sku"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "ship_task_line",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("task_id", types.Id(), nullable=False),
        sa.Column("line_ref", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("given_up", sa.Integer(), nullable=False),
        sa.CheckConstraint("sent >= 0 AND given_up >= 0 AND sent + given_up <= quantity", name="ck_ship_task_line"),
        sa.ForeignKeyConstraint(["location_id", "task_id"], ["ship_task.location_id", "ship_task.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_ship_task_line_location"),
        sa.UniqueConstraint("task_id", "line_ref", name="ux_ship_task_line_ref"),
    )
    op.create_table(
        "stock_shelf",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("shelf", sa.String(length=60), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.code"]),
        sa.ForeignKeyConstraint(["sku"], ["sku.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_stock_shelf_location"),
        sa.UniqueConstraint("location_id", "sku", name="ux_stock_shelf_sku"),
    )
    op.create_index("ix_stock_shelf_updated", "stock_shelf", ["updated_at", "id"], unique=False)
    op.drop_index(
        "ix_claim_line_due",
        table_name="claim_line",
        sqlite_where=sa.text("open_quantity > 0 AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("open_quantity > 0 AND expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_claim_line_open",
        "claim_line",
        ["sku", "expires_at", "location_id", "open_quantity"],
        unique=False,
        sqlite_where=sa.text("open_quantity > 0"),
        postgresql_where=sa.text("open_quantity > 0"),
    )
    op.add_column("location", sa.Column("pickup_cut_off", sa.String(length=5), nullable=True))
    op.add_column("location", sa.Column("pickup_accept_minutes", sa.Integer(), server_default="60", nullable=False))
    op.add_column("location", sa.Column("pickup_reserve_days", sa.Integer(), server_default="3", nullable=False))
    op.add_column("location", sa.Column("pickup_transfer_hold_days", sa.Integer(), server_default="14", nullable=False))
    op.add_column("location", sa.Column("pickup_transfer_days", sa.Integer(), server_default="2", nullable=False))
    op.add_column("location", sa.Column("pickup_slot_minutes", sa.Integer(), nullable=True))
    op.add_column("location", sa.Column("pickup_slot_capacity", sa.Integer(), nullable=True))
    op.add_column("location", sa.Column("calendar_version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("payment", sa.Column("at_till", sa.Boolean(), server_default=sa.false(), nullable=False))
    _backfill()
    op.drop_column("sales_order", "work_id")
    op.drop_column("sales_order", "claim_id")
    op.drop_column("sales_order", "pickup_at")
    op.add_column("stock_incident", sa.Column("waiting", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "stock_incident", sa.Column("cause_code", sa.String(length=30), server_default="other", nullable=False)
    )
    op.add_column("transfer", sa.Column("for_type", sa.String(length=20), nullable=True))
    op.add_column("transfer", sa.Column("for_id", types.Id(), nullable=True))
    op.add_column("transfer", sa.Column("for_kind", sa.String(length=20), nullable=True))
    op.add_column("transfer", sa.Column("channel", sa.String(length=40), nullable=True))
    op.add_column("transfer", sa.Column("arrived_claim_id", types.Id(), nullable=True))
    op.add_column("transfer", sa.Column("expected_at", types.UtcDateTime(), nullable=True))
    op.add_column("transfer_line", sa.Column("promised", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("transfer_line", "promised")
    op.drop_column("transfer", "expected_at")
    op.drop_column("transfer", "arrived_claim_id")
    op.drop_column("transfer", "channel")
    op.drop_column("transfer", "for_kind")
    op.drop_column("transfer", "for_id")
    op.drop_column("transfer", "for_type")
    op.drop_column("stock_incident", "cause_code")
    op.drop_column("stock_incident", "waiting")
    op.add_column("sales_order", sa.Column("pickup_at", types.UtcDateTime(), nullable=True))
    op.add_column("sales_order", sa.Column("claim_id", types.Id(), nullable=True))
    op.add_column("sales_order", sa.Column("work_id", types.Id(), nullable=True))
    op.drop_column("payment", "at_till")
    op.drop_column("location", "calendar_version")
    op.drop_column("location", "pickup_slot_capacity")
    op.drop_column("location", "pickup_slot_minutes")
    op.drop_column("location", "pickup_transfer_days")
    op.drop_column("location", "pickup_transfer_hold_days")
    op.drop_column("location", "pickup_reserve_days")
    op.drop_column("location", "pickup_accept_minutes")
    op.drop_column("location", "pickup_cut_off")
    op.drop_index(
        "ix_claim_line_open",
        table_name="claim_line",
        sqlite_where=sa.text("open_quantity > 0"),
        postgresql_where=sa.text("open_quantity > 0"),
    )
    op.create_index(
        "ix_claim_line_due",
        "claim_line",
        ["sku", "expires_at", "location_id", "open_quantity"],
        unique=False,
        sqlite_where=sa.text("open_quantity > 0 AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("open_quantity > 0 AND expires_at IS NOT NULL"),
    )
    op.drop_index("ix_stock_shelf_updated", table_name="stock_shelf")
    op.drop_table("stock_shelf")
    op.drop_table("ship_task_line")
    op.drop_index(
        "ux_recount_task_open",
        table_name="recount_task",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index("ix_recount_task_updated", table_name="recount_task")
    op.drop_table("recount_task")
    op.execute(
        "UPDATE sales_order SET claim_id = f.claim_id, work_id = f.work_id, pickup_at = f.pickup_at FROM fulfilment f "
        "WHERE f.order_id = sales_order.id AND f.position = 1"
    )
    op.drop_index("ix_fulfilment_work", table_name="fulfilment")
    op.drop_table("fulfilment")
    op.drop_table("place_slot")


def _backfill() -> None:
    """Every order that had a work item has one fulfilment; parcels know their pieces; a till's money is a till's."""
    op.execute(
        "INSERT INTO fulfilment (id, location_id, order_id, position, method, source_id, claim_id, work_id, pickup_at, "
        "created_at) SELECT id, from_location_id, id, 1, method, from_location_id, claim_id, work_id, pickup_at, "
        "created_at FROM sales_order WHERE work_id IS NOT NULL AND claim_id IS NOT NULL"
    )
    op.execute(
        "INSERT INTO ship_task_line (id, location_id, task_id, line_ref, sku, quantity, sent, given_up) "
        "SELECT l.id, t.location_id, t.id, l.line_ref, l.sku, l.quantity, l.fulfilled, l.cancelled FROM ship_task t "
        "JOIN sales_order o ON o.work_id = t.id JOIN order_line l ON l.order_id = o.id "
        "WHERE l.kind = 'goods' AND l.sku IS NOT NULL"
    )
    op.execute(
        "UPDATE payment SET at_till = TRUE WHERE order_id IN (SELECT id FROM sales_order WHERE method = 'counter')"
    )
