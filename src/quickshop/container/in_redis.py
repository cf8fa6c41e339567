"""The caches and limits of a shop: in Redis, or their substitutes without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quickshop.adapters.memory.caches import NoCartCache, NoProductCache, NoSessionCache
from quickshop.adapters.memory.limits import MemoryRateLimiter, MemoryRequestGate
from quickshop.ports.limits import RequestGate
from quickshop.settings import Settings
from quickshop.shop import Caches

if TYPE_CHECKING:
    from quickshop.adapters.redis.server import RedisServer


def open_redis(settings: Settings) -> Iterator[RedisServer | None]:
    """Open the Redis server of the settings, if any; it connects on first use."""
    if settings.redis_url is None:
        yield None
        return
    from quickshop.adapters.redis.server import RedisServer  # noqa: PLC0415

    server = RedisServer(settings.redis_url, timeout_seconds=settings.redis_timeout_seconds)
    yield server
    server.close()


def caches(redis: RedisServer | None) -> Caches:
    """Return the caches of a shop: in Redis, or caches that store nothing."""
    if redis is None:
        return Caches(products=NoProductCache(), carts=NoCartCache(), sessions=NoSessionCache())
    from quickshop.adapters.redis.cart_cache import RedisCartCache  # noqa: PLC0415
    from quickshop.adapters.redis.product_cache import RedisProductCache  # noqa: PLC0415
    from quickshop.adapters.redis.session_cache import RedisSessionCache  # noqa: PLC0415

    return Caches(
        products=RedisProductCache(redis),
        carts=RedisCartCache(redis),
        sessions=RedisSessionCache(redis),
    )


def open_request_gate(settings: Settings) -> RequestGate:
    """Open the request gate of the HTTP API: it counts requests and reads the caches.

    It connects on first use. Close it in the event loop that used it.

    Raises:
        MissingExtraError: a setting needs an extra that is not installed.
    """
    shares = settings.api_processes
    if settings.redis_url is None:
        return MemoryRequestGate(NoSessionCache(), NoProductCache(), divided_by=shares)
    from quickshop.adapters.redis.request_gate import RedisRequestGate  # noqa: PLC0415
    from quickshop.adapters.redis.server import AsyncRedisServer  # noqa: PLC0415

    return RedisRequestGate(
        AsyncRedisServer(settings.redis_url, timeout_seconds=settings.redis_timeout_seconds),
        otherwise=MemoryRateLimiter(divided_by=shares),
    )
