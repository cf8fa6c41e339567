"""What staff work with: transfers, files to import, orders by who placed them and when.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
KINDS = (
    "kind IN ('received', 'held', 'allocated', 'released', 'shipped', 'adjusted', 'transferred')"
)


def upgrade() -> None:
    """Make room for the work of staff."""
    _ledger()
    _imports()
    op.create_index("ix_orders_email", "orders", ["email", "id"])
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])


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


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("currency", sa.CHAR(3), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("with_stock", sa.Boolean(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer()),
        sa.Column("items_done", sa.Integer(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.CheckConstraint(
            "status IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_imports_status")
        ),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (status IN ('waiting', 'running'))",
            name=op.f("ck_imports_finished_at"),
        ),
    )
    op.create_table(
        "import_chunks",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_chunks")),
        _of_import("import_chunks"),
    )
    op.create_table(
        "import_issues",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "position", name=op.f("pk_import_issues")),
        sa.CheckConstraint(
            "severity IN ('note', 'error')", name=op.f("ck_import_issues_severity")
        ),
        _of_import("import_issues"),
    )


def _of_import(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["import_id"], ["imports.id"], name=op.f(f"fk_{table}_import_id")
    )
