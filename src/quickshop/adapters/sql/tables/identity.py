"""Accounts, sessions, tokens, API keys and roles."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CHAR, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Uuid

from quickshop.adapters.sql.column_types import Json, PlainText, SortedText, UtcDateTime
from quickshop.adapters.sql.tables.schema import metadata, partial_index

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("email", SortedText, nullable=False, unique=True),
    Column("password_hash", PlainText),
    Column("status", PlainText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("status IN ('active', 'disabled', 'erased')", name="status"),
)

roles: Final = Table(
    "roles",
    metadata,
    Column("name", SortedText, primary_key=True),
    Column("permissions", Json, nullable=False),
    Column("version", Integer, nullable=False),
)
"""Custom roles of the shop. Built-in roles are defined in code."""

account_roles: Final = Table(
    "account_roles",
    metadata,
    Column("account_id", ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("role", SortedText, primary_key=True),
    Index("ix_account_roles_role", "role"),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("device", PlainText, nullable=False),
    Column("address", PlainText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Index("ix_sessions_account_id", "account_id", "id"),
    Index("ix_sessions_expires_at", "expires_at"),
    partial_index("ix_sessions_revoked_at", "revoked_at", where="revoked_at IS NOT NULL"),
)

refresh_tokens: Final = Table(
    "refresh_tokens",
    metadata,
    Column("digest", CHAR(64), primary_key=True),
    Column("session_id", ForeignKey(sessions.c.id, ondelete="CASCADE"), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("sealed_successor", PlainText),
    Index("ix_refresh_tokens_session_id", "session_id"),
    CheckConstraint(
        "(used_at IS NULL) = (sealed_successor IS NULL)",
        name="successor",
    ),
)

one_time_tokens: Final = Table(
    "one_time_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("purpose", PlainText, nullable=False),
    Column("email", PlainText, nullable=False),
    Column("account_id", ForeignKey(accounts.c.id, ondelete="CASCADE")),
    Column("name", PlainText, nullable=False),
    Column("password_hash", PlainText),
    Column("digest", CHAR(64), unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint(
        "purpose IN ('confirm_account', 'reset_password', 'change_email')", name="purpose"
    ),
    Index("ix_one_time_tokens_expires_at", "expires_at"),
    Index("ix_one_time_tokens_email", "email"),
    Index("ix_one_time_tokens_account_id", "account_id"),
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", PlainText, nullable=False),
    Column("digest", CHAR(64), nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Index("ix_api_keys_account_id", "account_id", "id"),
)
