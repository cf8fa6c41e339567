"""Idempotency keys and their stored answers."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CHAR, Column, Index, Table

from quickshop.adapters.sql.column_types import PlainText, UtcDateTime
from quickshop.adapters.sql.tables.schema import metadata

idempotency_keys: Final = Table(
    "idempotency_keys",
    metadata,
    Column("scope", PlainText, primary_key=True),
    Column("key", PlainText, primary_key=True),
    Column("fingerprint", CHAR(64), nullable=False),
    Column("answer", PlainText),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_idempotency_keys_created_at", "created_at"),
)
