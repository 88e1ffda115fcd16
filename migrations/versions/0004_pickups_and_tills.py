"""Pickups and tills"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pickup_scan",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("pickup_id", types.Id(), nullable=True),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("proof", sa.String(length=8), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("actor_name", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=True),
        sa.Column("nonce", sa.String(length=64), nullable=True),
        sa.Column("receiver", sa.String(length=10), nullable=True),
        sa.Column("identity_checked", sa.Boolean(), nullable=True),
        sa.Column("parts", types.Json, nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", types.UtcDateTime(), nullable=True),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_pickup_scan_location"),
    )
    op.create_index("ix_pickup_scan_pickup", "pickup_scan", ["pickup_id", "id"], unique=False)
    op.create_table(
        "pos_alias",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_pos_alias_location"),
        sa.UniqueConstraint("source", "code", name="ux_pos_alias_code"),
    )
    op.create_table(
        "pos_receipt",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=True),
        sa.Column("store", sa.String(length=64), nullable=True),
        sa.Column("terminal", sa.String(length=64), nullable=True),
        sa.Column("business_date", sa.String(length=10), nullable=True),
        sa.Column("receipt_no", sa.String(length=64), nullable=True),
        sa.Column("natural_key", sa.String(length=400), nullable=False),
        sa.Column("document", sa.String(length=400), nullable=True),
        sa.Column("original", sa.String(length=400), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("problems", types.Json, nullable=False),
        sa.Column("totals", types.Json, nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("mended", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("order_id", types.Id(), nullable=True),
        sa.Column("back_order_id", types.Id(), nullable=True),
        sa.Column("settles_id", types.Id(), nullable=True),
        sa.Column("replaces_id", types.Id(), nullable=True),
        sa.Column("original_id", types.Id(), nullable=True),
        sa.Column("voided_by_id", types.Id(), nullable=True),
        sa.Column("occurred_at", types.UtcDateTime(), nullable=True),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_pos_receipt_location"),
    )
    op.create_index("ix_pos_receipt_document", "pos_receipt", ["document"], unique=False)
    op.create_index("ix_pos_receipt_natural", "pos_receipt", ["natural_key"], unique=False)
    op.create_index("ix_pos_receipt_original", "pos_receipt", ["original"], unique=False)
    op.create_index("ix_pos_receipt_state", "pos_receipt", ["state", "updated_at", "id"], unique=False)
    op.create_index(
        "ux_pos_receipt_key",
        "pos_receipt",
        ["natural_key"],
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )
    op.create_table(
        "pickup",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("order_id", types.Id(), nullable=True),
        sa.Column("order_number", sa.String(length=40), nullable=True),
        sa.Column("external_ref", sa.String(length=64), nullable=True),
        sa.Column("claim_id", types.Id(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("kid", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("pin_tries", sa.Integer(), nullable=False),
        sa.Column("contact_id", types.Id(), nullable=True),
        sa.Column("phone_mark", sa.String(length=64), nullable=True),
        sa.Column("amount_due", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("shelf", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("placed_at", types.UtcDateTime(), nullable=False),
        sa.Column("pickup_at", types.UtcDateTime(), nullable=True),
        sa.Column("ready_by", types.UtcDateTime(), nullable=True),
        sa.Column("collect_by_estimate", types.UtcDateTime(), nullable=True),
        sa.Column("hold_until", types.UtcDateTime(), nullable=True),
        sa.Column("ready_at", types.UtcDateTime(), nullable=True),
        sa.Column("expires_at", types.UtcDateTime(), nullable=True),
        sa.Column("collected_at", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["location.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("location_id", "id", name="ux_pickup_location"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index(op.f("ix_pickup_claim_id"), "pickup", ["claim_id"], unique=False)
    op.create_index(
        "ix_pickup_due",
        "pickup",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index(
        "ix_pickup_held",
        "pickup",
        ["hold_until"],
        unique=False,
        sqlite_where=sa.text("state IN ('requested', 'accepted') AND hold_until IS NOT NULL"),
        postgresql_where=sa.text("state IN ('requested', 'accepted') AND hold_until IS NOT NULL"),
    )
    op.create_index("ix_pickup_list", "pickup", ["location_id", "state", "updated_at", "id"], unique=False)
    op.create_index("ix_pickup_number", "pickup", ["order_number"], unique=False)
    op.create_index("ix_pickup_order", "pickup", ["order_id"], unique=False)
    op.create_index("ix_pickup_phone", "pickup", ["phone_mark"], unique=False)
    op.create_index("ix_pickup_updated", "pickup", ["updated_at", "id"], unique=False)
    op.create_table(
        "pos_unresolved",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("receipt_id", types.Id(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("occurred_at", types.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id", "receipt_id"],
            ["pos_receipt.location_id", "pos_receipt.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_pos_unresolved_location"),
    )
    op.create_index(
        "ix_pos_unresolved_code",
        "pos_unresolved",
        ["source", "code"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_pos_unresolved_receipt", "pos_unresolved", ["receipt_id"], unique=False)
    op.create_index("ix_pos_unresolved_updated", "pos_unresolved", ["updated_at", "id"], unique=False)
    op.create_table(
        "pickup_line",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("pickup_id", types.Id(), nullable=False),
        sa.Column("line_ref", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("ordered", sa.Integer(), nullable=False),
        sa.Column("picked", sa.Integer(), nullable=False),
        sa.Column("short", sa.Integer(), nullable=False),
        sa.Column("collected", sa.Integer(), nullable=False),
        sa.CheckConstraint("picked + short <= ordered AND collected <= picked", name="ck_pickup_line_counts"),
        sa.ForeignKeyConstraint(
            ["location_id", "pickup_id"],
            ["pickup.location_id", "pickup.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_pickup_line_location"),
        sa.UniqueConstraint("pickup_id", "line_ref", name="ux_pickup_line_ref"),
    )
    op.create_table(
        "reshelve_task",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("pickup_id", types.Id(), nullable=False),
        sa.Column("claim_id", types.Id(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id", "pickup_id"],
            ["pickup.location_id", "pickup.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_reshelve_task_location"),
    )
    op.create_index("ix_reshelve_task_pickup", "reshelve_task", ["pickup_id", "state"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_reshelve_task_pickup", table_name="reshelve_task")
    op.drop_table("reshelve_task")
    op.drop_table("pickup_line")
    op.drop_index("ix_pos_unresolved_updated", table_name="pos_unresolved")
    op.drop_index("ix_pos_unresolved_receipt", table_name="pos_unresolved")
    op.drop_index(
        "ix_pos_unresolved_code",
        table_name="pos_unresolved",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("pos_unresolved")
    op.drop_index("ix_pickup_updated", table_name="pickup")
    op.drop_index("ix_pickup_phone", table_name="pickup")
    op.drop_index("ix_pickup_order", table_name="pickup")
    op.drop_index("ix_pickup_number", table_name="pickup")
    op.drop_index("ix_pickup_list", table_name="pickup")
    op.drop_index(
        "ix_pickup_held",
        table_name="pickup",
        sqlite_where=sa.text("state IN ('requested', 'accepted') AND hold_until IS NOT NULL"),
        postgresql_where=sa.text("state IN ('requested', 'accepted') AND hold_until IS NOT NULL"),
    )
    op.drop_index(
        "ix_pickup_due",
        table_name="pickup",
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.drop_index(op.f("ix_pickup_claim_id"), table_name="pickup")
    op.drop_table("pickup")
    op.drop_index(
        "ux_pos_receipt_key",
        table_name="pos_receipt",
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )
    op.drop_index("ix_pos_receipt_state", table_name="pos_receipt")
    op.drop_index("ix_pos_receipt_original", table_name="pos_receipt")
    op.drop_index("ix_pos_receipt_natural", table_name="pos_receipt")
    op.drop_index("ix_pos_receipt_document", table_name="pos_receipt")
    op.drop_table("pos_receipt")
    op.drop_table("pos_alias")
    op.drop_index("ix_pickup_scan_pickup", table_name="pickup_scan")
    op.drop_table("pickup_scan")
