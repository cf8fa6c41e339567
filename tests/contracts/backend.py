"""The interface of a family of adapters for the contract tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quickshop.domain.inventory import StockLevel
from quickshop.ports.cart import CartReader
from quickshop.ports.catalog import ProductReader
from quickshop.ports.customers import CustomerReader
from quickshop.ports.identity import IdentityReader
from quickshop.ports.imports import ImportReader
from quickshop.ports.inventory import StockReader
from quickshop.ports.jobs import JobQueue, ScheduleRepository
from quickshop.ports.orders import OrderReader
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Everything of one empty shop. Its unit of work reacts by `application.reactions.REACTIONS`.

    Contract classes take it from a fixture named `backend`, fresh for every test.
    """

    unit_of_work: UnitOfWork
    product_reader: ProductReader
    cart_reader: CartReader
    order_reader: OrderReader
    customer_reader: CustomerReader
    identity_reader: IdentityReader
    stock_reader: StockReader
    import_reader: ImportReader
    job_queue: JobQueue
    schedules: ScheduleRepository
    tamper: Callable[[StockLevel, str, int], None]
    """Add to the counter of this name of a stored level, past the ledger."""
