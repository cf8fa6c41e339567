"""Copies of sessions and carts in a real Valkey, and what happens when it loses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import pytest
from redis import Redis

from quickshop.adapters.redis.carts import KNOWN_SECONDS, RedisCartCopies
from quickshop.adapters.redis.server import FAILURES_UNTIL_OPEN, RedisServer
from quickshop.adapters.redis.sessions import RedisSessionCopies
from quickshop.ports.hot_copies import CART_SECONDS
from tests import servers
from tests.contracts.hot_copies import CartCopiesContract, SessionCopiesContract, a_copy
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
def session_copies(near: RedisServer) -> RedisSessionCopies:
    return RedisSessionCopies(near)


@pytest.fixture
def cart_copies(near: RedisServer) -> RedisCartCopies:
    return RedisCartCopies(near)


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


class TestRedisSessionCopies(SessionCopiesContract):
    pass


class TestRedisCartCopies(CartCopiesContract):
    pass


def test_every_copy_goes_by_itself(
    session_copies: RedisSessionCopies, cart_copies: RedisCartCopies, redis: Redis
) -> None:
    cart_id, changed = uuid4(), uuid4()
    session_copies.keep("one", b"1", seconds=60)
    session_copies.keep("brief", b"1", seconds=0)
    cart_copies.put(cart_id, a_copy(1))
    cart_copies.forget(changed, version=2)

    def lasts(key: str) -> int:
        return int(redis.ttl(f"quickshop:{key}"))

    assert 50 < lasts("session:one") <= 60
    assert 0 < lasts(f"cart:{cart_id.hex}") <= CART_SECONDS
    assert 3_500 < lasts(f"cart-version:{changed.hex}") <= KNOWN_SECONDS
    assert all(redis.pttl(key) != -1 for key in redis.scan_iter())


def test_a_copy_that_was_spoiled_is_none(
    session_copies: RedisSessionCopies, cart_copies: RedisCartCopies, redis: Redis
) -> None:
    spoiled: list[bytes] = [b"", b"\n", b"1\n{}", b"x y z\n{}", b"1 a b\n{}", b"\xff \xff \xff\n"]
    for value in spoiled:
        cart_id = uuid4()
        redis.set(f"quickshop:cart:{cart_id.hex}", value)
        assert cart_copies.find(cart_id) is None
    redis.hset("quickshop:session:one", "of", "another kind")
    assert session_copies.find("one") is None


def fill(sessions: RedisSessionCopies, carts: RedisCartCopies) -> list[UUID]:
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
    session_copies: RedisSessionCopies,
    cart_copies: RedisCartCopies,
    own_valkey: servers.Server,
    redis: Redis,
    lose: Callable[[servers.Server, Redis], None],
) -> None:
    ids = fill(session_copies, cart_copies)
    lose(own_valkey, redis)
    try:
        assert {cart_copies.find(cart_id) for cart_id in ids} == {None}
        assert {session_copies.find(cart_id.hex) for cart_id in ids[:SESSIONS]} == {None}
        cart_copies.put(ids[0], a_copy(2))
        cart_copies.forget(ids[1], version=2)
    finally:
        if not own_valkey.is_running:
            own_valkey.start()


def use(sessions: RedisSessionCopies, carts: RedisCartCopies) -> None:
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
    sessions, carts = RedisSessionCopies(asked), RedisCartCopies(asked)
    fail(valkey_proxy)
    for _ in range(25):
        use(sessions, carts)
    assert valkey_proxy.accepted in {0, FAILURES_UNTIL_OPEN}  # of both together
    assert not redis.dbsize()
    asked.close()


def test_a_redis_that_takes_no_more_holds_nothing(
    session_copies: RedisSessionCopies, cart_copies: RedisCartCopies, redis: Redis
) -> None:
    redis.config_set("maxmemory", "1")
    try:
        use(session_copies, cart_copies)
    finally:
        redis.config_set("maxmemory", "0")
