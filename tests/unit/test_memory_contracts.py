"""The twins keep every contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from quickshop.adapters.memory.jobs import MemoryJobQueue, MemorySchedules
from quickshop.adapters.memory.readers import memory_readers
from quickshop.adapters.memory.state import MemoryStore
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.application.reactions import REACTIONS
from quickshop.domain.inventory import StockLevel
from tests.contracts.backend import Backend
from tests.contracts.cart import CartRepositoryContract
from tests.contracts.catalog import CategoryRepositoryContract, ProductRepositoryContract
from tests.contracts.catalog_reader import ProductReaderContract, ProductSearchContract
from tests.contracts.customers import CustomerReaderContract, CustomerRepositoryContract
from tests.contracts.fulfillment import FulfillmentRepositoryContract
from tests.contracts.holds import HoldRepositoryContract
from tests.contracts.idempotency import IdempotencyRepositoryContract
from tests.contracts.identity import (
    AccountRepositoryContract,
    ApiKeyRepositoryContract,
    RoleRepositoryContract,
)
from tests.contracts.identity_reader import IdentityReaderContract
from tests.contracts.imports import ImportReaderContract, ImportRepositoryContract
from tests.contracts.inventory import StockRepositoryContract
from tests.contracts.inventory_reader import StockReaderContract
from tests.contracts.jobs import JobQueueContract, ScheduleContract
from tests.contracts.notifications import NotificationRepositoryContract
from tests.contracts.orders import OrderReaderContract, OrderRepositoryContract
from tests.contracts.payment_webhooks import PaymentWebhookRepositoryContract
from tests.contracts.payments import PaymentRepositoryContract
from tests.contracts.sessions import OneTimeTokenRepositoryContract, SessionRepositoryContract
from tests.contracts.unit_of_work import UnitOfWorkContract
from tests.contracts.unpublished import UnpublishedProductsContract


def add_past_the_ledger(store: MemoryStore, level: StockLevel, counter: str, change: int) -> None:
    with store.change() as state:
        shelves = state.levels[level.variant_id]
        shelf = shelves[level.location_id]
        counters: Mapping[str, int] = {counter: getattr(shelf.level, counter) + change}
        wrong = replace(shelf, level=replace(shelf.level, **counters))
        state.levels[level.variant_id] = {**shelves, level.location_id: wrong}


@pytest.fixture
def backend() -> Backend:
    work = MemoryUnitOfWork(REACTIONS)
    readers = memory_readers(work.store)
    return Backend(
        unit_of_work=work,
        product_reader=readers.products,
        cart_reader=readers.carts,
        order_reader=readers.orders,
        customer_reader=readers.customers,
        identity_reader=readers.identity,
        stock_reader=readers.stock,
        import_reader=readers.imports,
        job_queue=MemoryJobQueue(work.store),
        schedules=MemorySchedules(work.store),
        tamper=lambda *what: add_past_the_ledger(work.store, *what),
    )


class TestMemoryProducts(ProductRepositoryContract):
    pass


class TestMemoryCategories(CategoryRepositoryContract):
    pass


class TestMemoryProductReader(ProductReaderContract):
    pass


class TestMemoryProductSearch(ProductSearchContract):
    pass


class TestMemoryStock(StockRepositoryContract):
    pass


class TestMemoryStockReader(StockReaderContract):
    pass


class TestMemoryCarts(CartRepositoryContract):
    pass


class TestMemoryOrders(OrderRepositoryContract):
    pass


class TestMemoryOrderReader(OrderReaderContract):
    pass


class TestMemoryPayments(PaymentRepositoryContract):
    pass


class TestMemoryFulfillments(FulfillmentRepositoryContract):
    pass


class TestMemoryNotifications(NotificationRepositoryContract):
    pass


class TestMemoryIdempotency(IdempotencyRepositoryContract):
    pass


class TestMemoryJobQueue(JobQueueContract):
    pass


class TestMemorySchedules(ScheduleContract):
    pass


class TestMemoryUnitOfWork(UnitOfWorkContract):
    pass


class TestMemoryHolds(HoldRepositoryContract):
    pass


class TestMemoryPaymentWebhooks(PaymentWebhookRepositoryContract):
    pass


class TestMemoryUnpublishedProducts(UnpublishedProductsContract):
    pass


class TestMemoryImports(ImportRepositoryContract):
    pass


class TestMemoryImportReader(ImportReaderContract):
    pass


class TestMemoryCustomerReader(CustomerReaderContract):
    pass


class TestMemoryCustomers(CustomerRepositoryContract):
    pass


class TestMemoryAccounts(AccountRepositoryContract):
    pass


class TestMemoryApiKeys(ApiKeyRepositoryContract):
    pass


class TestMemoryIdentityReader(IdentityReaderContract):
    pass


class TestMemoryRoles(RoleRepositoryContract):
    pass


class TestMemoryOneTimeTokens(OneTimeTokenRepositoryContract):
    pass


class TestMemorySessions(SessionRepositoryContract):
    pass
