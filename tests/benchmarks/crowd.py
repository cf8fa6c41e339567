"""Buyers in processes of their own, as a shop that runs in several has them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import event

from quickshop import Shop
from quickshop.container import build_container
from quickshop.domain.errors import QuickShopError
from quickshop.settings import Settings
from tests.benchmarks.measure import Sample
from tests.benchmarks.ordering import place
from tests.benchmarks.processes import BenchmarkError, cpu_seconds

PROCESSES: Final = 2
PATIENCE_SECONDS: Final = 120
_LOCK_FIRST: Final = "SELECT 1 FROM stock_levels WHERE variant_id = %s FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Buyers who call the library from `PROCESSES` processes."""

    _processes: tuple[ProcessPoolExecutor, ...]
    _pids: tuple[int, ...]

    def buy(self, carts: range, *, buyers: int) -> Counter[str]:
        """Order each of these carts, so many side by side; how often each outcome came.

        Raises:
            BenchmarkError: a process ended.
        """
        used = self._processes[: min(buyers, PROCESSES)]
        try:
            asked = [
                process.submit(_buy, carts[n :: len(used)], buyers // len(used))
                for n, process in enumerate(used)
            ]
            return sum((each.result(PATIENCE_SECONDS) for each in asked), Counter[str]())
        except (BrokenExecutor, TimeoutError) as error:
            raise BenchmarkError(f"buyers got lost: {error!r}") from error

    def sample(self, carts: range, *, buyers: int, postgres_pid: int) -> Sample:
        """The same, where each is to get what it ordered; CPU of buyers, shop and PostgreSQL."""
        pids = (*self._pids, postgres_pid)
        before, begin = cpu_seconds(*pids), perf_counter()
        outcomes = self.buy(carts, buyers=buyers)
        seconds = perf_counter() - begin
        if outcomes != {"placed": len(carts)}:
            raise BenchmarkError(f"there was enough for all, and this came out: {dict(outcomes)}")
        return Sample(len(carts), seconds, cpu_seconds(*pids) - before)


@contextmanager
def gathered(settings: Settings, *, lock_first: UUID | None = None) -> Iterator[Crowd]:
    """Buyers of a shop with these settings, each process with connections of its own.

    With `lock_first` each of their transactions begins with `FOR UPDATE` of this variant's level.
    """
    processes = tuple(
        ProcessPoolExecutor(
            1, get_context("spawn"), initializer=_open, initargs=(settings, lock_first)
        )
        for _ in range(PROCESSES)
    )
    try:
        pids = [process.submit(os.getpid) for process in processes]
        yield Crowd(processes, tuple(pid.result(PATIENCE_SECONDS) for pid in pids))
    finally:
        for process in processes:
            process.shutdown(cancel_futures=True)


# -- In each process

_shop: Shop


def _open(settings: Settings, lock_first: UUID | None) -> None:
    global _shop  # noqa: PLW0603 - what an initializer opens, its process uses
    container = build_container(settings)
    if lock_first is not None:

        def lock(connection: Any) -> None:
            connection.exec_driver_sql(_LOCK_FIRST, (lock_first,))

        event.listen(container.engine(), "begin", lock)
    _shop = container.shop()


def _buy(carts: range, buyers: int) -> Counter[str]:
    with ThreadPoolExecutor(buyers) as threads:
        return Counter(threads.map(_outcome, carts))


def _outcome(cart: int) -> str:
    try:
        place(_shop, cart, key=f"order-{cart}")
    except QuickShopError as error:
        return error.code
    return "placed"
