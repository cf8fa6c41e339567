"""The contract of repositories of levels."""

from __future__ import annotations

import random
from dataclasses import replace
from uuid import UUID

import pytest

from quickshop.domain.errors import (
    ContentionError,
    InvalidValueError,
    NotFoundError,
    OutOfStockError,
)
from quickshop.domain.inventory import Location, LocationId, StockLevel, StockMovement
from tests.builders import (
    AWKWARD,
    NOW,
    a_rich_product,
    new_id,
    received,
    stock_up,
    store_order,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.inventory.steps import a_level, again, allocate, record, release, told_jobs


class LevelContract:
    def test_a_location_is_opened_once(self, backend: Backend) -> None:
        first = Location(id=LocationId(new_id()), name=f"Łódź {AWKWARD}", priority=3)
        second = Location(id=LocationId(new_id()), name=first.name)
        with backend.unit_of_work() as tx:
            assert tx.stock.get_or_create_location(first) == first
            assert tx.stock.get_or_create_location(second) == first
        with backend.unit_of_work() as tx:
            assert tx.stock.location(first.name) == first

    def test_an_unknown_location_is_not_found(self, backend: Backend) -> None:
        with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
            tx.stock.location("nowhere")

    def test_a_new_level_begins_with_nothing(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        variant = product.variants[0]
        with backend.unit_of_work() as tx:
            place = tx.stock.get_or_create_location(
                Location(id=LocationId(new_id()), name="main", priority=5)
            )
            full = StockLevel(
                variant_id=variant.id,
                sku=variant.sku,
                location_id=place.id,
                on_hand=9,
                allocated=3,
                held=1,
                backorder_limit=2,
            )
            opened = tx.stock.get_or_create_level(full)
        empty = StockLevel(
            variant_id=variant.id,
            sku=variant.sku,
            location_id=place.id,
            backorder_limit=2,
            location_priority=5,
        )
        assert (opened.on_hand, opened.allocated, opened.held, opened.available) == (0, 0, 0, 2)
        assert again(backend, empty) == empty

    def test_opening_a_level_again_only_sets_its_back_order_limit(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        stock_up(backend.unit_of_work, product.variants[0], 5, backorder_limit=1)
        level = stock_up(backend.unit_of_work, product.variants[0], 0, backorder_limit=4)
        assert (level.on_hand, level.backorder_limit) == (5, 4)

    def test_levels_are_those_of_the_variants_asked_for(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work, a_rich_product())
        one, two = product.variants
        expected = [
            stock_up(backend.unit_of_work, one, 1),
            stock_up(backend.unit_of_work, one, 2, location="far", priority=7),
            stock_up(backend.unit_of_work, two, 3),
        ]
        a_level(backend, 4)
        with backend.unit_of_work() as tx:
            found = tx.stock.levels({one.id, two.id})
            assert not tx.stock.levels([])
        assert sorted(found, key=lambda level: level.on_hand) == expected
        assert [level.location_priority for level in expected] == [0, 7, 0]

    def test_movements_move_the_counters(self, backend: Backend) -> None:
        level = a_level(backend)
        record(backend, received(level, 10))
        record(backend, StockMovement.adjustment(level, -3, reason=AWKWARD, now=NOW))
        assert again(backend, level).on_hand == 7

    def test_no_movements_are_no_error(self, backend: Backend) -> None:
        record(backend)

    def test_a_level_that_does_not_exist_is_not_found(self, backend: Backend) -> None:
        product = store_product(backend.unit_of_work)
        known = a_level(backend)
        nowhere = StockLevel(
            variant_id=product.variants[0].id,
            sku=product.variants[0].sku,
            location_id=known.location_id,
        )
        with pytest.raises(NotFoundError):
            record(backend, received(nowhere, 1))
        with pytest.raises(NotFoundError):
            record(backend, StockMovement.adjustment(nowhere, -1, reason="lost", now=NOW))

    def test_nobody_takes_more_than_there_is(self, backend: Backend) -> None:
        level = a_level(backend, 5)
        with pytest.raises(OutOfStockError) as caught:
            record(backend, StockMovement.adjustment(level, -6, reason="lost", now=NOW))
        error = caught.value
        assert (error.sku, error.requested, error.available) == (level.sku, 6, 5)
        assert again(backend, level) == level

    def test_takings_from_one_level_are_summed_before_they_are_compared(
        self, backend: Backend
    ) -> None:
        level = a_level(backend, 5)
        three = StockMovement.adjustment(level, -3, reason="lost", now=NOW)
        with pytest.raises(OutOfStockError) as caught:
            record(backend, three, three)
        assert (caught.value.requested, caught.value.available) == (6, 5)
        assert again(backend, level) == level

    def test_back_orders_end_at_their_limit(self, backend: Backend) -> None:
        level = a_level(backend, 2, backorder_limit=3)
        record(backend, StockMovement.adjustment(level, -5, reason="sold", now=NOW))
        assert (again(backend, level).on_hand, again(backend, level).available) == (-3, 0)
        with pytest.raises(OutOfStockError):
            record(backend, StockMovement.adjustment(level, -1, reason="sold", now=NOW))
        record(backend, received(level, 1))
        assert again(backend, level).available == 1

    def test_a_locked_level_is_as_it_is_now(self, backend: Backend) -> None:
        level = a_level(backend, 5)
        with backend.unit_of_work() as tx:
            assert tx.stock.lock(level.variant_id, level.location_id) == level
            with pytest.raises(NotFoundError):
                tx.stock.lock(level.variant_id, LocationId(new_id()))

    def test_a_level_is_configured(self, backend: Backend) -> None:
        level = a_level(backend, 1)
        for limit, threshold, expected in ((2, None, (2, None)), (None, 4, (2, 4))):
            with backend.unit_of_work() as tx:
                tx.stock.configure(
                    level, now=NOW, backorder_limit=limit, low_stock_threshold=threshold
                )
            now = again(backend, level)
            assert (now.backorder_limit, now.low_stock_threshold) == expected
        (view,) = backend.stock_reader.list().items
        assert (view.backorder_limit, view.low_stock_threshold) == (2, 4)

    def test_a_limit_covers_what_is_sold_on_credit(self, backend: Backend) -> None:
        level = a_level(backend, 1, backorder_limit=5)
        record(backend, StockMovement.adjustment(level, -3, reason="sold", now=NOW))
        with pytest.raises(InvalidValueError), backend.unit_of_work() as tx:
            tx.stock.configure(level, now=NOW, backorder_limit=1)
        assert again(backend, level).backorder_limit == 5

    def test_each_crossing_is_told_once(self, backend: Backend) -> None:
        level = a_level(backend, 5)
        with backend.unit_of_work() as tx:
            tx.stock.configure(level, now=NOW, low_stock_threshold=3)
        reported: list[str] = []
        for change in (-1, -1, -1, -2, +1, +9, -9):
            movement = StockMovement.adjustment(level, change, reason="dice", now=NOW)
            record(backend, movement)
            reported.append(f"{change:+}: {' '.join(told_jobs(backend))}")
        assert reported == ["-1: ", "-1: LowStock", "-1: ", "-2: ", "+1: ", "+9: ", "-9: LowStock"]

    def test_what_did_not_happen_is_not_told(self, backend: Backend) -> None:
        level = a_level(backend, 5)
        with backend.unit_of_work() as tx:
            tx.stock.configure(level, now=NOW, low_stock_threshold=3)
        with pytest.raises(ZeroDivisionError), backend.unit_of_work() as tx:
            tx.stock.record([StockMovement.adjustment(level, -4, reason="lost", now=NOW)])
            raise ZeroDivisionError
        assert told_jobs(backend) == []

    def test_many_levels_move_at_once_or_not_at_all(self, backend: Backend) -> None:
        levels = [a_level(backend, 2) for _ in range(20)]
        taken = [StockMovement.adjustment(level, -2, reason="x", now=NOW) for level in levels]
        with pytest.raises(OutOfStockError) as caught:
            record(backend, *reversed([*taken, replace(taken[7], on_hand=-1)]))
        assert (caught.value.sku, caught.value.requested) == (levels[7].sku, 3)
        assert [again(backend, level).on_hand for level in levels] == [2] * 20
        record(backend, *reversed(taken))
        assert [again(backend, level).on_hand for level in levels] == [0] * 20
        assert not backend.stock_reader.discrepancies()

    @pytest.mark.parametrize("seed", range(5))
    def test_counters_equal_the_ledger_after_any_day(self, backend: Backend, seed: int) -> None:
        dice = random.Random(seed)
        product = store_product(backend.unit_of_work, a_rich_product())
        levels = [
            stock_up(backend.unit_of_work, variant, 4, location=place, backorder_limit=limit)
            for variant, limit in zip(product.variants, (0, 2), strict=True)
            for place in ("main", "far")
        ]
        orders = [store_order(backend.unit_of_work, product, quantity=n) for n in (1, 2, 3)]
        on_hand = {(level.variant_id, level.location_id): 4 for level in levels}
        promised: dict[UUID, StockLevel] = {}
        for _ in range(25):
            level, order = dice.choice(levels), dice.choice(orders)
            change = dice.randint(-4, 4) or 1
            try:
                if dice.random() < 0.4:
                    record(
                        backend, StockMovement.adjustment(level, change, reason="dice", now=NOW)
                    )
                    on_hand[level.variant_id, level.location_id] += change
                elif order.id not in promised:
                    allocate(backend, order, level)
                    promised[order.id] = level
                else:
                    release(backend, order.id)
                    del promised[order.id]
            except (OutOfStockError, ContentionError):
                pass
        for level in levels:
            now = again(backend, level)
            assert now.on_hand == on_hand[level.variant_id, level.location_id]
            assert now.allocated == sum(
                order.lines[0].quantity for order in orders if promised.get(order.id) == level
            )
            assert now.available >= 0
        assert not backend.stock_reader.discrepancies()
