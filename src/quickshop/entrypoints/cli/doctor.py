"""`quickshop doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import typer
from rich.text import Text

from quickshop.application.health import Finding, check_service
from quickshop.domain.errors import QuickShopError
from quickshop.entrypoints.cli.context import address_of, load_settings, opened_shop
from quickshop.entrypoints.cli.failures import FAILED, explain
from quickshop.entrypoints.cli.options import AsJson
from quickshop.entrypoints.cli.output import console, print_json, printable

if TYPE_CHECKING:
    from quickshop.settings import Settings

_BROKER_SECONDS: Final = 2


class FailedCheckError(Exception):
    """A check failed; the message gives the reason."""


def doctor(as_json: AsJson = False) -> None:
    """Check the settings, connections, schema and data integrity.

    Connects to the database, Redis, the broker, the payment gateway and the mail server as the
    shop does. Moves no money, sends no email and changes nothing. Exit code 1 if a check fails.
    """
    findings = examine()
    passed = all(finding.ok for finding in findings)
    if as_json:
        print_json({"ok": passed, "checks": findings})
    else:
        for finding in findings:
            _show(finding)
    if not passed:
        raise typer.Exit(FAILED)


def examine() -> Sequence[Finding]:
    """Run all checks; those that depend on a failed one are skipped. Never raises."""
    try:
        settings = load_settings()
    except Exception as error:  # noqa: BLE001 - any error is a finding
        return [Finding("settings", ok=False, detail=explain(error))]
    findings = [
        Finding("settings", ok=True, detail="every variable is valid"),
        _mode(settings),
        _check("database", lambda: _database(settings)),
        _check("redis", lambda: _redis(settings)),
        _check("broker", lambda: _broker(settings)),
        *_services(settings),
    ]
    if all(finding.ok for finding in findings if finding.check in {"mode", "database"}):
        findings.extend(_invariants(settings))
    return findings


def _mode(settings: Settings) -> Finding:
    """Return the reasons against production: errors in that mode, warnings before."""
    from quickshop.container.fitness import (  # noqa: PLC0415 - imports SQLAlchemy
        reasons_against_production,
    )

    try:
        reasons = tuple(reasons_against_production(settings))
    except QuickShopError:  # the database check reports this
        reasons = ()
    if settings.mode == "production":
        return Finding("mode", ok=not reasons, detail="; ".join(["production", *reasons]))
    would_not = tuple(f"production would not start: {reason}" for reason in reasons)
    return Finding("mode", ok=True, detail=settings.mode, warnings=would_not)


def _check(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, detail=look())
    except FailedCheckError as found:
        return Finding(name, ok=False, detail=str(found))
    except Exception as error:  # noqa: BLE001 - as above
        return Finding(name, ok=False, detail=explain(error))


def _database(settings: Settings) -> str:
    from quickshop.adapters.sql.migrations import HEAD  # noqa: PLC0415 - imports SQLAlchemy
    from quickshop.entrypoints.cli.database import (  # noqa: PLC0415 - as above
        file_of,
        keeps_nothing,
        revision_of,
    )

    where = address_of(settings.database_url)
    if keeps_nothing(settings):
        return f"{where} is in memory only"
    file = file_of(settings)
    if file is not None and not file.exists():
        raise FailedCheckError(f"{where} does not exist yet: `quickshop migrate` creates it")
    found = revision_of(settings)
    if found != HEAD:
        state = f"is at revision {found}" if found else "has no QuickShop schema"
        raise FailedCheckError(f"{where} {state}, but {HEAD} is required: run `quickshop migrate`")
    return f"{where} answers, at revision {found}"


def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        return "not configured (optional)"
    from quickshop.adapters.redis.server import RedisServer  # noqa: PLC0415 - an extra

    where = address_of(settings.redis_url)
    server = RedisServer(settings.redis_url, timeout_seconds=settings.redis_timeout_seconds)
    try:
        if not server.is_reachable():
            raise FailedCheckError(
                f"{where} does not answer; the shop continues without its cache"
            )
    finally:
        server.close()
    return f"{where} answers"


def _broker(settings: Settings) -> str:
    if settings.broker_url is None:
        return "not configured; workers take jobs from the database"
    from quickshop.adapters.celery.jobs import make_celery  # noqa: PLC0415 - an extra

    where = address_of(settings.broker_url)
    with make_celery(settings.broker_url).connection_for_read() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_BROKER_SECONDS)
        except Exception as error:
            raise FailedCheckError(
                f"{where} does not answer; jobs wait in the database"
            ) from error
    return f"{where} answers"


def _services(settings: Settings) -> Iterator[Finding]:
    """Check the payment gateway and the mail server, which need no database."""
    from quickshop.container import build_container  # noqa: PLC0415 - imports SQLAlchemy

    container = build_container(settings)
    try:
        yield _service("payment gateway", container.payment_gateway)
        yield _service("mail", container.notifier)
    finally:
        container.shutdown_resources()


def _service(name: str, service: Callable[[], object]) -> Finding:
    try:
        return check_service(name, service())
    except Exception as error:  # noqa: BLE001 - as above
        return Finding(name, ok=False, detail=explain(error))


def _invariants(settings: Settings) -> Iterator[Finding]:
    try:
        with opened_shop(settings) as shop:
            yield from shop.check()
    except Exception as error:  # noqa: BLE001 - as above
        yield Finding("shop", ok=False, detail=explain(error))


def _show(finding: Finding) -> None:
    mark = Text("ok   ", style="green") if finding.ok else Text("WRONG", style="bold red")
    line = Text.assemble(mark, f" {finding.check}: {printable(finding.detail)}")
    console().print(line, soft_wrap=True)
    for warning in finding.warnings:
        line = Text.assemble(Text("warn ", style="yellow"), f" {finding.check}: ")
        console().print(line.append(printable(warning)), soft_wrap=True)
