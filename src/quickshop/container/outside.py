"""The external services that the settings name."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy.engine import make_url

from quickshop.adapters.mail.files import ConsoleNotifier, FileNotifier
from quickshop.adapters.memory.jobs import NoBroker
from quickshop.adapters.sandbox.payments import SandboxGateway
from quickshop.adapters.stripe.webhooks import StripeWebhooks
from quickshop.container.databases import is_postgres
from quickshop.ports.jobs import JobPublisher
from quickshop.ports.notifications import Notifier
from quickshop.ports.payments import PaymentGateway, PaymentWebhooks
from quickshop.settings import Settings


def notifier(settings: Settings) -> Notifier:
    """Return the notifier: a mail server, or a folder without one."""
    if settings.smtp_host is None:
        return _development_notifier(settings)
    from quickshop.adapters.mail.smtp import SmtpNotifier  # noqa: PLC0415

    password = settings.smtp_password
    return SmtpNotifier(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        timeout_seconds=settings.smtp_timeout_seconds,
        sender=settings.mail_from,
    )


def _development_notifier(settings: Settings) -> Notifier:
    if settings.mail_dir == "-":
        return ConsoleNotifier(sys.stderr)
    folder = settings.mail_dir or _beside_database(settings, "mail")
    return FileNotifier(folder, sender=settings.mail_from)


def open_gateway(settings: Settings) -> Iterator[PaymentGateway]:
    """Open the payment gateway, and close it afterwards."""
    if settings.payment_gateway == "stripe":
        yield from _open_stripe(settings)
        return
    book = settings.sandbox_book or _beside_database(settings, "quickshop-sandbox.db")
    gateway = SandboxGateway(book, slow_seconds=settings.sandbox_slow_seconds)
    yield gateway
    gateway.close()


def _open_stripe(settings: Settings) -> Iterator[PaymentGateway]:
    from quickshop.adapters.stripe.payments import StripeGateway  # noqa: PLC0415

    assert settings.stripe_secret_key is not None, "the settings require it"
    gateway = StripeGateway(
        settings.stripe_secret_key.get_secret_value(),
        timeout_seconds=settings.stripe_timeout_seconds,
        api_base=settings.stripe_api_base,
    )
    yield gateway
    gateway.close()


def open_publisher(settings: Settings) -> Iterator[JobPublisher]:
    """Open the publisher of jobs to the broker of the settings, if any."""
    if settings.broker_url is None:
        yield NoBroker()
        return
    from quickshop.adapters.celery.jobs import CeleryJobs, make_celery  # noqa: PLC0415

    publisher = CeleryJobs(make_celery(settings.broker_url))
    yield publisher
    publisher.close()


def payment_webhooks(settings: Settings) -> Mapping[str, PaymentWebhooks]:
    """Return the webhook verifiers, by provider."""
    if settings.payment_gateway != "stripe":
        return {}
    assert settings.stripe_webhook_secret is not None, "the settings require it"
    return {"stripe": StripeWebhooks(settings.stripe_webhook_secret.get_secret_value())}


def _beside_database(settings: Settings, name: str) -> str:
    """Return a path next to the SQLite file; in the working directory for a database server."""
    if settings.database_url.startswith("memory"):
        return ":memory:"
    database = make_url(settings.database_url).database
    if is_postgres(settings) or not database:
        return name
    return str(Path(database).parent / name)
