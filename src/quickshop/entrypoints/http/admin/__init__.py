"""The admin API. Each route declares the use case whose permission it requires."""

from quickshop.entrypoints.http.admin import (
    catalog,
    categories,
    customers,
    imports,
    inventory,
    jobs,
    orders,
    users,
)

ROUTERS = (
    catalog.router,
    categories.router,
    inventory.router,
    orders.router,
    imports.router,
    jobs.router,
    customers.router,
    users.router,
)

__all__ = ["ROUTERS"]
