"""The schema as SQLAlchemy Core tables. Migrations are written from it and tested against it.

Each invariant of the domain about stored facts is also a constraint here, so that no code can
bypass it.
"""

from quickshop.adapters.sql.tables.cart import cart_lines, carts
from quickshop.adapters.sql.tables.catalog import categories, product_tags, products, variants
from quickshop.adapters.sql.tables.customers import customers
from quickshop.adapters.sql.tables.fulfillment import fulfillment_lines, fulfillments
from quickshop.adapters.sql.tables.idempotency import idempotency_keys
from quickshop.adapters.sql.tables.identity import (
    account_roles,
    accounts,
    api_keys,
    one_time_tokens,
    refresh_tokens,
    roles,
    sessions,
)
from quickshop.adapters.sql.tables.imports import import_chunks, import_issues, imports
from quickshop.adapters.sql.tables.inventory import (
    allocations,
    locations,
    stock_holds,
    stock_levels,
    stock_movements,
    stock_stripes,
)
from quickshop.adapters.sql.tables.jobs import jobs, schedules
from quickshop.adapters.sql.tables.notifications import notifications
from quickshop.adapters.sql.tables.orders import order_events, order_lines, order_numbers, orders
from quickshop.adapters.sql.tables.payments import IS_REJECTED, payment_webhooks, payments, refunds
from quickshop.adapters.sql.tables.schema import metadata

__all__ = [
    "IS_REJECTED",
    "account_roles",
    "accounts",
    "allocations",
    "api_keys",
    "cart_lines",
    "carts",
    "categories",
    "customers",
    "fulfillment_lines",
    "fulfillments",
    "idempotency_keys",
    "import_chunks",
    "import_issues",
    "imports",
    "jobs",
    "locations",
    "metadata",
    "notifications",
    "one_time_tokens",
    "order_events",
    "order_lines",
    "order_numbers",
    "orders",
    "payment_webhooks",
    "payments",
    "product_tags",
    "products",
    "refresh_tokens",
    "refunds",
    "roles",
    "schedules",
    "sessions",
    "stock_holds",
    "stock_levels",
    "stock_movements",
    "stock_stripes",
    "variants",
]
