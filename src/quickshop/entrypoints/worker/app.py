"""The Celery app of the worker: one task, which runs one job.

`quickshop worker` starts it. So does `celery -A quickshop.entrypoints.worker.app worker`, with
the settings of the environment.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Final
from uuid import UUID

from quickshop.adapters.observability.logs import log_to_stderr
from quickshop.container import open_shop
from quickshop.container.fitness import require_fit_for_production
from quickshop.domain.errors import TransientError
from quickshop.ports.jobs import JobId
from quickshop.settings import Settings, SettingsError
from quickshop.shop import Shop

if TYPE_CHECKING:
    from celery import Celery

logger: Final = logging.getLogger("quickshop.worker")


class ProcessShop:
    """A shop that is opened on first use, once per process.

    Connections must not cross a fork, so a child process opens its own shop. Safe to share between
    threads.
    """

    def __init__(self, open_shop: Callable[[], Shop]) -> None:
        self._open = open_shop
        self._lock = Lock()
        self._shop: Shop | None = None
        self._owner = 0

    def __call__(self) -> Shop:
        """Return the shop of this process.

        Raises:
            TransientError: the shop cannot be opened now.
            QuickShopError: the shop cannot be opened.
        """
        with self._lock:
            if self._shop is None or self._owner != os.getpid():
                self._shop, self._owner = self._open(), os.getpid()
            return self._shop

    def close(self) -> None:
        """Close the shop of this process; the next call opens it again."""
        with self._lock:
            shop, self._shop = self._shop, None
            if shop is not None and self._owner == os.getpid():
                shop.close()


def build_worker_app(settings: Settings) -> Celery:
    """Build the Celery app whose workers run the jobs of a shop.

    Raises:
        SettingsError: the settings have no broker.
        MissingExtraError: Celery is not installed.
    """
    if settings.broker_url is None:
        raise SettingsError("QUICKSHOP_BROKER_URL: must be set for a Celery worker")
    from quickshop.adapters.celery.jobs import RUN_JOB, make_celery  # noqa: PLC0415

    # A task may run for the lease of its job: afterwards another worker gets the job.
    lease_seconds = math.ceil(settings.job_lease_seconds)
    app = make_celery(settings.broker_url, visibility_timeout_seconds=2 * lease_seconds + 10)
    shop = ProcessShop(lambda: open_shop(settings=settings))

    @app.task(name=RUN_JOB, shared=False)
    def run(job_id: str) -> None:  # Celery reads the signature, so no lambda
        run_job(shop, job_id)

    _close_at_shutdown(shop)
    _leave_logging_alone()
    return app


def run_job(shop: Callable[[], Shop], job_id: object) -> None:
    """Run the job that a message names. Expected errors are logged, not raised.

    While the database cannot be reached, messages are dropped, not returned to the broker: it
    would deliver them again at once, in a tight loop. The job stays in the queue of record, which
    sends it again when its lease ends.
    """
    try:
        job = JobId(UUID(str(job_id)))
    except ValueError:
        logger.error("dropped a message without a valid job id")  # noqa: TRY400 - there is no cause
        return
    try:
        outcome = shop().jobs.run(job)
    except TransientError as error:
        logger.warning("job %s is left to the queue: %s", job, error, extra={"job_id": job})
    else:
        logger.info("job %s: %s", job, outcome, extra={"job_id": job})


def _close_at_shutdown(shop: ProcessShop) -> None:
    from celery import signals  # noqa: PLC0415

    def close(**_facts: object) -> None:
        shop.close()

    signals.worker_process_shutdown.connect(close, weak=False)  # a child of a prefork pool
    signals.worker_shutdown.connect(close, weak=False)  # the process of a thread pool


def _leave_logging_alone() -> None:
    """Connect to `setup_logging`, so that Celery does not configure logging itself."""
    from celery import signals  # noqa: PLC0415

    def leave(**_facts: object) -> None:
        pass

    signals.setup_logging.connect(leave, weak=False)


def __getattr__(name: str) -> Celery:
    """Build `app` when Celery's command reads it, not on import."""
    if name in {"app", "celery"}:
        log_to_stderr()
        settings = Settings.load()
        if settings.mode == "production":
            require_fit_for_production(settings)
        return build_worker_app(settings)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
