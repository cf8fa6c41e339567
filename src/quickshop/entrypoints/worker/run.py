"""The processes behind `quickshop worker` and `quickshop relay`.

Each runs until SIGTERM or SIGINT, then finishes its current job. It survives outages of its
database and broker.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Final, Literal

from quickshop.container import open_shop
from quickshop.domain.errors import TransientError
from quickshop.entrypoints.worker.app import build_worker_app
from quickshop.settings import Settings, SettingsError
from quickshop.shop import Shop

logger: Final = logging.getLogger("quickshop.worker")

Pool = Literal["prefork", "threads"]
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

_LOOK_SECONDS: Final = 0.1


def run_worker(
    settings: Settings, *, concurrency: int | None = None, pool: Pool | None = None
) -> int:
    """Run jobs, `concurrency` at once (by default `worker_threads`), until stopped.

    With a broker this is a Celery worker; its `pool` is `prefork` where the machine allows it.
    Without a broker, threads take the jobs from the database. Returns the process's exit code.

    Raises:
        SchemaError: the database needs `quickshop migrate`.
        MissingExtraError: a setting needs an extra that is not installed.
    """
    concurrency = concurrency or settings.worker_threads
    if settings.broker_url is not None:
        return _run_celery(settings, concurrency, choose_pool(pool))
    return _run_in_threads(settings, [lambda shop, stop: shop.work(stop)] * concurrency)


def run_relay(settings: Settings) -> int:
    """Publish jobs to the broker, and run the periodic tasks, until stopped.

    Returns the process's exit code.

    Raises:
        SettingsError: the settings have no broker.
        SchemaError: the database needs `quickshop migrate`.
        MissingExtraError: a setting needs an extra that is not installed.
    """
    if settings.broker_url is None:
        raise SettingsError(
            "QUICKSHOP_BROKER_URL: must be set for a relay; without a broker, workers take jobs"
            " directly from the database"
        )
    return _run_in_threads(settings, [lambda shop, stop: shop.relay(stop)])


def choose_pool(wanted: Pool | None) -> Pool:
    """Return `wanted`, else `prefork`; `threads` where processes cannot share semaphores."""
    if wanted == "threads" or _can_share_semaphores():
        return wanted or "prefork"
    logger.warning("shared memory is not writable here: jobs run in threads instead of processes")
    return "threads"


def _can_share_semaphores() -> bool:
    return not sys.platform.startswith("linux") or os.access("/dev/shm", os.W_OK)  # noqa: S108


def _run_celery(settings: Settings, concurrency: int, pool: Pool) -> int:
    app = build_worker_app(settings)
    _open_patiently(settings).close()  # fails before any process is forked
    worker = app.Worker(
        hostname=f"quickshop-{os.getpid()}@{socket.gethostname()}",
        pool=pool,
        concurrency=concurrency,
        loglevel="INFO",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _run_in_threads(settings: Settings, works: Sequence[Callable[[Shop, Event], None]]) -> int:
    with _open_patiently(settings) as shop:
        stop = Event()
        threads = [
            Thread(target=work, args=(shop, stop), name=f"quickshop-{number}")
            for number, work in enumerate(works, start=1)
        ]
        try:
            _wait_for_signal(threads)
        finally:
            stop.set()
            _wake_until_ended(shop, threads)
    return 0


def _open_patiently(settings: Settings) -> Shop:
    while True:
        try:
            return open_shop(settings=settings)
        except TransientError as error:
            logger.warning("the shop cannot be opened yet, retrying: %s", error)
            time.sleep(settings.poll_seconds)


def _wait_for_signal(threads: Sequence[Thread]) -> None:
    """Start the threads, and return at the first stop signal."""
    receiver, sender = socket.socketpair()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    with receiver, sender:
        for number in STOP_SIGNALS:
            signal.signal(number, lambda *_: sender.send(b"!"))
        try:
            for thread in threads:
                thread.start()
            logger.info("at work")
            receiver.recv(1)
            logger.info("stopping")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _wake_until_ended(shop: Shop, threads: Sequence[Thread]) -> None:
    for thread in threads:
        while thread.is_alive():  # wakes waiting threads; a busy one ends its job first
            shop.wake()
            thread.join(_LOOK_SECONDS)
