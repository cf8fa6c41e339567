"""How Redis is asked: briefly, once, and not at all while it does not answer."""

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
"""Per event loop. Who finds them all in use waits, within the same timeout."""


class RedisServer:
    """A Redis as threads ask it, each question in one round trip. Connects when first asked.

    Fails open: what does not answer within `timeout_seconds` has no answer, and after three
    failures in a row Redis is left alone but for one call every `rest_seconds`. Whatever is kept
    there shares one of these, so that all of it together waits for no more than that.
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
        """The answer to a question that is put to `redis`; `otherwise` if there is none."""
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
        """Whether Redis answers, for a health check. Never raises."""
        try:
            return bool(self.redis.ping())
        except (RedisError, OSError):
            return False

    def close(self) -> None:
        """Let go of every connection."""
        self.redis.close()


class LuaScript:
    """A script, called by its digest, and sent only to a server that does not know it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()


class AsyncRedisServer:
    """The same for event loops: each has connections of its own, made when it first asks."""

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
        """What a script returned; None if there is no answer in time. Never raises."""
        if not self._breaker.lets_through():
            return None
        try:
            # One deadline for waiting, connecting and asking. A connection that is given up
            # in the middle of a question is closed, and its answer meets nobody else.
            async with asyncio.timeout(self._timeout_seconds):
                answer = await _evaluate(self._client(), script, keys, arguments)
        except (RedisError, OSError):  # a TimeoutError is an OSError
            self._breaker.failed()
            return None
        self._breaker.succeeded()
        return answer

    async def close(self) -> None:
        """Let go of the connections of this event loop; they are made again when needed."""
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
