"""The container: the adapter of each port.

Each port is annotated, so mypy rejects an adapter that does not fit. Adapters that need an
extra are imported when a setting asks for them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dependency_injector import containers, providers

from quickshop.adapters.clock import SystemClock
from quickshop.adapters.identifiers import SystemIdentifiers
from quickshop.adapters.memory.jobs import MemoryJobQueue, MemoryJobSignal, MemorySchedules
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.adapters.memory.readers import memory_readers
from quickshop.adapters.memory.state import MemoryStore
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.adapters.security.html import NhHtmlSanitizer
from quickshop.adapters.shopify.feed import ShopifyFeedReader
from quickshop.adapters.sql.jobs import SqlJobQueue, SqlSchedules
from quickshop.adapters.sql.readers import sql_readers
from quickshop.adapters.sql.unit_of_work import SqlUnitOfWork
from quickshop.application import business_log
from quickshop.application.reactions import REACTIONS
from quickshop.container import databases, in_redis, outside, security
from quickshop.container.policies import policy_of
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.imports import ProductFeedReader
from quickshop.ports.jobs import JobPublisher, JobQueue, JobSignal, ScheduleRepository
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.ports.readers import Readers
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.security import AccessTokens, PasswordHasher
from quickshop.ports.unit_of_work import UnitOfWork
from quickshop.settings import Settings
from quickshop.shop import Caches, Core, Outside, Queueing, Security, Shop, build_shop


class Container(containers.DeclarativeContainer):
    """A shop on a SQL database. Call `shutdown_resources()` when you are done with it."""

    settings = providers.Dependency(instance_of=Settings)
    policy = providers.Singleton(policy_of, settings)

    clock: providers.Provider[Clock] = providers.Singleton(SystemClock)
    identifiers: providers.Provider[Identifiers] = providers.Singleton(SystemIdentifiers)
    sanitizer: providers.Provider[HtmlSanitizer] = providers.Singleton(NhHtmlSanitizer)
    product_feed: providers.Provider[ProductFeedReader] = providers.Singleton(ShopifyFeedReader)
    payment_gateway: providers.Provider[PaymentGateway] = providers.Resource(
        outside.open_gateway, settings
    )
    payment_webhooks: providers.Provider[Mapping[str, PaymentWebhooks]] = providers.Singleton(
        outside.payment_webhooks, settings
    )
    notifier: providers.Provider[Notifier] = providers.Singleton(outside.notifier, settings)
    passwords: providers.Provider[PasswordHasher] = providers.Singleton(
        security.password_hasher, settings
    )
    tokens: providers.Provider[AccessTokens] = providers.Singleton(
        security.access_tokens, settings
    )
    redis = providers.Resource(in_redis.open_redis, settings)
    caches: providers.Provider[Caches] = providers.Singleton(in_redis.caches, redis)

    dialect = providers.Singleton(databases.dialect_of, settings)
    engine = providers.Resource(databases.open_engine, dialect, settings)
    readers: providers.Provider[Readers] = providers.Singleton(sql_readers, engine, dialect)
    signal: providers.Provider[JobSignal] = providers.Resource(databases.open_signal, settings)
    publisher: providers.Provider[JobPublisher] = providers.Resource(
        outside.open_publisher, settings
    )
    queue: providers.Provider[JobQueue] = providers.Singleton(
        SqlJobQueue, engine, dialect, REACTIONS
    )
    schedules: providers.Provider[ScheduleRepository] = providers.Singleton(
        SqlSchedules, engine, dialect
    )
    unit_of_work: providers.Provider[UnitOfWork] = providers.Singleton(
        SqlUnitOfWork,
        engine,
        dialect,
        REACTIONS,
        on_jobs=signal.provided.wake,
        on_saved=business_log.report,
        low_stock_threshold=settings.provided.low_stock_threshold,
    )

    shop: providers.Provider[Shop] = providers.Singleton(
        build_shop,
        policy=policy,
        core=providers.Singleton(
            Core, unit_of_work=unit_of_work, clock=clock, identifiers=identifiers
        ),
        readers=readers,
        caches=caches,
        security=providers.Singleton(Security, passwords=passwords, tokens=tokens),
        outside=providers.Singleton(
            Outside,
            product_feed=product_feed,
            sanitizer=sanitizer,
            gateway=payment_gateway,
            webhooks=payment_webhooks,
            notifier=notifier,
        ),
        queueing=providers.Singleton(
            Queueing, queue=queue, publisher=publisher, signal=signal, schedules=schedules
        ),
    )


def memory_container(settings: Settings) -> Container:
    """Build the container of a shop in memory, which is lost when the process ends."""
    store, signal = MemoryStore(), MemoryJobSignal()
    unit_of_work: providers.Provider[UnitOfWork] = providers.Object(
        MemoryUnitOfWork(
            REACTIONS,
            signal.wake,
            store=store,
            on_saved=business_log.report,
            low_stock_threshold=settings.low_stock_threshold,
        )
    )
    notifier: providers.Provider[Notifier] = providers.Object(MemoryNotifier())
    queue: providers.Provider[JobQueue] = providers.Object(MemoryJobQueue(store))
    schedules: providers.Provider[ScheduleRepository] = providers.Object(MemorySchedules(store))
    return Container(
        settings=providers.Object(settings),
        unit_of_work=unit_of_work,
        readers=providers.Object(memory_readers(store)),
        notifier=notifier,
        queue=queue,
        signal=providers.Object(signal),
        schedules=schedules,
    )


def build_container(settings: Settings) -> Container:
    """Build the container for these settings. Nothing in it is open yet."""
    if settings.database_url.startswith("memory"):
        return memory_container(settings)
    return Container(settings=providers.Object(settings))
