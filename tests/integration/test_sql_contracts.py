"""The SQL adapters keep the same promises as their twins, on SQLite and on PostgreSQL."""

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


class TestSqlCarts(CartRepositoryContract):
    pass


class TestSqlCategories(CategoryRepositoryContract):
    pass


class TestSqlProducts(ProductRepositoryContract):
    pass


class TestSqlProductReader(ProductReaderContract):
    pass


class TestSqlProductSearch(ProductSearchContract):
    pass


class TestSqlIdempotency(IdempotencyRepositoryContract):
    pass


class TestSqlStockReader(StockReaderContract):
    pass


class TestSqlStock(StockRepositoryContract):
    pass


class TestSqlJobQueue(JobQueueContract):
    pass


class TestSqlSchedules(ScheduleContract):
    pass


class TestSqlFulfillments(FulfillmentRepositoryContract):
    pass


class TestSqlNotifications(NotificationRepositoryContract):
    pass


class TestSqlOrderReader(OrderReaderContract):
    pass


class TestSqlOrders(OrderRepositoryContract):
    pass


class TestSqlPayments(PaymentRepositoryContract):
    pass


class TestSqlUnitOfWork(UnitOfWorkContract):
    pass


class TestSqlHolds(HoldRepositoryContract):
    pass


class TestSqlPaymentWebhooks(PaymentWebhookRepositoryContract):
    pass


class TestSqlUnpublishedProducts(UnpublishedProductsContract):
    pass


class TestSqlImports(ImportRepositoryContract):
    pass


class TestSqlImportReader(ImportReaderContract):
    pass


class TestSqlCustomerReader(CustomerReaderContract):
    pass


class TestSqlCustomers(CustomerRepositoryContract):
    pass


class TestSqlAccounts(AccountRepositoryContract):
    pass


class TestSqlApiKeys(ApiKeyRepositoryContract):
    pass


class TestSqlIdentityReader(IdentityReaderContract):
    pass


class TestSqlRoles(RoleRepositoryContract):
    pass


class TestSqlOneTimeTokens(OneTimeTokenRepositoryContract):
    pass


class TestSqlSessions(SessionRepositoryContract):
    pass
