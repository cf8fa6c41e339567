"""The state of a shop in memory, and the lock that guards changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from threading import Lock, get_ident
from typing import Any, Final
from uuid import UUID

from quickshop.adapters.memory.constraints import require
from quickshop.domain.cart import Cart, CartId
from quickshop.domain.catalog import Category, CategoryId, Offer, Product, ProductId, VariantId
from quickshop.domain.customers import Customer, CustomerId
from quickshop.domain.events import DomainEvent
from quickshop.domain.fulfillment import Fulfillment
from quickshop.domain.identity import (
    Account,
    AccountId,
    ApiKey,
    ApiKeyId,
    OneTimeToken,
    OneTimeTokenId,
    RefreshToken,
    Role,
    Session,
    SessionId,
)
from quickshop.domain.imports import Import, ImportId
from quickshop.domain.inventory import (
    Allocation,
    Hold,
    HoldId,
    Location,
    LocationId,
    StockLevel,
    StockMovement,
)
from quickshop.domain.notifications import Channel, Notification
from quickshop.domain.orders import Order, OrderEvent, OrderId
from quickshop.domain.payments import Payment, PaymentId
from quickshop.ports.imports import RowIssue
from quickshop.ports.jobs import JobId
from quickshop.ports.payment_webhooks import WebhookRecord


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """A stock level, with its number of changes."""

    level: StockLevel
    changes: int


class JobStatus(StrEnum):
    """The status of a job."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """One job: one effect of one event."""

    id: JobId
    event_id: UUID
    effect: str
    event: DomainEvent
    due_at: datetime
    """The time at which the job is due."""
    available_at: datetime
    """The time from which a worker may claim the job."""
    held_until: datetime | None = None
    """The end of the current lease: no other worker may claim the job before."""
    status: JobStatus = JobStatus.WAITING
    attempts: int = 0
    error: str = ""
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyClaim:
    """An idempotency key, the fingerprint of its request, and the answer."""

    fingerprint: str
    claimed_at: datetime
    answer: Any = None


@dataclass(slots=True, kw_only=True)
class MemoryState:
    """All tables and indexes. Their values are never changed, only replaced."""

    products: dict[ProductId, Product] = field(default_factory=dict)
    words: dict[ProductId, tuple[str, ...]] = field(default_factory=dict)
    """The words that search compares, by product."""
    handles: dict[str, ProductId] = field(default_factory=dict)
    skus: dict[str, VariantId] = field(default_factory=dict)
    offers: dict[VariantId, Offer] = field(default_factory=dict)
    """Offers, including removed variants, which are not for sale."""
    categories: dict[CategoryId, Category] = field(default_factory=dict)

    imports: dict[ImportId, Import] = field(default_factory=dict)
    import_content: dict[ImportId, tuple[bytes, ...]] = field(default_factory=dict)
    import_issues: dict[ImportId, tuple[RowIssue, ...]] = field(default_factory=dict)

    locations: dict[LocationId, Location] = field(default_factory=dict)
    levels: dict[VariantId, Mapping[LocationId, StoredLevel]] = field(default_factory=dict)
    ledger: list[StockMovement] = field(default_factory=list)
    allocations: dict[UUID, tuple[Allocation, ...]] = field(default_factory=dict)
    """Allocations that have not been released, by order."""
    holds: dict[HoldId, Hold] = field(default_factory=dict)
    """Active holds."""
    ended_holds: dict[HoldId, datetime] = field(default_factory=dict)
    """The end time of each ended hold."""

    accounts: dict[AccountId, Account] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    """The custom roles of the shop."""
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    """Refresh tokens, by digest."""
    one_time_tokens: dict[OneTimeTokenId, OneTimeToken] = field(default_factory=dict)
    api_keys: dict[ApiKeyId, ApiKey] = field(default_factory=dict)
    customers: dict[CustomerId, Customer] = field(default_factory=dict)

    carts: dict[CartId, Cart] = field(default_factory=dict)
    orders: dict[OrderId, Order] = field(default_factory=dict)
    order_by_cart: dict[CartId, OrderId] = field(default_factory=dict)
    order_by_number: dict[str, OrderId] = field(default_factory=dict)
    last_number: int = 1000
    timelines: dict[OrderId, tuple[OrderEvent, ...]] = field(default_factory=dict)
    payments: dict[PaymentId, Payment] = field(default_factory=dict)
    attempts: dict[OrderId, tuple[PaymentId, ...]] = field(default_factory=dict)
    fulfillments: dict[OrderId, tuple[Fulfillment, ...]] = field(default_factory=dict)
    webhooks: dict[tuple[str, str], WebhookRecord] = field(default_factory=dict)
    """Webhook messages, by provider and event id."""

    notifications: dict[tuple[UUID, Channel, str], Notification] = field(default_factory=dict)
    jobs: dict[JobId, JobRecord] = field(default_factory=dict)
    """Jobs, in the order in which they were written."""
    schedules: dict[str, datetime] = field(default_factory=dict)
    """The time at which each task was last claimed."""
    keys: dict[tuple[str, str], KeyClaim] = field(default_factory=dict)

    def draft(self) -> MemoryState:
        """Return a state to change. Tables are copied, their values are shared."""
        tables = {table: getattr(self, table).copy() for table in _TABLES}
        return MemoryState(last_number=self.last_number, **tables)


_TABLES: Final = tuple(table.name for table in fields(MemoryState) if table.name != "last_number")


class MemoryStore:
    """The committed state. One thread at a time changes it; all threads may read it."""

    def __init__(self) -> None:
        self.state = MemoryState()
        """The last committed state. It is replaced, not changed: read it once for one snapshot."""
        self._lock = Lock()
        self._owner: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether this thread is inside `change`."""
        return self._owner == get_ident()

    @contextmanager
    def change(self) -> Iterator[MemoryState]:
        """Yield a draft that replaces the state when the block ends without an error."""
        require(not self.is_open, "transactions do not nest")
        with self._lock:
            self._owner = get_ident()
            try:
                draft = self.state.draft()
                yield draft
                self.state = draft  # Not reached if the block raised: this is the rollback.
            finally:
                self._owner = None
