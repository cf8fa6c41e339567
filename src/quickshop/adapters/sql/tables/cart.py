"""Carts."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    Uuid,
)

from quickshop.adapters.sql.column_types import PlainText, UtcDateTime
from quickshop.adapters.sql.tables.catalog import variants
from quickshop.adapters.sql.tables.customers import customers
from quickshop.adapters.sql.tables.schema import metadata
from quickshop.domain.cart import MAX_QUANTITY

carts: Final = Table(
    "carts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("token_digest", CHAR(64), nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("status", PlainText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("customer_id", ForeignKey(customers.c.id)),
    Column("changed_at", UtcDateTime),
    CheckConstraint("status IN ('open', 'completed')", name="status"),
    Index("ix_carts_customer_id", "customer_id", "id"),
    Index("ix_carts_changed_at", "changed_at", "id"),
)

cart_lines: Final = Table(
    "cart_lines",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("cart_id", ForeignKey(carts.c.id, ondelete="CASCADE"), nullable=False),
    Column("variant_id", ForeignKey(variants.c.id), nullable=False),
    Column("quantity", Integer, nullable=False),
    UniqueConstraint("cart_id", "variant_id"),
    CheckConstraint(f"quantity BETWEEN 1 AND {MAX_QUANTITY}", name="quantity"),
)
