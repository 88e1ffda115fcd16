"""Notices to customers and webhooks to systems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core import types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("planned_at", types.UtcDateTime(), nullable=True),
        sa.Column("due_at", types.UtcDateTime(), nullable=False),
        sa.Column("lease_until", types.UtcDateTime(), nullable=True),
        sa.Column("channel", sa.String(length=8), nullable=True),
        sa.Column("passed", types.Json, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("trying_since", types.UtcDateTime(), nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=True),
        sa.Column("template_version", sa.Integer(), nullable=True),
        sa.Column("sent_at", types.UtcDateTime(), nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_notice_location"),
        sa.UniqueConstraint("subject_id", "kind", "sequence", name="ux_notice_once"),
    )
    op.create_index(
        "ix_notice_awaited",
        "notice",
        ["sent_at"],
        unique=False,
        sqlite_where=sa.text("state = 'sent' AND channel = 'line'"),
        postgresql_where=sa.text("state = 'sent' AND channel = 'line'"),
    )
    op.create_index(
        "ix_notice_due",
        "notice",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.create_index("ix_notice_state", "notice", ["state", "updated_at", "id"], unique=False)
    op.create_index("ix_notice_subject", "notice", ["subject_id", "sequence"], unique=False)
    op.create_index("ix_notice_updated", "notice", ["updated_at", "id"], unique=False)
    op.create_table(
        "notice_template",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("short", sa.String(length=500), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "language", "version", name="ux_notice_template_version"),
        sa.UniqueConstraint("location_id", "id", name="ux_notice_template_location"),
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("events", types.Json, nullable=False),
        sa.Column("channels", types.Json, nullable=True),
        sa.Column("locations", types.Json, nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary(), nullable=True),
        sa.Column("old_secret_until", types.UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rest_until", types.UtcDateTime(), nullable=True),
        sa.Column("replay_at", types.UtcDateTime(), nullable=True),
        sa.Column("replay_id", types.Id(), nullable=True),
        sa.Column("replay_end", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_webhook_endpoint_location"),
    )
    op.create_index(
        "ix_webhook_endpoint_active",
        "webhook_endpoint",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_index("ix_webhook_endpoint_updated", "webhook_endpoint", ["updated_at", "id"], unique=False)
    op.create_table(
        "webhook_feed",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.Column("after", sa.String(length=200), nullable=False),
        sa.Column("read_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "webhook_stock",
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("location_id", "sku"),
    )
    op.create_table(
        "notice_delivery",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("notice_id", types.Id(), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("provider_id", sa.String(length=120), nullable=True),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("tag", sa.String(length=100), nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.Column("delivered_at", types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["location_id", "notice_id"], ["notice.location_id", "notice.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_notice_delivery_location"),
    )
    op.create_index("ix_notice_delivery_notice", "notice_delivery", ["notice_id", "id"], unique=False)
    op.create_index("ix_notice_delivery_tag", "notice_delivery", ["tag"], unique=False)
    op.create_table(
        "webhook_delivery",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("endpoint_id", types.Id(), nullable=False),
        sa.Column("event_id", types.Id(), nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("aggregate_type", sa.String(length=40), nullable=False),
        sa.Column("aggregate_id", sa.String(length=160), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", types.UtcDateTime(), nullable=False),
        sa.Column("queued_at", types.UtcDateTime(), nullable=False),
        sa.Column("delivered_at", types.UtcDateTime(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="ux_webhook_delivery_event"),
        sa.UniqueConstraint("location_id", "id", name="ux_webhook_delivery_location"),
    )
    op.create_index(
        "ix_webhook_delivery_due",
        "webhook_delivery",
        ["endpoint_id", "due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'failed', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'failed', 'sending')"),
    )
    op.create_index(
        "ix_webhook_delivery_order",
        "webhook_delivery",
        ["endpoint_id", "aggregate_id", "sequence"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'failed', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'failed', 'sending')"),
    )
    op.create_index("ix_webhook_delivery_updated", "webhook_delivery", ["updated_at", "id"], unique=False)
    op.create_index("ix_outbox_feed", "outbox_event", ["occurred_at", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_outbox_feed", table_name="outbox_event")
    op.drop_index("ix_webhook_delivery_updated", table_name="webhook_delivery")
    op.drop_index(
        "ix_webhook_delivery_order",
        table_name="webhook_delivery",
        sqlite_where=sa.text("state IN ('queued', 'failed', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'failed', 'sending')"),
    )
    op.drop_index(
        "ix_webhook_delivery_due",
        table_name="webhook_delivery",
        sqlite_where=sa.text("state IN ('queued', 'failed', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'failed', 'sending')"),
    )
    op.drop_table("webhook_delivery")
    op.drop_index("ix_notice_delivery_tag", table_name="notice_delivery")
    op.drop_index("ix_notice_delivery_notice", table_name="notice_delivery")
    op.drop_table("notice_delivery")
    op.drop_table("webhook_stock")
    op.drop_table("webhook_feed")
    op.drop_index("ix_webhook_endpoint_updated", table_name="webhook_endpoint")
    op.drop_index(
        "ix_webhook_endpoint_active",
        table_name="webhook_endpoint",
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.drop_table("webhook_endpoint")
    op.drop_table("notice_template")
    op.drop_index("ix_notice_updated", table_name="notice")
    op.drop_index("ix_notice_subject", table_name="notice")
    op.drop_index("ix_notice_state", table_name="notice")
    op.drop_index(
        "ix_notice_due",
        table_name="notice",
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )
    op.drop_index(
        "ix_notice_awaited",
        table_name="notice",
        sqlite_where=sa.text("state = 'sent' AND channel = 'line'"),
        postgresql_where=sa.text("state = 'sent' AND channel = 'line'"),
    )
    op.drop_table("notice")
