"""What happens to stock, one transaction each."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from quickshop.domain.inventory import ShippedUnits, StockLevel, StockMovement
from quickshop.domain.orders import Order, OrderLineId
from tests.builders import NOW, an_allocation, stock_up, store_order, store_product
from tests.contracts.backend import Backend


def a_level(backend: Backend, units: int = 0, *, backorder_limit: int = 0) -> StockLevel:
    product = store_product(backend.unit_of_work)
    return stock_up(
        backend.unit_of_work, product.variants[0], units, backorder_limit=backorder_limit
    )


def again(backend: Backend, level: StockLevel) -> StockLevel:
    """The level as it is now."""
    with backend.unit_of_work() as tx:
        levels = tx.stock.levels([level.variant_id])
    return next(found for found in levels if found.location_id == level.location_id)


def record(backend: Backend, *movements: StockMovement) -> None:
    with backend.unit_of_work() as tx:
        tx.stock.record(movements)


def allocate(backend: Backend, order: Order, *levels: StockLevel) -> None:
    with backend.unit_of_work() as tx:
        tx.stock.allocate([an_allocation(order, level) for level in levels], now=NOW)


def release(backend: Backend, order_id: UUID) -> int:
    with backend.unit_of_work() as tx:
        return tx.stock.release(order_id, now=NOW)


def ship(
    backend: Backend, order: Order, units: dict[OrderLineId, int], place: StockLevel | None = None
) -> list[ShippedUnits]:
    with backend.unit_of_work() as tx:
        where = place and place.location_id
        return list(tx.stock.ship(order.id, dict(units), location_id=where, now=NOW))


def told_jobs(backend: Backend) -> list[str]:
    """The events that jobs were written for since the last call; the jobs are done by it."""
    reported = []
    for job_id in backend.job_queue.claim(NOW, limit=100, lease=timedelta(minutes=1)):
        job = backend.job_queue.start(job_id, NOW, lease=timedelta(minutes=1))
        assert job is not None
        reported.append(type(job.event).__name__)
        backend.job_queue.finish(job_id, NOW)
    return reported


def an_order_for(backend: Backend, units: int, *, stock: int) -> tuple[Order, StockLevel]:
    """A stored order of one variant, and its level with this much stock; none is promised yet."""
    product = store_product(backend.unit_of_work)
    level = stock_up(backend.unit_of_work, product.variants[0], stock)
    return store_order(backend.unit_of_work, product, quantity=units), level
