"""Stock: counters, the ledger, holds and allocations."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Uuid,
)

from quickshop.adapters.sql.column_types import PlainText, RowNumber, SortedText, UtcDateTime
from quickshop.adapters.sql.tables.cart import carts
from quickshop.adapters.sql.tables.catalog import variants
from quickshop.adapters.sql.tables.orders import order_lines, orders
from quickshop.adapters.sql.tables.schema import metadata, partial_index
from quickshop.domain.inventory import MAX_STRIPES, MAX_UNITS

locations: Final = Table(
    "locations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", SortedText, nullable=False, unique=True),
    Column("priority", Integer, nullable=False),
)

stock_levels: Final = Table(
    "stock_levels",
    metadata,
    Column("variant_id", ForeignKey(variants.c.id), primary_key=True),
    Column("location_id", ForeignKey(locations.c.id), primary_key=True),
    Column("on_hand", Integer, nullable=False),
    Column("allocated", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("backorder_limit", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("low_stock_threshold", Integer),
    Column("stripes", Integer, nullable=False, server_default="0"),
    CheckConstraint("on_hand - allocated - held >= -backorder_limit", name="not_oversold"),
    CheckConstraint("allocated >= 0", name="allocated"),
    CheckConstraint("held >= 0", name="held"),
    CheckConstraint("backorder_limit >= 0", name="backorder_limit"),
    CheckConstraint(f"on_hand <= {MAX_UNITS}", name="on_hand"),
    CheckConstraint("low_stock_threshold >= 0", name="low_stock_threshold"),
    CheckConstraint(f"stripes BETWEEN 0 AND {MAX_STRIPES}", name="stripes"),
)

stock_stripes: Final = Table(
    "stock_stripes",
    metadata,
    Column("variant_id", Uuid, primary_key=True),
    Column("location_id", Uuid, primary_key=True),
    Column("stripe", Integer, primary_key=True, autoincrement=False),
    # Shares of the level's counters: a share may be negative, but its free units may not.
    Column("on_hand", Integer, nullable=False),
    Column("allocated", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("on_hand - allocated - held >= 0", name="not_oversold"),
    ForeignKeyConstraint(
        ["variant_id", "location_id"], [stock_levels.c.variant_id, stock_levels.c.location_id]
    ),
)

stock_movements: Final = Table(
    "stock_movements",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("kind", PlainText, nullable=False),
    Column("variant_id", ForeignKey(variants.c.id), nullable=False),
    Column("location_id", ForeignKey(locations.c.id), nullable=False),
    Column("on_hand", Integer, nullable=False),
    Column("allocated", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("order_id", Uuid),
    Column("occurred_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "kind IN ('received', 'held', 'allocated', 'released', 'shipped', 'adjusted',"
        " 'transferred')",
        name="kind",
    ),
    Index("ix_stock_movements_level", "variant_id", "location_id"),
)

stock_holds: Final = Table(
    "stock_holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner", PlainText, nullable=False),
    Column("cart_id", ForeignKey(carts.c.id), nullable=False),
    Column("variant_id", Uuid, nullable=False),
    Column("location_id", Uuid, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended", PlainText),
    Column("ended_at", UtcDateTime),
    CheckConstraint("owner IN ('cart', 'checkout')", name="owner"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("ended IN ('released', 'allocated')", name="ended"),
    CheckConstraint("(ended IS NULL) = (ended_at IS NULL)", name="ended_at"),
    ForeignKeyConstraint(
        ["variant_id", "location_id"], [stock_levels.c.variant_id, stock_levels.c.location_id]
    ),
    partial_index(
        "uq_stock_holds_live",
        "cart_id",
        "variant_id",
        "location_id",
        where="ended IS NULL",
        unique=True,
    ),
    partial_index(
        "ix_stock_holds_live", "variant_id", "location_id", "expires_at", where="ended IS NULL"
    ),
    partial_index("ix_stock_holds_expires_at", "expires_at", where="ended IS NULL"),
    Index("ix_stock_holds_ended_at", "ended_at"),
)

allocations: Final = Table(
    "allocations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey(orders.c.id), nullable=False),
    Column("order_line_id", ForeignKey(order_lines.c.id), nullable=False),
    Column("variant_id", Uuid, nullable=False),
    Column("location_id", Uuid, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("released", Boolean, nullable=False),
    Column("shipped", Integer, nullable=False, server_default="0"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("shipped BETWEEN 0 AND quantity", name="shipped"),
    ForeignKeyConstraint(
        ["variant_id", "location_id"], [stock_levels.c.variant_id, stock_levels.c.location_id]
    ),
    Index("ix_allocations_order_id", "order_id"),
    partial_index("ix_allocations_live", "variant_id", "location_id", where="NOT released"),
)
