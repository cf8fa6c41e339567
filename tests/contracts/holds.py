"""The contract of repositories of holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from quickshop.domain.errors import ConflictError, OutOfStockError
from quickshop.domain.inventory import Hold, HoldEnd, HoldId, HoldOwner, StockLevel
from tests.builders import (
    NOW,
    a_rich_product,
    an_allocation,
    new_id,
    received,
    stock_up,
    store_cart,
    store_order,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.inventory import again

LATER = NOW + timedelta(minutes=10)


def a_hold(backend: Backend, units: int = 1, *, stock: int = 9) -> tuple[Hold, StockLevel]:
    """A stored hold of a new product for a new cart, and its level as it is then."""
    product = store_product(backend.unit_of_work)
    level = stock_up(backend.unit_of_work, product.variants[0], stock)
    hold = another_hold(backend, level, units)
    return hold, again(backend, level)


def another_hold(backend: Backend, level: StockLevel, units: int = 1) -> Hold:
    """A stored hold of this level for a new cart."""
    hold = Hold(
        id=HoldId(new_id()),
        owner=HoldOwner.CHECKOUT,
        cart_id=store_cart(backend.unit_of_work).id,
        variant_id=level.variant_id,
        sku=level.sku,
        location_id=level.location_id,
        quantity=units,
        expires_at=LATER,
    )
    store(backend, hold)
    return hold


def store(backend: Backend, *holds: Hold) -> None:
    with backend.unit_of_work() as tx:
        tx.holds.add(holds)
        tx.stock.record([hold.taken(NOW) for hold in holds])


def release(backend: Backend, *holds: Hold) -> None:
    with backend.unit_of_work() as tx:
        tx.holds.end(holds, HoldEnd.RELEASED, now=NOW)
        tx.stock.record([hold.released(NOW) for hold in holds])


def of_cart(backend: Backend, hold: Hold) -> Sequence[Hold]:
    with backend.unit_of_work() as tx:
        return tx.holds.of_cart(hold.cart_id)


def expired(backend: Backend, after: timedelta, **which: str | int) -> Sequence[Hold]:
    with backend.unit_of_work() as tx:
        return tx.holds.expired(NOW + after, **which)  # type: ignore[arg-type]


class HoldRepositoryContract:
    def test_what_is_held_cannot_be_bought_by_others(self, backend: Backend) -> None:
        hold, level = a_hold(backend, 3, stock=5)
        assert (level.on_hand, level.held, level.available) == (5, 3, 2)
        assert list(of_cart(backend, hold)) == [hold]
        with pytest.raises(OutOfStockError):
            another_hold(backend, level, 3)
        assert not backend.stock_reader.discrepancies()

    def test_the_holds_of_a_cart_are_its_own(self, backend: Backend) -> None:
        one, level = a_hold(backend, 2)
        other = another_hold(backend, level, 1)
        assert list(of_cart(backend, one)) == [one]
        assert list(of_cart(backend, other)) == [other]

    def test_a_cart_holds_units_of_a_level_once(self, backend: Backend) -> None:
        hold, level = a_hold(backend, 2)
        with pytest.raises(ConflictError):
            store(backend, replace(hold, id=HoldId(new_id())))
        assert again(backend, level) == level
        release(backend, hold)
        store(backend, replace(hold, id=HoldId(new_id())))
        assert again(backend, level).held == 2

    def test_a_hold_ends_once(self, backend: Backend) -> None:
        hold, level = a_hold(backend, 2)
        release(backend, hold)
        with pytest.raises(ConflictError):
            release(backend, hold)
        assert (again(backend, level).held, list(of_cart(backend, hold))) == (0, [])
        assert not backend.stock_reader.discrepancies()

    def test_a_refusal_leaves_every_hold_as_it_was(self, backend: Backend) -> None:
        ended, level = a_hold(backend, 2)
        live = another_hold(backend, level)
        release(backend, ended)
        with pytest.raises(ConflictError):
            release(backend, live, ended)
        assert list(of_cart(backend, live)) == [live]
        assert again(backend, level).held == 1

    def test_a_hold_becomes_an_allocation(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_rich_product())
        levels = [stock_up(backend.unit_of_work, variant, 2) for variant in product.variants]
        holds = [another_hold(backend, level, 2) for level in levels]
        order = store_order(backend.unit_of_work, product, quantity=2)
        with backend.unit_of_work() as tx:
            tx.holds.end(holds, HoldEnd.ALLOCATED, now=NOW)
            promised = [an_allocation(order, level) for level in levels]
            tx.stock.allocate(promised, now=NOW, spending=holds)
        for level in levels:
            after = again(backend, level)
            assert (after.on_hand, after.allocated, after.held) == (2, 2, 0)
        assert not backend.stock_reader.discrepancies()

    def test_a_spent_hold_gives_no_more_than_it_held(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        level = stock_up(backend.unit_of_work, product.variants[0], 3)
        hold = another_hold(backend, level, 2)
        order = store_order(backend.unit_of_work, product, quantity=4)
        with pytest.raises(OutOfStockError), backend.unit_of_work() as tx:
            tx.holds.end([hold], HoldEnd.ALLOCATED, now=NOW)
            tx.stock.allocate([an_allocation(order, level)], now=NOW, spending=[hold])
        assert again(backend, level).held == 2
        assert list(of_cart(backend, hold)) == [hold]

    def test_a_hold_is_expired_when_its_time_has_come(self, backend: Backend) -> None:
        hold, level = a_hold(backend)
        for seconds, found in ((599, []), (600, [hold]), (601, [hold])):
            assert list(expired(backend, timedelta(seconds=seconds))) == found
            with backend.unit_of_work() as tx:
                now = NOW + timedelta(seconds=seconds)
                assert tx.holds.any_expired(now, sku=level.sku) is bool(found)
        release(backend, hold)
        assert list(expired(backend, timedelta(hours=1))) == []

    def test_expired_holds_can_be_asked_for_by_sku(self, backend: Backend) -> None:
        mine, level = a_hold(backend)
        other, _level = a_hold(backend)
        hour = timedelta(hours=1)
        assert list(expired(backend, hour, sku=level.sku)) == [mine]
        assert list(expired(backend, hour, sku="none")) == []
        found = expired(backend, hour)
        assert sorted(hold.id for hold in found) == sorted([mine.id, other.id])
        assert len(expired(backend, hour, limit=1)) == 1
        with backend.unit_of_work() as tx:
            assert tx.holds.any_expired(NOW + hour, sku=level.sku)
            assert not tx.holds.any_expired(NOW + hour, sku="none")

    def test_a_renewed_hold_lasts_longer(self, backend: Backend) -> None:
        hold, _level = a_hold(backend)
        until = LATER + timedelta(minutes=5)
        with backend.unit_of_work() as tx:
            tx.holds.renew(tx.holds.of_cart(hold.cart_id), owner=HoldOwner.CART, expires_at=until)
            tx.holds.renew([], owner=HoldOwner.CART, expires_at=until)
        renewed = replace(hold, owner=HoldOwner.CART, expires_at=until)
        assert list(of_cart(backend, hold)) == [renewed]
        assert list(expired(backend, timedelta(minutes=12))) == []

    def test_ended_holds_are_forgotten_in_time(self, backend: Backend) -> None:
        ended, level = a_hold(backend)
        live = another_hold(backend, level)
        release(backend, ended)
        for before, forgotten in ((NOW, 0), (NOW + timedelta(days=1), 1)):
            with backend.unit_of_work() as tx:
                assert tx.holds.purge_ended(before) == forgotten
        assert list(of_cart(backend, live)) == [live]

    def test_a_cart_that_held_nothing_holds_what_it_was_given_since(
        self, backend: Backend
    ) -> None:
        hold, level = a_hold(backend)
        cart = store_cart(backend.unit_of_work)
        mine = replace(hold, id=HoldId(new_id()), cart_id=cart.id)
        with backend.unit_of_work() as tx:
            tx.carts.save(tx.carts.get(cart.id, token_digest=cart.token_digest))
            assert list(tx.holds.of_cart(cart.id)) == []
            tx.holds.add([mine])
            assert list(tx.holds.of_cart(cart.id)) == [mine]
            tx.stock.record([mine.taken(NOW)])
        assert list(of_cart(backend, mine)) == [mine]
        assert again(backend, level).held == 2

    def test_a_cart_that_is_saved_again_still_holds_what_it_held(self, backend: Backend) -> None:
        hold, _ = a_hold(backend)
        cart = store_cart(backend.unit_of_work)
        mine = replace(hold, id=HoldId(new_id()), cart_id=cart.id)
        store(backend, mine)
        with backend.unit_of_work() as tx:
            tx.carts.save(tx.carts.get(cart.id, token_digest=cart.token_digest))
            assert list(tx.holds.of_cart(cart.id)) == [mine]

    def test_holding_nothing_is_no_error(self, backend: Backend) -> None:
        with backend.unit_of_work() as tx:
            tx.holds.add([])
            tx.holds.end([], HoldEnd.RELEASED, now=NOW)

    def test_a_hold_falls_with_its_transaction(self, backend: Backend) -> None:
        hold, level = a_hold(backend)
        release(backend, hold)
        with pytest.raises(ZeroDivisionError), backend.unit_of_work() as tx:
            tx.holds.add([replace(hold, id=HoldId(new_id()))])
            tx.stock.record([hold.taken(NOW), received(level, 1)])
            raise ZeroDivisionError
        assert list(of_cart(backend, hold)) == []
        assert again(backend, level).held == 0
