"""What the twins promise beyond the ports, so that they are never laxer than a database."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from quickshop.adapters.clock import SystemClock
from quickshop.adapters.identifiers import SystemIdentifiers
from quickshop.adapters.memory.jobs import MemoryJobQueue, MemoryJobSignal
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.application.reactions import REACTIONS
from quickshop.domain.cart import CartId
from quickshop.domain.catalog import CategoryId
from quickshop.domain.errors import AdapterError
from quickshop.domain.inventory import LocationId, StockLevel
from quickshop.ports.jobs import JobId
from tests.builders import (
    NOW,
    a_cart_with,
    a_payment,
    a_product,
    an_allocation,
    an_order,
    new_id,
    stock_up,
    store_order,
    store_product,
)


@pytest.fixture
def work() -> MemoryUnitOfWork:
    return MemoryUnitOfWork(REACTIONS)


def test_transactions_do_not_nest(work: MemoryUnitOfWork) -> None:
    with pytest.raises(AdapterError, match="do not nest"), work() as tx:
        tx.products.add(a_product())
        with work():
            pass
    assert not work.store.state.products


def test_the_queue_is_not_used_within_a_transaction(work: MemoryUnitOfWork) -> None:
    with pytest.raises(AdapterError, match="do not nest"), work():
        MemoryJobQueue(work.store).finish(JobId(new_id()), NOW)


def test_a_transaction_is_open_for_its_own_thread_alone(work: MemoryUnitOfWork) -> None:
    seen = []
    assert not work.is_open
    with work():
        assert work.is_open
        other = Thread(target=lambda: seen.append(work.is_open))
        other.start()
        other.join(10)
    assert seen == [False]
    assert not work.is_open


def test_after_an_error_the_next_transaction_opens(work: MemoryUnitOfWork) -> None:
    with pytest.raises(ZeroDivisionError), work():
        raise ZeroDivisionError
    store_product(work)


def test_the_worker_is_woken_when_jobs_were_committed_and_not_before() -> None:
    woken: list[bool] = []
    work = MemoryUnitOfWork(REACTIONS, lambda: woken.append(work.is_open))
    product = store_product(work)
    assert woken == []
    with pytest.raises(ZeroDivisionError):
        store_order(work, product, after=lambda _order: 1 / 0)
    assert woken == []
    store_order(work, product)
    assert woken == [False]


def test_what_refers_to_nothing_is_an_error(work: MemoryUnitOfWork) -> None:
    product = store_product(work)
    cart = a_cart_with(product)
    order = an_order(cart)
    with pytest.raises(AdapterError, match="no such category"), work() as tx:
        tx.products.add(a_product(category_id=CategoryId(new_id())))
    with pytest.raises(AdapterError, match="no such variant"), work() as tx:
        tx.carts.add(a_cart_with(a_product()))
    with pytest.raises(AdapterError, match="no such cart"), work() as tx:
        tx.orders.add(order)
    with pytest.raises(AdapterError, match="no such order"), work() as tx:
        tx.payments.add(a_payment(order))
    with pytest.raises(AdapterError, match="no such location"), work() as tx:
        variant = product.variants[0]
        nowhere = LocationId(CartId(new_id()))
        level = StockLevel(variant_id=variant.id, sku=variant.sku, location_id=nowhere)
        tx.stock.get_or_create_level(level)


def test_units_are_promised_to_lines_of_stored_orders_alone(work: MemoryUnitOfWork) -> None:
    product = store_product(work)
    level = stock_up(work, product.variants[0], 9)
    order = store_order(work, product)
    unknown = an_order(a_cart_with(product))
    allocation = an_allocation(order, level)
    for wrong in ([an_allocation(unknown, level)], [an_allocation(order, level, 0)]):
        with pytest.raises(AdapterError, match="an allocation must"), work() as tx:
            tx.stock.allocate(wrong, now=NOW)
    with pytest.raises(AdapterError, match="added only once"), work() as tx:
        tx.stock.allocate([allocation], now=NOW)
        tx.stock.allocate([allocation], now=NOW)


def test_a_signal_wakes_who_waits_and_is_used_up() -> None:
    signal = MemoryJobSignal()
    signal.wake()
    signal.wait(60)
    done = Event()

    def wait() -> None:
        signal.wait(60)
        done.set()

    waiter = Thread(target=wait)
    waiter.start()
    signal.wake()
    waiter.join(10)
    assert done.is_set()
    signal.wait(0)


def test_ids_sort_by_the_time_they_were_made_and_secrets_are_long() -> None:
    identifiers = SystemIdentifiers()
    ids = [identifiers.new() for _ in range(1000)]
    assert ids == sorted(set(ids))
    assert {made.version for made in ids} == {7}
    secrets = {identifiers.secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) >= 43 and secret.isascii() for secret in secrets)


def test_the_clock_tells_utc() -> None:
    now = SystemClock().now()
    offset = now.utcoffset()
    assert offset is not None
    assert not offset
