"""A whole shop on the twins in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from quickshop.adapters.identifiers import SystemIdentifiers
from quickshop.adapters.memory.cart import MemoryCartReader
from quickshop.adapters.memory.cart_cache import NoCartCache
from quickshop.adapters.memory.catalog_reader import MemoryProductReader
from quickshop.adapters.memory.customers import MemoryCustomerReader
from quickshop.adapters.memory.identity_reader import MemoryIdentityReader
from quickshop.adapters.memory.imports import MemoryImportReader
from quickshop.adapters.memory.inventory import MemoryStockReader
from quickshop.adapters.memory.jobs import (
    MemoryJobQueue,
    MemoryJobSignal,
    MemorySchedules,
    NoBroker,
)
from quickshop.adapters.memory.orders import MemoryOrderReader
from quickshop.adapters.memory.product_cache import NoProductCache
from quickshop.adapters.memory.session_cache import NoSessionCache
from quickshop.adapters.memory.state import MemoryStore
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.adapters.security.passwords import MIN_COST, BcryptPasswords
from quickshop.adapters.security.tokens import JwtAccessTokens, fresh_keys
from quickshop.application.reactions import REACTIONS
from quickshop.domain.errors import FileFormatError
from quickshop.ports.cache import CartCache, ProductCache
from quickshop.ports.credentials import AccessTokens, PasswordHasher
from quickshop.ports.imports import ProductFeed
from quickshop.ports.jobs import JobPublisher
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.shop import (
    Caches,
    Core,
    Credentials,
    Outside,
    Policy,
    Queueing,
    Readers,
    Shop,
    build_shop,
)
from tests.builders import MovableClock

QUICK_PASSWORDS: Final = BcryptPasswords(cost=MIN_COST)


def _no_feed(path: Path, *, currency: str) -> ProductFeed:
    raise FileFormatError(f"this shop reads no files: {path}, {currency}")


def readers_of(store: MemoryStore) -> Readers:
    """Whoever reads a shop in memory."""
    return Readers(
        products=MemoryProductReader(store),
        carts=MemoryCartReader(store),
        orders=MemoryOrderReader(store),
        stock=MemoryStockReader(store),
        imports=MemoryImportReader(store),
        customers=MemoryCustomerReader(store),
        identity=MemoryIdentityReader(store),
    )


def memory_shop(
    *,
    gateway: PaymentGateway,
    notifier: Notifier,
    clock: MovableClock | None = None,
    unit_of_work: MemoryUnitOfWork | None = None,
    settings: Mapping[str, Any] | None = None,
    payment_webhooks: Mapping[str, PaymentWebhooks] | None = None,
    product_cache: ProductCache | None = None,
    cart_cache: CartCache | None = None,
    job_publisher: JobPublisher | None = None,
    access_tokens: AccessTokens | None = None,
    password_hasher: PasswordHasher | None = None,
) -> Shop:
    """A whole shop on the twins; `settings` are fields of its `Policy`."""
    work = unit_of_work or MemoryUnitOfWork(REACTIONS)
    store = work.store
    return build_shop(
        policy=Policy(**({"currency": "EUR"} | dict(settings or {}))),
        core=Core(
            unit_of_work=work,
            clock=clock or MovableClock(),
            identifiers=SystemIdentifiers(),
        ),
        readers=readers_of(store),
        caches=Caches(
            products=product_cache or NoProductCache(),
            carts=cart_cache or NoCartCache(),
            sessions=NoSessionCache(),
        ),
        credentials=Credentials(
            passwords=password_hasher or QUICK_PASSWORDS,
            tokens=access_tokens or JwtAccessTokens(fresh_keys()),
        ),
        outside=Outside(
            product_feed=_no_feed,
            sanitizer=lambda html: html,
            gateway=gateway,
            webhooks=payment_webhooks or {},
            notifier=notifier,
        ),
        queueing=Queueing(
            queue=MemoryJobQueue(store),
            publisher=job_publisher or NoBroker(),
            signal=MemoryJobSignal(),
            schedules=MemorySchedules(store),
        ),
    )
