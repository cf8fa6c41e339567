"""Copies of sessions and carts kept in this process, or not at all."""

from __future__ import annotations

from uuid import uuid4

import pytest

from quickshop.adapters.memory.caches import NoCartCache, NoSessionCache
from tests.contracts.session_and_cart_caches import CartCacheContract, SessionCacheContract, a_copy
from tests.memory_caches import MemoryCartCache, MemorySessionCache
from tests.unit.test_memory_limits import Seconds


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def session_cache(seconds: Seconds) -> MemorySessionCache:
    return MemorySessionCache(monotonic=seconds, max_entries=3)


@pytest.fixture
def cart_cache(seconds: Seconds) -> MemoryCartCache:
    return MemoryCartCache(monotonic=seconds, max_entries=3)


class TestMemorySessionCache(SessionCacheContract):
    pass


class TestMemoryCartCache(CartCacheContract):
    pass


def test_a_session_is_kept_as_long_as_was_said(
    session_cache: MemorySessionCache, seconds: Seconds
) -> None:
    session_cache.keep("one", b"1", seconds=5)
    seconds.advance(4.9)
    assert session_cache.find("one") == b"1"
    seconds.advance(0.1)
    assert session_cache.find("one") is None


def test_a_cart_is_believed_for_two_seconds(cart_cache: MemoryCartCache, seconds: Seconds) -> None:
    cart_id = uuid4()
    cart_cache.put(cart_id, a_copy(2))
    seconds.advance(1.9)
    assert cart_cache.find(cart_id) == a_copy(2)
    seconds.advance(0.1)
    assert cart_cache.find(cart_id) is None
    cart_cache.put(cart_id, a_copy(1))
    assert cart_cache.find(cart_id) is None


def test_what_was_kept_first_makes_room(
    session_cache: MemorySessionCache, cart_cache: MemoryCartCache
) -> None:
    ids = [uuid4() for _ in range(5)]
    for cart_id in ids:
        session_cache.keep(cart_id.hex, b"", seconds=60)
        cart_cache.put(cart_id, a_copy(1))
    assert [cart_id for cart_id in ids if cart_cache.find(cart_id)] == ids[2:]
    assert [cart_id for cart_id in ids if session_cache.find(cart_id.hex) == b""] == ids[2:]


def test_without_a_place_to_keep_them_there_are_no_copies() -> None:
    sessions, carts, cart_id = NoSessionCache(), NoCartCache(), uuid4()
    sessions.keep("one", b"1", seconds=60)
    sessions.forget("one")
    carts.put(cart_id, a_copy(1))
    carts.forget(cart_id, version=2)
    assert sessions.find("one") is carts.find(cart_id) is None
    assert not sessions.keeps
    assert not carts.keeps
