"""The schema, as SQLAlchemy Core sees it. Migrations are written from this and tested against it.

Every invariant that the domain states about stored facts stands here a second time, as a
constraint, so that no path around the domain can break it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from quickshop.adapters.sql.column_types import Json, PlainText, RowNumber, SortedText, UtcDateTime

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

categories: Final = Table(
    "categories",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("slug", PlainText, nullable=False, unique=True),
    Column("name", SortedText, nullable=False),
    Column("parent_id", ForeignKey("categories.id"), index=True),
)

products: Final = Table(
    "products",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("handle", PlainText, nullable=False, unique=True),
    Column("title", PlainText, nullable=False),
    Column("title_sort", SortedText, nullable=False),
    Column("title_words", PlainText, nullable=False),
    Column("search_text", PlainText, nullable=False),
    Column("description_html", PlainText, nullable=False),
    Column("vendor", PlainText, nullable=False),
    Column("product_type", PlainText, nullable=False),
    Column("category_id", ForeignKey("categories.id")),
    Column("tags", Json, nullable=False),
    Column("option_names", Json, nullable=False),
    Column("images", Json, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("published", Boolean, nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("min_price_minor", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_products_published_id", "published", "id"),
    Index("ix_products_published_price", "published", "min_price_minor", "id"),
    Index("ix_products_published_title", "published", "title_sort", "id"),
    Index("ix_products_category_id", "category_id", "id"),
    Index("ix_products_vendor", "vendor", "id"),
)

product_tags: Final = Table(
    "product_tags",
    metadata,
    Column("product_id", ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", PlainText, primary_key=True),
    Index("ix_product_tags_tag", "tag", "product_id"),
)

variants: Final = Table(
    "variants",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("sku", SortedText, nullable=False),
    Column("options", Json, nullable=False),
    Column("option_key", PlainText, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("compare_at_minor", BigInteger),
    Column("currency", CHAR(3), nullable=False),
    Column("weight_grams", Integer, nullable=False),
    Column("barcode", PlainText),
    Column("requires_shipping", Boolean, nullable=False),
    Column("taxable", Boolean, nullable=False),
    CheckConstraint("price_minor >= 0", name="price"),
    CheckConstraint("compare_at_minor >= 0", name="compare_at"),
    CheckConstraint("weight_grams >= 0", name="weight"),
    Index("ix_variants_product_id", "product_id", "position"),
    # A variant that left its product keeps its row, for the orders and stock that name it, but
    # neither its SKU nor its options.
    Index(
        "uq_variants_sku",
        "sku",
        unique=True,
        postgresql_where=text("NOT retired"),
        sqlite_where=text("NOT retired"),
    ),
    Index(
        "uq_variants_options",
        "product_id",
        "option_key",
        unique=True,
        postgresql_where=text("NOT retired"),
        sqlite_where=text("NOT retired"),
    ),
)

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
    Column("variant_id", ForeignKey("variants.id"), primary_key=True),
    Column("location_id", ForeignKey("locations.id"), primary_key=True),
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
    CheckConstraint("on_hand <= 1000000000", name="on_hand"),
    CheckConstraint("low_stock_threshold >= 0", name="low_stock_threshold"),
    CheckConstraint("stripes BETWEEN 0 AND 64", name="stripes"),
)

stock_stripes: Final = Table(
    "stock_stripes",
    metadata,
    Column("variant_id", Uuid, primary_key=True),
    Column("location_id", Uuid, primary_key=True),
    Column("stripe", Integer, primary_key=True, autoincrement=False),
    # Shares of the level's counters: any of them may be negative, only what is free may not.
    Column("on_hand", Integer, nullable=False),
    Column("allocated", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("on_hand - allocated - held >= 0", name="not_oversold"),
    ForeignKeyConstraint(
        ["variant_id", "location_id"], ["stock_levels.variant_id", "stock_levels.location_id"]
    ),
)

stock_movements: Final = Table(
    "stock_movements",
    metadata,
    Column("id", RowNumber, primary_key=True, autoincrement=True),
    Column("kind", PlainText, nullable=False),
    Column("variant_id", ForeignKey("variants.id"), nullable=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("on_hand", Integer, nullable=False),
    Column("allocated", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("order_id", Uuid),
    Column("occurred_at", UtcDateTime, nullable=False),
    CheckConstraint(
        "kind IN ('received', 'held', 'allocated', 'released', 'shipped', 'adjusted')",
        name="kind",
    ),
    Index("ix_stock_movements_level", "variant_id", "location_id"),
)

carts: Final = Table(
    "carts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("token_digest", CHAR(64), nullable=False),
    Column("currency", CHAR(3), nullable=False),
    Column("status", PlainText, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    CheckConstraint("status IN ('open', 'completed')", name="status"),
)

cart_lines: Final = Table(
    "cart_lines",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("cart_id", ForeignKey("carts.id", ondelete="CASCADE"), nullable=False),
    Column("variant_id", ForeignKey("variants.id"), nullable=False),
    Column("quantity", Integer, nullable=False),
    UniqueConstraint("cart_id", "variant_id"),
    CheckConstraint("quantity BETWEEN 1 AND 999", name="quantity"),
)

stock_holds: Final = Table(
    "stock_holds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner", PlainText, nullable=False),
    Column("cart_id", ForeignKey("carts.id"), nullable=False),
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
        ["variant_id", "location_id"], ["stock_levels.variant_id", "stock_levels.location_id"]
    ),
    Index(
        "uq_stock_holds_live",
        "cart_id",
        "variant_id",
        "location_id",
        unique=True,
        postgresql_where=text("ended IS NULL"),
        sqlite_where=text("ended IS NULL"),
    ),
    Index(
        "ix_stock_holds_live",
        "variant_id",
        "location_id",
        "expires_at",
        postgresql_where=text("ended IS NULL"),
        sqlite_where=text("ended IS NULL"),
    ),
    Index(
        "ix_stock_holds_expires_at",
        "expires_at",
        postgresql_where=text("ended IS NULL"),
        sqlite_where=text("ended IS NULL"),
    ),
    Index("ix_stock_holds_ended_at", "ended_at"),
)

order_numbers: Final = Sequence("order_numbers", start=1001, metadata=metadata)
"""Where the database has sequences; SQLite, with its one writer, counts by itself."""

orders: Final = Table(
    "orders",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("cart_id", ForeignKey("carts.id"), nullable=False, unique=True),
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
    Index("ix_orders_status", "status", "id"),
    Index(
        "ix_orders_expires_at",
        "expires_at",
        postgresql_where=text("status IN ('pending', 'payment_failed')"),
        sqlite_where=text("status IN ('pending', 'payment_failed')"),
    ),
)

order_lines: Final = Table(
    "order_lines",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("variant_id", ForeignKey("variants.id"), nullable=False),
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
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("kind", PlainText, nullable=False),
    Column("facts", Json, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Index("ix_order_events_order_id", "order_id", "id"),
)

allocations: Final = Table(
    "allocations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("order_line_id", ForeignKey("order_lines.id"), nullable=False),
    Column("variant_id", Uuid, nullable=False),
    Column("location_id", Uuid, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("released", Boolean, nullable=False),
    Column("shipped", Integer, nullable=False, server_default="0"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("shipped BETWEEN 0 AND quantity", name="shipped"),
    ForeignKeyConstraint(
        ["variant_id", "location_id"], ["stock_levels.variant_id", "stock_levels.location_id"]
    ),
    Index("ix_allocations_order_id", "order_id"),
    Index(
        "ix_allocations_live",
        "variant_id",
        "location_id",
        postgresql_where=text("NOT released"),
        sqlite_where=text("NOT released"),
    ),
)

payments: Final = Table(
    "payments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
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
    Index(
        "ix_payments_check_at",
        "check_at",
        postgresql_where=text("check_at IS NOT NULL"),
        sqlite_where=text("check_at IS NOT NULL"),
    ),
)

refunds: Final = Table(
    "refunds",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("payment_id", ForeignKey("payments.id"), nullable=False),
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

fulfillments: Final = Table(
    "fulfillments",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
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
    Column("fulfillment_id", ForeignKey("fulfillments.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("order_line_id", ForeignKey("order_lines.id"), nullable=False),
    Column("location_id", ForeignKey("locations.id"), nullable=False),
    Column("quantity", Integer, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
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
    Index(
        "ix_payment_webhooks_rejected",
        "received_at",
        postgresql_where=IS_REJECTED,
        sqlite_where=IS_REJECTED,
    ),
)

notifications: Final = Table(
    "notifications",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("channel", PlainText, primary_key=True),
    Column("recipient", PlainText, primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("order_id", ForeignKey("orders.id"), index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
)

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("effect", PlainText, nullable=False),
    Column("event_kind", PlainText, nullable=False),
    Column("event", Json, nullable=False),
    Column("subject", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When it was or is to be done; when it may be handed out; until when nobody may start it.
    Column("due_at", UtcDateTime, nullable=False),
    Column("available_at", UtcDateTime, nullable=False),
    Column("held_until", UtcDateTime),
    Column("error", PlainText, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    UniqueConstraint("event_id", "effect"),
    CheckConstraint("status IN ('waiting', 'done', 'dead')", name="status"),
    Index(
        "ix_jobs_waiting",
        "available_at",
        "id",
        postgresql_where=text("status = 'waiting'"),
        sqlite_where=text("status = 'waiting'"),
    ),
    Index("ix_jobs_status", "status", "done_at"),
)

schedules: Final = Table(
    "schedules",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
)

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
