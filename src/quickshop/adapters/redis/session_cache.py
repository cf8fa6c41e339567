"""A session cache in Redis, shared by all processes. Importing this needs the `redis` extra."""

from __future__ import annotations

import math

from typing_extensions import override

from quickshop.adapters.redis.server import RedisServer
from quickshop.ports.cache import SessionCache


class RedisSessionCache(SessionCache):
    """A `SessionCache` for a fleet of processes. Each call is one round trip."""

    keeps = True

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    @override
    def keep(self, key: str, value: bytes, *, seconds: float) -> None:
        lasts = max(1, math.ceil(seconds * 1000))
        self._server.ask(
            lambda: self._server.redis.set(session_key(key), value, px=lasts), otherwise=None
        )

    @override
    def find(self, key: str) -> bytes | None:
        found = self._server.ask(lambda: self._server.redis.get(session_key(key)), otherwise=None)
        return found if isinstance(found, bytes) else None

    @override
    def forget(self, *keys: str) -> None:
        if keys:
            self._server.ask(
                lambda: self._server.redis.delete(*map(session_key, keys)), otherwise=0
            )


def session_key(key: str) -> bytes:
    """Return the Redis key of a session's copy."""
    return b"quickshop:session:" + key.encode(errors="surrogatepass")
