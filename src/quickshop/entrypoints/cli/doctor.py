"""`quickshop doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import typer
from rich.text import Text

from quickshop.application.health import Finding
from quickshop.domain.errors import QuickShopError
from quickshop.entrypoints.cli.context import address_of, load_settings, opened_shop
from quickshop.entrypoints.cli.failures import FAILED, explain
from quickshop.entrypoints.cli.options import AsJson
from quickshop.entrypoints.cli.output import console, print_json, printable

if TYPE_CHECKING:
    from quickshop.settings import Settings

_BROKER_SECONDS: Final = 2


class UnwellError(Exception):
    """A check found something wrong; the message says what."""


def doctor(as_json: AsJson = False) -> None:
    """Check settings, connections, migrations and what the shop promises.

    Exit code 1 when something is wrong.
    """
    findings = examine()
    well = all(finding.ok for finding in findings)
    if as_json:
        print_json({"ok": well, "checks": findings})
    else:
        for finding in findings:
            _show(finding)
    if not well:
        raise typer.Exit(FAILED)


def examine() -> Sequence[Finding]:
    """Every check that can be made; what depends on a broken thing is left out. Never raises."""
    try:
        settings = load_settings()
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what was asked for
        return [Finding("settings", ok=False, detail=explain(error))]
    findings = [
        Finding("settings", ok=True, detail="every variable is what it should be"),
        _mode(settings),
        _check("database", lambda: _database(settings)),
        _check("redis", lambda: _redis(settings)),
        _check("broker", lambda: _broker(settings)),
    ]
    if all(finding.ok for finding in findings if finding.check in {"mode", "database"}):
        findings.extend(_promises(settings))
    return findings


def _mode(settings: Settings) -> Finding:
    """What keeps the shop from production: wrong there, and good to know before."""
    from quickshop.container.fitness import (  # noqa: PLC0415 - brings SQLAlchemy along
        reasons_against_production,
    )

    try:
        reasons = tuple(reasons_against_production(settings))
    except QuickShopError:  # the database is away: that is told by itself
        reasons = ()
    if settings.mode == "production":
        return Finding("mode", ok=not reasons, detail="; ".join(["production", *reasons]))
    would_not = tuple(f"production would not start: {reason}" for reason in reasons)
    return Finding("mode", ok=True, detail=settings.mode, warnings=would_not)


def _check(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, detail=look())
    except UnwellError as found:
        return Finding(name, ok=False, detail=str(found))
    except Exception as error:  # noqa: BLE001 - as above
        return Finding(name, ok=False, detail=explain(error))


def _database(settings: Settings) -> str:
    from quickshop.adapters.sql.migrations import HEAD  # noqa: PLC0415 - brings SQLAlchemy along
    from quickshop.entrypoints.cli.database import (  # noqa: PLC0415 - as above
        file_of,
        keeps_nothing,
        revision_of,
    )

    where = address_of(settings.database_url)
    if keeps_nothing(settings):
        return f"{where} keeps nothing"
    file = file_of(settings)
    if file is not None and not file.exists():
        raise UnwellError(f"{where} does not exist yet: `quickshop migrate` creates it")
    found = revision_of(settings)
    if found != HEAD:
        state = f"is at revision {found}" if found else "has no QuickShop schema"
        raise UnwellError(f"{where} {state}, {HEAD} is needed: run `quickshop migrate`")
    return f"{where} answers, at revision {found}"


def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        return "not configured, and not needed"
    from quickshop.adapters.redis.server import RedisServer  # noqa: PLC0415 - an extra

    where = address_of(settings.redis_url)
    server = RedisServer(settings.redis_url, timeout_seconds=settings.redis_timeout_seconds)
    try:
        if not server.is_reachable():
            raise UnwellError(f"{where} does not answer; the shop works on without its cache")
    finally:
        server.close()
    return f"{where} answers"


def _broker(settings: Settings) -> str:
    if settings.broker_url is None:
        return "not configured: workers take their jobs from the database"
    from quickshop.adapters.celery.jobs import make_celery  # noqa: PLC0415 - an extra

    where = address_of(settings.broker_url)
    with make_celery(settings.broker_url).connection_for_read() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_BROKER_SECONDS)
        except Exception as error:
            raise UnwellError(f"{where} does not answer; jobs wait in the database") from error
    return f"{where} answers"


def _promises(settings: Settings) -> Iterator[Finding]:
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
