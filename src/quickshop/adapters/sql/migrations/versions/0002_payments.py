"""Orders that expire, ship and are refunded; payments that are authorized, voided and refunded.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

ORDER_STATUSES = (
    "status IN ('pending', 'paid', 'payment_failed', 'canceled', 'expired',"
    " 'partially_fulfilled', 'fulfilled', 'completed', 'refunded')"
)
PAYMENT_STATUSES = (
    "status IN ('pending', 'processing', 'requires_action', 'unknown', 'authorized',"
    " 'capturing', 'captured', 'declined', 'voiding', 'canceled', 'refunded')"
)


def upgrade() -> None:
    """Widen what statuses may be, and make room for refunds."""
    _orders()
    _payments()
    _refunds()
    _refunds_under_way()


def _orders() -> None:
    with op.batch_alter_table("orders") as orders:
        orders.add_column(sa.Column("expires_at", MOMENT))
        orders.drop_constraint(op.f("ck_orders_status"), type_="check")
        orders.create_check_constraint(op.f("ck_orders_status"), ORDER_STATUSES)
    # Whoever is still to pay has as long as an order placed now.
    orders_now = sa.table("orders", sa.column("expires_at", MOMENT), sa.column("status"))
    op.execute(
        orders_now.update()
        .where(orders_now.c.status.in_(["pending", "payment_failed"]))
        .values(expires_at=datetime.now(UTC) + timedelta(hours=1))
    )
    unpaid = sa.text("status IN ('pending', 'payment_failed')")
    op.create_index(
        "ix_orders_expires_at",
        "orders",
        ["expires_at"],
        postgresql_where=unpaid,
        sqlite_where=unpaid,
    )


def _payments() -> None:
    with op.batch_alter_table("payments") as payments:
        payments.add_column(
            sa.Column("capture_method", sa.Text(), nullable=False, server_default="automatic")
        )
        payments.add_column(sa.Column("action", sa.Text()))
        payments.add_column(
            sa.Column("capture_minor", sa.BigInteger(), nullable=False, server_default="0")
        )
        payments.drop_constraint(op.f("ck_payments_status"), type_="check")
        payments.create_check_constraint(op.f("ck_payments_status"), PAYMENT_STATUSES)
        payments.create_check_constraint(
            op.f("ck_payments_capture_method"), "capture_method IN ('automatic', 'manual')"
        )
    op.execute("UPDATE payments SET capture_minor = captured_minor")
    with op.batch_alter_table("payments") as payments:
        payments.alter_column("capture_method", server_default=None)
        payments.alter_column("capture_minor", server_default=None)


def _refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("payment_id", "number", name=op.f("uq_refunds_payment_id_number")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount")),
        sa.CheckConstraint(
            "status IN ('pending', 'succeeded', 'failed')", name=op.f("ck_refunds_status")
        ),
    )
    # What was refunded before was refunded whole. Its id is the payment's: unique, and enough.
    op.execute(
        "INSERT INTO refunds (id, payment_id, number, amount_minor, reason, status, created_at)"
        " SELECT id, id, 1, refunded_minor, '', 'succeeded', created_at"
        " FROM payments WHERE refunded_minor > 0"
    )


def _refunds_under_way() -> None:
    """Ask anew for what was on its way back when the shop was stopped.

    Until now a job did so, that nobody knows any more; from now on the sweeper finds a refund that
    waits. If the money did go back meanwhile, the gateway refuses to send more than it has.
    """
    waiting = sa.text(
        "INSERT INTO refunds (id, payment_id, number, amount_minor, reason, status, created_at)"
        " SELECT payments.id, payments.id, 1, captured_minor, 'the order was called off',"
        " 'pending', :now FROM payments JOIN orders ON orders.id = payments.order_id"
        " WHERE orders.status = 'canceled' AND payments.status = 'captured'"
        " AND captured_minor > 0"
    )
    due = sa.text(
        "UPDATE payments SET refunded_minor = captured_minor, check_at = :now"
        " WHERE id IN (SELECT payment_id FROM refunds WHERE status = 'pending')"
    )
    now = sa.bindparam("now", datetime.now(UTC), MOMENT)
    op.execute(waiting.bindparams(now))
    op.execute(due.bindparams(now))
    op.execute("DELETE FROM jobs WHERE effect = 'refund_canceled_order' AND status <> 'done'")
    op.execute(
        "UPDATE jobs SET effect = 'settle_payments'"
        " WHERE effect = 'settle_canceled_order' AND status <> 'done'"
    )
