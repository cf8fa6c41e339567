"""Copies of sessions and carts kept in this process, or not at all."""

from __future__ import annotations

from uuid import uuid4

import pytest

from quickshop.adapters.memory.hot_copies import (
    MemoryCartCopies,
    MemorySessionCopies,
    NoCartCopies,
    NoSessionCopies,
)
from tests.contracts.hot_copies import CartCopiesContract, SessionCopiesContract, a_copy
from tests.unit.test_memory_limits import Seconds


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def session_copies(seconds: Seconds) -> MemorySessionCopies:
    return MemorySessionCopies(monotonic=seconds, max_copies=3)


@pytest.fixture
def cart_copies(seconds: Seconds) -> MemoryCartCopies:
    return MemoryCartCopies(monotonic=seconds, max_copies=3)


class TestMemorySessionCopies(SessionCopiesContract):
    pass


class TestMemoryCartCopies(CartCopiesContract):
    pass


def test_a_session_is_kept_as_long_as_was_said(
    session_copies: MemorySessionCopies, seconds: Seconds
) -> None:
    session_copies.keep("one", b"1", seconds=5)
    seconds.advance(4.9)
    assert session_copies.find("one") == b"1"
    seconds.advance(0.1)
    assert session_copies.find("one") is None


def test_a_cart_is_believed_for_two_seconds(
    cart_copies: MemoryCartCopies, seconds: Seconds
) -> None:
    cart_id = uuid4()
    cart_copies.put(cart_id, a_copy(2))
    seconds.advance(1.9)
    assert cart_copies.find(cart_id) == a_copy(2)
    seconds.advance(0.1)
    assert cart_copies.find(cart_id) is None
    cart_copies.put(cart_id, a_copy(1))
    assert cart_copies.find(cart_id) is None


def test_what_was_kept_first_makes_room(
    session_copies: MemorySessionCopies, cart_copies: MemoryCartCopies
) -> None:
    ids = [uuid4() for _ in range(5)]
    for cart_id in ids:
        session_copies.keep(cart_id.hex, b"", seconds=60)
        cart_copies.put(cart_id, a_copy(1))
    assert [cart_id for cart_id in ids if cart_copies.find(cart_id)] == ids[2:]
    assert [cart_id for cart_id in ids if session_copies.find(cart_id.hex) == b""] == ids[2:]


def test_without_a_place_to_keep_them_there_are_no_copies() -> None:
    sessions, carts, cart_id = NoSessionCopies(), NoCartCopies(), uuid4()
    sessions.keep("one", b"1", seconds=60)
    sessions.forget("one")
    carts.put(cart_id, a_copy(1))
    carts.forget(cart_id, version=2)
    assert sessions.find("one") is carts.find(cart_id) is None
    assert not sessions.keeps
    assert not carts.keeps
