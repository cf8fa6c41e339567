"""A whole shop on the twins in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from quickshop.adapters.identifiers import SystemIdentifiers
from quickshop.adapters.memory.cache import NoProductCache
from quickshop.adapters.memory.cart import MemoryCartReader
from quickshop.adapters.memory.catalog_reader import MemoryProductReader
from quickshop.adapters.memory.customers import MemoryCustomerReader
from quickshop.adapters.memory.hot_copies import NoCartCopies, NoSessionCopies
from quickshop.adapters.memory.identity import MemoryIdentityReader
from quickshop.adapters.memory.imports import MemoryImportReader
from quickshop.adapters.memory.inventory import MemoryStockReader
from quickshop.adapters.memory.jobs import (
    MemoryJobQueue,
    MemoryJobSignal,
    MemorySchedules,
    NoBroker,
)
from quickshop.adapters.memory.orders import MemoryOrderReader
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.adapters.security.passwords import MIN_COST, BcryptPasswords
from quickshop.adapters.security.tokens import JwtAccessTokens, fresh_keys
from quickshop.application.reactions import REACTIONS
from quickshop.domain.errors import FileFormatError
from quickshop.ports.cache import ProductCache
from quickshop.ports.credentials import AccessTokens, PasswordHasher
from quickshop.ports.hot_copies import CartCopies
from quickshop.ports.imports import ProductFeed
from quickshop.ports.jobs import JobPublisher
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.shop import Policy, Shop, build_shop
from tests.builders import MovableClock

QUICK_PASSWORDS: Final = BcryptPasswords(cost=MIN_COST)


def _no_feed(path: Path, *, currency: str) -> ProductFeed:
    raise FileFormatError(f"this shop reads no files: {path}, {currency}")


def memory_shop(
    *,
    gateway: PaymentGateway,
    notifier: Notifier,
    clock: MovableClock | None = None,
    unit_of_work: MemoryUnitOfWork | None = None,
    settings: Mapping[str, Any] | None = None,
    payment_webhooks: Mapping[str, PaymentWebhooks] | None = None,
    product_cache: ProductCache | None = None,
    cart_copies: CartCopies | None = None,
    job_publisher: JobPublisher | None = None,
    access_tokens: AccessTokens | None = None,
    password_hasher: PasswordHasher | None = None,
) -> Shop:
    """A whole shop on the twins; `settings` are fields of its `Policy`."""
    work = unit_of_work or MemoryUnitOfWork(REACTIONS)
    store = work.store
    return build_shop(
        policy=Policy(**({"currency": "EUR"} | dict(settings or {}))),
        unit_of_work=work,
        clock=clock or MovableClock(),
        identifiers=SystemIdentifiers(),
        product_reader=MemoryProductReader(store),
        product_cache=product_cache or NoProductCache(),
        cart_reader=MemoryCartReader(store),
        cart_copies=cart_copies or NoCartCopies(),
        order_reader=MemoryOrderReader(store),
        stock_reader=MemoryStockReader(store),
        import_reader=MemoryImportReader(store),
        product_feed=_no_feed,
        sanitizer=lambda html: html,
        payment_gateway=gateway,
        payment_webhooks=payment_webhooks or {},
        notifier=notifier,
        job_queue=MemoryJobQueue(store),
        job_publisher=job_publisher or NoBroker(),
        job_signal=MemoryJobSignal(),
        schedules=MemorySchedules(store),
        customer_reader=MemoryCustomerReader(store),
        identity_reader=MemoryIdentityReader(store),
        password_hasher=password_hasher or QUICK_PASSWORDS,
        access_tokens=access_tokens or JwtAccessTokens(fresh_keys()),
        session_copies=NoSessionCopies(),
    )
