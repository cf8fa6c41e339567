"""The HTTP application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import anyio.to_thread
from fastapi import FastAPI
from starlette.types import Lifespan

from quickshop.adapters.memory.caches import NoProductCache, NoSessionCache
from quickshop.adapters.memory.limits import MemoryRequestGate
from quickshop.entrypoints.http import (
    account,
    admin,
    auth,
    cart,
    catalog,
    checkout,
    docs,
    errors,
    health,
    holds,
    orders,
    payments,
)
from quickshop.entrypoints.http.edge.guard import Guard, require_guarded
from quickshop.entrypoints.http.edge.hashing import HashThreads
from quickshop.entrypoints.http.edge.middleware import RequestEnvelope
from quickshop.entrypoints.http.edge.page_cache import PageCache
from quickshop.entrypoints.http.edge.rate_limits import Limits
from quickshop.entrypoints.http.edge.rules import Edge
from quickshop.ports.limits import RequestGate
from quickshop.shop import Shop

_ROUTERS = (
    catalog.router,
    cart.router,
    holds.router,
    checkout.router,
    orders.router,
    payments.router,
    auth.router,
    account.router,
    health.router,
    *admin.ROUTERS,
)


_DESCRIPTION: Final = """Browse, fill a cart, check out. Money is in minor units, times are UTC.

1. `POST /v1/carts` returns an `id` and a `token`. Send the token as `X-Cart-Token`.
2. `POST /v1/carts/{id}/lines` adds units of a SKU. Stock is checked at checkout.
   `POST /v1/carts/{id}/hold`, with an `Idempotency-Key`, reserves the units for a limited time.
3. `POST /v1/carts/{id}/checkout`, with an `Idempotency-Key`, returns the `pending` order and its
   own `token`. Send that one as `X-Order-Token`. Payment follows in the background.
4. `GET /v1/orders/{id}` returns the order and its current status.

Customers with an account sign in (`POST /v1/auth/login`) and send the access token as
`Authorization: Bearer …`, or have the browser keep cookies. Their carts and orders need no tokens.
Staff and programs with an API key use `/v1/admin`.

Bodies are JSON in UTF-8: at most 256 KiB, 10,000 values and 16 levels of nesting. Unknown fields
and parameters are refused. Each answer links to the operations that accept its ids.

Errors are `application/problem+json`. Decide by the `code`. In the repository,
`docs/reference/errors.md` lists every code with its status and what to do. `Retry-After` is sent
with 429, and with 503 if waiting may help.

The sandbox gateway decides by the payment token: `tok_ok`, `tok_declined`,
`tok_insufficient_funds`, `tok_timeout_then_ok`, `tok_timeout_lost`, `tok_slow`, `tok_error`; any
other is declined.
"""


def create_app(
    shop: Shop,
    *,
    pool_size: int = 8,
    product_cache_seconds: float = 2,
    edge: Edge | None = None,
    request_gate: RequestGate | None = None,
    limits: Limits | None = None,
) -> FastAPI:
    """Create the ASGI application that serves `shop`. The caller closes the shop.

    Args:
        shop: The shop to serve.
        pool_size: Requests that may use the database at once; ideally the size of its pool.
        product_cache_seconds: The maximum age of a product page from memory.
        edge: Hosts, proxies, origins and body limits; the default suits development.
        request_gate: Counts requests for the rate limits. The default counts in this process
            only. It is closed with the application.
        limits: The rate limits.

    Raises:
        LookupError: a route does not declare its audience.
    """
    edge = edge or Edge()
    gate = request_gate or MemoryRequestGate(NoSessionCache(), NoProductCache())
    app = FastAPI(
        title=f"{shop.policy.name} API",
        version=_version(),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(pool_size, gate),
    )
    app.state.shop = shop
    app.state.cors_origins = frozenset(edge.cors_origins)
    app.state.guard = Guard(lambda: app.state.shop, gate, limits or Limits())
    app.state.hash_threads = HashThreads()
    app.state.pages = PageCache(seconds=product_cache_seconds)
    app.state.readiness = health.Readiness()
    for router in (*_ROUTERS, docs.router):
        # Not include_router, which would match every request against the routes twice.
        app.router.routes.extend(router.routes)
    app.add_middleware(RequestEnvelope, edge=edge)
    errors.install(app)
    docs.install(app)
    require_guarded(app)
    return app


def _lifespan(pool_size: int, gate: RequestGate) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # More threads than connections would only wait for each other.
        anyio.to_thread.current_default_thread_limiter().total_tokens = pool_size
        try:
            yield
        finally:
            await gate.close()

    return lifespan


def _version() -> str:
    try:
        return version("quickshop")
    except PackageNotFoundError:  # running from source, not installed
        return "0"
