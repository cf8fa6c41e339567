"""The contracts of session caches and cart caches."""

from __future__ import annotations

from uuid import uuid4

import pytest

from quickshop.ports.cache import CachedCart, CartCache, SessionCache


def a_copy(version: int) -> CachedCart:
    return CachedCart(version, "digest", None, f'{{"version": {version}}}'.encode())


class SessionCacheContract:
    """Needs a fixture `session_cache`: one that is empty."""

    def test_what_was_kept_last_is_found(self, session_cache: SessionCache) -> None:
        session_cache.keep("one", b"1", seconds=60)
        session_cache.keep("other", b"\x00\xff", seconds=0.5)
        session_cache.keep("one", b"2", seconds=60)
        assert session_cache.find("one") == b"2"
        assert session_cache.find("other") == b"\x00\xff"
        assert session_cache.find("none") is None
        assert session_cache.keeps

    def test_what_was_forgotten_is_not_found(self, session_cache: SessionCache) -> None:
        for key in ("one", "other", "third"):
            session_cache.keep(key, b"", seconds=60)
        session_cache.forget("one", "other", "never seen")
        session_cache.forget()
        assert session_cache.find("one") is session_cache.find("other") is None
        assert session_cache.find("third") == b""

    @pytest.mark.parametrize("key", ["", "\ud800", "a\x00b\r\nGET x", "é" * 300])
    def test_any_text_may_be_a_key(self, session_cache: SessionCache, key: str) -> None:
        session_cache.keep(key, b"it", seconds=60)
        assert session_cache.find(key) == b"it"


class CartCacheContract:
    """Needs a fixture `cart_cache`: one that is empty."""

    @pytest.mark.parametrize("token_digest", ["0" * 64, None])
    @pytest.mark.parametrize("customer_id", [uuid4(), None])
    @pytest.mark.parametrize("body", [b"", b"\n", "{\n🚲\x00}".encode()])
    def test_a_copy_comes_back_as_it_was(
        self, cart_cache: CartCache, token_digest: str, customer_id: None, body: bytes
    ) -> None:
        cart_id, copy = uuid4(), CachedCart(7, token_digest, customer_id, body)
        cart_cache.put(cart_id, copy)
        assert cart_cache.find(cart_id) == copy
        assert cart_cache.find(uuid4()) is None
        assert cart_cache.keeps

    def test_a_newer_copy_takes_the_place_of_the_older(self, cart_cache: CartCache) -> None:
        cart_id = uuid4()
        for version in (9, 10, 11):
            cart_cache.put(cart_id, a_copy(version))
        assert cart_cache.find(cart_id) == a_copy(11)

    def test_a_slow_fill_does_not_overwrite_a_newer_copy(self, cart_cache: CartCache) -> None:
        cart_id = uuid4()
        cart_cache.put(cart_id, a_copy(10))
        cart_cache.put(cart_id, a_copy(9))
        assert cart_cache.find(cart_id) == a_copy(10)

    def test_the_same_version_at_new_prices_is_shown(self, cart_cache: CartCache) -> None:
        cart_id, dearer = uuid4(), CachedCart(3, "digest", None, b"dearer")
        cart_cache.put(cart_id, a_copy(3))
        cart_cache.put(cart_id, dearer)
        assert cart_cache.find(cart_id) == dearer

    def test_a_change_has_the_database_asked(self, cart_cache: CartCache) -> None:
        changed, other = uuid4(), uuid4()
        cart_cache.put(changed, a_copy(1))
        cart_cache.put(other, a_copy(1))
        cart_cache.forget(changed, version=2)
        assert cart_cache.find(changed) is None
        assert cart_cache.find(other) == a_copy(1)

    @pytest.mark.parametrize("seen_before", [True, False])
    def test_a_slow_fill_does_not_bring_back_what_was_changed(
        self, cart_cache: CartCache, *, seen_before: bool
    ) -> None:
        cart_id = uuid4()
        if seen_before:
            cart_cache.put(cart_id, a_copy(1))
        cart_cache.forget(cart_id, version=2)
        cart_cache.put(cart_id, a_copy(1))
        assert cart_cache.find(cart_id) is None
        cart_cache.put(cart_id, a_copy(2))
        assert cart_cache.find(cart_id) == a_copy(2)

    def test_late_news_of_an_older_change_makes_no_difference(self, cart_cache: CartCache) -> None:
        cart_id = uuid4()
        cart_cache.put(cart_id, a_copy(3))
        cart_cache.forget(cart_id, version=2)
        assert cart_cache.find(cart_id) == a_copy(3)
