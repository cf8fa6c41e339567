"""The contract of readers of stock."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.inventory import HoldEnd, StockDiscrepancy
from quickshop.ports.inventory import StockView
from tests.builders import (
    AWKWARD,
    NOW,
    a_product,
    a_variant,
    an_allocation,
    canceled,
    declined,
    paid,
    stock_up,
    store_order,
    store_product,
)
from tests.contracts.backend import Backend
from tests.contracts.holds import a_hold
from tests.contracts.inventory import a_level, again, allocate, an_order_for


def counters_wrong(found: Sequence[StockDiscrepancy]) -> list[tuple[str, int, int]]:
    return [(wrong.counter, wrong.recorded, wrong.expected) for wrong in found]


class StockReaderContract:
    def test_every_location_is_listed_by_name(self, backend: Backend) -> None:
        assert not backend.stock_reader.locations()
        product = store_product(backend.unit_of_work)
        for name, priority in (("main", 1), ("attic", 0), ("Łódź", 2)):
            stock_up(
                backend.unit_of_work, product.variants[0], 1, location=name, priority=priority
            )
        found = [(place.name, place.priority) for place in backend.stock_reader.locations()]
        assert found == [("attic", 0), ("main", 1), ("Łódź", 2)]

    def test_staff_see_every_counter(self, backend: Backend) -> None:
        product = a_product(a_variant("SKU-Ä"), title=AWKWARD)
        store_product(backend.unit_of_work, product)
        level = stock_up(
            backend.unit_of_work, product.variants[0], 5, location="Łódź", backorder_limit=2
        )
        order = store_order(backend.unit_of_work, product, quantity=3)
        allocate(backend, order, level)
        page = backend.stock_reader.list()
        assert list(page.items) == [
            StockView(
                sku="SKU-Ä",
                title=AWKWARD,
                location="Łódź",
                on_hand=5,
                allocated=3,
                held=0,
                available=4,
                backorder_limit=2,
            )
        ]
        assert page.next_cursor is None

    def test_levels_come_by_sku_then_location(self, backend: Backend) -> None:
        for sku in ("B-1", "A-2"):
            product = store_product(backend.unit_of_work, a_product(a_variant(sku)))
            for place in ("main", "attic"):
                stock_up(backend.unit_of_work, product.variants[0], 1, location=place)
        places = [(view.sku, view.location) for view in backend.stock_reader.list().items]
        assert places == [
            ("A-2", "attic"),
            ("A-2", "main"),
            ("B-1", "attic"),
            ("B-1", "main"),
        ]

    def test_one_sku_is_shown_alone(self, backend: Backend) -> None:
        one, _two = a_level(backend, 1), a_level(backend, 2)
        assert [view.sku for view in backend.stock_reader.list(sku=one.sku).items] == [one.sku]
        assert not backend.stock_reader.list(sku="none").items

    @pytest.mark.parametrize("limit", [1, 2, 3, 9, 10])
    def test_paging_shows_every_level_exactly_once(self, backend: Backend, limit: int) -> None:
        skus = ["b-1", "B-1", "ß 🚲"]
        for sku in skus:
            product = store_product(backend.unit_of_work, a_product(a_variant(sku)))
            for place in ("Attic", "attic", "Éck"):
                stock_up(backend.unit_of_work, product.variants[0], 1, location=place)
        seen: list[tuple[str, str]] = []
        cursor = None
        while True:
            page = backend.stock_reader.list(limit=limit, cursor=cursor)
            seen += [(view.sku, view.location) for view in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
            assert len(page.items) == limit
        expected = [(sku, place) for sku in skus for place in ("Attic", "attic", "Éck")]
        assert sorted(seen) == sorted(expected)

    @pytest.mark.parametrize("limit", [0, 101])
    def test_a_page_holds_1_to_100_levels(self, backend: Backend, limit: int) -> None:
        with pytest.raises(InvalidValueError):
            backend.stock_reader.list(limit=limit)

    def test_a_cursor_that_nobody_gave_out_is_refused(self, backend: Backend) -> None:
        with pytest.raises(InvalidValueError):
            backend.stock_reader.list(cursor="nonsense")

    def test_a_sound_shop_has_no_discrepancies(self, backend: Backend) -> None:
        order, level = an_order_for(backend, 3, stock=5)
        allocate(backend, order, level)
        assert list(backend.stock_reader.discrepancies()) == []

    def test_a_counter_that_is_not_its_ledger_is_told_and_corrected(
        self, backend: Backend
    ) -> None:
        level = a_level(backend, 5)
        backend.tamper(level, "on_hand", 2)
        found = backend.stock_reader.discrepancies()
        assert list(found) == [
            StockDiscrepancy(
                variant_id=level.variant_id,
                location_id=level.location_id,
                sku=level.sku,
                location="main",
                counter="on_hand",
                recorded=7,
                expected=5,
            )
        ]
        with backend.unit_of_work() as tx:
            tx.stock.correct(found[0])
        assert again(backend, level) == level
        assert not backend.stock_reader.discrepancies()

    def test_units_held_for_nobody_are_told_twice_and_corrected_once(
        self, backend: Backend
    ) -> None:
        _hold, level = a_hold(backend, 2, stock=5)
        backend.tamper(level, "held", 1)
        found = sorted(backend.stock_reader.discrepancies(), key=lambda wrong: wrong.counter)
        assert counters_wrong(found) == [("held", 3, 2), ("holds", 3, 2)]
        with backend.unit_of_work() as tx:
            tx.stock.correct(found[0])
        assert not backend.stock_reader.discrepancies()
        assert again(backend, level).held == 2

    def test_a_hold_that_ended_without_giving_back_is_told(self, backend: Backend) -> None:
        hold, _level = a_hold(backend, 2, stock=5)
        with backend.unit_of_work() as tx:
            tx.holds.end(tx.holds.of_cart(hold.cart_id), HoldEnd.RELEASED, now=NOW)
        assert counters_wrong(backend.stock_reader.discrepancies()) == [("holds", 2, 0)]

    def test_units_allocated_to_no_order_are_told_twice_and_corrected_once(
        self, backend: Backend
    ) -> None:
        order, level = an_order_for(backend, 3, stock=5)
        allocate(backend, order, level)
        backend.tamper(level, "allocated", 1)
        found = sorted(backend.stock_reader.discrepancies(), key=lambda wrong: wrong.counter)
        assert counters_wrong(found) == [("allocated", 4, 3), ("allocations", 4, 3)]
        with backend.unit_of_work() as tx:
            tx.stock.correct(found[0])
        assert not backend.stock_reader.discrepancies()
        assert again(backend, level).allocated == 3

    def test_what_a_canceled_order_still_holds_is_told(self, backend: Backend) -> None:
        order, level = an_order_for(backend, 3, stock=5)
        allocate(backend, order, level)
        with backend.unit_of_work() as tx:
            stopped = tx.orders.get(order.id)
            canceled(stopped)
            tx.orders.save(stopped)
        found = backend.stock_reader.discrepancies()
        assert counters_wrong(found) == [("allocations", 3, 0)]

    def test_live_orders_that_were_promised_too_little_are_named(self, backend: Backend) -> None:
        work = backend.unit_of_work
        product = store_product(work)
        level = stock_up(work, product.variants[0], 9)
        sound = store_order(work, product)
        allocate(backend, sound, level)
        short = store_order(work, product, quantity=3)
        with work() as tx:
            tx.stock.allocate([an_allocation(short, level, 2)], now=NOW)
        without = store_order(work, product, after=paid)
        store_order(work, product, after=canceled)
        store_order(work, product, after=declined)
        found = backend.stock_reader.orders_without_stock()
        assert sorted(found) == sorted([short.number, without.number])
