"""Payment attempts, refunds, and webhook messages of payment gateways."""

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
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from quickshop.adapters.sql.column_types import PlainText, UtcDateTime
from quickshop.adapters.sql.tables.orders import orders
from quickshop.adapters.sql.tables.schema import metadata, partial_index

payments: Final = Table(
    "payments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey(orders.c.id), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("gateway_key", PlainText, nullable=False, unique=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("method", PlainText, nullable=False),
    Column("token", PlainText, nullable=False),
    Column("capture_method", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("reference", PlainText),
    Column("action", PlainText),
    Column("failure", PlainText),
    Column("capture_minor", BigInteger, nullable=False),
    Column("captured_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    Column("check_at", UtcDateTime),
    Column("checks", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("order_id", "attempt"),
    CheckConstraint(
        "status IN ('pending', 'processing', 'requires_action', 'unknown', 'authorized',"
        " 'capturing', 'captured', 'declined', 'voiding', 'canceled', 'refunded')",
        name="status",
    ),
    CheckConstraint("capture_method IN ('automatic', 'manual')", name="capture_method"),
    CheckConstraint("captured_minor BETWEEN 0 AND amount_minor", name="captured"),
    CheckConstraint("refunded_minor BETWEEN 0 AND captured_minor", name="refunded"),
    partial_index("ix_payments_check_at", "check_at", where="check_at IS NOT NULL"),
)

refunds: Final = Table(
    "refunds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("payment_id", ForeignKey(payments.c.id), nullable=False),
    Column("number", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("failure", PlainText),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("payment_id", "number"),
    CheckConstraint("amount_minor > 0", name="amount"),
    CheckConstraint("status IN ('pending', 'succeeded', 'failed')", name="status"),
)

IS_REJECTED: Final = text("verdict IN ('forged', 'stale', 'unreadable')")

payment_webhooks: Final = Table(
    "payment_webhooks",
    metadata,
    Column("provider", PlainText, primary_key=True),
    Column("event_id", PlainText, primary_key=True),
    Column("digest", CHAR(64), nullable=False),
    Column("kind", PlainText, nullable=False),
    Column("gateway_key", PlainText),
    Column("verdict", PlainText, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("deliveries", Integer, nullable=False),
    CheckConstraint(
        "verdict IN ('applied', 'ignored', 'mismatch', 'unknown_order', 'forged', 'stale',"
        " 'unreadable')",
        name="verdict",
    ),
    CheckConstraint("deliveries > 0", name="deliveries"),
    Index("ix_payment_webhooks_received_at", "received_at"),
    partial_index("ix_payment_webhooks_rejected", "received_at", where=IS_REJECTED.text),
)
