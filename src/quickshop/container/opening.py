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
    """Open a shop on the given database, else on that of the settings, else on `quickshop.db`.

    A SQLite file is created, and its schema with it. With `worker` a background thread does the
    work that follows from orders (payments, emails). Without it, call `Shop.run_jobs` or run
    `quickshop worker`. Close the shop when you are done, or use it as a context manager.

    Money moves through `payment_gateway`, by default the sandbox. Messages go out through
    `notifier`, by default as the settings say. Both can be any object that keeps the promises of
    its port. `sourcing` plans which locations serve an order, by default as the settings say.

    Raises:
        SettingsError: a setting is invalid, or not good enough for production; names every
            such variable at once.
        SchemaError: a server's database needs `quickshop migrate`.
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
    """The settings to use; a database that is named counts more than theirs."""
    named = {"database_url": database_url} if database_url is not None else {}
    if settings is None:
        return Settings.load(**named)
    return Settings.load(**settings.model_dump(exclude_unset=True) | named) if named else settings


def _closing(shop: Shop, container: Container, *, worker: bool) -> Shop:
    """The same shop, which closes what was opened for it."""
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
