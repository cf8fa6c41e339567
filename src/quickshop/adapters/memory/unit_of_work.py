"""Transactions in memory: one at a time, on a draft that replaces the state at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from typing_extensions import override
from uuid_utils.compat import uuid7

from quickshop.adapters.memory.cart import MemoryCarts
from quickshop.adapters.memory.catalog import MemoryCategories, MemoryProducts
from quickshop.adapters.memory.customers import MemoryCustomers
from quickshop.adapters.memory.fulfillment import MemoryFulfillments
from quickshop.adapters.memory.holds import MemoryHolds
from quickshop.adapters.memory.idempotency import MemoryIdempotency
from quickshop.adapters.memory.identity import (
    MemoryAccounts,
    MemoryApiKeys,
    MemoryOneTimeTokens,
    MemoryRoles,
    MemorySessions,
)
from quickshop.adapters.memory.imports import MemoryImports
from quickshop.adapters.memory.inventory import MemoryStock
from quickshop.adapters.memory.notifications import MemoryNotifications
from quickshop.adapters.memory.orders import MemoryOrders
from quickshop.adapters.memory.payment_webhooks import MemoryPaymentWebhooks
from quickshop.adapters.memory.payments import MemoryPayments
from quickshop.adapters.memory.personal_data import MemoryPersonalData
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import MemoryStore
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.ports.unit_of_work import UnitOfWork

OnSaved = Callable[[Aggregate, Sequence[DomainEvent]], None]


class MemoryTransaction:
    """The repositories of one open transaction."""

    def __init__(self, session: MemorySession) -> None:
        self.products = MemoryProducts(session)
        self.categories = MemoryCategories(session)
        self.imports = MemoryImports(session)
        self.stock = MemoryStock(session)
        self.holds = MemoryHolds(session)
        self.carts = MemoryCarts(session)
        self.orders = MemoryOrders(session)
        self.payments = MemoryPayments(session)
        self.fulfillments = MemoryFulfillments(session)
        self.payment_webhooks = MemoryPaymentWebhooks(session)
        self.notifications = MemoryNotifications(session)
        self.idempotency = MemoryIdempotency(session)
        self.accounts = MemoryAccounts(session)
        self.roles = MemoryRoles(session)
        self.sessions = MemorySessions(session)
        self.one_time_tokens = MemoryOneTimeTokens(session)
        self.api_keys = MemoryApiKeys(session)
        self.customers = MemoryCustomers(session)
        self.personal_data = MemoryPersonalData(session)


class MemoryUnitOfWork(UnitOfWork):
    """Opens transactions on a `store`, which readers and the job queue share.

    `reactions` maps each kind of event to its effects; each event and effect make one job.
    `on_jobs` is called after each commit that wrote jobs. `new_id` creates ids of events and jobs.
    Staff are notified of levels with at most `low_stock_threshold` free units; with None, only of
    levels with a threshold of their own. After each commit `on_saved` is called with each saved
    aggregate and its events.
    """

    def __init__(
        self,
        reactions: Mapping[type[DomainEvent], Sequence[str]],
        on_jobs: Callable[[], None] = lambda: None,
        *,
        store: MemoryStore | None = None,
        on_saved: OnSaved = lambda _aggregate, _events: None,
        low_stock_threshold: int | None = None,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        self._low_stock_threshold = low_stock_threshold
        self.store = store or MemoryStore()
        self._reactions = reactions
        self._on_jobs = on_jobs
        self._on_saved = on_saved
        self._new_id = new_id

    @property
    def is_open(self) -> bool:
        """Whether this thread is in a transaction, where network calls are forbidden."""
        return self.store.is_open

    @contextmanager
    @override
    def __call__(self) -> Iterator[MemoryTransaction]:
        """Open a transaction."""
        with self.store.change() as draft:
            session = MemorySession(
                draft,
                self._reactions,
                self._new_id,
                low_stock_threshold=self._low_stock_threshold,
            )
            yield MemoryTransaction(session)
            session.require_all_saved()
        if session.wrote_jobs:
            self._on_jobs()
        for aggregate, events in session.written:
            self._on_saved(aggregate, events)
