"""Orders, payments, refunds, parcels"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.core import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sales_order",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("from_location_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("external_ref", sa.String(length=400), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("prices", sa.String(length=12), nullable=False),
        sa.Column("rounding", sa.String(length=8), nullable=False),
        sa.Column("subtotal", sa.Integer(), nullable=False),
        sa.Column("discounts", sa.Integer(), nullable=False),
        sa.Column("order_discount", sa.Integer(), nullable=False),
        sa.Column("points_used", sa.Integer(), nullable=False),
        sa.Column("shipping_fee", sa.Integer(), nullable=False),
        sa.Column("tax", types.Json, nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("customer_id", types.Id(), nullable=True),
        sa.Column("contact_id", types.Id(), nullable=True),
        sa.Column("method", sa.String(length=12), nullable=False),
        sa.Column("claim_id", types.Id(), nullable=True),
        sa.Column("work_id", types.Id(), nullable=True),
        sa.Column("original_id", types.Id(), nullable=True),
        sa.Column("pickup_at", types.UtcDateTime(), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("placed_at", types.UtcDateTime(), nullable=False),
        sa.Column("completed_at", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "external_ref", "revision", name="ux_sales_order_external_ref"),
        sa.UniqueConstraint("location_id", "id", name="ux_sales_order_location"),
        sa.UniqueConstraint("number", name="ux_sales_order_number"),
    )
    op.create_index("ix_sales_order_customer", "sales_order", ["customer_id"], unique=False)
    op.create_index("ix_sales_order_original", "sales_order", ["original_id"], unique=False)
    op.create_index("ix_sales_order_updated", "sales_order", ["updated_at", "id"], unique=False)
    op.create_table(
        "ship_task",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", types.Id(), nullable=False),
        sa.Column("claim_id", types.Id(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_ship_task_location"),
    )
    op.create_index("ix_ship_task_open", "ship_task", ["location_id", "state", "created_at"], unique=False)
    op.create_index("ix_ship_task_order", "ship_task", ["order_id"], unique=False)
    op.create_table(
        "order_line",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("line_ref", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.Integer(), nullable=False),
        sa.Column("discount", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("gross", sa.Integer(), nullable=False),
        sa.Column("line_discount", sa.Integer(), nullable=False),
        sa.Column("cuts", types.Json, nullable=False),
        sa.Column("net", sa.Integer(), nullable=False),
        sa.Column("base_before", sa.Integer(), nullable=False),
        sa.Column("tax", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("fulfilled", sa.Integer(), nullable=False),
        sa.Column("returned", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "cancelled >= 0 AND fulfilled >= 0 AND cancelled + fulfilled <= quantity", name="ck_order_line"
        ),
        sa.ForeignKeyConstraint(
            ["location_id", "order_id"],
            ["sales_order.location_id", "sales_order.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_order_line_location"),
        sa.UniqueConstraint("order_id", "line_ref", name="ux_order_line_ref"),
    )
    op.create_index("ix_order_line_sku", "order_line", ["sku"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", types.Id(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.Column("requested", sa.Integer(), nullable=False),
        sa.Column("captured", sa.Integer(), nullable=False),
        sa.Column("external_ref", sa.String(length=64), nullable=True),
        sa.Column("due_at", types.UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.CheckConstraint("used >= 0 AND released >= 0 AND used + released <= amount", name="ck_payment"),
        sa.ForeignKeyConstraint(
            ["location_id", "order_id"],
            ["sales_order.location_id", "sales_order.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_payment_location"),
    )
    op.create_index(
        "ix_payment_due",
        "payment",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'due' AND due_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'due' AND due_at IS NOT NULL"),
    )
    op.create_index("ix_payment_order", "payment", ["order_id", "position"], unique=False)
    op.create_table(
        "shipment",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("task_id", types.Id(), nullable=False),
        sa.Column("order_id", types.Id(), nullable=False),
        sa.Column("carrier", sa.String(length=40), nullable=True),
        sa.Column("tracking_no", sa.String(length=64), nullable=True),
        sa.Column("shipped_at", types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id", "task_id"],
            ["ship_task.location_id", "ship_task.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_shipment_location"),
    )
    op.create_index("ix_shipment_task", "shipment", ["task_id"], unique=False)
    op.create_index("ix_shipment_tracking", "shipment", ["tracking_no"], unique=False)
    op.create_table(
        "refund",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", types.Id(), nullable=False),
        sa.Column("payment_id", types.Id(), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("external_ref", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(), nullable=False),
        sa.CheckConstraint("amount > 0", name="ck_refund_amount"),
        sa.ForeignKeyConstraint(
            ["location_id", "order_id"],
            ["sales_order.location_id", "sales_order.id"],
        ),
        sa.ForeignKeyConstraint(
            ["location_id", "payment_id"],
            ["payment.location_id", "payment.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_refund_location"),
    )
    op.create_index("ix_refund_order", "refund", ["order_id"], unique=False)
    op.create_index("ix_refund_payment", "refund", ["payment_id"], unique=False)
    op.create_table(
        "shipment_line",
        sa.Column("id", types.Id(), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", types.Id(), nullable=False),
        sa.Column("line_ref", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id", "shipment_id"],
            ["shipment.location_id", "shipment.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location_id", "id", name="ux_shipment_line_location"),
    )
    op.create_index("ix_shipment_line_shipment", "shipment_line", ["shipment_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_shipment_line_shipment", table_name="shipment_line")
    op.drop_table("shipment_line")
    op.drop_index("ix_refund_payment", table_name="refund")
    op.drop_index("ix_refund_order", table_name="refund")
    op.drop_table("refund")
    op.drop_index("ix_shipment_tracking", table_name="shipment")
    op.drop_index("ix_shipment_task", table_name="shipment")
    op.drop_table("shipment")
    op.drop_index("ix_payment_order", table_name="payment")
    op.drop_index(
        "ix_payment_due",
        table_name="payment",
        sqlite_where=sa.text("state = 'due' AND due_at IS NOT NULL"),
        postgresql_where=sa.text("state = 'due' AND due_at IS NOT NULL"),
    )
    op.drop_table("payment")
    op.drop_index("ix_order_line_sku", table_name="order_line")
    op.drop_table("order_line")
    op.drop_index("ix_ship_task_order", table_name="ship_task")
    op.drop_index("ix_ship_task_open", table_name="ship_task")
    op.drop_table("ship_task")
    op.drop_index("ix_sales_order_updated", table_name="sales_order")
    op.drop_index("ix_sales_order_original", table_name="sales_order")
    op.drop_index("ix_sales_order_customer", table_name="sales_order")
    op.drop_table("sales_order")
