"""A whole shop on the twins in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from quickshop.adapters.identifiers import SystemIdentifiers
from quickshop.adapters.memory.caches import NoCartCache, NoProductCache, NoSessionCache
from quickshop.adapters.memory.jobs import (
    MemoryJobQueue,
    MemoryJobSignal,
    MemorySchedules,
    NoBroker,
)
from quickshop.adapters.memory.readers import memory_readers
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.adapters.security.passwords import MIN_COST, BcryptPasswords
from quickshop.adapters.security.tokens import JwtAccessTokens, fresh_keys
from quickshop.application.reactions import REACTIONS
from quickshop.container.policies import policy_of
from quickshop.domain.errors import FileFormatError
from quickshop.ports.cache import CartCache, ProductCache
from quickshop.ports.imports import ProductFeed
from quickshop.ports.jobs import JobPublisher
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.ports.security import AccessTokens, PasswordHasher
from quickshop.settings import Settings
from quickshop.shop import (
    Caches,
    Core,
    Outside,
    Queueing,
    Security,
    Shop,
    build_shop,
)
from tests.builders import MovableClock

QUICK_PASSWORDS: Final = BcryptPasswords(cost=MIN_COST)
DEFAULT_POLICY: Final = policy_of(Settings.load(database_url="memory://", currency="EUR"))


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
    cart_cache: CartCache | None = None,
    job_publisher: JobPublisher | None = None,
    access_tokens: AccessTokens | None = None,
    password_hasher: PasswordHasher | None = None,
) -> Shop:
    """A whole shop on the twins; `settings` are fields of its `Policy`."""
    work = unit_of_work or MemoryUnitOfWork(REACTIONS)
    store = work.store
    return build_shop(
        policy=replace(DEFAULT_POLICY, **(settings or {})),
        core=Core(
            unit_of_work=work,
            clock=clock or MovableClock(),
            identifiers=SystemIdentifiers(),
        ),
        readers=memory_readers(store),
        caches=Caches(
            products=product_cache or NoProductCache(),
            carts=cart_cache or NoCartCache(),
            sessions=NoSessionCache(),
        ),
        security=Security(
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
