"""What Redis holds for a shop, and what stands there without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quickshop.adapters.memory.cache import NoProductCache
from quickshop.adapters.memory.hot_copies import NoCartCopies, NoSessionCopies
from quickshop.adapters.memory.limits import MemoryFrontDesk, MemoryRateLimiter
from quickshop.ports.cache import ProductCache
from quickshop.ports.hot_copies import CartCopies, SessionCopies
from quickshop.ports.limits import FrontDesk
from quickshop.settings import Settings

if TYPE_CHECKING:
    from quickshop.adapters.redis.server import RedisServer


def open_redis(settings: Settings) -> Iterator[RedisServer | None]:
    """The server that all of it shares, if the settings name one; connects when first asked."""
    if settings.redis_url is None:
        yield None
        return
    from quickshop.adapters.redis.server import RedisServer  # noqa: PLC0415

    server = RedisServer(settings.redis_url, timeout_seconds=settings.redis_timeout_seconds)
    yield server
    server.close()


def product_cache(redis: RedisServer | None) -> ProductCache:
    """Product pages kept ready."""
    if redis is None:
        return NoProductCache()
    from quickshop.adapters.redis.cache import RedisProductCache  # noqa: PLC0415

    return RedisProductCache(redis)


def session_copies(redis: RedisServer | None) -> SessionCopies:
    """What is known of sessions."""
    if redis is None:
        return NoSessionCopies()
    from quickshop.adapters.redis.sessions import RedisSessionCopies  # noqa: PLC0415

    return RedisSessionCopies(redis)


def cart_copies(redis: RedisServer | None) -> CartCopies:
    """Rendered carts."""
    if redis is None:
        return NoCartCopies()
    from quickshop.adapters.redis.carts import RedisCartCopies  # noqa: PLC0415

    return RedisCartCopies(redis)


def open_front_desk(settings: Settings) -> FrontDesk:
    """Who counts requests, and looks up what hot paths want, for the HTTP API of these settings.

    Connects when it is first asked. Close it in the event loop that it served.

    Raises:
        MissingExtraError: a setting needs an extra that is not installed.
    """
    shares = settings.api_processes
    if settings.redis_url is None:
        return MemoryFrontDesk(NoSessionCopies(), NoProductCache(), divided_by=shares)
    from quickshop.adapters.redis.front_desk import RedisFrontDesk  # noqa: PLC0415
    from quickshop.adapters.redis.server import AsyncRedisServer  # noqa: PLC0415

    return RedisFrontDesk(
        AsyncRedisServer(settings.redis_url, timeout_seconds=settings.redis_timeout_seconds),
        otherwise=MemoryRateLimiter(divided_by=shares),
    )
