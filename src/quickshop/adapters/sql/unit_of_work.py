"""Transactions on a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from uuid import UUID

from sqlalchemy import Engine
from typing_extensions import override

from quickshop.adapters.sql.cart import SqlCarts
from quickshop.adapters.sql.catalog import SqlCategories, SqlProducts
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.customers import SqlCustomers
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.fulfillment import SqlFulfillments
from quickshop.adapters.sql.holds import SqlHolds
from quickshop.adapters.sql.idempotency import SqlIdempotency
from quickshop.adapters.sql.identity import SqlAccounts, SqlApiKeys, SqlRoles
from quickshop.adapters.sql.imports import SqlImports
from quickshop.adapters.sql.inventory import SqlStock
from quickshop.adapters.sql.jobs import EventLog, Reactions
from quickshop.adapters.sql.notifications import SqlNotifications
from quickshop.adapters.sql.orders import SqlOrders
from quickshop.adapters.sql.payment_webhooks import SqlPaymentWebhooks
from quickshop.adapters.sql.payments import SqlPayments
from quickshop.adapters.sql.personal_data import SqlPersonalData
from quickshop.adapters.sql.sessions import SqlOneTimeTokens, SqlSessions
from quickshop.adapters.tracking import Tracker
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.ports.unit_of_work import UnitOfWork

OnSaved = Callable[[Aggregate, Sequence[DomainEvent]], None]


class SqlTransaction:
    """One open transaction. Repositories are created on first use."""

    def __init__(
        self,
        connection: BatchingConnection,
        dialect: SqlDialect,
        reactions: Reactions,
        low_stock_threshold: int | None,
    ) -> None:
        self._connection = connection
        self._low_stock_threshold = low_stock_threshold
        self._dialect = dialect
        self._holding_nothing: set[UUID] = set()
        """Ids of carts without holds, to which only this transaction can add holds."""
        self.tracker = Tracker()
        self.log = EventLog(connection, reactions)

    @cached_property
    def products(self) -> SqlProducts:
        """The catalog."""
        return SqlProducts(self._connection, self._dialect, self.tracker, self.log)

    @cached_property
    def categories(self) -> SqlCategories:
        """The category tree."""
        return SqlCategories(self._connection, self._dialect)

    @cached_property
    def imports(self) -> SqlImports:
        """The imports of product files."""
        return SqlImports(self._connection, self.tracker, self.log)

    @cached_property
    def stock(self) -> SqlStock:
        """The stock levels and their ledger."""
        return SqlStock(self._connection, self._dialect, self.log, self._low_stock_threshold)

    @cached_property
    def holds(self) -> SqlHolds:
        """The holds on units for carts."""
        return SqlHolds(self._connection, self._holding_nothing)

    @cached_property
    def carts(self) -> SqlCarts:
        """The carts."""
        return SqlCarts(self._connection, self.tracker, self.log, self._holding_nothing)

    @cached_property
    def orders(self) -> SqlOrders:
        """The orders."""
        return SqlOrders(self._connection, self._dialect, self.tracker, self.log)

    @cached_property
    def payments(self) -> SqlPayments:
        """The payment attempts."""
        return SqlPayments(self._connection, self.tracker, self.log)

    @cached_property
    def fulfillments(self) -> SqlFulfillments:
        """The fulfillments."""
        return SqlFulfillments(self._connection)

    @cached_property
    def payment_webhooks(self) -> SqlPaymentWebhooks:
        """The webhook messages of payment gateways."""
        return SqlPaymentWebhooks(self._connection, self._dialect)

    @cached_property
    def notifications(self) -> SqlNotifications:
        """The delivery records."""
        return SqlNotifications(self._connection, self._dialect)

    @cached_property
    def idempotency(self) -> SqlIdempotency:
        """The idempotency keys."""
        return SqlIdempotency(self._connection, self._dialect)

    @cached_property
    def accounts(self) -> SqlAccounts:
        """The accounts."""
        return SqlAccounts(self._connection, self.tracker, self.log)

    @cached_property
    def roles(self) -> SqlRoles:
        """The custom roles of the shop."""
        return SqlRoles(self._connection, self.tracker, self.log)

    @cached_property
    def sessions(self) -> SqlSessions:
        """The sessions."""
        return SqlSessions(self._connection, self.tracker, self.log)

    @cached_property
    def one_time_tokens(self) -> SqlOneTimeTokens:
        """The one-time tokens of emails."""
        return SqlOneTimeTokens(self._connection, self.tracker, self.log)

    @cached_property
    def api_keys(self) -> SqlApiKeys:
        """The API keys."""
        return SqlApiKeys(self._connection, self.tracker, self.log)

    @cached_property
    def customers(self) -> SqlCustomers:
        """The customers."""
        return SqlCustomers(self._connection, self.tracker, self.log)

    @cached_property
    def personal_data(self) -> SqlPersonalData:
        """Personal data of customers outside the customer record."""
        return SqlPersonalData(self._connection)


class SqlUnitOfWork(UnitOfWork):
    """Opens transactions on connections of a pool. It is thread-safe.

    Staff are notified of levels with at most `low_stock_threshold` free units; with None, only of
    levels with a threshold of their own. After each commit `on_saved` is called with each saved
    aggregate and its events.
    """

    def __init__(
        self,
        engine: Engine,
        dialect: SqlDialect,
        reactions: Reactions,
        on_jobs: Callable[[], None] = lambda: None,
        *,
        on_saved: OnSaved = lambda _aggregate, _events: None,
        low_stock_threshold: int | None = None,
    ) -> None:
        self._low_stock_threshold = low_stock_threshold
        self._engine = engine
        self._dialect = dialect
        self._reactions = reactions
        self._on_jobs = on_jobs
        self._on_saved = on_saved

    @contextmanager
    @override
    def __call__(self) -> Iterator[SqlTransaction]:
        with translated(), self._engine.begin() as connection:
            batching = BatchingConnection(connection)
            tx = SqlTransaction(
                batching, self._dialect, self._reactions, self._low_stock_threshold
            )
            yield tx
            tx.tracker.require_all_saved()
            batching.flush()
        if tx.log.wrote_jobs:
            self._on_jobs()
        for aggregate, events in tx.log.written:
            self._on_saved(aggregate, events)
