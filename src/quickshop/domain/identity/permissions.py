"""Permissions of staff, and the built-in roles."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """A permission of staff. Permission to write includes permission to read."""

    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    """Products, prices, categories, imports."""
    INVENTORY_READ = "inventory:read"
    INVENTORY_WRITE = "inventory:write"
    ORDERS_READ = "orders:read"
    """Orders, their payments, and the carts that may become orders."""
    ORDERS_WRITE = "orders:write"
    """Ship, cancel (which refunds the payment), complete, and add notes."""
    PAYMENTS_WRITE = "payments:write"
    """Capture, void and refund, unless that cancels an order."""
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    """Disable, enable and erase customers."""
    USERS_READ = "users:read"
    """Staff, roles and API keys."""
    USERS_WRITE = "users:write"
    """Invite staff, grant and create roles, create API keys; never beyond one's permissions."""
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    """Replay dead letters."""


IMPLIED: Final[Mapping[Permission, Permission]] = {
    Permission.CATALOG_WRITE: Permission.CATALOG_READ,
    Permission.INVENTORY_WRITE: Permission.INVENTORY_READ,
    Permission.ORDERS_WRITE: Permission.ORDERS_READ,
    Permission.PAYMENTS_WRITE: Permission.ORDERS_READ,
    Permission.CUSTOMERS_WRITE: Permission.CUSTOMERS_READ,
    Permission.USERS_WRITE: Permission.USERS_READ,
    Permission.JOBS_WRITE: Permission.JOBS_READ,
}
"""The permission that each permission includes."""

ADMIN: Final = "admin"
"""The role with every permission, also of later releases. At least one account has it."""

BUILT_IN_ROLES: Final[Mapping[str, frozenset[Permission]]] = {
    ADMIN: frozenset(Permission),
    "catalog_manager": frozenset({Permission.CATALOG_WRITE, Permission.INVENTORY_READ}),
    "stock_keeper": frozenset({Permission.INVENTORY_WRITE, Permission.CATALOG_READ}),
    "order_manager": frozenset(
        {
            Permission.ORDERS_WRITE,
            Permission.PAYMENTS_WRITE,
            Permission.CUSTOMERS_READ,
            Permission.INVENTORY_READ,
        }
    ),
    "support": frozenset({Permission.ORDERS_READ, Permission.CUSTOMERS_WRITE}),
}
"""Roles that every shop has. They cannot be changed; staff can create others."""


def with_implied(permissions: frozenset[Permission]) -> frozenset[Permission]:
    """Return the permissions and the permissions that they include."""
    return permissions | {IMPLIED[each] for each in permissions if each in IMPLIED}
