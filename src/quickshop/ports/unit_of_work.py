"""The port of transactions."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from quickshop.ports.cart import CartRepository
from quickshop.ports.catalog import CategoryRepository, ProductRepository
from quickshop.ports.customers import CustomerRepository
from quickshop.ports.fulfillment import FulfillmentRepository
from quickshop.ports.idempotency import IdempotencyRepository
from quickshop.ports.identity import (
    AccountRepository,
    ApiKeyRepository,
    OneTimeTokenRepository,
    RoleRepository,
    SessionRepository,
)
from quickshop.ports.imports import ImportRepository
from quickshop.ports.inventory import HoldRepository, StockRepository
from quickshop.ports.notifications import NotificationRepository
from quickshop.ports.orders import OrderRepository
from quickshop.ports.payment_webhooks import PaymentWebhookRepository
from quickshop.ports.payments import PaymentRepository
from quickshop.ports.personal_data import PersonalDataRepository


class Transaction(Protocol):
    """An open transaction, with the repositories that share it."""

    @property
    def products(self) -> ProductRepository: ...
    @property
    def categories(self) -> CategoryRepository: ...
    @property
    def imports(self) -> ImportRepository: ...
    @property
    def stock(self) -> StockRepository: ...
    @property
    def holds(self) -> HoldRepository: ...
    @property
    def carts(self) -> CartRepository: ...
    @property
    def orders(self) -> OrderRepository: ...
    @property
    def payments(self) -> PaymentRepository: ...
    @property
    def fulfillments(self) -> FulfillmentRepository: ...
    @property
    def payment_webhooks(self) -> PaymentWebhookRepository: ...
    @property
    def notifications(self) -> NotificationRepository: ...
    @property
    def idempotency(self) -> IdempotencyRepository: ...
    @property
    def accounts(self) -> AccountRepository: ...
    @property
    def roles(self) -> RoleRepository: ...
    @property
    def sessions(self) -> SessionRepository: ...
    @property
    def one_time_tokens(self) -> OneTimeTokenRepository: ...
    @property
    def api_keys(self) -> ApiKeyRepository: ...
    @property
    def customers(self) -> CustomerRepository: ...
    @property
    def personal_data(self) -> PersonalDataRepository: ...


class UnitOfWork(Protocol):
    """Opens transactions. It has no state between them, so threads may share it.

    A transaction commits when its block ends and rolls back when the block raises. The events of
    every aggregate saved in it become jobs at commit, or not at all. Blocks do not nest. Call
    nothing outside the database in a block.
    """

    def __call__(self) -> AbstractContextManager[Transaction]:
        """Open a transaction.

        Raises:
            ContentionError: inside or at the end of the block, the database aborted the
                transaction in favor of another; repeat the whole block.
            TransientError: the database cannot be reached, or dropped the connection. If this
                happens at commit, the transaction may be committed: only an idempotency key
                shows whether it is.
        """
        ...
