"""`quickshop serve`, `worker` and `relay`: the processes that run until stopped."""

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
    """How a worker with a broker runs its jobs."""

    PREFORK = "prefork"
    THREADS = "threads"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port; 0 selects a free one.")
    ] = DEFAULT_PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Number of processes.")] = 1,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Serve HTTPS with this certificate chain (PEM).")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's private key.")] = None,
) -> None:
    """Serve the HTTP API. Without a broker its processes also run the background jobs."""
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key must be used together")
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
        int | None, typer.Option(min=1, max=256, help="Concurrent jobs; by default 4.")
    ] = None,
    pool: Annotated[
        PoolChoice | None, typer.Option(help="Processes or threads; only with a broker.")
    ] = None,
) -> None:
    """Run the background jobs (payments, emails, refunds) until stopped."""
    settings = load_settings()
    from quickshop.entrypoints.worker.run import run_worker  # noqa: PLC0415 - slow to import

    _log_to_stderr()
    with _failures_logged():
        code = run_worker(settings, concurrency=concurrency, pool=pool.value if pool else None)
    raise typer.Exit(code)


def relay() -> None:
    """Publish jobs from the database to the broker, and run the periodic tasks, until stopped."""
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
    """Log unexpected errors; expected ones are printed for the user who starts the process."""
    try:
        yield
    except (QuickShopError, OSError):
        raise
    except Exception as error:
        if hasattr(error, "exit_code"):  # the framework's own
            raise
        logger.critical("unexpected error", exc_info=error)
        raise typer.Exit(FAILED) from None
