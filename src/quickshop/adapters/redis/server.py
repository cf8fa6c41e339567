"""Connections to Redis with a short timeout, no retries and a circuit breaker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from hashlib import sha1
from threading import Lock
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from quickshop.adapters.redis.breaker import CircuitBreaker
from quickshop.domain.errors import MissingExtraError

try:
    from redis import Redis
    from redis import asyncio as redis_asyncio
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.backoff import NoBackoff
    from redis.exceptions import NoScriptError, RedisError
    from redis.maint_notifications import MaintNotificationsConfig
    from redis.retry import Retry
except ImportError as error:
    raise MissingExtraError("redis", "keeping things in Redis") from error

T = TypeVar("T")

TIMEOUT_SECONDS: Final = 0.2
FAILURES_UNTIL_OPEN: Final = 3
REST_SECONDS: Final = 2
CONNECTIONS: Final = 16
"""Connections per event loop. A call waits for a free one, within the same timeout."""


class RedisServer:
    """A Redis server for threads, one round trip per call. Connects on first use.

    Fails open: a call without an answer within `timeout_seconds` returns its default. After three
    failures in a row Redis gets only one call every `rest_seconds`. All caches share one
    `RedisServer`, so that they share its circuit breaker.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self.redis = Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        self._breaker = CircuitBreaker(failures=FAILURES_UNTIL_OPEN, rest_seconds=rest_seconds)

    def ask(self, question: Callable[[], T], otherwise: T) -> T:
        """Return the result of `question`, which calls `redis`; `otherwise` if it fails."""
        if not self._breaker.lets_through():
            return otherwise
        try:
            answer = question()
        except (RedisError, OSError):
            self._breaker.failed()
            return otherwise
        self._breaker.succeeded()
        return answer

    def is_reachable(self) -> bool:
        """Return whether Redis answers, for a health check. Never raises."""
        try:
            return bool(self.redis.ping())
        except (RedisError, OSError):
            return False

    def close(self) -> None:
        """Close every connection."""
        self.redis.close()


class LuaScript:
    """A Lua script, called by its digest. Its text is sent only if the server does not know it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()


class AsyncRedisServer:
    """A Redis server for event loops. Each loop has its own connections, made on first use."""

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._breaker = CircuitBreaker(failures=FAILURES_UNTIL_OPEN, rest_seconds=rest_seconds)
        self._lock = Lock()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis_asyncio.Redis] = (
            WeakKeyDictionary()
        )

    async def run(
        self, script: LuaScript, keys: Sequence[bytes], arguments: Sequence[str | int]
    ) -> Any:
        """Run a script and return its result; None without an answer in time. Never raises."""
        if not self._breaker.lets_through():
            return None
        try:
            # One deadline for waiting, connecting and calling. A connection that times out during
            # a call is closed, so no other call can read its answer.
            async with asyncio.timeout(self._timeout_seconds):
                answer = await _evaluate(self._client(), script, keys, arguments)
        except (RedisError, OSError):  # a TimeoutError is an OSError
            self._breaker.failed()
            return None
        self._breaker.succeeded()
        return answer

    async def close(self) -> None:
        """Close the connections of this event loop; they are opened again when needed."""
        with self._lock:
            client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> redis_asyncio.Redis:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._open()
            with self._lock:
                self._clients[loop] = client
        return client

    def _open(self) -> redis_asyncio.Redis:
        pool = redis_asyncio.BlockingConnectionPool.from_url(
            self._url,
            max_connections=CONNECTIONS,
            timeout=None,
            socket_timeout=None,
            socket_connect_timeout=self._timeout_seconds,
            retry=AsyncRetry(NoBackoff(), 0),
            # With these on, an unread answer on a connection would not be noticed.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
        return redis_asyncio.Redis.from_pool(pool)


async def _evaluate(
    client: redis_asyncio.Redis,
    script: LuaScript,
    keys: Sequence[bytes],
    arguments: Sequence[str | int],
) -> Any:
    try:
        return await client.evalsha(script.sha, len(keys), *keys, *arguments)
    except NoScriptError:
        return await client.eval(script.text, len(keys), *keys, *arguments)
