"""The ports that use cases connect to, in groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quickshop.ports.cache import CartCache, ProductCache, SessionCache
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import ProductFeedReader
from quickshop.ports.jobs import JobPublisher, JobQueue, JobSignal, ScheduleRepository
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.security import AccessTokens, PasswordHasher
from quickshop.ports.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The ports that nearly every change needs."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """The caches that save reads from the database."""

    products: ProductCache
    carts: CartCache
    sessions: SessionCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """The ports that check who a user is."""

    passwords: PasswordHasher
    tokens: AccessTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """External services and formats."""

    product_feed: ProductFeedReader
    sanitizer: HtmlSanitizer
    gateway: PaymentGateway
    webhooks: Mapping[str, PaymentWebhooks]
    """Verifiers, by provider."""
    notifier: Notifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Queueing:
    """The ports that bring jobs from events to workers."""

    queue: JobQueue
    publisher: JobPublisher
    signal: JobSignal
    schedules: ScheduleRepository
