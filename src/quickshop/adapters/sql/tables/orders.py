"""Orders and their timelines."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Sequence,
    Table,
    UniqueConstraint,
    Uuid,
)

from quickshop.adapters.sql.column_types import Json, PlainText, RowNumber, UtcDateTime
from quickshop.adapters.sql.tables.cart import carts
from quickshop.adapters.sql.tables.catalog import variants
from quickshop.adapters.sql.tables.customers import customers
from quickshop.adapters.sql.tables.schema import metadata, partial_index

order_numbers: Final = Sequence("order_numbers", start=1001, metadata=metadata)
"""The sequence of order numbers, on databases with sequences. SQLite has one writer and counts."""

orders: Final = Table(
    "orders",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("cart_id", ForeignKey(carts.c.id), nullable=False, unique=True),
    Column("token_digest", CHAR(64), nullable=False),
    Column("email", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("subtotal_minor", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),
    Column("shipping_minor", BigInteger, nullable=False),
    Column("tax_minor", BigInteger, nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("shipping_address", Json, nullable=False),
    Column("billing_address", Json, nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Column("customer_id", ForeignKey(customers.c.id)),
    CheckConstraint(
        "status IN ('pending', 'paid', 'payment_failed', 'canceled', 'expired',"
        " 'partially_fulfilled', 'fulfilled', 'completed', 'refunded')",
        name="status",
    ),
    CheckConstraint(
        "total_minor = subtotal_minor - discount_minor + shipping_minor + tax_minor",
        name="adds_up",
    ),
    Index("ix_orders_token_digest", "token_digest", "id"),
    Index("ix_orders_customer_id", "customer_id", "id"),
    Index("ix_orders_status", "status", "id"),
    Index("ix_orders_email", "email", "id"),
    Index("ix_orders_placed_at", "placed_at"),
    partial_index(
        "ix_orders_expires_at", "expires_at", where="status IN ('pending', 'payment_failed')"
    ),
)

order_lines: Final = Table(
    "order_lines",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey(orders.c.id), nullable=False),
    Column("position", Integer, nullable=False),
    Column("variant_id", ForeignKey(variants.c.id), nullable=False),
    Column("sku", PlainText, nullable=False),
    Column("title", PlainText, nullable=False),
    Column("variant_title", PlainText, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    UniqueConstraint("order_id", "position"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("unit_price_minor >= 0", name="unit_price"),
)

order_events: Final = Table(
    "order_events",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("order_id", ForeignKey(orders.c.id), nullable=False),
    Column("kind", PlainText, nullable=False),
    Column("facts", Json, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Index("ix_order_events_order_id", "order_id", "id"),
)
