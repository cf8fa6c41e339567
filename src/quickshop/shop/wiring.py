"""What use cases are connected to, in groups of what belongs together."""

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
    """What nearly every change needs."""

    unit_of_work: UnitOfWork
    clock: Clock
    identifiers: Identifiers


@dataclass(frozen=True, slots=True, kw_only=True)
class Caches:
    """What is shown without asking the database."""

    products: ProductCache
    carts: CartCache
    sessions: SessionCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """What people prove with who they are."""

    passwords: PasswordHasher
    tokens: AccessTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Services and formats of others."""

    product_feed: ProductFeedReader
    sanitizer: HtmlSanitizer
    gateway: PaymentGateway
    webhooks: Mapping[str, PaymentWebhooks]
    """By the name of the provider."""
    notifier: Notifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Queueing:
    """How work that follows from events finds its workers."""

    queue: JobQueue
    publisher: JobPublisher
    signal: JobSignal
    schedules: ScheduleRepository
