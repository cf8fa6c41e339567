"""What all who keep copies of sessions and carts must do."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from quickshop.ports.hot_copies import CartCopies, CartCopy, SessionCopies
from tests.builders import NOW

SECOND = timedelta(seconds=1)


def a_copy(version: int) -> CartCopy:
    return CartCopy(version, "digest", None, f'{{"version": {version}}}'.encode())


class SessionCopiesContract:
    """Needs a fixture `session_copies`: one that is empty."""

    def test_what_was_kept_last_is_found(self, session_copies: SessionCopies) -> None:
        session_copies.keep("one", b"1", seconds=60)
        session_copies.keep("other", b"\x00\xff", seconds=0.5)
        session_copies.keep("one", b"2", seconds=60)
        assert session_copies.find("one") == b"2"
        assert session_copies.find("other") == b"\x00\xff"
        assert session_copies.find("none") is None
        assert session_copies.keeps

    def test_what_was_forgotten_is_not_found(self, session_copies: SessionCopies) -> None:
        for key in ("one", "other", "third"):
            session_copies.keep(key, b"", seconds=60)
        session_copies.forget("one", "other", "never seen")
        session_copies.forget()
        assert session_copies.find("one") is session_copies.find("other") is None
        assert session_copies.find("third") == b""

    @pytest.mark.parametrize("key", ["", "\ud800", "a\x00b\r\nGET x", "é" * 300])
    def test_any_text_may_be_a_key(self, session_copies: SessionCopies, key: str) -> None:
        session_copies.keep(key, b"it", seconds=60)
        assert session_copies.find(key) == b"it"


class CartCopiesContract:
    """Needs a fixture `cart_copies`: one that is empty."""

    @pytest.mark.parametrize("token_digest", ["0" * 64, None])
    @pytest.mark.parametrize("customer_id", [uuid4(), None])
    @pytest.mark.parametrize("body", [b"", b"\n", "{\n🚲\x00}".encode()])
    def test_a_copy_comes_back_as_it_was(
        self, cart_copies: CartCopies, token_digest: str, customer_id: None, body: bytes
    ) -> None:
        cart_id, copy = uuid4(), CartCopy(7, token_digest, customer_id, body)
        cart_copies.put(cart_id, copy)
        assert cart_copies.find(cart_id) == copy
        assert cart_copies.find(uuid4()) is None
        assert cart_copies.keeps

    def test_a_newer_copy_takes_the_place_of_the_older(self, cart_copies: CartCopies) -> None:
        cart_id = uuid4()
        for version in (9, 10, 11):
            cart_copies.put(cart_id, a_copy(version))
        assert cart_copies.find(cart_id) == a_copy(11)

    def test_a_slow_fill_does_not_overwrite_a_newer_copy(self, cart_copies: CartCopies) -> None:
        cart_id = uuid4()
        cart_copies.put(cart_id, a_copy(10))
        cart_copies.put(cart_id, a_copy(9))
        assert cart_copies.find(cart_id) == a_copy(10)

    def test_the_same_version_at_new_prices_is_shown(self, cart_copies: CartCopies) -> None:
        cart_id, dearer = uuid4(), CartCopy(3, "digest", None, b"dearer")
        cart_copies.put(cart_id, a_copy(3))
        cart_copies.put(cart_id, dearer)
        assert cart_copies.find(cart_id) == dearer

    def test_a_change_has_the_database_asked(self, cart_copies: CartCopies) -> None:
        changed, other = uuid4(), uuid4()
        cart_copies.put(changed, a_copy(1))
        cart_copies.put(other, a_copy(1))
        cart_copies.forget(changed, version=2)
        assert cart_copies.find(changed) is None
        assert cart_copies.find(other) == a_copy(1)

    @pytest.mark.parametrize("seen_before", [True, False])
    def test_a_slow_fill_does_not_bring_back_what_was_changed(
        self, cart_copies: CartCopies, *, seen_before: bool
    ) -> None:
        cart_id = uuid4()
        if seen_before:
            cart_copies.put(cart_id, a_copy(1))
        cart_copies.forget(cart_id, version=2)
        cart_copies.put(cart_id, a_copy(1))
        assert cart_copies.find(cart_id) is None
        cart_copies.put(cart_id, a_copy(2))
        assert cart_copies.find(cart_id) == a_copy(2)

    def test_late_news_of_an_older_change_makes_no_difference(
        self, cart_copies: CartCopies
    ) -> None:
        cart_id = uuid4()
        cart_copies.put(cart_id, a_copy(3))
        cart_copies.forget(cart_id, version=2)
        assert cart_copies.find(cart_id) == a_copy(3)

    def test_carts_that_were_changed_are_counted_once(self, cart_copies: CartCopies) -> None:
        first, second = uuid4(), uuid4()
        cart_copies.touch(uuid4(), NOW - SECOND)
        for cart_id in (first, second, first):
            cart_copies.touch(cart_id, NOW)
        cart_copies.touch(uuid4(), NOW + SECOND)
        assert cart_copies.active_since(NOW - SECOND) == 4
        assert cart_copies.active_since(NOW) == 3
        assert cart_copies.active_since(NOW + SECOND) == 1
        assert cart_copies.active_since(NOW + 2 * SECOND) == 0

    def test_late_news_make_no_cart_less_active(self, cart_copies: CartCopies) -> None:
        cart_id = uuid4()
        cart_copies.touch(uuid4(), NOW)
        cart_copies.touch(cart_id, NOW + SECOND)
        cart_copies.touch(cart_id, NOW)
        assert cart_copies.active_since(NOW + SECOND) == 1

    def test_how_many_were_active_before_anyone_counted_is_not_told(
        self, cart_copies: CartCopies
    ) -> None:
        assert cart_copies.active_since(NOW) is None
        cart_copies.touch(uuid4(), NOW)
        assert cart_copies.active_since(NOW - timedelta(microseconds=1)) is None
        assert cart_copies.active_since(NOW) == 1

    def test_how_many_were_active_longer_than_a_day_ago_is_not_told(
        self, cart_copies: CartCopies
    ) -> None:
        cart_copies.touch(uuid4(), NOW)
        cart_copies.touch(uuid4(), NOW + timedelta(hours=25))
        assert cart_copies.active_since(NOW) is None
        assert cart_copies.active_since(NOW + timedelta(hours=1)) == 1
