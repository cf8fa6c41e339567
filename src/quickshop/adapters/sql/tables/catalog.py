"""Products, variants and categories."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Uuid,
)

from quickshop.adapters.sql.column_types import Json, PlainText, SortedText
from quickshop.adapters.sql.tables.schema import metadata, partial_index

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
    Column("category_id", ForeignKey(categories.c.id)),
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
    Column("product_id", ForeignKey(products.c.id, ondelete="CASCADE"), primary_key=True),
    Column("tag", PlainText, primary_key=True),
    Index("ix_product_tags_tag", "tag", "product_id"),
)

variants: Final = Table(
    "variants",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("product_id", ForeignKey(products.c.id), nullable=False),
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
    # A removed variant keeps its row, because orders and stock refer to it, but its SKU and
    # options become free.
    partial_index("uq_variants_sku", "sku", where="NOT retired", unique=True),
    partial_index(
        "uq_variants_options", "product_id", "option_key", where="NOT retired", unique=True
    ),
)
