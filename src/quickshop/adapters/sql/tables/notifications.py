"""Emails that were sent or are being sent."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, ForeignKey, Table, Uuid

from quickshop.adapters.sql.column_types import PlainText, UtcDateTime
from quickshop.adapters.sql.tables.orders import orders
from quickshop.adapters.sql.tables.schema import metadata, partial_index

notifications: Final = Table(
    "notifications",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("channel", PlainText, primary_key=True),
    Column("recipient", PlainText, primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("order_id", ForeignKey(orders.c.id), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    partial_index("ix_notifications_account", "recipient", where="order_id IS NULL"),
)
