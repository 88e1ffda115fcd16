"""Stock: ledger, levels, claims, transfers, incidents"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claim",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("expires_at", types.UtcDateTime(), nullable=True),
        sa.Column("external_ref", sa.String(length=64), nullable=True),
        sa.Column("owner_type", sa.String(length=20), nullable=True),
        sa.Column("owner_id", types.Id(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_claim_location"),
    )
    op.create_index(
        "ix_claim_due",
        "claim",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("state = 'reserved' AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'reserved' AND expires_at IS NOT NULL"),
    )
    op.create_index("ix_claim_owner", "claim", ["owner_id"], unique=False)
    op.create_table(
        "stock_incident",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("shortage", sa.BigInteger(), nullable=False),
        sa.Column("cause_type", sa.String(length=40), nullable=False),
        sa.Column("cause_id", sa.String(length=120), nullable=False),
        sa.Column("opened_at", types.UtcDateTime(), nullable=False),
        sa.Column("resolved_at", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_stock_incident_location"),
    )
    op.create_index("ix_stock_incident_updated", "stock_incident", ["updated_at", "id"], unique=False)
    op.create_index(
        "ux_stock_incident_open",
        "stock_incident",
        ["location_id", "sku"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "stock_movement",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("reference_type", sa.String(length=40), nullable=False),
        sa.Column("reference_id", sa.String(length=120), nullable=False),
        sa.Column("occurred_at", types.UtcDateTime(), nullable=False),
        sa.Column("recorded_at", types.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_stock_movement_location"),
    )
    op.create_index("ix_stock_movement_recorded", "stock_movement", ["recorded_at", "id"], unique=False)
    op.create_index("ix_stock_movement_reference", "stock_movement", ["reference_id"], unique=False)
    op.create_index("ix_stock_movement_sku", "stock_movement", ["sku", "location_id", "id"], unique=False)
    op.create_table(
        "stock_policy",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("share", sa.Integer(), nullable=True),
        sa.Column("safety", sa.Integer(), nullable=True),
        sa.Column("buffer", sa.Integer(), nullable=True),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "location_id", "sku", name="ux_stock_policy"),
    )
    op.create_table(
        "claim_line",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("claim_id", types.Id(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("open_quantity", sa.Integer(), nullable=False),
        sa.Column("posted_quantity", sa.Integer(), nullable=False),
        sa.Column("expires_at", types.UtcDateTime(), nullable=True),
        sa.CheckConstraint("open_quantity >= 0", name="ck_claim_line_open"),
        sa.ForeignKeyConstraint(
            ["location_id", "claim_id"],
            ["claim.location_id", "claim.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("claim_id", "sku", name="ux_claim_line_sku"),
        sa.UniqueConstraint("location_id", "id", name="ux_claim_line_location"),
    )
    op.create_index(
        "ix_claim_line_due",
        "claim_line",
        ["sku", "expires_at", "location_id", "open_quantity"],
        unique=False,
        sqlite_where=sa.text("open_quantity > 0 AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("open_quantity > 0 AND expires_at IS NOT NULL"),
    )
    op.create_table(
        "stock_level",
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("oversold", sa.Boolean(), nullable=False),
        sa.Column("changed_at", types.UtcDateTime(), nullable=False),
        sa.CheckConstraint("reserved >= 0", name="ck_stock_level_reserved"),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["location.code"],
        ),
        sa.ForeignKeyConstraint(
            ["sku"],
            ["sku.code"],
        ),
        sa.PrimaryKeyConstraint("location_id", "sku"),
    )
    op.create_index("ix_stock_level_changed", "stock_level", ["changed_at", "location_id", "sku"], unique=False)
    op.create_index(
        "ix_stock_level_sku",
        "stock_level",
        ["sku", "location_id"],
        unique=False,
        postgresql_include=["on_hand", "reserved"],
    )
    op.create_table(
        "transfer",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("to_location_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("claim_id", types.Id(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.Column("shipped_at", types.UtcDateTime(), nullable=True),
        sa.Column("received_at", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"],
            ["location.code"],
        ),
        sa.ForeignKeyConstraint(
            ["to_location_id"],
            ["location.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_transfer_location"),
    )
    op.create_index(
        "ix_transfer_incoming",
        "transfer",
        ["to_location_id"],
        unique=False,
        sqlite_where=sa.text("state = 'shipped'"),
        postgresql_where=sa.text("state = 'shipped'"),
    )
    op.create_index("ix_transfer_updated", "transfer", ["updated_at", "id"], unique=False)
    op.create_table(
        "transfer_line",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("transfer_id", types.Id(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipped", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id", "transfer_id"],
            ["transfer.location_id", "transfer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_transfer_line_location"),
        sa.UniqueConstraint("transfer_id", "sku", name="ux_transfer_line_sku"),
    )


def downgrade() -> None:
    op.drop_table("transfer_line")
    op.drop_index("ix_transfer_updated", table_name="transfer")
    op.drop_index(
        "ix_transfer_incoming",
        table_name="transfer",
        sqlite_where=sa.text("state = 'shipped'"),
        postgresql_where=sa.text("state = 'shipped'"),
    )
    op.drop_table("transfer")
    op.drop_index("ix_stock_level_sku", table_name="stock_level", postgresql_include=["on_hand", "reserved"])
    op.drop_index("ix_stock_level_changed", table_name="stock_level")
    op.drop_table("stock_level")
    op.drop_index(
        "ix_claim_line_due",
        table_name="claim_line",
        sqlite_where=sa.text("open_quantity > 0 AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("open_quantity > 0 AND expires_at IS NOT NULL"),
    )
    op.drop_table("claim_line")
    op.drop_table("stock_policy")
    op.drop_index("ix_stock_movement_sku", table_name="stock_movement")
    op.drop_index("ix_stock_movement_reference", table_name="stock_movement")
    op.drop_index("ix_stock_movement_recorded", table_name="stock_movement")
    op.drop_table("stock_movement")
    op.drop_index(
        "ux_stock_incident_open",
        table_name="stock_incident",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index("ix_stock_incident_updated", table_name="stock_incident")
    op.drop_table("stock_incident")
    op.drop_index("ix_claim_owner", table_name="claim")
    op.drop_index(
        "ix_claim_due",
        table_name="claim",
        sqlite_where=sa.text("state = 'reserved' AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'reserved' AND expires_at IS NOT NULL"),
    )
    op.drop_table("claim")
