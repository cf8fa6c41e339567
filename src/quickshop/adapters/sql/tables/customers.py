"""Customers: the personal data of accounts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Integer, Table

from quickshop.adapters.sql.column_types import Json, PlainText, UtcDateTime
from quickshop.adapters.sql.tables.identity import accounts
from quickshop.adapters.sql.tables.schema import metadata

customers: Final = Table(
    "customers",
    metadata,
    Column("id", ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    Column("name", PlainText, nullable=False),
    Column("phone", PlainText),
    Column("addresses", Json, nullable=False),
    Column("consents", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
)
