"""Copies of sessions and carts in a real Valkey, and what happens when it loses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from redis import Redis

from quickshop.adapters.redis.cart_cache import KNOWN_SECONDS, RedisCartCache
from quickshop.adapters.redis.server import FAILURES_UNTIL_OPEN, RedisServer
from quickshop.adapters.redis.session_cache import RedisSessionCache
from quickshop.ports.cache import CART_SECONDS
from tests import servers
from tests.contracts.session_and_cart_caches import CartCacheContract, SessionCacheContract, a_copy
from tests.fault_proxy import FaultProxy

CARTS = 500
SESSIONS = 200


@pytest.fixture
def near(redis: Redis, own_valkey: servers.Server) -> Iterator[RedisServer]:
    assert not redis.dbsize()
    asked = RedisServer(own_valkey.url, timeout_seconds=10, rest_seconds=0.05)
    yield asked
    asked.close()


@pytest.fixture
def session_cache(near: RedisServer) -> RedisSessionCache:
    return RedisSessionCache(near)


@pytest.fixture
def cart_cache(near: RedisServer) -> RedisCartCache:
    return RedisCartCache(near)


@pytest.fixture
def distant(
    redis: Redis, valkey_proxy: FaultProxy, own_valkey: servers.Server
) -> Iterator[RedisServer]:
    """By way of the fault proxy."""
    assert not redis.dbsize()
    asked = RedisServer(
        valkey_proxy.through(own_valkey.url), timeout_seconds=0.05, rest_seconds=0.05
    )
    yield asked
    asked.close()


class TestRedisSessionCache(SessionCacheContract):
    pass


class TestRedisCartCache(CartCacheContract):
    pass


def test_every_copy_goes_by_itself(
    session_cache: RedisSessionCache, cart_cache: RedisCartCache, redis: Redis
) -> None:
    cart_id, changed = uuid4(), uuid4()
    session_cache.keep("one", b"1", seconds=60)
    session_cache.keep("brief", b"1", seconds=0)
    cart_cache.put(cart_id, a_copy(1))
    cart_cache.forget(changed, version=2)

    def lasts(key: str) -> int:
        return int(redis.ttl(f"quickshop:{key}"))

    assert 50 < lasts("session:one") <= 60
    assert 0 < lasts(f"cart:{cart_id.hex}") <= CART_SECONDS
    assert 3_500 < lasts(f"cart-version:{changed.hex}") <= KNOWN_SECONDS
    assert all(redis.pttl(key) != -1 for key in redis.scan_iter())


def test_a_copy_that_was_spoiled_is_none(
    session_cache: RedisSessionCache, cart_cache: RedisCartCache, redis: Redis
) -> None:
    spoiled: list[bytes] = [b"", b"\n", b"1\n{}", b"x y z\n{}", b"1 a b\n{}", b"\xff \xff \xff\n"]
    for value in spoiled:
        cart_id = uuid4()
        redis.set(f"quickshop:cart:{cart_id.hex}", value)
        assert cart_cache.find(cart_id) is None
    redis.hset("quickshop:session:one", "of", "another kind")
    assert session_cache.find("one") is None


def fill(sessions: RedisSessionCache, carts: RedisCartCache) -> list[UUID]:
    """So many sessions and carts, all of which are found."""
    ids = [uuid4() for _ in range(CARTS)]
    for cart_id in ids:
        carts.put(cart_id, a_copy(1))
        assert carts.find(cart_id) == a_copy(1)
    for cart_id in ids[:SESSIONS]:
        sessions.keep(cart_id.hex, cart_id.bytes, seconds=600)
    assert [sessions.find(cart_id.hex) for cart_id in ids[:SESSIONS]] == [
        cart_id.bytes for cart_id in ids[:SESSIONS]
    ]
    return ids


def flush(own_valkey: servers.Server, redis: Redis) -> None:
    assert own_valkey.is_running
    redis.flushall()
    redis.script_flush()


def kill(own_valkey: servers.Server, _redis: Redis) -> None:
    own_valkey.crash()


def kill_and_start(own_valkey: servers.Server, _redis: Redis) -> None:
    own_valkey.crash()
    own_valkey.start()


@pytest.mark.parametrize("lose", [flush, kill, kill_and_start])
def test_what_redis_lost_is_not_found_and_nobody_is_told_nonsense(
    session_cache: RedisSessionCache,
    cart_cache: RedisCartCache,
    own_valkey: servers.Server,
    redis: Redis,
    lose: Callable[[servers.Server, Redis], None],
) -> None:
    ids = fill(session_cache, cart_cache)
    lose(own_valkey, redis)
    try:
        assert {cart_cache.find(cart_id) for cart_id in ids} == {None}
        assert {session_cache.find(cart_id.hex) for cart_id in ids[:SESSIONS]} == {None}
        cart_cache.put(ids[0], a_copy(2))
        cart_cache.forget(ids[1], version=2)
    finally:
        if not own_valkey.is_running:
            own_valkey.start()


def use(sessions: RedisSessionCache, carts: RedisCartCache) -> None:
    """Everything there is, and nothing of it raises."""
    cart_id = uuid4()
    sessions.keep("one", b"1", seconds=60)
    carts.put(cart_id, a_copy(1))
    assert sessions.find("one") is carts.find(cart_id) is None
    sessions.forget("one")
    carts.forget(cart_id, version=2)


@pytest.mark.parametrize("fail", [FaultProxy.black_hole, FaultProxy.refuse])
def test_a_redis_that_is_away_holds_nothing_and_is_left_alone(
    redis: Redis,
    valkey_proxy: FaultProxy,
    own_valkey: servers.Server,
    fail: Callable[[FaultProxy], None],
) -> None:
    asked = RedisServer(
        valkey_proxy.through(own_valkey.url), timeout_seconds=0.05, rest_seconds=600
    )
    sessions, carts = RedisSessionCache(asked), RedisCartCache(asked)
    fail(valkey_proxy)
    for _ in range(25):
        use(sessions, carts)
    assert valkey_proxy.accepted in {0, FAILURES_UNTIL_OPEN}  # of both together
    assert not redis.dbsize()
    asked.close()


def test_a_redis_that_takes_no_more_holds_nothing(
    session_cache: RedisSessionCache, cart_cache: RedisCartCache, redis: Redis
) -> None:
    redis.config_set("maxmemory", "1")
    try:
        use(session_cache, cart_cache)
    finally:
        redis.config_set("maxmemory", "0")
