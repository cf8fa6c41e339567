"""The twins, with a step of the scheduler at every call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from quickshop.adapters.memory.jobs import MemoryJobQueue
from quickshop.adapters.memory.state import MemoryState, MemoryStore
from quickshop.adapters.memory.unit_of_work import MemoryUnitOfWork
from quickshop.domain.errors import ContentionError, PaymentUnknownError, TransientError
from quickshop.ports.jobs import Job, JobId
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Actor, Scheduler
from tests.simulation.violations import Kind, Violation, unexpected

CLEAN_TRIES = 2
"""The last tries of a job, which have no faults, so that no job fails permanently."""


class Stepped:
    """A port whose every call is a step. What the steps are called begins with `name`."""

    __slots__ = ("_name", "_port", "_step")

    def __init__(self, port: object, name: str, step: Callable[[str], None]) -> None:
        self._port = port
        self._name = name
        self._step = step

    def __getattr__(self, attribute: str) -> Any:
        method = getattr(self._port, attribute)
        if not callable(method):
            return method
        step, what = self._step, f"{self._name}.{attribute}"

        def call(*args: object, **options: object) -> object:
            step(what)
            return method(*args, **options)

        return call


class SteppedTransaction:
    """A transaction whose repositories are `Stepped`."""

    __slots__ = ("_step", "_tx")

    def __init__(self, tx: object, step: Callable[[str], None]) -> None:
        self._tx = tx
        self._step = step

    def __getattr__(self, repository: str) -> Stepped:
        return Stepped(getattr(self._tx, repository), repository, self._step)


class SteppedStore(MemoryStore):
    """Actors wait their turn to change the state; its commits may fail, before or after."""

    def __init__(
        self,
        scheduler: Scheduler,
        faults: Faults,
        on_commit: Callable[[MemoryState, MemoryState], None],
    ) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._faults = faults
        self._on_commit = on_commit
        self._holder: Actor | None = None

    @property
    def is_open(self) -> bool:
        """Whether the actor that runs is in the middle of a change."""
        return self._holder is self._scheduler.current

    @contextmanager
    def change(self) -> Iterator[MemoryState]:
        """As `MemoryStore.change`."""
        scheduler = self._scheduler
        if self.is_open:
            raise Violation(Kind.SCHEDULE, "transactions do not nest")
        scheduler.step("begin")
        while self._holder is not None:
            scheduler.queue_up()
        self._holder = scheduler.current
        before = self.state
        try:
            draft = before.draft()
            yield draft
            scheduler.step("commit")
            self._faults.before_commit()
            self.state = draft
        finally:
            self._holder = None
            scheduler.next_in_queue()
        self._on_commit(before, draft)
        self._faults.after_commit()


class SteppedUnitOfWork(MemoryUnitOfWork):
    """Transactions whose every call is a step."""

    def __init__(self, scheduler: Scheduler, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._scheduler = scheduler

    @contextmanager
    def __call__(self) -> Iterator[Any]:
        """As `MemoryUnitOfWork`."""
        with super().__call__() as tx:
            yield SteppedTransaction(tx, self._scheduler.step)


class SteppedQueue(MemoryJobQueue):
    """The queue, which also records the running jobs, and protects the last tries of a job."""

    def __init__(self, store: SteppedStore, scheduler: Scheduler, max_attempts: int) -> None:
        super().__init__(store)
        self._state = lambda: store.state
        self._scheduler = scheduler
        self._last_faulty_try = max_attempts - CLEAN_TRIES
        self.running: dict[JobId, int] = {}
        """The number of actors that run the job."""
        self.overlapping: set[UUID] = set()
        """Events whose job was handed out again while it still ran."""

    def start(self, job_id: JobId, now: datetime, *, lease: timedelta) -> Job | None:
        """As `MemoryJobQueue.start`."""
        me = self._scheduler.current
        record = self._state().jobs.get(job_id)
        me.shielded = record is not None and record.attempts >= self._last_faulty_try
        job = super().start(job_id, now, lease=lease)
        if job is not None:
            me.job = job
            self._scheduler.note(f"-- {job.effect} of {job.event.subject}, try {job.attempts}")
            self.running[job_id] = self.running.get(job_id, 0) + 1
            if self.running[job_id] > 1:
                self.overlapping.add(job.event_id)
        return job

    def finish(self, job_id: JobId, *args: Any, **options: Any) -> None:
        """As `MemoryJobQueue.finish`. By now a mail that went out is written down."""
        self._scheduler.current.mailed = False
        super().finish(job_id, *args, **options)

    def let_go(self) -> None:
        """Record that the running actor has ended its job, with or without success."""
        me = self._scheduler.current
        if me.job is not None:
            self.running[me.job.id] -= 1
        me.job, me.shielded, me.mailed = None, False, False

    def fail(self, job_id: JobId, error: str, **options: Any) -> None:
        """As `MemoryJobQueue.fail`; only what was made to fail may."""
        reason = sys.exception()
        if type(reason) not in EXPECTED_FAILURES:
            raise unexpected(reason, Kind.JOB_FAILED)
        super().fail(job_id, error, **options)


EXPECTED_FAILURES = (TransientError, ContentionError, PaymentUnknownError)


class SteppedClock:
    """The virtual time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> datetime:
        return self._scheduler.now


class CountedIdentifiers:
    """The same ids and secrets in every run, later ones higher."""

    def __init__(self) -> None:
        self._ids = count(1)

    def new(self) -> UUID:
        return UUID(int=next(self._ids))

    def secret(self) -> str:
        return f"secret-{next(self._ids):032}"


class Broker:
    """Hands job ids to consumers. Loses, repeats and reorders them."""

    def __init__(self, scheduler: Scheduler, faults: Faults) -> None:
        self.messages: list[JobId] = []
        self._scheduler = scheduler
        self._faults = faults

    def publish(self, job_ids: Sequence[JobId]) -> None:
        """As `JobPublisher.publish`.

        Raises:
            TransientError: it is down.
        """
        if self._faults.strikes("broker_down"):
            raise TransientError("no connection to the broker")
        for job_id in job_ids:
            if not self._faults.strikes("broker_loses"):
                self._put(job_id)
                if self._faults.strikes("broker_repeats"):
                    self._put(job_id)
        self._scheduler.wake_idle()

    def waiting(self) -> int:
        """As `JobPublisher.waiting`.

        Raises:
            TransientError: it is down.
        """
        if self._faults.strikes("broker_down"):
            raise TransientError("no connection to the broker")
        return len(self.messages)

    def _put(self, job_id: JobId) -> None:
        last = len(self.messages)
        where = last
        if last and self._faults.strikes("broker_reorders"):
            where = self._scheduler.random.randrange(last)
        self.messages.insert(where, job_id)


class WokenSignal:
    """Wakes idle actors when jobs were written."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.wake = scheduler.wake_idle

    def wait(self, timeout_seconds: float) -> None:
        """Not used here: actors wait with `idle`."""
        self.wake()
        assert timeout_seconds >= 0
