"""What a shopper checks out with is set aside, for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from quickshop.application.cart import NewCart
from quickshop.application.checkout import PlacedOrder, PlaceOrder
from quickshop.domain.catalog import Product
from quickshop.domain.errors import (
    CartStateError,
    EmptyCartError,
    IdempotencyMismatchError,
    NotForSaleError,
    NotFoundError,
    OutOfStockError,
)
from quickshop.domain.inventory import Hold, HoldOwner
from quickshop.domain.orders import OrderStatus
from quickshop.domain.payments import PaymentSource
from tests.builders import NOW, a_variant, an_address, revised, stock_up
from tests.scripted import World
from tests.twins import memory_shop


@pytest.fixture
def world() -> World:
    return World()


def a_world(**settings: Any) -> World:
    world = World()
    world.shop = memory_shop(
        gateway=world.gateway,
        notifier=world.notifier,
        clock=world.clock,
        unit_of_work=world.unit_of_work,
        settings=settings,
    )
    return world


def hold(world: World, cart: NewCart, **more: Any) -> Mapping[str, int]:
    """Hold a cart, and tell how many of each SKU it then holds."""
    answer = world.shop.carts.hold(cart.cart.id, cart.token, **more)
    return {line.sku: line.quantity for line in answer.value.lines}


def holds(world: World, cart: NewCart) -> list[Hold]:
    with world.unit_of_work() as tx:
        return list(tx.holds.of_cart(cart.cart.id))


def counters(world: World, product: Product) -> tuple[int, int, int]:
    """On hand, allocated, held; over all locations."""
    sku = product.variants[0].sku
    levels = world.shop.inventory.list(sku=sku).items
    assert world.problems() == []
    return (
        sum(level.on_hand for level in levels),
        sum(level.allocated for level in levels),
        sum(level.held for level in levels),
    )


def change(world: World, cart: NewCart, quantity: int) -> None:
    line = world.shop.carts.get(cart.cart.id, cart.token).lines[0]
    world.shop.carts.change_line(cart.cart.id, cart.token, line.id, quantity=quantity)


def withdraw(world: World, product: Product) -> None:
    with world.unit_of_work() as tx:
        current = tx.products.get(product.id)
        current.revise(*revised(current, published=False), now=NOW)
        tx.products.save(current)


def test_what_one_shopper_holds_another_cannot_buy(world: World) -> None:
    product = world.sell(units=3)
    mine, other = world.fill_cart(product, 2), world.fill_cart(product, 2)
    assert hold(world, mine) == {product.variants[0].sku: 2}
    assert world.available(product) == 1
    with pytest.raises(OutOfStockError) as caught:
        world.check_out(other)
    assert (caught.value.requested, caught.value.available) == (2, 1)
    world.check_out(mine)
    assert counters(world, product) == (3, 2, 0)


def test_a_hold_is_spent_by_the_order_once(world: World) -> None:
    product = world.sell(units=2)
    cart = world.fill_cart(product, 2)
    hold(world, cart)
    placed = world.check_out(cart)
    assert counters(world, product) == (2, 2, 0)
    world.run(hours=1)
    assert counters(world, product) == (2, 2, 0)
    assert world.status(placed.order.id) is OrderStatus.PAID
    with pytest.raises(CartStateError):
        hold(world, cart)
    world.shop.carts.release(cart.cart.id, cart.token)
    assert counters(world, product) == (2, 2, 0)


def test_a_refused_order_keeps_what_its_cart_holds(world: World) -> None:
    product, gone = world.sell(units=2), world.sell(units=1)
    cart = world.fill_cart(product, 2)
    hold(world, cart)
    world.shop.carts.add_line(cart.cart.id, cart.token, sku=gone.variants[0].sku, quantity=2)
    with pytest.raises(OutOfStockError):
        world.check_out(cart)
    assert counters(world, product) == (2, 0, 2)
    assert counters(world, gone) == (1, 0, 0)


def test_holding_is_all_or_nothing(world: World) -> None:
    first, second = world.sell(units=5), world.sell(units=1)
    cart = world.fill_cart(first, 2)
    world.shop.carts.add_line(cart.cart.id, cart.token, sku=second.variants[0].sku, quantity=2)
    with pytest.raises(OutOfStockError):
        hold(world, cart)
    assert counters(world, first) == (5, 0, 0)
    assert holds(world, cart) == []


def test_an_expired_hold_refuses_nobody_before_the_sweeper_came(world: World) -> None:
    product = world.sell(units=2)
    mine, other = world.fill_cart(product, 2), world.fill_cart(product, 2)
    hold(world, mine)
    world.clock.advance(seconds=599)
    with pytest.raises(OutOfStockError):
        world.check_out(other)
    world.clock.advance(seconds=1)
    world.check_out(other)
    assert counters(world, product) == (2, 2, 0)
    with pytest.raises(OutOfStockError):
        world.check_out(mine)


def test_several_expired_holds_stand_in_the_way_of_nobody(world: World) -> None:
    products = [world.sell(units=1) for _ in range(3)]
    for product in products:
        hold(world, world.fill_cart(product))
    world.clock.advance(minutes=10)
    wanting_all = world.fill_cart(products[0])
    for product in products[1:]:
        sku = product.variants[0].sku
        world.shop.carts.add_line(wanting_all.cart.id, wanting_all.token, sku=sku)
    assert len(hold(world, wanting_all)) == 3
    assert [counters(world, product) for product in products] == [(1, 0, 1)] * 3


def test_an_expired_hold_that_nobody_needed_is_still_its_shoppers(world: World) -> None:
    product = world.sell(units=2)
    cart = world.fill_cart(product, 2)
    hold(world, cart)
    world.clock.advance(hours=1)
    world.check_out(cart)
    assert counters(world, product) == (2, 2, 0)


def test_the_sweeper_gives_back_what_was_held_too_long(world: World) -> None:
    product = world.sell(units=150)
    for _ in range(120):
        hold(world, world.fill_cart(product))
    assert world.available(product) == 30
    world.run(seconds=590)
    assert world.available(product) == 30
    world.run(seconds=15)
    assert world.available(product) == 150
    assert counters(world, product) == (150, 0, 0)


def test_holding_again_makes_it_last_anew(world: World) -> None:
    product = world.sell(units=2)
    cart = world.fill_cart(product, 2)
    hold(world, cart)
    world.clock.advance(minutes=9)
    answer = world.shop.carts.hold(cart.cart.id, cart.token)
    assert answer.value.expires_at == world.clock.now() + timedelta(minutes=10)
    world.run(minutes=9)
    assert counters(world, product) == (2, 0, 2)
    assert len(holds(world, cart)) == 1


def test_holding_again_holds_what_the_cart_has_then(world: World) -> None:
    product = world.sell(units=5)
    cart = world.fill_cart(product, 2)
    hold(world, cart)
    change(world, cart, 5)
    assert counters(world, product) == (5, 0, 2)
    hold(world, cart)
    assert counters(world, product) == (5, 0, 5)


def test_taking_less_gives_the_rest_back_at_once(world: World) -> None:
    product = world.sell(units=5)
    cart = world.fill_cart(product, 5)
    hold(world, cart)
    change(world, cart, 2)
    assert counters(world, product) == (5, 0, 2)
    line = world.shop.carts.get(cart.cart.id, cart.token).lines[0]
    world.shop.carts.remove_line(cart.cart.id, cart.token, line.id)
    assert counters(world, product) == (5, 0, 0)


def test_a_hold_is_given_back_on_request(world: World) -> None:
    product = world.sell(units=2)
    cart = world.fill_cart(product, 2)
    hold(world, cart)
    for _ in range(2):
        world.shop.carts.release(cart.cart.id, cart.token)
        assert counters(world, product) == (2, 0, 0)
    assert len(world.shop.carts.get(cart.cart.id, cart.token).lines) == 1


def test_only_the_token_of_a_cart_holds_and_releases_it(world: World) -> None:
    product = world.sell(units=2)
    cart = world.fill_cart(product)
    with pytest.raises(NotFoundError):
        world.shop.carts.hold(cart.cart.id, "another")
    hold(world, cart)
    with pytest.raises(NotFoundError):
        world.shop.carts.release(cart.cart.id, "another")
    assert counters(world, product) == (2, 0, 1)


def test_an_empty_cart_and_what_is_not_sold_cannot_be_held(world: World) -> None:
    with pytest.raises(EmptyCartError):
        hold(world, world.shop.carts.create())
    product = world.sell()
    cart = world.fill_cart(product)
    withdraw(world, product)
    with pytest.raises(NotForSaleError):
        hold(world, cart)


def test_holding_is_repeated_without_effect(world: World) -> None:
    product = world.sell(units=5)
    cart, other = world.fill_cart(product), world.fill_cart(product)
    first = world.shop.carts.hold(cart.cart.id, cart.token, idempotency_key="k")
    world.clock.advance(minutes=1)
    again = world.shop.carts.hold(cart.cart.id, cart.token, idempotency_key="k")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.value == first.value
    assert not world.shop.carts.hold(other.cart.id, other.token, idempotency_key="k").replayed
    with pytest.raises(IdempotencyMismatchError):
        world.shop.carts.hold(other.cart.id, cart.token, idempotency_key="k")


def test_paying_again_finds_expired_holds_no_hindrance(world: World) -> None:
    product = world.sell(units=1)
    placed = world.order(product, token="tok_declined")
    world.run()
    hold(world, world.fill_cart(product))
    card = PaymentSource("tok_ok")
    with pytest.raises(OutOfStockError):
        world.shop.orders.pay_again(placed.order.id, placed.token, payment=card)
    world.clock.advance(minutes=10)
    world.shop.orders.pay_again(placed.order.id, placed.token, payment=card)
    assert counters(world, product) == (1, 1, 0)


def test_staff_are_not_refused_for_an_expired_hold(world: World) -> None:
    product = world.sell(units=3)
    sku = product.variants[0].sku
    hold(world, world.fill_cart(product, 2))
    with pytest.raises(OutOfStockError):
        world.shop.inventory.adjust(sku, -2, reason="broken")
    with pytest.raises(OutOfStockError):
        world.shop.inventory.count(sku, 1)
    world.clock.advance(minutes=10)
    world.shop.inventory.count(sku, 1)
    assert counters(world, product) == (1, 0, 0)


def test_a_hold_may_be_split_over_locations(world: World) -> None:
    product = world.sell(units=2)
    stock_up(world.unit_of_work, product.variants[0], 3, location="attic", priority=4)
    cart = world.fill_cart(product, 4)
    hold(world, cart)
    assert sorted(held.quantity for held in holds(world, cart)) == [2, 2]
    change(world, cart, 5)
    hold(world, cart)
    assert sorted(held.quantity for held in holds(world, cart)) == [2, 3]
    world.check_out(cart)
    assert counters(world, product) == (5, 5, 0)


def test_ended_holds_are_forgotten_after_a_week(world: World) -> None:
    cart = world.fill_cart(world.sell())
    hold(world, cart)
    world.run(minutes=11)
    store = world.unit_of_work.store
    assert len(store.state.ended_holds) == 1
    world.run(days=8)
    assert len(store.state.ended_holds) == 0


class TestWhenCartsAreHeld:
    def test_what_is_put_in_a_cart_is_set_aside(self) -> None:
        world = a_world(hold_carts=True)
        product = world.sell(units=3)
        cart = world.fill_cart(product, 2)
        assert [held.owner for held in holds(world, cart)] == [HoldOwner.CART]
        assert counters(world, product) == (3, 0, 2)
        other = world.shop.carts.create()
        sku = product.variants[0].sku
        with pytest.raises(OutOfStockError):
            world.shop.carts.add_line(other.cart.id, other.token, sku=sku, quantity=2)
        assert world.shop.carts.get(other.cart.id, other.token).lines == ()
        world.clock.advance(minutes=10)
        world.shop.carts.add_line(other.cart.id, other.token, sku=sku, quantity=2)
        assert counters(world, product) == (3, 0, 2)

    def test_changing_a_line_changes_what_is_held(self) -> None:
        world = a_world(hold_carts=True)
        product = world.sell(units=5)
        cart = world.fill_cart(product, 2)
        change(world, cart, 4)
        assert counters(world, product) == (5, 0, 4)
        with pytest.raises(OutOfStockError):
            change(world, cart, 6)
        assert counters(world, product) == (5, 0, 4)
        change(world, cart, 1)
        assert counters(world, product) == (5, 0, 1)

    def test_checking_out_makes_the_holds_its_own(self) -> None:
        world = a_world(hold_carts=True)
        cart = world.fill_cart(world.sell(), 2)
        hold(world, cart)
        assert [held.owner for held in holds(world, cart)] == [HoldOwner.CHECKOUT]

    def test_a_product_with_several_variants_is_held_whole(self) -> None:
        world = a_world(hold_carts=True)
        variants = (a_variant(options=("S",)), a_variant(options=("L",)))
        product = world.sell(units=2, variants=variants, option_names=("Size",))
        cart = world.fill_cart(product, 1)
        assert len(holds(world, cart)) == 2
        line = world.shop.carts.get(cart.cart.id, cart.token).lines[1]
        world.shop.carts.remove_line(cart.cart.id, cart.token, line.id)
        (left,) = holds(world, cart)
        assert left.variant_id == product.variants[0].id


def test_nobody_is_refused_because_a_rival_released_the_expired_hold(world: World) -> None:
    product = world.sell(units=1)
    hold(world, world.fill_cart(product))
    world.clock.advance(minutes=10)
    cart = world.fill_cart(product)
    release = world.shop.inventory.release_expired_holds
    placing = replace(world.shop.orders.place, release=NoReleasing())  # type: ignore[arg-type]

    def story() -> PlacedOrder:
        try:
            return place(placing, cart)
        except OutOfStockError:
            release()
            raise

    assert release.retry_after_releasing(story).order.status is OrderStatus.PENDING
    assert counters(world, product) == (1, 1, 0)


class NoReleasing:
    """Refuses at once, as if there were no holds."""

    def retry_after_releasing(self, story: Callable[[], PlacedOrder]) -> PlacedOrder:
        return story()


def place(use_case: PlaceOrder, cart: NewCart) -> PlacedOrder:
    return use_case(
        cart.cart.id,
        cart.token,
        email="ada@example.com",
        shipping_address=an_address(),
        payment=PaymentSource("tok_ok"),
    )
