"""Whatever comes between two statements of a checkout, it ends as if one had come after the other.

Each test runs a story and its rival on real PostgreSQL, once for every point at which the rival
can come in.
"""

from __future__ import annotations

import pytest

from quickshop import Money
from tests.integration.crossing import (
    PARTS,
    PRICE,
    Crossing,
    Scene,
    adds_line,
    adjusts,
    checks_out,
    guest_cancels,
    pays_again,
    receives,
    staff_cancels,
)
from tests.integration.stepping import Meeting, Story, TwoShops
from tests.landing import share

pytestmark = pytest.mark.sampled

# -- Stock


def test_a_buyer_waits_for_another_of_the_same_thing_once_that_one_has_taken_it(
    two_shops: TwoShops,
) -> None:
    def meet(stop_at: int) -> Meeting:
        made = Scene(two_shops)
        sku = made.sells(1)
        one, other = checks_out(made.cart(sku)), checks_out(made.cart(sku))
        return two_shops.meet(one, other, stop_at=stop_at)

    points = meet(-1).points
    taken_after = next(n for n, point in enumerate(points) if point.endswith(" stock_levels"))
    for at in share(range(len(points)), PARTS):
        assert meet(at).rival_waited == (at > taken_after), (at, points)
    two_shops.settle()


def test_of_two_buyers_of_the_last_unit_one_gets_it(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(1)
        return checks_out(made.cart(sku)), checks_out(made.cart(sku))

    crossing.one_way(scene, {("placed", "out_of_stock"), ("out_of_stock", "placed")})


def test_two_buyers_of_the_same_things_in_opposite_orders_never_wait_for_each_other(
    crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        one, other = made.sells(5), made.sells(5)
        return checks_out(made.cart(one, other)), checks_out(made.cart(other, one))

    crossing.one_way(scene, {("placed", "placed")})


def test_buyers_who_queue_for_the_same_things_never_wait_for_each_other(
    two_shops: TwoShops,
) -> None:
    made = Scene(two_shops)
    skus = [made.sells(5) for _ in range(3)]
    one, other = checks_out(made.cart(*skus)), checks_out(made.cart(*reversed(skus)))
    in_the_middle = (
        "SELECT 1 FROM stock_levels JOIN variants ON variants.id = variant_id"
        f" WHERE sku = '{skus[1]}' FOR NO KEY UPDATE OF stock_levels"
    )
    assert two_shops.queue_behind(in_the_middle, one, other) == ["placed", "placed"]
    two_shops.settle()
    made.check()


def test_of_two_buyers_of_the_last_things_in_opposite_orders_one_gets_all_of_them(
    crossing: Crossing,
) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        one, other = made.sells(1), made.sells(1)
        return checks_out(made.cart(one, other)), checks_out(made.cart(other, one))

    crossing.one_way(scene, {("placed", "out_of_stock"), ("out_of_stock", "placed")})


def test_units_at_two_places_are_sold_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(2, attic=2)
        return tuple(checks_out(made.cart(sku, quantity=3)) for _ in range(2))  # type: ignore[return-value]

    crossing.one_way(scene, {("placed", "out_of_stock"), ("out_of_stock", "placed")})


def test_what_staff_take_away_is_not_sold_as_well(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(5)
        return checks_out(made.cart(sku, quantity=3)), adjusts(sku, -3)

    crossing.both_ways(scene, {("placed", "out_of_stock"), ("out_of_stock", "adjusted")})


def test_a_delivery_is_sold_once_it_is_there(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(1)
        made.received[sku] += 1
        return checks_out(made.cart(sku, quantity=2)), receives(sku, 1)

    crossing.both_ways(scene, {("placed", "received"), ("out_of_stock", "received")})


def test_the_unit_of_a_canceled_order_is_sold_once_more(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(1)
        return staff_cancels(made.order(sku)), checks_out(made.cart(sku))

    crossing.both_ways(scene, {("canceled", "placed"), ("canceled", "out_of_stock")})


def test_the_last_unit_goes_to_who_pays_again_or_to_who_buys_it(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(1)
        return pays_again(made.order_settled(sku, pay_with="tok_declined")), checks_out(
            made.cart(sku)
        )

    crossing.both_ways(scene, {("pending", "out_of_stock"), ("out_of_stock", "placed")})


# -- Carts and keys


def test_a_cart_completed_twice_becomes_one_order(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        cart = made.cart(made.sells(5))
        return checks_out(cart), checks_out(cart)

    crossing.one_way(scene, {("placed", "cart_completed"), ("cart_completed", "placed")})


def test_one_key_used_twice_places_one_order(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        cart = made.cart(made.sells(5))
        return checks_out(cart, key="one"), checks_out(cart, key="one")

    crossing.one_way(
        scene,
        {("placed", "replayed"), ("replayed", "placed")},
        also={("placed", "idempotency_in_progress")},
    )


def test_one_key_used_twice_pays_once_more(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order_settled(made.sells(5), pay_with="tok_declined")
        return pays_again(placed, key="one"), pays_again(placed, key="one")

    crossing.one_way(
        scene,
        {("pending", "replayed"), ("replayed", "pending")},
        also={("pending", "idempotency_in_progress")},
    )


def test_one_key_used_twice_cancels_once(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        placed = made.order(made.sells(5))
        return guest_cancels(placed, key="one"), guest_cancels(placed, key="one")

    crossing.one_way(
        scene,
        {("canceled", "replayed"), ("replayed", "canceled")},
        also={("canceled", "idempotency_in_progress")},
    )


def test_a_line_is_in_the_order_or_the_cart_says_that_it_is_closed(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(5)
        cart = made.cart(sku)
        return adds_line(cart, sku), checks_out(cart)

    crossing.both_ways(scene, {("added", "placed"), ("cart_completed", "placed")})


def test_two_who_fill_one_cart_lose_no_line(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        cart = made.cart(made.sells(5))
        return adds_line(cart, made.sells(5)), adds_line(cart, next(iter(made.received)))

    crossing.one_way(scene, {("added", "added")})


def test_nobody_pays_another_price_than_was_shown(crossing: Crossing) -> None:
    def scene(made: Scene) -> tuple[Story, Story]:
        sku = made.sells(5)
        return (
            checks_out(made.cart(sku), expected=PRICE),
            lambda shop: shop.products.change_price(sku, Money(990, "USD")) and "changed",
        )

    crossing.both_ways(scene, {("placed", "changed"), ("price_changed", "changed")})
