"""Holds, shipping, low-stock notices, striped levels.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KINDS = "kind IN ('received', 'held', 'allocated', 'released', 'shipped', 'adjusted')"
LIVE = sa.text("ended IS NULL")


def upgrade() -> None:
    """Add what is new, and let the old tables know of it."""
    _levels()
    _ledger()
    _allocations()
    _holds()
    _notifications()


def _levels() -> None:
    # By hand: SQLite would have to rebuild a table that others refer to.
    op.execute("""
        ALTER TABLE stock_levels ADD COLUMN low_stock_threshold INTEGER
        CONSTRAINT ck_stock_levels_low_stock_threshold CHECK (low_stock_threshold >= 0)
    """)
    op.execute("""
        ALTER TABLE stock_levels ADD COLUMN stripes INTEGER DEFAULT '0' NOT NULL
        CONSTRAINT ck_stock_levels_stripes CHECK (stripes BETWEEN 0 AND 64)
    """)
    op.create_table(
        "stock_stripes",
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("stripe", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("allocated", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "on_hand - allocated - held >= 0", name=op.f("ck_stock_stripes_not_oversold")
        ),
        sa.ForeignKeyConstraint(
            ["variant_id", "location_id"],
            ["stock_levels.variant_id", "stock_levels.location_id"],
            name=op.f("fk_stock_stripes_variant_id"),
        ),
        sa.PrimaryKeyConstraint(
            "variant_id", "location_id", "stripe", name=op.f("pk_stock_stripes")
        ),
    )


def _ledger() -> None:
    with op.batch_alter_table("stock_movements") as table:
        table.drop_constraint(op.f("ck_stock_movements_kind"), type_="check")
        table.create_check_constraint(op.f("ck_stock_movements_kind"), KINDS)
    if op.get_bind().dialect.name == "sqlite":
        # They went with the table that was rebuilt.
        for change in ("UPDATE", "DELETE"):
            op.execute(f"""
                CREATE TRIGGER append_only_{change.lower()} BEFORE {change} ON stock_movements
                BEGIN SELECT RAISE(ABORT, 'the stock ledger is append-only'); END
            """)


def _allocations() -> None:
    op.execute("""
        ALTER TABLE allocations ADD COLUMN shipped INTEGER DEFAULT '0' NOT NULL
        CONSTRAINT ck_allocations_shipped CHECK (shipped BETWEEN 0 AND quantity)
    """)


def _holds() -> None:
    op.create_table(
        "stock_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("cart_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint("owner IN ('cart', 'checkout')", name=op.f("ck_stock_holds_owner")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_holds_quantity")),
        sa.CheckConstraint(
            "ended IN ('released', 'allocated')", name=op.f("ck_stock_holds_ended")
        ),
        sa.CheckConstraint(
            "(ended IS NULL) = (ended_at IS NULL)", name=op.f("ck_stock_holds_ended_at")
        ),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_stock_holds_cart_id")),
        sa.ForeignKeyConstraint(
            ["variant_id", "location_id"],
            ["stock_levels.variant_id", "stock_levels.location_id"],
            name=op.f("fk_stock_holds_variant_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_holds")),
    )
    for name, columns, unique in (
        ("uq_stock_holds_live", ["cart_id", "variant_id", "location_id"], True),
        ("ix_stock_holds_live", ["variant_id", "location_id", "expires_at"], False),
        ("ix_stock_holds_expires_at", ["expires_at"], False),
    ):
        op.create_index(
            name, "stock_holds", columns, unique=unique, postgresql_where=LIVE, sqlite_where=LIVE
        )
    op.create_index("ix_stock_holds_ended_at", "stock_holds", ["ended_at"], unique=False)


def _notifications() -> None:
    with op.batch_alter_table("notifications") as table:
        table.alter_column("order_id", existing_type=sa.Uuid(), nullable=True)
