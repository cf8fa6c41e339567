"""`quickshop serve`, `worker` and `relay`: what runs until it is told to stop."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from quickshop.domain.errors import QuickShopError
from quickshop.entrypoints.cli.context import load_settings
from quickshop.entrypoints.cli.failures import FAILED

logger: Final = logging.getLogger("quickshop.process")

DEFAULT_PORT: Final = 8000


class PoolChoice(StrEnum):
    """Where a worker with a broker runs its jobs."""

    PREFORK = "prefork"
    THREADS = "threads"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="0 takes any that is free.")
    ] = DEFAULT_PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Serve HTTPS with this certificate chain, in PEM form.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's private key.")] = None,
) -> None:
    """Serve the HTTP API; without a broker its processes do the background work, too."""
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key go together")
    settings = load_settings()
    from quickshop.entrypoints.cli.server import (  # noqa: PLC0415 - needs an extra
        Certificate,
        serve_shop,
    )

    certificate = Certificate(tls_cert, tls_key) if tls_cert and tls_key else None
    with _failures_logged():
        serve_shop(settings, host=host, port=port, processes=workers, certificate=certificate)


def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=256, help="Jobs at once; by default 4.")
    ] = None,
    pool: Annotated[
        PoolChoice | None, typer.Option(help="With a broker: processes or threads.")
    ] = None,
) -> None:
    """Do the background work (payments, mails, refunds) until told to stop."""
    settings = load_settings()
    from quickshop.entrypoints.worker.run import run_worker  # noqa: PLC0415 - slow to import

    _log_to_stderr()
    with _failures_logged():
        code = run_worker(settings, concurrency=concurrency, pool=pool.value if pool else None)
    raise typer.Exit(code)


def relay() -> None:
    """Hand jobs from the database to the broker, and mind the schedule, until told to stop."""
    settings = load_settings()
    from quickshop.entrypoints.worker.run import run_relay  # noqa: PLC0415 - slow to import

    _log_to_stderr()
    with _failures_logged():
        code = run_relay(settings)
    raise typer.Exit(code)


def _log_to_stderr() -> None:
    from quickshop.adapters.observability.logs import log_to_stderr  # noqa: PLC0415 - as above

    log_to_stderr()


@contextmanager
def _failures_logged() -> Iterator[None]:
    """Log what nobody expected; why a process does not start is told to whoever starts it."""
    try:
        yield
    except (QuickShopError, OSError):
        raise
    except Exception as error:
        if hasattr(error, "exit_code"):  # the framework's own
            raise
        logger.critical("this should not have happened", exc_info=error)
        raise typer.Exit(FAILED) from None
