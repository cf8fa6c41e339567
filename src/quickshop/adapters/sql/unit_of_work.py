"""Transactions on a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Engine

from quickshop.adapters.sql.cart import SqlCarts
from quickshop.adapters.sql.catalog import SqlCategories, SqlProducts
from quickshop.adapters.sql.connection import BatchingConnection
from quickshop.adapters.sql.dialect import SqlDialect
from quickshop.adapters.sql.errors import translated
from quickshop.adapters.sql.idempotency import SqlIdempotency
from quickshop.adapters.sql.inventory import SqlStock
from quickshop.adapters.sql.jobs import EventLog, Reactions
from quickshop.adapters.sql.notifications import SqlNotifications
from quickshop.adapters.sql.orders import SqlOrders
from quickshop.adapters.sql.payments import SqlPayments
from quickshop.adapters.tracking import Tracker


class SqlTransaction:
    """One open transaction. Repositories are made when they are first used."""

    def __init__(
        self, connection: BatchingConnection, dialect: SqlDialect, reactions: Reactions
    ) -> None:
        self._connection = connection
        self._dialect = dialect
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
    def stock(self) -> SqlStock:
        """Stock levels and their ledger."""
        return SqlStock(self._connection, self._dialect)

    @cached_property
    def carts(self) -> SqlCarts:
        """The carts."""
        return SqlCarts(self._connection, self.tracker, self.log)

    @cached_property
    def orders(self) -> SqlOrders:
        """The orders."""
        return SqlOrders(self._connection, self._dialect, self.tracker, self.log)

    @cached_property
    def payments(self) -> SqlPayments:
        """The payment attempts."""
        return SqlPayments(self._connection, self.tracker, self.log)

    @cached_property
    def notifications(self) -> SqlNotifications:
        """The delivery records."""
        return SqlNotifications(self._connection, self._dialect)

    @cached_property
    def idempotency(self) -> SqlIdempotency:
        """The idempotency keys."""
        return SqlIdempotency(self._connection, self._dialect)


class SqlUnitOfWork:
    """Opens transactions on connections of a pool. Threads may share it."""

    def __init__(
        self,
        engine: Engine,
        dialect: SqlDialect,
        reactions: Reactions,
        on_jobs: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._dialect = dialect
        self._reactions = reactions
        self._on_jobs = on_jobs

    @contextmanager
    def __call__(self) -> Iterator[SqlTransaction]:
        """As the port promises."""
        with translated(), self._engine.begin() as connection:
            batching = BatchingConnection(connection)
            tx = SqlTransaction(batching, self._dialect, self._reactions)
            yield tx
            tx.tracker.require_all_saved()
            batching.flush()
        if tx.log.wrote_jobs:
            self._on_jobs()
