"""Whatever comes between two statements about parcels and holds, each unit is promised once.

Each test runs a story and its rival on real PostgreSQL, once for every point at which the rival
can come in.
"""

from __future__ import annotations

import pytest

from quickshop import Shop
from quickshop.application.cart import NewCart
from quickshop.application.checkout import PlacedOrder
from tests.integration.crossing import Crossing, Scene, checks_out, guest_cancels
from tests.integration.stepping import Story

pytestmark = pytest.mark.sampled


def ships(placed: PlacedOrder, units: int | None = None) -> Story:
    lines = None if units is None else {placed.order.lines[0].sku: units}
    return lambda shop: shop.orders.fulfill(placed.order.id, lines=lines) and "shipped"


def refunds(placed: PlacedOrder) -> Story:
    return lambda shop: shop.orders.refund(placed.order.id) and "refunded"


def holds(cart: NewCart) -> Story:
    return lambda shop: shop.carts.hold(cart.cart.id, cart.token) and "held"


def sweeps_holds(shop: Shop) -> str:
    """Give back what was held for too long."""
    shop.inventory.release_expired_holds()
    return "swept"


def counts(sku: str, counted: int) -> Story:
    return lambda shop: shop.inventory.count(sku, counted) and "counted"


# -- Parcels


def test_an_order_is_shipped_or_canceled(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return ships(placed), guest_cancels(placed)

    crossing.both_ways(scene, {("shipped", "order_state"), ("order_state", "canceled")})


def test_an_order_is_shipped_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return ships(placed), ships(placed)

    crossing.one_way(scene, {("shipped", "order_state"), ("order_state", "shipped")})


def test_two_parcels_of_a_part_hold_no_more_than_was_bought(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 3)
        return ships(placed, 2), ships(placed, 2)

    crossing.one_way(scene, {("shipped", "invalid_value"), ("invalid_value", "shipped")})


def test_an_order_whose_money_goes_back_is_not_shipped_as_well(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), 2)
        return ships(placed), refunds(placed)

    crossing.both_ways(scene, {("shipped", "refunded"), ("order_state", "refunded")})


# -- Holds


def test_of_two_who_hold_the_last_unit_one_gets_it(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(1)
        return holds(made.cart(sku)), holds(made.cart(sku))

    crossing.one_way(scene, {("held", "out_of_stock"), ("out_of_stock", "held")})


def test_the_last_unit_is_held_or_bought(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(1)
        return holds(made.cart(sku)), checks_out(made.cart(sku))

    crossing.both_ways(scene, {("held", "out_of_stock"), ("out_of_stock", "placed")})


def test_a_hold_that_has_expired_is_bought_by_its_cart_or_by_another(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(1)
        held, other = made.cart(sku), made.cart(sku)
        holds(held)(made.shops.stepped)
        made.shops.clock.advance(minutes=11)
        return checks_out(held), checks_out(other)

    crossing.both_ways(scene, {("placed", "out_of_stock"), ("out_of_stock", "placed")})


def test_a_hold_becomes_an_order_or_expires(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        cart = made.cart(made.sells(1))
        holds(cart)(made.shops.stepped)
        made.shops.clock.advance(minutes=11)
        return checks_out(cart), sweeps_holds

    crossing.both_ways(scene, {("placed", "swept")})


def test_a_cart_held_while_it_is_checked_out_holds_nothing_more(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        cart = made.cart(made.sells(5))
        return holds(cart), checks_out(cart)

    crossing.both_ways(scene, {("held", "placed"), ("cart_completed", "placed")})


# -- Counts


def test_a_shelf_counted_while_it_is_bought_from_is_what_was_counted(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(5)
        return checks_out(made.cart(sku, quantity=3)), counts(sku, 4)

    crossing.both_ways(scene, {("placed", "counted")})
