"""The contract of repositories of allocations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quickshop.domain.errors import InvalidValueError, OutOfStockError
from quickshop.domain.inventory import (
    Allocation,
    Demand,
    ShippedUnits,
    StockLevel,
    plan_allocation,
)
from quickshop.domain.orders import Order, OrderLine, OrderLineId
from tests.builders import (
    NOW,
    a_cart,
    a_rich_product,
    an_allocation,
    an_order_of,
    eur,
    new_id,
    received,
    stock_up,
    store_order,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.inventory.steps import again, allocate, an_order_for, record, release, ship


class PromiseContract:
    def test_an_order_is_promised_its_units(self, backend: Backend) -> None:
        order, level = an_order_for(backend, 3, stock=5)
        allocation = an_allocation(order, level)
        with backend.unit_of_work() as tx:
            tx.stock.allocate([allocation], now=NOW)
        with backend.unit_of_work() as tx:
            assert list(tx.stock.allocations(order.id)) == [allocation]
        after = again(backend, level)
        assert (after.on_hand, after.allocated, after.available) == (5, 3, 2)

    def test_an_order_is_not_promised_what_others_were(self, backend: Backend) -> None:
        order, level = an_order_for(backend, 3, stock=2)
        with pytest.raises(OutOfStockError) as caught:
            allocate(backend, order, level)
        error = caught.value
        assert (error.sku, error.requested, error.available) == (level.sku, 3, 2)
        with backend.unit_of_work() as tx:
            assert not tx.stock.allocations(order.id)
        assert again(backend, level) == level

    def test_a_refusal_for_one_level_leaves_the_others_alone(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_rich_product())
        plenty = stock_up(backend.unit_of_work, product.variants[0], 9)
        short = stock_up(backend.unit_of_work, product.variants[1], 1)
        order = store_order(backend.unit_of_work, product, quantity=2)
        with pytest.raises(OutOfStockError):
            allocate(backend, order, plenty, short)
        assert (again(backend, plenty), again(backend, short)) == (plenty, short)
        assert not backend.stock_reader.discrepancies()

    def test_two_lines_of_one_sku_get_no_more_than_there_is(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        level = stock_up(backend.unit_of_work, product.variants[0], 5)
        order = an_order_with_the_same_sku_twice(backend, level, quantity=3)
        twice = [
            an_allocation(order, level, 3),
            replace_line(an_allocation(order, level, 3), order.lines[1]),
        ]
        with pytest.raises(OutOfStockError), backend.unit_of_work() as tx:
            tx.stock.allocate(twice, now=NOW)
        assert again(backend, level) == level
        record(backend, received(level, 1))
        with backend.unit_of_work() as tx:
            tx.stock.allocate(twice, now=NOW)
        assert again(backend, level).available == 0

    def test_promises_are_given_back_once(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_rich_product())
        levels = [stock_up(backend.unit_of_work, variant, 5) for variant in product.variants]
        order = store_order(backend.unit_of_work, product, quantity=2)
        allocate(backend, order, *levels)
        assert release(backend, order.id) == 4
        assert release(backend, order.id) == 0
        assert [again(backend, level) for level in levels] == levels
        with backend.unit_of_work() as tx:
            assert not tx.stock.allocations(order.id)

    def test_an_order_may_be_promised_units_anew(self, backend: Backend) -> None:
        order, level = an_order_for(backend, 2, stock=2)
        allocate(backend, order, level)
        release(backend, order.id)
        allocate(backend, order, level)
        assert again(backend, level).allocated == 2
        assert release(backend, order.id) == 2

    def test_an_order_without_promises_gives_nothing_back(self, backend: Backend) -> None:
        assert release(backend, new_id()) == 0

    def test_a_plan_over_two_places_is_taken_from_both(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        variant = product.variants[0]
        near = stock_up(backend.unit_of_work, variant, 3, location="near")
        far = stock_up(backend.unit_of_work, variant, 3, location="far", priority=9)
        order = store_order(backend.unit_of_work, product, quantity=4)
        demand = Demand(order.lines[0].id, variant.id, variant.sku, 4)
        with backend.unit_of_work() as tx:
            picks = plan_allocation([demand], tx.stock.levels([variant.id]))
            tx.stock.allocate(
                [an_allocation(order, pick.level, pick.quantity) for pick in picks], now=NOW
            )
        assert (again(backend, near).allocated, again(backend, far).allocated) == (3, 1)

    def test_shipped_units_leave_the_shelf_and_the_promise(self, backend: Backend) -> None:
        order, level = an_order_for(backend, 3, stock=5)
        allocate(backend, order, level)
        line = order.lines[0]
        assert ship(backend, order, {line.id: 2}) == [
            ShippedUnits(
                order_line_id=line.id,
                variant_id=level.variant_id,
                sku=level.sku,
                location_id=level.location_id,
                quantity=2,
            )
        ]
        after = again(backend, level)
        assert (after.on_hand, after.allocated, after.available) == (3, 1, 2)
        with backend.unit_of_work() as tx:
            (allocation,) = tx.stock.allocations(order.id)
        assert (allocation.quantity, allocation.shipped) == (3, 2)
        assert not backend.stock_reader.discrepancies()
        assert backend.stock_reader.orders_without_stock() == []

    @pytest.mark.parametrize("units", [0, 4])
    def test_no_more_ships_than_was_promised(self, backend: Backend, units: int) -> None:
        order, level = an_order_for(backend, 3, stock=5)
        allocate(backend, order, level)
        with pytest.raises(InvalidValueError):
            ship(backend, order, {order.lines[0].id: units})
        ship(backend, order, {order.lines[0].id: 3})
        with pytest.raises(InvalidValueError):
            ship(backend, order, {order.lines[0].id: 1})
        assert again(backend, level).on_hand == 2

    def test_what_has_shipped_is_not_given_back(self, backend: Backend) -> None:
        order, level = an_order_for(backend, 3, stock=5)
        allocate(backend, order, level)
        ship(backend, order, {order.lines[0].id: 1})
        assert release(backend, order.id) == 2
        after = again(backend, level)
        assert (after.on_hand, after.allocated) == (4, 0)
        assert not backend.stock_reader.discrepancies()

    def test_giving_back_an_order_that_shipped_whole_moves_nothing(self, backend: Backend) -> None:
        order, level = an_order_for(backend, 3, stock=3)
        allocate(backend, order, level)
        ship(backend, order, {order.lines[0].id: 3})
        assert release(backend, order.id) == 0
        assert (again(backend, level).on_hand, again(backend, level).allocated) == (0, 0)

    def test_a_line_ships_from_where_it_was_promised(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        variant = product.variants[0]
        near = stock_up(backend.unit_of_work, variant, 3, location="near")
        far = stock_up(backend.unit_of_work, variant, 3, location="far")
        order = store_order(backend.unit_of_work, product, quantity=4)
        with backend.unit_of_work() as tx:
            tx.stock.allocate(
                [an_allocation(order, near, 3), an_allocation(order, far, 1)], now=NOW
            )
        line = order.lines[0].id
        with pytest.raises(InvalidValueError):
            ship(backend, order, {line: 2}, far)
        (parcel,) = ship(backend, order, {line: 1}, far)
        assert (parcel.location_id, parcel.quantity) == (far.location_id, 1)
        (rest,) = ship(backend, order, {line: 3})
        assert (rest.location_id, rest.quantity) == (near.location_id, 3)
        assert (again(backend, near).on_hand, again(backend, far).on_hand) == (0, 2)
        assert not backend.stock_reader.discrepancies()


def an_order_with_the_same_sku_twice(
    backend: Backend, level: StockLevel, *, quantity: int
) -> Order:
    lines = [
        OrderLine(
            id=OrderLineId(new_id()),
            variant_id=level.variant_id,
            sku=level.sku,
            title="Twice",
            variant_title="",
            quantity=quantity,
            unit_price=eur(100),
        )
        for _ in range(2)
    ]
    cart = a_cart()
    with backend.unit_of_work() as tx:
        tx.carts.add(cart)
        order = an_order_of(lines, cart_id=cart.id, number=tx.orders.next_number())
        tx.orders.add(order)
    return order


def replace_line(allocation: Allocation, line: OrderLine) -> Allocation:
    return replace(allocation, order_line_id=line.id)
