"""The contract of repositories of carts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from quickshop.application.shopper import digest
from quickshop.domain.cart import Cart, CartId, CartLineId
from quickshop.domain.catalog import Product
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import ConflictError, InvalidValueError, NotFoundError
from quickshop.ports.cart import ActiveCart, CartView
from quickshop.ports.paging import Cursor
from tests.builders import (
    LATER,
    NOW,
    a_cart_with,
    a_product,
    a_rich_product,
    a_variant,
    an_offer,
    eur,
    facts,
    new_id,
    revised,
    store_cart,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.customers import store_customer


def an_empty_cart(_product: Product) -> Cart:
    return a_cart_with()


def a_filled_cart(product: Product) -> Cart:
    return a_cart_with(product, quantity=999)


def a_completed_cart(product: Product) -> Cart:
    cart = a_cart_with(product)
    cart.complete(now=NOW)
    return cart


def change_product(backend: Backend, product: Product, **changes: object) -> None:
    with backend.unit_of_work() as tx:
        stored = tx.products.get(product.id)
        stored.revise(*revised(stored, **changes), now=NOW)
        tx.products.save(stored)


def reread(backend: Backend, cart: Cart) -> Cart:
    with backend.unit_of_work() as tx:
        return tx.carts.get(cart.id, token_digest=cart.token_digest)


class CartRepositoryContract:
    @pytest.mark.parametrize("make", [an_empty_cart, a_filled_cart, a_completed_cart])
    def test_a_cart_comes_back_as_it_was_stored(
        self, backend: Backend, make: Callable[[Product], Cart]
    ) -> None:
        cart = make(store_product(backend.unit_of_work, a_rich_product()))
        with backend.unit_of_work() as tx:
            tx.carts.add(cart)
        assert cart.version == 1
        assert facts(reread(backend, cart)) == facts(cart)
        view = backend.cart_reader.get(cart.id, token_digest=cart.token_digest)
        assert view == CartView.of(cart)

    def test_lines_are_added_changed_and_removed(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_rich_product())
        other = store_product(backend.unit_of_work)
        stored = store_cart(backend.unit_of_work, product, quantity=2)
        with backend.unit_of_work() as tx:
            cart = tx.carts.get(stored.id, token_digest=stored.token_digest)
            cart.add(an_offer(other), 3, line_id=CartLineId(new_id()), now=NOW)
            cart.change(cart.lines[1].id, 7, now=NOW)
            cart.remove(cart.lines[0].id, now=NOW)
            tx.carts.save(cart)
        assert [line.quantity for line in cart.lines] == [7, 3]
        assert cart.version == 2
        assert facts(reread(backend, stored)) == facts(cart)

    def test_a_cart_may_be_saved_twice_in_one_transaction(self, backend: Backend) -> None:
        products = [store_product(backend.unit_of_work) for _ in range(2)]
        stored = store_cart(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            cart = tx.carts.get(stored.id, token_digest=stored.token_digest)
            for product in products:
                cart.add(an_offer(product), 1, line_id=CartLineId(new_id()), now=NOW)
                tx.carts.save(cart)
        assert facts(reread(backend, stored)) == facts(cart)

    def test_a_cart_opens_only_with_its_secret(self, backend: Backend) -> None:
        cart = store_cart(backend.unit_of_work, store_product(backend.unit_of_work))
        known = {"cart_id": cart.id, "token_digest": digest("another secret")}
        unknown = {"cart_id": CartId(new_id()), "token_digest": cart.token_digest}
        for key in (known, unknown):
            with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
                tx.carts.get(**key)  # type: ignore[arg-type]
            with pytest.raises(NotFoundError):
                backend.cart_reader.get(**key)  # type: ignore[arg-type]

    def test_lines_carry_the_prices_of_today(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_product(a_variant(price=eur(1000))))
        cart = store_cart(backend.unit_of_work, product, quantity=2)
        before = product.variants[0]
        dearer = replace(before, content=replace(before.content, price=eur(1500)))
        change_product(backend, product, variants=(dearer,), title="Renamed", published=False)
        offer = reread(backend, cart).lines[0].offer
        assert (offer.unit_price, offer.title, offer.published) == (eur(1500), "Renamed", False)
        view = backend.cart_reader.get(cart.id, token_digest=cart.token_digest)
        assert view.total == eur(3000)

    def test_the_second_of_two_editors_conflicts(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        stored = store_cart(backend.unit_of_work, product)
        stale = reread(backend, stored)
        with backend.unit_of_work() as tx:
            cart = tx.carts.get(stored.id, token_digest=stored.token_digest)
            cart.change(cart.lines[0].id, 5, now=NOW)
            tx.carts.save(cart)
        stale.change(stale.lines[0].id, 9, now=NOW)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.carts.save(stale)
        assert reread(backend, stored).lines[0].quantity == 5

    def test_forgetting_to_save_a_change_is_an_error(self, backend: Backend) -> None:
        stored = store_cart(backend.unit_of_work, store_product(backend.unit_of_work))
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            cart = tx.carts.get(stored.id, token_digest=stored.token_digest)
            cart.change(cart.lines[0].id, 5, now=NOW)
        assert reread(backend, stored).lines[0].quantity == 1

    def test_a_customers_cart_opens_to_them_alone(self, backend: Backend) -> None:
        me, other = (store_customer(backend)[0].id for _ in range(2))
        stored = store_cart(backend.unit_of_work, store_product(backend.unit_of_work))
        with backend.unit_of_work() as tx:
            cart = tx.carts.get(stored.id, token_digest=stored.token_digest, customer_id=other)
            cart.claim(me, now=LATER)
            tx.carts.save(cart)
        for opener in (None, other):
            key: dict[str, Any] = {"token_digest": stored.token_digest, "customer_id": opener}
            with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
                tx.carts.get(stored.id, **key)
            with pytest.raises(NotFoundError):
                backend.cart_reader.get(stored.id, **key)
        with backend.unit_of_work() as tx:
            found = tx.carts.get(stored.id, token_digest="", customer_id=me)
        assert facts(found) == facts(cart)
        view = backend.cart_reader.get(stored.id, token_digest="", customer_id=me)
        assert view == CartView.of(cart)

    def test_a_customers_open_carts_are_told_the_one_changed_last_first(
        self, backend: Backend
    ) -> None:
        me, other = (store_customer(backend)[0].id for _ in range(2))
        product = store_product(backend.unit_of_work)
        lately = store_own(backend, me, a_filled_cart(product), LATER)
        store_own(backend, other, a_filled_cart(product), LATER)
        store_own(backend, me, a_completed_cart(product), LATER + MINUTE)
        empty = store_own(backend, me, an_empty_cart(product), LATER - MINUTE)
        store_cart(backend.unit_of_work, product)

        views = backend.cart_reader.of_customer(me, limit=5).items
        assert [view.id for view in views] == [lately.id, empty.id]
        assert views[0] == CartView.of(lately)
        with backend.unit_of_work() as tx:
            latest = tx.carts.latest_of(me)
            assert latest is not None
            assert facts(latest) == facts(lately)
            assert tx.carts.latest_of(CustomerId(new_id())) is None

    @pytest.mark.parametrize("limit", [1, 2, 4, 5])
    def test_pages_show_each_of_a_customers_carts_once(self, backend: Backend, limit: int) -> None:
        me = store_customer(backend)[0].id
        product = store_product(backend.unit_of_work)
        moments = [LATER, LATER, LATER + MINUTE / 7, LATER - MINUTE]
        carts = [store_own(backend, me, an_empty_cart(product), when) for when in moments]
        shown: list[CartId] = []
        cursor = None
        while True:
            page = backend.cart_reader.of_customer(me, limit=limit, cursor=cursor)
            shown += [view.id for view in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
            assert len(page.items) == limit
        same = sorted((carts[0].id, carts[1].id), reverse=True)
        assert shown == [carts[2].id, *same, carts[3].id]

    @pytest.mark.parametrize(
        ("sort", "key"),
        [("newest", 0), ("changed", 0), ("changed", "2026-13-01"), ("changed", "")],
    )
    def test_no_page_of_carts_goes_on_from_nowhere(
        self, backend: Backend, sort: str, key: str | float
    ) -> None:
        cursor = Cursor(sort, key, new_id()).encode()
        me = store_customer(backend)[0].id
        store_own(backend, me, an_empty_cart(store_product(backend.unit_of_work)), LATER)
        with pytest.raises(InvalidValueError):
            backend.cart_reader.of_customer(me, cursor=cursor)

    def test_carts_that_somebody_may_come_back_to_are_active(self, backend: Backend) -> None:
        me = store_customer(backend)[0].id
        product = store_product(backend.unit_of_work, a_rich_product())
        old = store_cart(backend.unit_of_work, product, quantity=2)
        mine = store_own(backend, me, a_cart_with(product), LATER)
        store_own(backend, me, a_completed_cart(product), LATER)
        store_cart(backend.unit_of_work)

        active = backend.cart_reader.active(NOW)
        assert list(active.items) == [
            ActiveCart(id=mine.id, customer_id=me, lines=2, units=2, changed_at=LATER),
            ActiveCart(id=old.id, customer_id=None, lines=2, units=4, changed_at=NOW),
        ]
        first = backend.cart_reader.active(NOW, limit=1)
        assert [cart.id for cart in first.items] == [mine.id]
        rest = backend.cart_reader.active(NOW, limit=1, cursor=first.next_cursor)
        assert ([cart.id for cart in rest.items], rest.next_cursor) == ([old.id], None)
        assert [cart.id for cart in backend.cart_reader.active(LATER).items] == [mine.id]

    def test_two_carts_join_and_no_line_is_lost(self, backend: Backend) -> None:
        me = store_customer(backend)[0].id
        both, hers, guests = (store_product(backend.unit_of_work) for _ in range(3))
        mine = store_own(backend, me, a_cart_with(both, hers, quantity=2), NOW)
        guest = a_cart_with(guests, both, quantity=3)
        with backend.unit_of_work() as tx:
            tx.carts.add(guest)
        with backend.unit_of_work() as tx:
            into = tx.carts.latest_of(me)
            source = tx.carts.get(guest.id, token_digest=guest.token_digest)
            assert into is not None
            into.merge(source, new_line_id=lambda: CartLineId(new_id()), now=LATER)
            tx.carts.save(source)
            tx.carts.save(into)
        assert reread(backend, guest).lines == ()
        with backend.unit_of_work() as tx:
            found = tx.carts.get(mine.id, token_digest="", customer_id=me)
        assert facts(found) == facts(into)
        units = {line.offer.product_id: line.quantity for line in found.lines}
        assert units == {both.id: 5, hers.id: 2, guests.id: 3}


MINUTE = timedelta(minutes=1)


def store_own(backend: Backend, customer_id: CustomerId, cart: Cart, at: datetime) -> Cart:
    """A stored cart of a stored customer, who changed it then."""
    cart.customer_id, cart.changed_at = customer_id, at
    with backend.unit_of_work() as tx:
        tx.carts.add(cart)
    return cart
