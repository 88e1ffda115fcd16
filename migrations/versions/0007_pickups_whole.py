"""Pickups: choices, waves, proxies, arrivals, a waiting list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picking_wave",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_picking_wave_location"),
    )
    op.create_index("ix_picking_wave_list", "picking_wave", ["location_id", "state", "updated_at", "id"], unique=False)
    op.create_table(
        "rescue_question",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("incident_id", types.Id(), nullable=False),
        sa.Column("pickup_id", types.Id(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("asked_at", types.UtcDateTime(), nullable=False),
        sa.Column("answered_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["location.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_rescue_question_location"),
    )
    op.create_index("ix_rescue_question_incident", "rescue_question", ["incident_id"], unique=False)
    op.create_index(
        "ix_rescue_question_open",
        "rescue_question",
        ["pickup_id"],
        unique=False,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "waiting_customer",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("customer_id", types.Id(), nullable=True),
        sa.Column("contact_id", types.Id(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("pickup_id", types.Id(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.code"]),
        sa.ForeignKeyConstraint(["sku"], ["sku.code"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_waiting_customer_location"),
    )
    op.create_index(
        "ix_waiting_customer_open",
        "waiting_customer",
        ["location_id", "sku", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_waiting_customer_person", "waiting_customer", ["customer_id", "state"], unique=False)
    op.create_index("ix_waiting_customer_pickup", "waiting_customer", ["pickup_id"], unique=False)
    op.create_index("ix_waiting_customer_updated", "waiting_customer", ["updated_at", "id"], unique=False)
    op.create_table(
        "pickup_pass",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("pickup_id", types.Id(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("expires_at", types.UtcDateTime(), nullable=True),
        sa.Column("ended_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["location_id", "pickup_id"], ["pickup.location_id", "pickup.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_pickup_pass_location"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_pickup_pass_pickup", "pickup_pass", ["pickup_id"], unique=False)
    op.add_column("pickup", sa.Column("customer_id", types.Id(), nullable=True))
    op.add_column("pickup", sa.Column("transfer_id", types.Id(), nullable=True))
    op.add_column("pickup", sa.Column("wave_id", types.Id(), nullable=True))
    op.add_column("pickup", sa.Column("slot_at", types.UtcDateTime(), nullable=True))
    op.add_column("pickup", sa.Column("picking_hour", types.UtcDateTime(), nullable=True))
    op.add_column("pickup", sa.Column("accept_by", types.UtcDateTime(), nullable=True))
    op.add_column("pickup", sa.Column("escalated", sa.Integer(), server_default="0", nullable=False))
    op.add_column("pickup", sa.Column("choose_by", types.UtcDateTime(), nullable=True))
    op.add_column("pickup", sa.Column("choice_reason", sa.String(length=20), nullable=True))
    op.add_column("pickup", sa.Column("arrived_at", types.UtcDateTime(), nullable=True))
    op.add_column("pickup", sa.Column("arrival_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("pickup", sa.Column("cancel_asked_at", types.UtcDateTime(), nullable=True))
    op.add_column("pickup", sa.Column("extensions", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_pickup_asked",
        "pickup",
        ["choose_by"],
        unique=False,
        sqlite_where=sa.text("choose_by IS NOT NULL"),
        postgresql_where=sa.text("choose_by IS NOT NULL"),
    )
    op.create_index("ix_pickup_customer", "pickup", ["customer_id", "state"], unique=False)
    op.create_index(
        "ix_pickup_late",
        "pickup",
        ["ready_by"],
        unique=False,
        sqlite_where=sa.text(
            "choice_reason IS NULL AND state IN ('requested', 'accepted', 'picking', 'awaiting_transfer')"
        ),
        postgresql_where=sa.text(
            "choice_reason IS NULL AND state IN ('requested', 'accepted', 'picking', 'awaiting_transfer')"
        ),
    )
    op.create_index("ix_pickup_placed", "pickup", ["location_id", "placed_at"], unique=False)
    op.create_index("ix_pickup_transfer", "pickup", ["transfer_id"], unique=False)
    op.create_index(
        "ix_pickup_unanswered",
        "pickup",
        ["accept_by"],
        unique=False,
        sqlite_where=sa.text("state = 'requested' AND accept_by IS NOT NULL"),
        postgresql_where=sa.text("state = 'requested' AND accept_by IS NOT NULL"),
    )
    op.create_index("ix_pickup_wave", "pickup", ["wave_id"], unique=False)
    op.add_column("pickup_line", sa.Column("order_ref", sa.String(length=64), server_default="", nullable=False))
    op.add_column("pickup_line", sa.Column("substitute", sa.String(length=64), nullable=True))
    op.add_column("pickup_line", sa.Column("undecided", sa.Integer(), server_default="0", nullable=False))
    op.add_column("pickup_line", sa.Column("missed", sa.Integer(), server_default="0", nullable=False))
    op.add_column("pickup_scan", sa.Column("proxy_id", types.Id(), nullable=True))
    op.execute("UPDATE pickup_line SET order_ref = line_ref")
    op.execute("UPDATE pickup_line SET missed = short")
    _lengths()
    _count_check("picked + short <= ordered AND collected <= picked AND undecided <= short")


def downgrade() -> None:
    _count_check("picked + short <= ordered AND collected <= picked")
    op.drop_column("pickup_scan", "proxy_id")
    op.drop_column("pickup_line", "missed")
    op.drop_column("pickup_line", "undecided")
    op.drop_column("pickup_line", "substitute")
    op.drop_column("pickup_line", "order_ref")
    op.drop_index("ix_pickup_wave", table_name="pickup")
    op.drop_index(
        "ix_pickup_unanswered",
        table_name="pickup",
        sqlite_where=sa.text("state = 'requested' AND accept_by IS NOT NULL"),
        postgresql_where=sa.text("state = 'requested' AND accept_by IS NOT NULL"),
    )
    op.drop_index("ix_pickup_transfer", table_name="pickup")
    op.drop_index("ix_pickup_placed", table_name="pickup")
    op.drop_index(
        "ix_pickup_late",
        table_name="pickup",
        sqlite_where=sa.text(
            "choice_reason IS NULL AND state IN ('requested', 'accepted', 'picking', 'awaiting_transfer')"
        ),
        postgresql_where=sa.text(
            "choice_reason IS NULL AND state IN ('requested', 'accepted', 'picking', 'awaiting_transfer')"
        ),
    )
    op.drop_index("ix_pickup_customer", table_name="pickup")
    op.drop_index(
        "ix_pickup_asked",
        table_name="pickup",
        sqlite_where=sa.text("choose_by IS NOT NULL"),
        postgresql_where=sa.text("choose_by IS NOT NULL"),
    )
    op.drop_column("pickup", "extensions")
    op.drop_column("pickup", "cancel_asked_at")
    op.drop_column("pickup", "arrival_sealed")
    op.drop_column("pickup", "arrived_at")
    op.drop_column("pickup", "choice_reason")
    op.drop_column("pickup", "choose_by")
    op.drop_column("pickup", "escalated")
    op.drop_column("pickup", "accept_by")
    op.drop_column("pickup", "picking_hour")
    op.drop_column("pickup", "slot_at")
    op.drop_column("pickup", "wave_id")
    op.drop_column("pickup", "transfer_id")
    op.drop_column("pickup", "customer_id")
    op.drop_index("ix_pickup_pass_pickup", table_name="pickup_pass")
    op.drop_table("pickup_pass")
    op.drop_index("ix_waiting_customer_updated", table_name="waiting_customer")
    op.drop_index("ix_waiting_customer_pickup", table_name="waiting_customer")
    op.drop_index("ix_waiting_customer_person", table_name="waiting_customer")
    op.drop_index(
        "ix_waiting_customer_open",
        table_name="waiting_customer",
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_table("waiting_customer")
    op.drop_index(
        "ix_rescue_question_open",
        table_name="rescue_question",
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.drop_index("ix_rescue_question_incident", table_name="rescue_question")
    op.drop_table("rescue_question")
    op.drop_index("ix_picking_wave_list", table_name="picking_wave")
    op.drop_table("picking_wave")


def _lengths() -> None:
    """PostgreSQL minds the length of a text; SQLite does not."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP VIEW v_pickup")
        op.alter_column("pickup", "state", type_=sa.String(20))
        op.alter_column("pickup_line", "line_ref", type_=sa.String(80))
        op.execute(
            "CREATE VIEW v_pickup AS SELECT CAST(id AS text) AS id, CAST(order_id AS text) AS order_id, "
            "location_id AS location, state, ready_at, collected_at, expires_at FROM pickup"
        )


def _count_check(rule: str) -> None:
    """Put another rule in the place of the old one; SQLite writes the table anew for that."""
    with op.batch_alter_table("pickup_line") as batch:
        batch.drop_constraint("ck_pickup_line_counts", type_="check")
        batch.create_check_constraint("ck_pickup_line_counts", rule)
