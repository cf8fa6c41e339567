"""What payment gateways told, and what claimed to come from them.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REJECTED = sa.text("verdict IN ('forged', 'stale', 'unreadable')")


def upgrade() -> None:
    """Make room for messages."""
    op.create_table(
        "payment_webhooks",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.CHAR(64), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gateway_key", sa.Text()),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "event_id", name=op.f("pk_payment_webhooks")),
        sa.CheckConstraint(
            "verdict IN ('applied', 'ignored', 'mismatch', 'unknown_order', 'forged', 'stale',"
            " 'unreadable')",
            name=op.f("ck_payment_webhooks_verdict"),
        ),
        sa.CheckConstraint("deliveries > 0", name=op.f("ck_payment_webhooks_deliveries")),
    )
    op.create_index("ix_payment_webhooks_received_at", "payment_webhooks", ["received_at"])
    op.create_index(
        "ix_payment_webhooks_rejected",
        "payment_webhooks",
        ["received_at"],
        postgresql_where=REJECTED,
        sqlite_where=REJECTED,
    )
