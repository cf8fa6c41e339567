"""One level whose counters somebody spoiled holds up nobody else, and can be set right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quickshop.domain.catalog import Product
from quickshop.domain.orders import OrderStatus
from tests.scripted import World


@pytest.fixture
def world() -> World:
    return World()


def spoil(world: World, product: Product, counter: str, units: int) -> None:
    """Set a counter behind the ledger's back, as no path of the shop can."""
    variant_id = product.variants[0].id
    with world.unit_of_work.store.change() as state:
        shelves = state.levels[variant_id]
        state.levels[variant_id] = {
            place: replace(shelf, level=replace(shelf.level, **{counter: units}))
            for place, shelf in shelves.items()
        }


def test_an_order_that_cannot_be_given_up_keeps_no_other_from_expiring(world: World) -> None:
    broken, whole = world.sell(units=5), world.sell(units=5)
    stuck = world.order(broken, token="tok_3ds")
    world.clock.advance(seconds=1)
    late = world.order(whole, token="tok_3ds")
    world.run()
    spoil(world, broken, "allocated", 0)
    world.clock.advance(minutes=61)
    world.shop.jobs.expire_orders()
    assert world.status(late.order.id) is OrderStatus.EXPIRED
    assert world.available(whole) == 5
    assert world.status(stuck.order.id) is OrderStatus.PENDING
    world.shop.inventory.reconcile(repair=True)
    world.clock.advance(minutes=61)
    world.shop.jobs.expire_orders()
    assert world.status(stuck.order.id) is OrderStatus.EXPIRED
    world.run()
    assert not world.problems()


def test_a_hold_that_cannot_be_released_keeps_no_other_from_being(world: World) -> None:
    broken, whole = world.sell(units=5), world.sell(units=5)
    for product in (broken, whole):
        cart = world.fill_cart(product, 2)
        world.shop.carts.hold(cart.cart.id, cart.token)
    spoil(world, broken, "held", 0)
    world.clock.advance(minutes=11)
    assert world.shop.inventory.release_expired_holds() == 1
    assert world.available(whole) == 5
    world.shop.inventory.reconcile(repair=True)
    assert world.shop.inventory.release_expired_holds() == 1
    assert world.available(broken) == 5
    assert not world.problems()


def test_a_level_that_cannot_be_repaired_keeps_no_other_from_being(world: World) -> None:
    oversold, broken = world.sell(units=5), world.sell(units=5)
    spoil(world, oversold, "on_hand", 50)
    world.order(oversold, quantity=20)
    world.order(broken, quantity=2)
    spoil(world, broken, "on_hand", 60)
    spoil(world, broken, "allocated", 50)
    assert len(world.shop.inventory.reconcile(repair=True)) >= 3
    left = world.shop.inventory.reconcile()
    assert {each.sku for each in left} == {oversold.variants[0].sku}
    assert world.available(broken) == 3
