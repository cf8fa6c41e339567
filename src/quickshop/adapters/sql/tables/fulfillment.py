"""Fulfillments."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, Table, UniqueConstraint, Uuid

from quickshop.adapters.sql.column_types import PlainText, UtcDateTime
from quickshop.adapters.sql.tables.inventory import locations
from quickshop.adapters.sql.tables.orders import order_lines, orders
from quickshop.adapters.sql.tables.schema import metadata

fulfillments: Final = Table(
    "fulfillments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey(orders.c.id), nullable=False),
    Column("number", Integer, nullable=False),
    Column("carrier", PlainText, nullable=False),
    Column("tracking_number", PlainText, nullable=False),
    Column("tracking_url", PlainText, nullable=False),
    Column("shipped_at", UtcDateTime, nullable=False),
    UniqueConstraint("order_id", "number"),
    CheckConstraint("number > 0", name="number"),
)

fulfillment_lines: Final = Table(
    "fulfillment_lines",
    metadata,
    Column("fulfillment_id", ForeignKey(fulfillments.c.id), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("order_line_id", ForeignKey(order_lines.c.id), nullable=False),
    Column("location_id", ForeignKey(locations.c.id), nullable=False),
    Column("quantity", Integer, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
)
