"""The API of staff: every route declares the use case whose permission it asks for."""

from quickshop.entrypoints.http.admin import (
    catalog,
    categories,
    imports,
    inventory,
    jobs,
    orders,
)

ROUTERS = (
    catalog.router,
    categories.router,
    inventory.router,
    orders.router,
    imports.router,
    jobs.router,
)

__all__ = ["ROUTERS"]
