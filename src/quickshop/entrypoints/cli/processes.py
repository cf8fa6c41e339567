"""`quickshop serve`, `worker` and `relay`: what runs until it is told to stop."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

import typer

from quickshop.entrypoints.cli.context import load_settings
from quickshop.entrypoints.cli.logs import log_to_stderr

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
) -> None:
    """Serve the HTTP API; without a broker its processes do the background work, too."""
    settings = load_settings()
    from quickshop.entrypoints.cli.server import serve_shop  # noqa: PLC0415 - needs an extra

    serve_shop(settings, host=host, port=port, processes=workers)


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
    log_to_stderr()
    from quickshop.entrypoints.worker.run import run_worker  # noqa: PLC0415 - slow to import

    code = run_worker(settings, concurrency=concurrency, pool=pool.value if pool else None)
    raise typer.Exit(code)


def relay() -> None:
    """Hand jobs from the database to the broker, and mind the schedule, until told to stop."""
    settings = load_settings()
    log_to_stderr()
    from quickshop.entrypoints.worker.run import run_relay  # noqa: PLC0415 - slow to import

    raise typer.Exit(run_relay(settings))
