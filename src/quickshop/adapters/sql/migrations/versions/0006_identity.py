"""Accounts, sessions, roles and API keys; customers, and what is theirs.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SORTED = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    """Make room for people."""
    _accounts()
    _sessions()
    _one_time_tokens()
    _customers()
    _owners()
    _partial_index("ix_notifications_account", "notifications", "recipient", "order_id IS NULL")


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id"],
        ["accounts.id"],
        name=op.f(f"fk_{table}_account_id"),
        ondelete="CASCADE",
    )


def _moment(name: str, *, required: bool = True) -> sa.Column[Any]:
    return sa.Column(name, MOMENT, nullable=not required)


def _partial_index(name: str, table: str, column: str, where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, [column], postgresql_where=condition, sqlite_where=condition)


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", SORTED, nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        _moment("created_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
        sa.CheckConstraint(
            "status IN ('active', 'disabled', 'erased')", name=op.f("ck_accounts_status")
        ),
    )
    op.create_table(
        "roles",
        sa.Column("name", SORTED, nullable=False),
        sa.Column("permissions", JSON, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_roles")),
    )
    op.create_table(
        "account_roles",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", SORTED, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "role", name=op.f("pk_account_roles")),
        _of_account("account_roles"),
    )
    op.create_index("ix_account_roles_role", "account_roles", ["role"])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.CHAR(64), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        _moment("created_at"),
        _moment("expires_at", required=False),
        _moment("revoked_at", required=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
        _of_account("api_keys"),
    )
    op.create_index("ix_api_keys_account_id", "api_keys", ["account_id", "id"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        _moment("created_at"),
        _moment("last_used_at"),
        _moment("expires_at"),
        _moment("revoked_at", required=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        _of_account("sessions"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id", "id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    _partial_index("ix_sessions_revoked_at", "sessions", "revoked_at", "revoked_at IS NOT NULL")
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.CHAR(64), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        _moment("issued_at"),
        _moment("used_at", required=False),
        sa.Column("sealed_successor", sa.Text()),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_refresh_tokens")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["sessions.id"],
            name=op.f("fk_refresh_tokens_session_id"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "(used_at IS NULL) = (sealed_successor IS NULL)",
            name=op.f("ck_refresh_tokens_successor"),
        ),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])


def _one_time_tokens() -> None:
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("digest", sa.CHAR(64)),
        _moment("created_at"),
        _moment("expires_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_one_time_tokens_digest")),
        _of_account("one_time_tokens"),
        sa.CheckConstraint(
            "purpose IN ('confirm_account', 'reset_password', 'change_email')",
            name=op.f("ck_one_time_tokens_purpose"),
        ),
    )
    op.create_index("ix_one_time_tokens_expires_at", "one_time_tokens", ["expires_at"])
    op.create_index("ix_one_time_tokens_email", "one_time_tokens", ["email"])
    op.create_index("ix_one_time_tokens_account_id", "one_time_tokens", ["account_id"])


def _customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text()),
        sa.Column("addresses", JSON, nullable=False),
        sa.Column("consents", JSON, nullable=False),
        _moment("created_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.ForeignKeyConstraint(
            ["id"], ["accounts.id"], name=op.f("fk_customers_id"), ondelete="CASCADE"
        ),
    )


def _owners() -> None:
    """Whose a cart or an order is: nobody's account yet."""
    _add_column("carts", "customer_id", sa.Uuid(), "REFERENCES customers (id)")
    _add_column("carts", "changed_at", MOMENT)
    op.execute("UPDATE carts SET changed_at = created_at")
    op.create_index("ix_carts_customer_id", "carts", ["customer_id", "id"])
    op.create_index("ix_carts_changed_at", "carts", ["changed_at", "id"])
    _add_column("orders", "customer_id", sa.Uuid(), "REFERENCES customers (id)")
    op.create_index("ix_orders_customer_id", "orders", ["customer_id", "id"])


def _add_column(table: str, column: str, kind: Any, reference: str = "") -> None:
    # By hand: for a foreign key SQLite would have to rebuild a table that others refer to.
    name = kind.compile(dialect=op.get_bind().dialect)
    named = f"CONSTRAINT fk_{table}_{column} {reference}" if reference else ""
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {name} {named}")
