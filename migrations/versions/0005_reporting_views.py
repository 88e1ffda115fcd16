"""The reporting views of version 1."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

VIEWS = {
    "v_stock_level": """
        SELECT s.location_id AS location, s.sku, s.on_hand, s.reserved, p.safety_stock AS safety
        FROM stock_level s JOIN location p ON p.code = s.location_id""",
    "v_stock_movement": """
        SELECT CAST(id AS text) AS id, location_id AS location, sku, quantity, kind, reference_type, reference_id,
        occurred_at, recorded_at FROM stock_movement""",
    "v_claim": """
        SELECT CAST(c.id AS text) AS id, c.kind, c.state, c.location_id AS location, l.sku,
        CASE WHEN c.state = 'reserved' THEN l.open_quantity ELSE l.quantity END AS quantity, c.expires_at
        FROM claim c JOIN claim_line l ON l.claim_id = c.id""",
    "v_order": """
        SELECT CAST(o.id AS text) AS id, o.channel, o.external_ref, o.state,
        CASE WHEN o.kind = 'return' THEN 0 ELSE o.total END AS total,
        CASE WHEN o.kind = 'return' THEN 0
        ELSE (SELECT coalesce(sum(p.captured), 0) FROM payment p WHERE p.order_id = o.id) END AS paid,
        CASE WHEN o.kind = 'return' AND o.state <> 'cancelled' THEN o.total ELSE 0 END
        + (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.order_id = o.id AND r.state = 'done') AS refunded
        FROM sales_order o""",
    "v_pickup": """
        SELECT CAST(id AS text) AS id, CAST(order_id AS text) AS order_id, location_id AS location, state, ready_at,
        collected_at, expires_at FROM pickup""",
    "v_outbox": """
        SELECT CAST(id AS text) AS id, topic, aggregate_type || ':' || aggregate_id AS aggregate, sequence, state
        FROM outbox_event""",
    "v_audit": """
        SELECT CAST(id AS text) AS id, at, actor, action, hash FROM audit_entry""",
}


def upgrade() -> None:
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}".replace("':'", "'\\:'"))


def downgrade() -> None:
    for name in reversed(VIEWS):
        op.execute(f"DROP VIEW {name}")
