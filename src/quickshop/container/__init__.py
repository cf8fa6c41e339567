"""The composition root: the only module that knows both the ports and who fills them.

Each port is annotated, so mypy rejects an adapter that does not fit it. Adapters that need an
extra are imported when a setting asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from threading import Event, Thread

from dependency_injector import containers, providers

from quickshop.adapters.clock import SystemClock
from quickshop.adapters.identifiers import SystemIdentifiers
from quickshop.adapters.memory.cart import MemoryCartReader
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
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.adapters.memory.orders import MemoryOrderReader
from quickshop.adapters.memory.state import MemoryStore
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.adapters.security.html import NhHtmlSanitizer
from quickshop.adapters.shopify.feed import ShopifyFeedReader
from quickshop.adapters.sql.cart import SqlCartReader
from quickshop.adapters.sql.catalog_reader import SqlProductReader
from quickshop.adapters.sql.customers import SqlCustomerReader
from quickshop.adapters.sql.identity import SqlIdentityReader
from quickshop.adapters.sql.imports import SqlImportReader
from quickshop.adapters.sql.inventory_reader import SqlStockReader
from quickshop.adapters.sql.jobs import SqlJobQueue, SqlSchedules
from quickshop.adapters.sql.orders import SqlOrderReader
from quickshop.adapters.sql.unit_of_work import SqlUnitOfWork
from quickshop.application import business_log
from quickshop.application.reactions import REACTIONS
from quickshop.container import credentials, in_redis, outside
from quickshop.container.databases import (
    dialect_of,
    migrate_database,
    open_engine,
    open_signal,
)
from quickshop.container.fitness import require_fit_for_production
from quickshop.container.in_redis import open_request_gate
from quickshop.container.policies import policy_of
from quickshop.domain.inventory import SourcingStrategy
from quickshop.ports.cache import CartCache, ProductCache, SessionCache
from quickshop.ports.cart import CartReader
from quickshop.ports.catalog import ProductReader
from quickshop.ports.clock import Clock
from quickshop.ports.credentials import AccessTokens, PasswordHasher
from quickshop.ports.customers import CustomerReader
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.identity import IdentityReader
from quickshop.ports.imports import ImportReader, ProductFeedReader
from quickshop.ports.inventory import StockReader
from quickshop.ports.jobs import JobPublisher, JobQueue, JobSignal, ScheduleRepository
from quickshop.ports.notifications import Notifier
from quickshop.ports.orders import OrderReader
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.ports.rich_text import HtmlSanitizer
from quickshop.ports.unit_of_work import UnitOfWork
from quickshop.settings import Settings
from quickshop.shop import Caches, Core, Credentials, Outside, Queueing, Readers, Shop, build_shop

__all__ = ["Container", "build_container", "migrate_database", "open_request_gate", "open_shop"]


def _open_publisher(settings: Settings) -> Iterator[JobPublisher]:
    if settings.broker_url is None:
        yield NoBroker()
        return
    from quickshop.adapters.celery.jobs import CeleryJobs, make_celery  # noqa: PLC0415

    publisher = CeleryJobs(make_celery(settings.broker_url))
    yield publisher
    publisher.close()


class Container(containers.DeclarativeContainer):
    """A shop on a real database. Call `shutdown_resources()` when done with it."""

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
    password_hasher: providers.Provider[PasswordHasher] = providers.Singleton(
        credentials.password_hasher, settings
    )
    access_tokens: providers.Provider[AccessTokens] = providers.Singleton(
        credentials.access_tokens, settings
    )
    redis = providers.Resource(in_redis.open_redis, settings)
    product_cache: providers.Provider[ProductCache] = providers.Singleton(
        in_redis.product_cache, redis
    )
    session_cache: providers.Provider[SessionCache] = providers.Singleton(
        in_redis.session_cache, redis
    )
    cart_cache: providers.Provider[CartCache] = providers.Singleton(in_redis.cart_cache, redis)
    job_publisher: providers.Provider[JobPublisher] = providers.Resource(_open_publisher, settings)

    dialect = providers.Singleton(dialect_of, settings)
    engine = providers.Resource(open_engine, dialect, settings)
    job_signal: providers.Provider[JobSignal] = providers.Resource(open_signal, settings)
    unit_of_work: providers.Provider[UnitOfWork] = providers.Singleton(
        SqlUnitOfWork,
        engine,
        dialect,
        REACTIONS,
        on_jobs=job_signal.provided.wake,
        on_saved=business_log.report,
        low_stock_threshold=settings.provided.low_stock_threshold,
    )
    product_reader: providers.Provider[ProductReader] = providers.Singleton(
        SqlProductReader, engine, dialect
    )
    cart_reader: providers.Provider[CartReader] = providers.Singleton(
        SqlCartReader, engine, dialect
    )
    order_reader: providers.Provider[OrderReader] = providers.Singleton(
        SqlOrderReader, engine, dialect
    )
    stock_reader: providers.Provider[StockReader] = providers.Singleton(
        SqlStockReader, engine, dialect
    )
    customer_reader: providers.Provider[CustomerReader] = providers.Singleton(
        SqlCustomerReader, engine, dialect
    )
    identity_reader: providers.Provider[IdentityReader] = providers.Singleton(
        SqlIdentityReader, engine, dialect
    )
    import_reader: providers.Provider[ImportReader] = providers.Singleton(
        SqlImportReader, engine, dialect
    )
    job_queue: providers.Provider[JobQueue] = providers.Singleton(
        SqlJobQueue, engine, dialect, REACTIONS
    )
    schedules: providers.Provider[ScheduleRepository] = providers.Singleton(
        SqlSchedules, engine, dialect
    )

    shop: providers.Provider[Shop] = providers.Singleton(
        build_shop,
        policy=policy,
        core=providers.Singleton(
            Core,
            unit_of_work=unit_of_work,
            clock=clock,
            identifiers=identifiers,
        ),
        readers=providers.Singleton(
            Readers,
            products=product_reader,
            carts=cart_reader,
            orders=order_reader,
            stock=stock_reader,
            imports=import_reader,
            customers=customer_reader,
            identity=identity_reader,
        ),
        caches=providers.Singleton(
            Caches,
            products=product_cache,
            carts=cart_cache,
            sessions=session_cache,
        ),
        credentials=providers.Singleton(
            Credentials,
            passwords=password_hasher,
            tokens=access_tokens,
        ),
        outside=providers.Singleton(
            Outside,
            product_feed=product_feed,
            sanitizer=sanitizer,
            gateway=payment_gateway,
            webhooks=payment_webhooks,
            notifier=notifier,
        ),
        queueing=providers.Singleton(
            Queueing,
            queue=job_queue,
            publisher=job_publisher,
            signal=job_signal,
            schedules=schedules,
        ),
    )


def memory_container(settings: Settings) -> Container:
    """A shop that forgets everything when the process ends."""
    store = MemoryStore()
    job_signal = MemoryJobSignal()
    unit_of_work: providers.Provider[UnitOfWork] = providers.Object(
        MemoryUnitOfWork(
            REACTIONS,
            job_signal.wake,
            store=store,
            on_saved=business_log.report,
            low_stock_threshold=settings.low_stock_threshold,
        )
    )
    notifier: providers.Provider[Notifier] = providers.Object(MemoryNotifier())
    product_reader: providers.Provider[ProductReader] = providers.Object(
        MemoryProductReader(store)
    )
    cart_reader: providers.Provider[CartReader] = providers.Object(MemoryCartReader(store))
    order_reader: providers.Provider[OrderReader] = providers.Object(MemoryOrderReader(store))
    stock_reader: providers.Provider[StockReader] = providers.Object(MemoryStockReader(store))
    import_reader: providers.Provider[ImportReader] = providers.Object(MemoryImportReader(store))
    job_queue: providers.Provider[JobQueue] = providers.Object(MemoryJobQueue(store))
    schedules: providers.Provider[ScheduleRepository] = providers.Object(MemorySchedules(store))
    customer_reader: providers.Provider[CustomerReader] = providers.Object(
        MemoryCustomerReader(store)
    )
    identity_reader: providers.Provider[IdentityReader] = providers.Object(
        MemoryIdentityReader(store)
    )
    return Container(
        settings=providers.Object(settings),
        job_signal=providers.Object(job_signal),
        unit_of_work=unit_of_work,
        notifier=notifier,
        product_reader=product_reader,
        cart_reader=cart_reader,
        order_reader=order_reader,
        stock_reader=stock_reader,
        import_reader=import_reader,
        job_queue=job_queue,
        schedules=schedules,
        customer_reader=customer_reader,
        identity_reader=identity_reader,
    )


def build_container(settings: Settings) -> Container:
    """The container that the settings ask for; nothing in it is open yet."""
    if settings.database_url.startswith("memory"):
        return memory_container(settings)
    return Container(settings=providers.Object(settings))


def open_shop(
    database_url: str | None = None,
    *,
    settings: Settings | None = None,
    worker: bool = False,
    payment_gateway: PaymentGateway | None = None,
    notifier: Notifier | None = None,
    sourcing: SourcingStrategy | None = None,
) -> Shop:
    """Open a shop: on the database given, else on that of the settings, else on `quickshop.db`.

    A SQLite file is created, and its schema with it. With `worker` a background thread does the
    work that follows from orders (payments, mails); without it call `Shop.run_jobs`, or have
    `quickshop worker` run somewhere. Close the shop when done, or use it as a context manager.

    Money moves through `payment_gateway`, by default the sandbox, and messages go out through
    `notifier`, by default as the settings say: any object that keeps the promises of the port.
    Orders are served from the locations that `sourcing` plans, by default as the settings say.

    Raises:
        SettingsError: a setting is not what it should be, or not good enough for production;
            names the variable, and all of them at once.
        SchemaError: a server's database needs `quickshop migrate`.
        MissingExtraError: a setting needs an extra that is not installed.
        TransientError: the database cannot be reached.
    """
    if settings is None:
        settings = Settings.load(**({"database_url": database_url} if database_url else {}))
    elif database_url is not None:
        named = settings.model_dump(exclude_unset=True) | {"database_url": database_url}
        settings = Settings.load(**named)
    if settings.mode == "production":
        given = {"payment_gateway": payment_gateway, "notifier": notifier}
        require_fit_for_production(settings, given=[name for name in given if given[name]])
    container = build_container(settings)
    if payment_gateway is not None:
        container.payment_gateway.override(providers.Object(payment_gateway))
    if notifier is not None:
        container.notifier.override(providers.Object(notifier))
    if sourcing is not None:
        policy = replace(container.policy(), sourcing=sourcing)
        container.policy.override(providers.Object(policy))
    try:
        shop = container.shop()
    except BaseException:
        container.shutdown_resources()
        raise
    return _closing(shop, container, worker=worker)


def _closing(shop: Shop, container: Container, *, worker: bool) -> Shop:
    """The same shop, with a way to let go of what was opened for it."""
    stop = Event()
    thread = Thread(target=shop.work, args=(stop,), name="quickshop-worker", daemon=True)
    if worker:
        thread.start()

    def close() -> None:
        stop.set()
        if thread.is_alive():
            shop.wake()
            thread.join()
        container.shutdown_resources()

    return shop.closed_by(close)
