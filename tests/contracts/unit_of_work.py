"""The contract of units of work, for transactions of any content."""

from __future__ import annotations

from threading import Thread

import pytest

from quickshop.application.repeated_transactions import retried
from quickshop.domain.errors import NotFoundError, OutOfStockError
from quickshop.domain.inventory import StockMovement
from quickshop.ports.orders import OrderQuery
from tests.builders import (
    NOW,
    a_cart_with,
    a_payment,
    a_product,
    an_allocation,
    an_order,
    stock_up,
    store_order,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.inventory import again
from tests.contracts.jobs import claim


class UnitOfWorkContract:
    def test_an_error_undoes_the_whole_block(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        level = stock_up(backend.unit_of_work, product.variants[0], 5)
        cart = a_cart_with(product)
        new_product = a_product()
        with pytest.raises(ZeroDivisionError), backend.unit_of_work() as tx:
            tx.products.add(new_product)
            tx.carts.add(cart)
            order = an_order(cart, number=tx.orders.next_number())
            tx.orders.add(order)
            tx.payments.add(a_payment(order))
            tx.stock.allocate([an_allocation(order, level)], now=NOW)
            raise ZeroDivisionError
        with backend.unit_of_work() as tx:
            assert tx.products.find_by_handle(new_product.handle) is None
            assert not tx.payments.of_order(order.id)
            assert not tx.stock.allocations(order.id)
            with pytest.raises(NotFoundError):
                tx.orders.get(order.id)
            with pytest.raises(NotFoundError):
                tx.carts.get(cart.id, token_digest=cart.token_digest)
        assert again(backend, level) == level
        assert not backend.stock_reader.discrepancies()
        assert claim(backend) == []

    def test_a_refusal_undoes_the_whole_block(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        level = stock_up(backend.unit_of_work, product.variants[0], 1)
        with pytest.raises(OutOfStockError), backend.unit_of_work() as tx:
            tx.products.add(a_product(handle="gone-with-the-refusal"))
            taken = StockMovement.adjustment(level, -2, reason="lost", now=NOW)
            tx.stock.record([taken])
        with backend.unit_of_work() as tx:
            assert tx.products.find_by_handle("gone-with-the-refusal") is None

    def test_a_block_sees_what_it_wrote_itself(self, backend: Backend) -> None:
        product = a_product()
        with backend.unit_of_work() as tx:
            tx.products.add(product)
            assert tx.products.get(product.id).title == product.title
            assert tx.products.offer(product.variants[0].sku).product_id == product.id

    def test_readers_see_a_change_when_its_block_has_ended(self, backend: Backend) -> None:
        store_product(backend.unit_of_work)
        cart = a_cart_with(store_product(backend.unit_of_work))
        with backend.unit_of_work() as tx:
            tx.carts.add(cart)
            tx.orders.add(an_order(cart, number=tx.orders.next_number()))
            assert not backend.order_reader.list(OrderQuery()).items
        assert len(backend.order_reader.list(OrderQuery()).items) == 1

    def test_what_was_got_is_a_copy(self, backend: Backend) -> None:
        stored = store_order(backend.unit_of_work)
        with backend.unit_of_work() as tx:
            order = tx.orders.get(stored.id)
        order.cancel("never saved", now=NOW)
        stored.cancel("never saved", now=NOW)
        with backend.unit_of_work() as tx:
            assert tx.orders.get(stored.id).status == "pending"

    def test_a_change_after_saving_is_an_error_too(self, backend: Backend) -> None:
        stored = store_order(backend.unit_of_work)
        with pytest.raises(AssertionError, match="not saved"), backend.unit_of_work() as tx:
            order = tx.orders.get(stored.id)
            order.mark_paid(now=NOW)
            tx.orders.save(order)
            order.cancel("forgotten", now=NOW)

    def test_buyers_who_race_for_the_last_units_get_exactly_those(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        level = stock_up(backend.unit_of_work, product.variants[0], 5)
        taken = StockMovement.adjustment(level, -1, reason="sold", now=NOW)
        outcomes: list[str] = []

        @retried
        def buy() -> None:
            with backend.unit_of_work() as tx:
                assert tx.stock.levels([level.variant_id])
                tx.stock.record([taken])

        def race() -> None:
            for _ in range(3):
                try:
                    buy()
                    outcomes.append("bought")
                except OutOfStockError:
                    outcomes.append("refused")

        threads = [Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == ["bought"] * 5 + ["refused"] * 7
        assert again(backend, level).available == 0
        assert not backend.stock_reader.discrepancies()
