"""Core, staff, places, catalogue, imports, customers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_client",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", types.Json, nullable=False),
        sa.Column("channels", types.Json, nullable=True),
        sa.Column("locations", types.Json, nullable=True),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("rotated_at", types.UtcDateTime(), nullable=True),
        sa.Column("revoked_at", types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_index(
        "ux_api_client_live_name",
        "api_client",
        ["name"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=True),
        sa.Column("object_id", sa.String(length=120), nullable=True),
        sa.Column("outcome", sa.String(length=60), nullable=False),
        sa.Column("facts", types.Json, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_object", "audit_entry", ["object_id"], unique=False)
    op.create_index("ux_audit_location", "audit_entry", ["location_id", "id"], unique=True)
    op.create_table(
        "customer",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "idempotency_reply",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "key"),
    )
    op.create_index("ix_idempotency_created", "idempotency_reply", ["created_at"], unique=False)
    op.create_table(
        "import_bad_row",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", types.Id(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("faults", types.Json, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_import_bad_row_location"),
        sa.UniqueConstraint("run_id", "row", name="ux_import_bad_row_row"),
    )
    op.create_table(
        "import_chunk",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", types.Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_import_chunk_location"),
        sa.UniqueConstraint("run_id", "number", name="ux_import_chunk_number"),
    )
    op.create_table(
        "import_run",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("facts", types.Json, nullable=False),
        sa.Column("actor", types.Json, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("header", types.Json, nullable=False),
        sa.Column("columns_ignored", types.Json, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_failed", sa.Integer(), nullable=False),
        sa.Column("rows_changed", sa.Integer(), nullable=False),
        sa.Column("fault", types.Json, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.Column("finished_at", types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_import_run_location"),
    )
    op.create_index("ix_import_run_updated", "import_run", ["updated_at"], unique=False)
    op.create_table(
        "location",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("postal_code", sa.String(length=16), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("hours", types.Json, nullable=False),
        sa.Column("closures", types.Json, nullable=False),
        sa.Column("pickup_enabled", sa.Boolean(), nullable=False),
        sa.Column("pickup_lead_minutes", sa.Integer(), nullable=False),
        sa.Column("pickup_hold_days", sa.Integer(), nullable=False),
        sa.Column("pickup_orders_per_hour", sa.Integer(), nullable=True),
        sa.Column("safety_stock", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_location_updated", "location", ["updated_at", "code"], unique=False)
    op.create_table(
        "location_stamp",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "outbox_event",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("aggregate_type", sa.String(length=40), nullable=False),
        sa.Column("aggregate_id", sa.String(length=160), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("payload", types.Json, nullable=False),
        sa.Column("occurred_at", types.UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", types.UtcDateTime(), nullable=False),
        sa.Column("lease_until", types.UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("aggregate_id", "sequence", "aggregate_type", name="ux_outbox_sequence"),
        sa.UniqueConstraint("location_id", "id", name="ux_outbox_location"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox_event",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.create_table(
        "sku",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=True),
        sa.Column("search", sa.String(length=1500), nullable=False),
        sa.Column("tax_category", sa.String(length=10), nullable=False),
        sa.Column("list_price", sa.Integer(), nullable=False),
        sa.Column("options", types.Json, nullable=False),
        sa.Column("image_url", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_sku_product", "sku", ["product"], unique=False)
    op.create_index("ix_sku_updated", "sku", ["updated_at", "code"], unique=False)
    op.create_table(
        "state_change",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", types.Id(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("before", sa.String(length=40), nullable=False),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_state_change_object", "state_change", ["object_id", "id"], unique=False)
    op.create_table(
        "timed_job",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("next_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "customer_contact",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("customer_id", types.Id(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_customer_contact_customer_id"), "customer_contact", ["customer_id"], unique=False)
    op.create_table(
        "customer_identity",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("customer_id", types.Id(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "hash", name="ux_customer_identity"),
    )
    op.create_index(op.f("ix_customer_identity_customer_id"), "customer_identity", ["customer_id"], unique=False)
    op.create_table(
        "sku_barcode",
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("code", sa.String(length=14), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["sku"],
            ["sku.code"],
        ),
        sa.PrimaryKeyConstraint("gtin"),
    )
    op.create_index(op.f("ix_sku_barcode_sku"), "sku_barcode", ["sku"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_sku_barcode_sku"), table_name="sku_barcode")
    op.drop_table("sku_barcode")
    op.drop_index(op.f("ix_customer_identity_customer_id"), table_name="customer_identity")
    op.drop_table("customer_identity")
    op.drop_index(op.f("ix_customer_contact_customer_id"), table_name="customer_contact")
    op.drop_table("customer_contact")
    op.drop_table("timed_job")
    op.drop_index("ix_state_change_object", table_name="state_change")
    op.drop_table("state_change")
    op.drop_index("ix_sku_updated", table_name="sku")
    op.drop_index("ix_sku_product", table_name="sku")
    op.drop_table("sku")
    op.drop_index(
        "ix_outbox_due",
        table_name="outbox_event",
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
    op.drop_table("outbox_event")
    op.drop_table("location_stamp")
    op.drop_index("ix_location_updated", table_name="location")
    op.drop_table("location")
    op.drop_index("ix_import_run_updated", table_name="import_run")
    op.drop_table("import_run")
    op.drop_table("import_chunk")
    op.drop_table("import_bad_row")
    op.drop_index("ix_idempotency_created", table_name="idempotency_reply")
    op.drop_table("idempotency_reply")
    op.drop_table("customer")
    op.drop_index("ux_audit_location", table_name="audit_entry")
    op.drop_index("ix_audit_object", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index(
        "ux_api_client_live_name",
        table_name="api_client",
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.drop_table("api_client")
