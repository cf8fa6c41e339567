"""From a commit to the task that follows, and what handing a task over costs."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from time import monotonic_ns, perf_counter, process_time
from typing import Any, Final
from uuid import uuid4

import psycopg
from celery import Celery

from quickshop import Shop
from quickshop.adapters.celery.jobs import RUN_JOB, CeleryJobs, make_celery
from quickshop.ports.jobs import JobId
from tests.benchmarks import processes
from tests.benchmarks.ordering import place
from tests.benchmarks.processes import BenchmarkError
from tests.benchmarks.report import Row
from tests.benchmarks.stage import Database, Stage

PATIENCE_SECONDS: Final = 10
SETTLE_SECONDS: Final = 0.02
"""From a job that is done to a worker that waits for the next one."""
BATCH: Final = 100
"""As many as the relay hands over at once."""
_OTHER_DATABASE: Final = "/1"
"""A database of Redis without consumers of tasks."""


class _Starts:
    """Hears from the worker which tasks it started, and when."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE_SECONDS)
        self._heard: dict[str, int] = {}
        self.port: int = self._socket.getsockname()[1]

    def wait(self) -> None:
        """Return when some task has started."""
        try:
            task_id, at = self._socket.recv(200).decode().split()
        except TimeoutError:
            raise BenchmarkError("a task did not start") from None
        self._heard[task_id] = int(at)

    def of(self, task_id: str) -> int:
        """When a task started, in nanoseconds of the monotonic clock."""
        while task_id not in self._heard:
            self.wait()
        return self._heard[task_id]

    def close(self) -> None:
        self._socket.close()


def commit_to_start(stage: Stage) -> Iterator[Row]:
    """A committed order's first task, beside a task sent by `delay()`: same worker and broker."""
    samples = 10 * stage.effort.rounds
    starts = _Starts()
    with stage.database() as database:
        settings = stage.settings(database, broker_url=stage.valkey.url)
        with (
            processes.run(stage.folder, "worker", str(starts.port), **settings),
            processes.run(stage.folder, "relay", **settings),
            stage.open_shop(database) as shop,
        ):
            task = _task(make_celery(stage.valkey.url))
            carts = iter(database.carts(samples + 10))
            sides = (
                lambda: _delayed(task, starts),
                lambda: _ordered(shop, carts, database, starts),
            )
            for _ in range(5):  # until the pool's processes have opened their shops
                _in_turn(sides, database)
            found = [_in_turn(sides, database) for _ in range(samples)]
    starts.close()
    direct, outbox = (median(column) for column in zip(*found, strict=True))
    yield Row(
        name="commit_to_start",
        path="commit to task start, p50",
        value=outbox / direct,
        target=1.5,
        bound="at most",
        here=f"{outbox / 1e6:.2f} ms",
        floor=f"{direct / 1e6:.2f} ms",
        rate_ratio=outbox / direct,
        note="outbox, LISTEN/NOTIFY, relay, Celery; floor: delay(). Lower is better",
        details={"milliseconds": [[a / 1e6, b / 1e6] for a, b in found]},
    )


def _in_turn(sides: tuple[Callable[[], int], ...], database: Database) -> tuple[int, ...]:
    waits = []
    for side in sides:
        waits.append(side())
        database.wait_until_idle()
        time.sleep(SETTLE_SECONDS)
    return tuple(waits)


def _task(app: Celery) -> Any:
    def run_job(job_id: str) -> str:
        return job_id

    return app.task(name=RUN_JOB)(run_job)


def _delayed(task: Any, starts: _Starts) -> int:
    begin = monotonic_ns()
    sent = task.delay(str(uuid4()))
    return starts.of(sent.id) - begin


def _ordered(shop: Shop, carts: Iterator[int], database: Database, starts: _Starts) -> int:
    number = next(carts)
    order = place(shop, number, key=f"task-{number}").order
    committed = monotonic_ns()
    starts.wait()  # and do nothing meanwhile: the relay may need this core
    job = database.ask(
        "SELECT id::text FROM jobs WHERE subject = %s AND effect = 'process_order'", str(order.id)
    )
    return starts.of(job) - committed


# -- What one message costs its sender


@dataclass(frozen=True, slots=True)
class _Cost:
    cpu_microseconds: float
    rate: float


def relay(stage: Stage) -> Iterator[Row]:
    """CPU of the sending process per message; the messages have no consumer."""
    broker = stage.valkey.url.removesuffix("/0") + _OTHER_DATABASE
    app = make_celery(broker)
    task, publisher = _task(app), CeleryJobs(app)
    messages = 5 * BATCH

    def delay() -> None:
        for _ in range(messages):
            task.delay(str(uuid4()))

    def publish() -> None:
        for _ in range(messages // BATCH):
            publisher.publish([JobId(uuid4()) for _ in range(BATCH)])

    with stage.database() as database, stage.open_shop(database, broker_url=broker) as shop:

        def relay_all() -> None:
            while shop.jobs.relay():
                pass

        delay()
        publish()
        found = []
        for _ in range(stage.effort.rounds):
            direct, batched = _cost(delay, messages), _cost(publish, messages)
            _queue(database, messages)
            app.control.purge()  # a relay hands over only what workers may be expected to take
            found.append((direct, batched, _cost(relay_all, messages)))
    publisher.close()
    direct, batched, relayed = (
        median(cost.cpu_microseconds for cost in column) for column in zip(*found, strict=True)
    )
    yield Row(
        name="relay",
        path="handing a task to the broker, in batches",
        value=median(one.cpu_microseconds / other.cpu_microseconds for one, other, _ in found),
        target=10,
        here=f"{batched:.0f} µs",
        floor=f"{direct:.0f} µs",
        cpu_ratio=median(one.cpu_microseconds / other.cpu_microseconds for one, other, _ in found),
        rate_ratio=median(other.rate / one.rate for one, other, _ in found),
        note=f"CPU of the sender; floor: delay(). With the claim in SQL {relayed:.0f} µs",
        details={"direct": direct, "batched": batched, "with_claim": relayed},
    )


def _cost(work: Callable[[], None], messages: int) -> _Cost:
    begin, cpu = perf_counter(), process_time()
    work()
    used, seconds = process_time() - cpu, perf_counter() - begin
    return _Cost(1e6 * used / messages, messages / seconds)


def _queue(database: Database, number: int) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO jobs (id, event_id, effect, event_kind, event, subject, status, attempts,"
            " due_at, available_at, error, occurred_at)"
            " SELECT gen_random_uuid(), gen_random_uuid(), 'process_order', 'OrderPlaced', '{}',"
            " '', 'waiting', 0, now(), now(), '', now() FROM generate_series(1, %s)",
            [number],
        )
