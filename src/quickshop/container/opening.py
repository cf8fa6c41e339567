"""Opening a shop, and closing it."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Thread

from dependency_injector import providers

from quickshop.container.fitness import require_fit_for_production
from quickshop.container.wiring import Container, build_container
from quickshop.domain.inventory import SourcingStrategy
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway
from quickshop.settings import Settings
from quickshop.shop import Shop


def open_shop(
    database_url: str | None = None,
    *,
    settings: Settings | None = None,
    worker: bool = False,
    payment_gateway: PaymentGateway | None = None,
    notifier: Notifier | None = None,
    sourcing: SourcingStrategy | None = None,
) -> Shop:
    """Open a shop on `database_url`, else on the database of the settings.

    The default is the SQLite file `quickshop.db`. A SQLite file is created with its schema. With
    `worker` a background thread runs the jobs that follow from orders (payments, emails). Without
    it, call `Shop.run_jobs` or run `quickshop worker`. Close the shop when you are done, or use it
    as a context manager.

    `payment_gateway` moves the money, by default the sandbox. `notifier` delivers messages, by
    default the one of the settings. Both can be any object that implements its port. `sourcing`
    plans which locations ship an order, by default the strategy of the settings.

    Raises:
        SettingsError: a setting is invalid or not fit for production; lists every
            such variable at once.
        SchemaError: the database needs `quickshop migrate`.
        MissingExtraError: a setting needs an extra that is not installed.
        TransientError: the database cannot be reached.
    """
    settings = _named(settings, database_url)
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


def _named(settings: Settings | None, database_url: str | None) -> Settings:
    """Return the settings to use; `database_url` takes precedence."""
    named = {"database_url": database_url} if database_url else {}
    if settings is None:
        return Settings.load(**named)
    return Settings.load(**settings.model_dump(exclude_unset=True) | named) if named else settings


def _closing(shop: Shop, container: Container, *, worker: bool) -> Shop:
    """Return the same shop, whose `close` closes the container."""
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
